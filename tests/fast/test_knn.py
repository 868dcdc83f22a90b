"""Nearest neighbours against a double loop: where the fast product is right or useless, and where all ties."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.neighbors import NearestNeighbors

from drlim_np.fast import knn as nearest
from drlim_np.fast.knn import SPARE, in_unit, nearest_neighbours
from tests.help.peaks import peak_of_memory
from tests.help.refusals import refuses


def normal(seed, samples, features):
    return np.random.default_rng(seed).standard_normal((samples, features))


def by_double_loop(x, k):
    x = np.asarray(x).astype(np.float64)
    found = []
    for i in range(len(x)):
        squared = [(float(np.sum((x[i] - x[j]) ** 2)), j) for j in range(len(x)) if j != i]
        found.append([j for _, j in sorted(squared)[:k]])
    return found


def counted_again(x, k):
    """How many samples were compared again with all that may be as near as their neighbours."""
    with mock.patch.object(nearest, "_rank", side_effect=nearest._rank) as rank:
        nearest_neighbours(x, k)
    return sum(len(call.args[1]) == 1 for call in rank.call_args_list)


@settings(deadline=None, max_examples=150)
@given(
    x=st.one_of(
        hnp.arrays(np.int64, st.tuples(st.integers(2, 30), st.integers(1, 3)), elements=st.integers(-2, 2)),
        st.builds(normal, st.integers(0, 2**32 - 1), st.integers(2, 80), st.integers(1, 5)),
    ),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    offset=st.sampled_from([0.0, 1.0, 1e4, 1e9]),
    rows=st.sampled_from([1, 3, 128]),
    tile=st.sampled_from([1, 4, 16, 1024]),
    spare=st.sampled_from([0, 1, 12]),
    kept=st.sampled_from([1, 2, 320]),
    data=st.data(),
)
def test_in_whatever_tiles_ties_and_duplicates_go_to_the_smaller_index(x, scale, offset, rows, tile, spare, kept, data):
    x, k = scale * (x + offset), data.draw(st.integers(1, len(x) - 1))
    with mock.patch.multiple(nearest, ROWS=rows, TILE=tile, SPARE=spare, COMPONENTS=kept):
        assert nearest_neighbours(x, k).tolist() == by_double_loop(x, k)


def test_a_tile_that_may_hold_a_nearer_sample_is_not_left_out():
    x = np.array([[0.0], [1], [2], [10], [17], [18], [19], [20]])  # 10 has its nearest in the other tile
    with mock.patch.multiple(nearest, TILE=4, SPARE=1):
        assert nearest_neighbours(x, 1).tolist() == by_double_loop(x, 1)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i4", "i8", "u8", "f2", "f4", "f8", "?"])
def test_every_real_dtype_is_compared_by_value(dtype):
    x = np.random.default_rng(0).integers(0, 256, (30, 6)).astype(dtype)
    before = x.copy()
    assert nearest_neighbours(x, np.uint8(4)).tolist() == by_double_loop(x, 4)
    assert (x == before).all()


CONSTANT, OUTLIER = np.random.default_rng(1).random((40, 6)), normal(3, 80, 3)
CONSTANT[:, [0, 3]] = 7.5, 1e30
OUTLIER[17] = 1e8
LATTICE = np.argwhere(np.ones((10, 10)))
WORLDS = {
    "everyone else": (np.array([[0.0], [10.0], [1.0], [4.0]]), 3),
    "identical samples": (np.full((5 * SPARE, 2), 7.5), 3),
    "pixels that are the same everywhere": (CONSTANT, 4),
    "a single outlier": (OUTLIER, 3),
    "two places, whose fast distances within may round to below 0": (np.repeat(normal(15, 2, 4), 30, axis=0), 3),
    "ties at every radius on a lattice": (np.random.default_rng(0).permutation(LATTICE), 8),
    "a tie of (2, 4, 2) with (4, 2, 2)": (1e-6 * np.array([[0, 2, 0], [-2, 0, 0], [2, -2, 2], [9, 9, 9]]), 1),
}


@pytest.mark.parametrize(("x", "k"), WORLDS.values(), ids=WORLDS)
def test_hard_cases_have_the_neighbours_of_the_double_loop(x, k):
    assert nearest_neighbours(x, k).tolist() == by_double_loop(x, k)


FADING = 0.8 ** np.arange(24) * normal(6, 384, 24)  # so that principal components stand for it
COMPARED = {  # x, and how many of its samples are compared again
    "many features, of which few matter": (FADING, 0),
    "pixels": (np.random.default_rng(5).random((200, 144), np.float32), 0),
    "whole numbers far from the origin": (np.random.default_rng(4).integers(-1000, 1000, (80, 4)) + 2.0**40, 0),
    "ties left and right of a point on a line, twice each": (np.repeat((np.arange(60) // 2)[:, None], 4, axis=1), 0),
    "clusters so far apart that float32 is useless": (normal(2, 80, 4) + np.repeat([[1e9], [0]], 40, axis=0), 80),
    "clusters less far apart": (normal(2, 80, 4) + np.repeat([[1e5], [0]], 40, axis=0), 80),
}


@pytest.mark.parametrize(("x", "compared"), COMPARED.values(), ids=COMPARED)
def test_samples_are_compared_again_only_where_rounding_may_matter(x, compared):
    with mock.patch.object(nearest, "COMPONENTS", 16):
        assert counted_again(x, 5) == compared
        assert nearest_neighbours(x, 5).tolist() == by_double_loop(x, 5)


def test_fast_distances_are_never_larger_than_the_true_ones_nearly_so_and_from_the_middle_equal():
    x = np.concatenate([FADING, FADING.mean(axis=0, keepdims=True)])
    true = np.sum((x[:, None] - x[-5:]) ** 2, axis=2)
    for components, share in ((40, 0.9999), (24, 0.9999), (12, 0.99), (6, 0.92), (1, 0.35)):
        with mock.patch.object(nearest, "COMPONENTS", components):
            fast = nearest.FastDistances(x)
        found = fast.squared(slice(None), np.arange(len(x) - 5, len(x)))
        assert fast.z.shape[1] == min(24, components + 1)
        assert (found <= true + fast.bound[:, None]).all() and found.sum() >= share * true.sum()
        assert found[:, -1] == pytest.approx(true[:, -1], abs=1e-3)


def test_after_its_own_tile_a_sample_looks_at_few_even_where_each_is_nearer_than_the_one_before(rng):
    x = np.linspace(2, 1, 2048)[:, None] * np.sqrt(1 / 500) * rng.standard_normal((2048, 500))
    spy = mock.Mock(side_effect=nearest._by_sample)
    with mock.patch.multiple(nearest, TILE=128, _by_sample=spy):
        nearest._candidates(nearest.FastDistances(x), 10, 1)
    # With n of the 16 tiles behind it, each as if drawn at random, a sample finds 10 / n in the next.
    looked_at = sum(len(call.args[0]) for call in spy.call_args_list)
    assert looked_at == pytest.approx(2048 * sum(10 / n for n in range(1, 16)), rel=0.1)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e-25, 1e10, 1e19, 1e30, 1e300])
def test_the_unit_does_not_matter(scale):
    x = normal(6, 120, 20)
    assert nearest_neighbours(scale * x, 5).tolist() == by_double_loop(x, 5)
    assert counted_again(scale * x, 5) == 0


def test_the_unit_is_the_power_of_two_that_leaves_the_largest_entry_below_one():
    for largest, expected in ((1.0, 0.5), (-1.0, -0.5), (0.75, 0.75), (-3.0, -0.75), (5e-324, 0.5), (1.5e308, 0.8344)):
        assert in_unit(np.array([largest, 0.0])) == pytest.approx([expected, 0], abs=1e-4)
    assert in_unit(np.zeros(2)).tolist() == [0, 0] and in_unit(np.empty((0, 2))).shape == (0, 2)


@pytest.mark.line("step-1-neighbours")
def test_pixels_have_the_neighbours_that_scikit_learn_finds():
    x = np.random.default_rng(7).random((400, 144), np.float32)
    reference = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(x.astype(np.float64))
    assert nearest_neighbours(x, 5).tolist() == reference.kneighbors(return_distance=False).tolist()


@pytest.mark.parametrize(("samples", "features"), [(500, 4), (40, 2000)])
def test_the_bound_on_rounding_grows_with_the_features_and_not_with_the_samples(samples, features):
    x = np.random.default_rng(9).integers(0, 2, (samples, features)) * 1.0
    centred = (x - x.mean(axis=0)).astype(np.float32)
    largest = (2 * np.sqrt(np.sum(centred.astype(np.float64) ** 2, axis=1).max())) ** 2
    _, beyond = nearest._candidates(nearest.FastDistances(x), 5, 1)
    farthest = np.sort(np.sum((x[:, None] - x) ** 2, axis=2), axis=1)[:, 5]
    margin = (farthest - beyond) / (largest * np.finfo(np.float32).eps)
    assert margin.max() == pytest.approx(features + 6, rel=0.5)


def test_the_number_of_threads_changes_nothing():
    x = np.random.default_rng(8).integers(0, 4, (3 * nearest.ROWS + 5, 4))
    with mock.patch.object(nearest, "TILE", nearest.ROWS):
        one, two, five = (nearest_neighbours(x, 5, threads) for threads in (1, 2, 5))
    assert one.tolist() == two.tolist() == five.tolist()


def test_memory_stays_far_below_the_table_of_all_distances():
    x = np.random.default_rng(9).random((6_000, 16), dtype=np.float32)
    with peak_of_memory() as peak:
        nearest_neighbours(x, 5)
        assert peak() < 6_000**2 * 4 / 5


BAD = np.ones((6, 2)), np.ones((6, 2)), np.ones((6, 2))
for x, value in zip(BAD, (np.nan, np.inf, -np.inf), strict=True):
    x[3, 1] = x[5, 0] = value
REFUSED = [
    *(((np.eye(6), 2, n), f"threads is {n!r}: it must be a whole number of at least 1") for n in (0, -1, 1.0, None)),
    *(((np.eye(6), k), f"k is {k!r}: it must be a whole number from 1 to 5") for k in (0, -1, 6, 7, 2.0, None, True)),
    *(((np.ones(shape), 1), "it must be (samples, features)") for shape in ((6,), (6, 2, 2), ())),
    *(((x, 2), "sample 3 of x holds NaN, infinite or missing values") for x in BAD),
    ((np.full((6, 2), 2**53), 2), "x is int64"),
    ((np.ma.masked_equal(np.eye(6), 1), 2), "x has masked entries"),
    ((1j * np.eye(6), 2), "x has dtype complex128"),
    (([["a"]] * 6, 2), f"x has dtype {np.dtype('U1')}"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_what_has_no_neighbours_is_refused(given, message):
    refuses(lambda: nearest_neighbours(*given), message)
