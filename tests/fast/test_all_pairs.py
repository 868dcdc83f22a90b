"""The loss over all pairs in tiles: equal to its definition, whatever the tiles."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drlim_np.fast import all_pairs
from drlim_np.fast.all_pairs import (
    GROUPS,
    LARGE_TILE,
    TILE,
    contrastive_all_pairs,
    dissimilar_sum,
    near_together,
    within_reach,
)
from drlim_np.graph import SimilarityGraph
from drlim_np.loss import all_pairs_by_definition
from tests.help.comparing import assert_close, bits
from tests.help.peaks import peak_of_memory
from tests.help.refusals import refuses

NONE = np.zeros((0, 2), int)


def random_pairs(samples, rng):
    """Each distinct pair listed never, from either end, or from both."""
    pairs = []
    for i, j in combinations(range(samples), 2):
        pairs += [[], [], [(i, j)], [(j, i)], [(i, j), (j, i)]][rng.integers(5)]
    return rng.permutation(np.array(pairs, dtype=int).reshape(-1, 2))


@pytest.mark.line("eq-2-all-pairs")
@settings(deadline=None, max_examples=200)
@given(
    samples=st.integers(0, 30),
    dims=st.integers(1, 3),
    spread=st.sampled_from([0.0, 0.3, 3.0, 30.0]),
    tile=st.sampled_from([1, 2, 7, 256]),
    margin=st.floats(0.1, 10),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_loss_over_all_pairs_in_tiles_is_its_definition(samples, dims, spread, tile, margin, seed):
    rng = np.random.default_rng(seed)
    z, similar = spread * rng.standard_normal((samples, dims)), SimilarityGraph(samples, random_pairs(samples, rng))
    defined, dz = all_pairs_by_definition(z, similar, margin)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(all_pairs, "TILE", tile)
        loss, tiled_dz = contrastive_all_pairs(z, similar, margin)
    np.testing.assert_allclose(loss, defined, rtol=1e-12)
    # The forces on a sample may cancel: each rounds by its own size, which is at most the spread or the margin.
    np.testing.assert_allclose(tiled_dz, dz, rtol=0, atol=1e-13 * samples * (spread + margin))


@pytest.mark.parametrize("width", [2.0, 20.0])
def test_dealt_to_groups_the_loss_is_its_definition_and_the_same_on_any_number_of_threads(width, monkeypatch):
    monkeypatch.setattr(all_pairs, "TILE", 8)
    monkeypatch.setattr(all_pairs, "LARGE_TILE", 11)
    rng, samples = np.random.default_rng(int(width)), 203
    z = width * rng.random((samples, 2))
    similar = SimilarityGraph(samples, random_pairs(samples, rng))
    weight = rng.uniform(0.5, 2, samples)
    one, *others = (bits(*dissimilar_sum(z, similar, 1.0, weight, threads)) for threads in (1, 2, 3, 20))
    assert all(other == one for other in others)
    loss, dz = contrastive_all_pairs(z, similar, 1.0)
    defined, defined_dz = all_pairs_by_definition(z, similar, 1.0)
    np.testing.assert_allclose(loss, defined, rtol=1e-12)
    np.testing.assert_allclose(dz, defined_dz, rtol=0, atol=1e-13 * samples * (width + 1))


def test_many_samples_are_dealt_to_groups_and_on_a_narrow_map_in_large_tiles():
    many = 2 * GROUPS * TILE
    line = np.linspace(0, 1, many)[:, None]
    assert all_pairs.division(line[1:], 1.0) == (TILE, 1), "a few samples are added up as ever"
    assert all_pairs.division(line + 100, 1.0) == all_pairs.division(7.9 * line, 2.0) == (LARGE_TILE, GROUPS)
    assert all_pairs.division(np.concatenate([line, 8 * line], axis=1), 2.0) == (TILE, GROUPS), "by its widest side"


@pytest.mark.parametrize("tile", [1, 2, 5, 12, 256])
@pytest.mark.parametrize("samples", [1, 2, 3, 11, 12, 13])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_weights_multiply_a_pair_by_both_its_ends_whatever_the_tiles(tile, samples, dims, monkeypatch):
    monkeypatch.setattr(all_pairs, "TILE", tile)
    rng = np.random.default_rng([tile, samples, dims])
    z, pairs, margin = rng.standard_normal((samples, dims)), random_pairs(samples, rng), 2.5
    weight = rng.uniform(0.5, 2, samples)
    difference = z[:, None] - z
    d = np.linalg.norm(difference, axis=2) + np.eye(samples)
    both = np.outer(weight, weight) - np.diag(weight**2)
    both[tuple(pairs.T)] = both[tuple(pairs[:, ::-1].T)] = 0
    gap = np.maximum(0, margin - d)
    loss, dz = dissimilar_sum(z, SimilarityGraph(samples, pairs), margin, weight)
    assert_close(loss, np.sum(both * gap**2) / 4)
    assert_close(dz, -np.sum((both * gap / d)[:, :, None] * difference, axis=1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pairs_that_must_not_count_add_exactly_nothing_for_any_margin(dtype):
    every_pair = SimilarityGraph(6, np.array(list(combinations(range(6), 2))))
    z = np.random.default_rng(0).standard_normal((6, 2)).astype(dtype) / 100
    for margin in (*np.linspace(0.05, 20, 37), *np.linspace(0.05, 20, 37).tolist()):
        loss, dz = dissimilar_sum(z, every_pair, margin)
        assert loss == 0 and not dz.any()


@pytest.mark.parametrize("width", [0.3, 1.0, 16.0])
def test_loss_and_gradient_over_all_pairs_in_float32_are_those_in_float64(width):
    rng = np.random.default_rng(5)
    order, z = rng.permutation(1000), (width * rng.random((1000, 2))).astype(np.float32)
    similar = SimilarityGraph(1000, np.stack([order, np.roll(order, 1)], axis=1))
    for part in (contrastive_all_pairs, dissimilar_sum):
        (loss, dz), (exact_loss, exact_dz) = (part(points, similar, 1.0) for points in (z, z.astype(np.float64)))
        assert loss.dtype == dz.dtype == np.float32
        assert abs(loss - exact_loss) <= 1e-5 * exact_loss
        assert np.linalg.norm(dz - exact_dz) <= 1e-5 * np.linalg.norm(exact_dz)


@pytest.mark.parametrize(("dtype", "dims"), [(np.float32, 3), (np.float64, 2)])
def test_memory_is_bounded_by_tiles_and_not_by_the_number_of_pairs(dtype, dims):
    rng = np.random.default_rng(0)
    samples, itemsize = 3000, np.dtype(dtype).itemsize
    z, similar = rng.standard_normal((samples, dims)).astype(dtype), SimilarityGraph(samples, np.array([[0, 1]]))
    bound = 2**20 + (12 + dims) * TILE**2 * itemsize
    assert bound < samples**2 * itemsize / 2  # less than one array of all the pairs
    with peak_of_memory() as peak:
        contrastive_all_pairs(z, similar, 1.0)
        assert peak() < bound


ON_A_LINE = np.array([[0.0, 0.0], [0.25, 0.0], [1.25, 0.0], [1.5, 0.0]])
VISITED = [
    *((unit * ON_A_LINE, 2, unit, [(0, 0), (2, 2)]) for unit in (0.5, 1, 4)),
    *((unit * ON_A_LINE, 2, 1.001 * unit, [(0, 0), (0, 2), (2, 2)]) for unit in (0.5, 1, 4)),
    # As far apart as their corners, on whichever side.
    *((np.array([[0, 0], corner]), 1, 1.0, [(0, 0), (1, 1)]) for corner in ([0.8, 0.8], [-0.8, 0.8], [-0.8, -0.8])),
    *((np.array([[0, 0], corner]), 1, 1.2, [(0, 0), (0, 1), (1, 1)]) for corner in ([0.8, 0.8], [-0.8, -0.8])),
]


@pytest.mark.parametrize(("z", "size", "reach", "pairs"), VISITED)
def test_tiles_a_margin_or_more_apart_are_passed_over(z, size, reach, pairs):
    assert [(rows.start, columns.start) for rows, columns, _ in within_reach(z, NONE, size, reach)] == pairs


def test_most_tiles_of_a_wide_map_are_passed_over():
    rng = np.random.default_rng(0)
    for width, height, most in ((20, 20, 0.14), (200, 2, 0.07)):
        z = rng.uniform(0, (width, height), (4000, 2))
        assert len([*within_reach(z[near_together(z, 64)], NONE, 64, 1.0)]) < most * (63 * 64 / 2)


def test_a_place_that_is_not_a_number_is_never_passed_over(monkeypatch):
    monkeypatch.setattr(all_pairs, "TILE", 1)
    loss, dz = dissimilar_sum(np.array([[0.0, 0.0], [100.0, 0.0], [np.nan, 0.0]]), SimilarityGraph(3, NONE), 1.0)
    assert np.isnan(loss) and np.isnan(dz).all()


WEIGHTS = [np.ones(2), np.ones((3, 1)), np.ones(3, np.float32), np.ones(3, int)]
REFUSED = [
    *(({"threads": n}, f"threads is {n!r}: it must be a whole number of at least 1") for n in (0, -1, 1.5, None, True)),
    *(({"weight": weight}, "weight") for weight in WEIGHTS),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_threads_and_weights_without_a_meaning_are_refused(options, message):
    graph = SimilarityGraph(3, np.array([[0, 1]]))
    refuses(lambda: dissimilar_sum(np.zeros((3, 2)), graph, 1.0, **options), message)
