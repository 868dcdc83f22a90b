"""Tiles of near samples against every pair, one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drlim_np.fast import all_pairs
from drlim_np.fast.all_pairs import dissimilar_sum
from drlim_np.fast.tiles import near_together, within_reach
from drlim_np.graph import SimilarityGraph
from tests.help.double_loop import random_pairs

clouds = st.builds(
    lambda seed, samples, dims, spread: spread * np.random.default_rng(seed).standard_normal((samples, dims)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 40),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.3, 3.0, 30.0]),
)
sizes = st.sampled_from([1, 2, 3, 7, 64])


def seen(z, similar, size, reach=1.0):
    """How often each pair of places is yielded as one that counts."""
    times = np.zeros((len(z), len(z)), int)
    for rows, columns, left_out in within_reach(z, similar, size, reach):
        counts = np.ones((rows.stop - rows.start, columns.stop - columns.start), int)
        counts = np.triu(counts, k=1) if rows == columns else counts
        counts[tuple(left_out.T)] = 0
        times[rows, columns] += counts
    return times


NONE = np.zeros((0, 2), int)


def visited(z, size, reach):
    """Where the pairs of tiles within reach start."""
    return [(rows.start, columns.start) for rows, columns, _ in within_reach(z, NONE, size, reach)]


@settings(deadline=None, max_examples=200)
@given(clouds, sizes)
def test_the_order_holds_every_sample_once(z, size):
    assert sorted(near_together(z, size).tolist()) == list(range(len(z)))


@settings(deadline=None, max_examples=300)
@given(clouds, sizes, st.integers(0, 9))
def test_every_dissimilar_pair_within_reach_is_seen_once_and_no_other_twice(z, size, seed):
    z = z[near_together(z, size)]
    similar = random_pairs(len(z), np.random.default_rng(seed))
    times = seen(z, similar, size)
    times = times + times.T
    excluded = np.eye(len(z), dtype=bool)
    excluded[similar[:, 0], similar[:, 1]] = excluded[similar[:, 1], similar[:, 0]] = True
    near = np.linalg.norm(z[:, None] - z, axis=2) < 1.0
    assert (times[near & ~excluded] == 1).all()
    assert (times[excluded] == 0).all()
    assert times.max(initial=0) <= 1


@pytest.mark.line("eq-2-all-pairs")
@settings(deadline=None, max_examples=200)
@given(clouds, sizes, st.integers(0, 9))
def test_skipping_tiles_beyond_the_margin_leaves_the_loss_and_its_gradient_as_they_are(z, size, seed):
    similar = SimilarityGraph(len(z), random_pairs(len(z), np.random.default_rng(seed)))
    weight = np.random.default_rng(seed).uniform(0.5, 2, len(z))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(all_pairs, "TILE", 1 << 20)
        loss, dz = dissimilar_sum(z, similar, 1.0, weight)
        patch.setattr(all_pairs, "TILE", size)
        tiled_loss, tiled_dz = dissimilar_sum(z, similar, 1.0, weight)
    np.testing.assert_allclose(tiled_loss, loss, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(tiled_dz, dz, rtol=0, atol=1e-12 * (1 + np.abs(dz).max(initial=0)))


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
    assert visited(z, size, reach) == pairs


def test_most_tiles_of_a_wide_map_are_passed_over():
    rng = np.random.default_rng(0)
    for width, height, most in ((20, 20, 0.14), (200, 2, 0.07)):
        z = rng.uniform(0, (width, height), (4000, 2))
        assert len(visited(z[near_together(z, 64)], 64, 1.0)) < most * (63 * 64 / 2)


def test_a_place_that_is_not_a_number_is_never_passed_over():
    z = np.array([[0.0, 0.0], [100.0, 0.0], [np.nan, 0.0]])
    assert seen(z, NONE, 1).tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    loss, dz = dissimilar_sum(z, SimilarityGraph(3, NONE), 1.0)
    assert np.isnan(loss) and np.isnan(dz).any()
