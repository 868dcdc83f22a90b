"""The numbers behind the claims against scikit-learn, against sorted lists, and against values worked by hand."""

import re
import tracemalloc
from collections import Counter
from fractions import Fraction
from itertools import combinations
from math import dist, log, sqrt
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as their_trustworthiness
from sklearn.metrics import r2_score, silhouette_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from drlim_np.errors import InputError
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.graph import SimilarityGraph
from drlim_np.measure import ranks
from drlim_np.measure.metrics import (
    accuracy,
    continuity,
    linear_r2,
    pca,
    regression_r2,
    resultant_length,
    same_label_neighbours,
    share_within,
    shift_ratio,
    silhouette,
    similar_neighbours,
    slant,
    trustworthiness,
    unevenness,
)

BOUND = 1e-12
powers_of_two = st.integers(-20, 20).map(lambda n: 2.0**n)
LINE = np.array([[0.0], [1.0], [3.0], [7.0], [15.0]])


def coarse_maps(most=8):
    """Maps on a coarse grid, so that many distances tie and many samples coincide."""
    return hnp.arrays(np.int64, st.tuples(st.integers(3, most), st.integers(1, 3)), elements=st.integers(-2, 2))


def by_sorting(z, k):
    """The k nearest others, ties by index: distances are compared by their squares, which are exact on the grid."""
    others = [[(sum((z[i] - z[j]) ** 2), j) for j in range(len(z)) if j != i] for i in range(len(z))]
    return [[j for _, j in sorted(row)[:k]] for row in others]


# ---- slant ----


def stroke(lean, rng, height=20, width=40):
    """A straight stroke, each row's ink shared between the two pixels about x = centre + lean · y, y upwards."""
    image = np.zeros((height, width))
    for row in range(height):
        x = width / 2 + lean * ((height - 1) / 2 - row)
        left = int(np.floor(x))
        image[row, left : left + 2] = rng.uniform(0.2, 1) * np.array([left + 1 - x, x - left])
    return image


LEANS = [-0.8, -0.3, -0.05, 0.0, 0.1, 0.25, 0.5, 0.9]


def test_the_slant_of_a_straight_stroke_is_its_lean(rng):
    found = slant(np.stack([stroke(lean, rng) for lean in LEANS]))
    assert found.shape == (len(LEANS),) and found.dtype == np.float64
    assert found == pytest.approx(LEANS, abs=BOUND)


def test_slant_is_the_covariance_over_the_variance_of_each_pixels_place_by_its_ink(rng):
    ink = rng.integers(0, 5, (6, 7, 5))
    row, column = np.mgrid[:7, :5]
    for image, found in zip(ink, slant(ink), strict=True):
        covariance = np.cov(column.ravel(), -row.ravel(), fweights=image.ravel())
        assert found == pytest.approx(covariance[0, 1] / covariance[1, 1], rel=BOUND)


def test_a_mirrored_image_leans_as_far_to_the_other_side(rng):
    images = rng.random((5, 9, 6))
    assert slant(images[:, :, ::-1]) == pytest.approx(-slant(images), rel=1e-10)
    assert slant(images[:, ::-1]) == pytest.approx(-slant(images), rel=1e-10)
    assert slant(images[:, ::-1, ::-1]) == pytest.approx(slant(images), rel=1e-10)


def test_neither_place_nor_ink_nor_dtype_change_the_slant(rng):
    image = rng.integers(0, 50, (1, 6, 6))
    moved = np.zeros((1, 12, 15), dtype=int)
    moved[:, 4:10, 7:13] = image
    for same in (moved, 3 * image, image.astype(np.uint8), image.astype(np.float32), image / 255):
        assert slant(same) == pytest.approx(slant(image), rel=1e-10)
    single = (image / 255).astype(np.float32)
    assert slant(single) == pytest.approx(slant(single.astype(np.float64)), rel=BOUND)


@pytest.mark.parametrize("blank", [0, 2])
def test_a_blank_image_has_no_slant_and_is_named(blank, rng):
    images = rng.random((3, 5, 5))
    images[blank] = 0
    with pytest.raises(InputError, match=rf"^image {blank} is blank or a single row"):
        slant(images)


def test_ink_in_one_row_has_no_slant_however_much_there_is(rng):
    images = np.zeros((2, 20, 20))
    images[0] = stroke(0.3, rng, 20, 20)
    for row in range(20):
        images[1] = 0
        images[1, row] = rng.random(20)
        with pytest.raises(InputError, match=r"^image 1 is blank or a single row"):
            slant(images)


# ---- what all that look at k neighbours share ----


# ---- accuracy ----


@pytest.mark.parametrize("k", [1, 4, 5])
def test_accuracy_is_that_of_scikit_learn_with_one_left_out_in_turn(k, rng):
    labels = rng.integers(0, 3, 25)
    z = rng.standard_normal((25, 2)) + labels[:, None]
    vote = cross_val_predict(KNeighborsClassifier(k, algorithm="brute"), z, labels, cv=LeaveOneOut())
    assert 0.3 < np.mean(vote == labels) < 1
    assert accuracy(z, labels, k) == np.mean(vote == labels)


@settings(deadline=None, max_examples=50)
@given(coarse_maps(), st.data())
def test_accuracy_is_the_share_of_samples_that_most_neighbours_name_right(z, data):
    labels = data.draw(st.lists(st.sampled_from("abc"), min_size=len(z), max_size=len(z)))
    k = data.draw(st.integers(1, len(z) - 1))
    right = 0
    for i, nearest in enumerate(by_sorting(z, k)):
        votes = Counter(labels[j] for j in nearest)
        right += min(votes, key=lambda label: (-votes[label], label)) == labels[i]
    assert accuracy(z, np.array(labels), k) == right / len(z)


# ---- R² ----


@pytest.mark.parametrize("k", [1, 3, 10])
def test_r2_is_that_of_scikit_learn_with_one_left_out_in_turn(k, rng):
    z = rng.standard_normal((25, 2))
    target = z[:, 0] + 0.3 * rng.standard_normal(25)
    predicted = cross_val_predict(KNeighborsRegressor(k, algorithm="brute"), z, target, cv=LeaveOneOut())
    assert 0.1 < r2_score(target, predicted) < 1
    assert regression_r2(z, target, k) == pytest.approx(r2_score(target, predicted), rel=BOUND)


@settings(deadline=None, max_examples=50)
@given(coarse_maps(), st.data())
def test_r2_is_never_above_1_and_does_not_depend_on_the_targets_unit(z, data):
    target = np.array(data.draw(st.lists(st.integers(-5, 5), min_size=len(z), max_size=len(z))))
    target[0] = 6
    k = data.draw(st.integers(1, len(z) - 1))
    found = regression_r2(z, target, k)
    assert found <= 1
    assert regression_r2(z, 7 - 3 * target, k) == pytest.approx(found, abs=1e-10)


@pytest.mark.parametrize("samples", [3, 5, 20])
def test_the_mean_of_everyone_else_predicts_worse_than_the_mean_of_all(samples, rng):
    z, target = rng.standard_normal((samples, 2)), rng.standard_normal(samples)
    expected = 1 - (samples / (samples - 1)) ** 2
    assert regression_r2(z, target, samples - 1) == pytest.approx(expected, rel=1e-10)


def test_r2_of_a_quantity_that_has_nothing_to_do_with_the_map_is_about_nought(rng):
    assert -0.3 < regression_r2(rng.standard_normal((300, 2)), rng.standard_normal(300)) < 0.1


# ---- unevenness ----


def lattice(side):
    return np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2).astype(float)


def test_points_evenly_round_a_circle_are_even_for_any_k():
    angle = 2 * np.pi * np.arange(12) / 12
    for k in range(1, 12):
        assert unevenness(np.stack([np.cos(angle), np.sin(angle)], axis=1), k) < BOUND


def test_the_interior_of_a_lattice_is_even_and_its_rim_is_what_deviates():
    # The fourth nearest is at 1 inside, at √2 along the sides, at 2 in the corners.
    side = 7
    radii = [0.0] * (side - 2) ** 2 + [log(2) / 2] * 4 * (side - 2) + [log(2)] * 4
    assert unevenness(lattice(side), 4) == pytest.approx(np.std(radii), rel=BOUND)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_unevenness_is_the_spread_of_the_log_distance_to_the_kth_nearest(k, rng):
    z = rng.standard_normal((25, 3))
    radius = [sorted(dist(a, b) for b in z)[k] for a in z]
    expected = sqrt(np.mean((np.log(radius) - np.mean(np.log(radius))) ** 2))
    assert unevenness(z, k) == pytest.approx(expected, rel=BOUND)


def test_unevenness_does_not_depend_on_unit_place_or_rotation(rng):
    z = rng.standard_normal((30, 2))
    for same in (1e-6 * z, 1e6 * z, z + 10, z @ np.array([[0.6, 0.8], [-0.8, 0.6]]), z[::-1]):
        assert unevenness(same) == pytest.approx(unevenness(z), rel=1e-10)


@pytest.mark.line("claim-even")
def test_clumps_are_more_uneven_than_a_random_map_and_that_more_than_a_shaken_lattice(rng):
    shaken = lattice(10) + rng.uniform(-0.1, 0.1, (100, 2))
    scattered = rng.random((100, 2))
    clumped = np.concatenate([0.01 * rng.random((50, 2)), rng.random((50, 2))])
    assert 2 * unevenness(shaken) < 1.5 * unevenness(scattered) < unevenness(clumped)


def test_coinciding_samples_are_uneven_only_where_the_kth_nearest_is_at_no_distance():
    z = np.array([[0.0], [0.0], [0.0], [1.0], [3.0]])
    assert unevenness(z, 3) > 0
    with pytest.raises(InputError, match=r"^3 or more samples share one place"):
        unevenness(z, 2)
    with pytest.raises(InputError, match=r"^2 or more samples share one place"):
        unevenness(z, 1)


# ---- trustworthiness ----


@pytest.mark.parametrize("k", [1, 5, 12, 19])
def test_trustworthiness_is_that_of_scikit_learn(k, rng):
    x = rng.standard_normal((40, 6)) + 5
    for z in (x[:, :2], rng.standard_normal((40, 2)), pca(x)):
        expected = their_trustworthiness(x, z, n_neighbors=k)
        assert trustworthiness(x, z, k) == pytest.approx(expected, rel=BOUND)
        assert expected < 1


@settings(deadline=None, max_examples=50)
@given(coarse_maps(), st.integers(0, 2**32 - 1), st.data())
def test_trustworthiness_is_its_sum_over_sorted_lists(z, seed, data):
    x = np.random.default_rng(seed).permutation(2 ** np.arange(len(z)))[:, None]  # no two distances from one end tie
    n, k = len(z), data.draw(st.integers(1, (len(z) - 1) // 2))
    order = by_sorting(x, n - 1)
    excess = [max(0, order[i].index(j) + 1 - k) for i, row in enumerate(by_sorting(z, k)) for j in row]
    expected = 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * sum(excess)
    assert trustworthiness(x, z, k) == pytest.approx(expected, abs=BOUND)
    assert expected <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_data_of_any_dtype_are_compared_in_float64(dtype, rng):
    x, z = (100 + 5 * rng.random((40, 3))).astype(dtype), rng.standard_normal((40, 2))
    assert trustworthiness(x, z) == trustworthiness(x.astype(np.float64), z)


@pytest.mark.parametrize("measure", [trustworthiness, continuity])
def test_the_number_of_threads_does_not_change_how_neighbours_agree(measure, rng, monkeypatch):
    monkeypatch.setattr(ranks, "BLOCK", 16)
    x, z = rng.standard_normal((70, 5)), rng.standard_normal((70, 2))
    assert measure(x, z, 4, threads=3) == measure(x, z, 4)


def test_a_map_that_keeps_the_neighbours_is_trusted_fully(rng):
    x = rng.standard_normal((30, 3))
    assert trustworthiness(x, 5 * x - 1) == 1
    assert trustworthiness(x, rng.standard_normal((30, 2))) < 0.9


# ---- principal components ----


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("shape", [(30, 5), (6, 10)])
def test_pca_is_that_of_scikit_learn_up_to_sign(shape, dims, rng):
    x = rng.standard_normal(shape) * np.arange(1, shape[1] + 1) + 3
    found, expected = pca(x, dims), PCA(dims, svd_solver="full").fit_transform(x)
    assert found.shape == expected.shape == (shape[0], dims)
    signs = np.sign(np.sum(found * expected, axis=0))
    assert np.linalg.norm(found - signs * expected) <= BOUND * np.linalg.norm(expected)


def test_principal_components_are_centred_uncorrelated_and_in_falling_order(rng):
    z = pca(rng.standard_normal((50, 6)) + 10, 4)
    assert np.abs(z.mean(axis=0)).max() < BOUND
    covariance = z.T @ z
    assert np.linalg.norm(covariance - np.diag(np.diag(covariance))) <= BOUND * np.linalg.norm(covariance)
    assert (np.diff(np.diag(covariance)) < 0).all()


def test_a_line_has_one_principal_component_of_the_two_that_are_given_unless_told_otherwise():
    z = pca(np.outer(LINE[:, 0], [2.0, 3.0, 6.0]) + 7)
    assert z.shape == (5, 2)
    assert np.abs(z[:, 0]) == pytest.approx(7 * np.abs(LINE[:, 0] - LINE.mean()), rel=BOUND)
    assert np.abs(z[:, 1]).max() < BOUND * np.abs(z[:, 0]).max()


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_principal_components_of_any_dtype_are_found_in_float64(dtype, rng):
    x = (100 + 50 * rng.random((500, 8))).astype(dtype)
    found, expected = pca(x), pca(x.astype(np.float64))
    assert found.dtype == np.float64
    assert np.linalg.norm(np.abs(found) - np.abs(expected)) <= BOUND * np.linalg.norm(expected)


# ---- nothing is changed ----


def test_maps_images_labels_and_targets_are_left_as_they_were(rng):
    x, z, target = rng.random((30, 4)), rng.random((30, 2)), rng.random(30)
    labels, images = rng.integers(0, 2, 30), rng.random((3, 5, 5))
    originals = (x, z, target, labels, images)
    before = [array.tobytes() for array in originals]
    slant(images), accuracy(z, labels), regression_r2(z, target), unevenness(z), trustworthiness(x, z), pca(x)
    assert [array.tobytes() for array in originals] == before


# ---- what shifting does ----


def copies(rng, characters=9, shifts=5, spread=0.3):
    """A map on which the copies of a character lie about its place, and whose they are."""
    character = np.repeat(np.arange(characters), shifts)
    places = rng.standard_normal((characters, 2))[character]
    shuffled = rng.permutation(len(character))
    return (places + spread * rng.standard_normal(places.shape))[shuffled], character[shuffled]


@pytest.mark.parametrize("block", [1, 7, 100])
def test_the_shift_ratio_is_the_mean_within_over_the_mean_between_characters(rng, monkeypatch, block):
    monkeypatch.setattr(ranks, "BLOCK", block)
    z, character = copies(rng)
    within = [dist(z[i], z[j]) for i, j in combinations(range(45), 2) if character[i] == character[j]]
    between = [dist(z[i], z[j]) for i, j in combinations(range(45), 2) if character[i] != character[j]]
    expected = np.mean(within) / np.mean(between)
    assert abs(shift_ratio(z, character) - expected) <= BOUND
    assert abs(shift_ratio(5 * z + 1, character) - expected) <= BOUND


def test_copies_in_one_place_have_a_shift_ratio_of_0_and_characters_at_random_of_about_1(rng):
    z, character = copies(rng, characters=100, spread=0)
    assert shift_ratio(z, character) == 0
    assert abs(shift_ratio(rng.standard_normal(z.shape), character) - 1) < 0.1


@pytest.mark.parametrize("block", [1, 7, 100])
def test_the_silhouette_is_scikit_learns(rng, monkeypatch, block):
    monkeypatch.setattr(ranks, "BLOCK", block)
    z, labels = copies(rng)
    assert abs(silhouette(z, labels) - silhouette_score(z, labels)) <= BOUND
    alone = np.concatenate([labels[:-1], [99]])
    assert abs(silhouette(z, alone) - silhouette_score(z, alone)) <= BOUND
    assert silhouette(np.ones_like(z), labels) == silhouette_score(np.ones_like(z), labels) == 0


def test_same_label_neighbours_are_counted_one_by_one(rng):
    z, labels = copies(rng)
    near = by_sorting(z, 4)
    expected = np.mean([labels[j] == labels[i] for i in range(45) for j in near[i]])
    assert same_label_neighbours(z, labels, k=4) == expected
    assert same_label_neighbours(z, labels) == same_label_neighbours(z, labels, k=5)


# ---- continuity, and memory ----


def test_continuity_is_trustworthiness_with_data_and_map_exchanged(rng):
    x, z = rng.standard_normal((40, 6)), rng.standard_normal((40, 2))
    assert abs(continuity(x, z, k=5) - their_trustworthiness(z, x, n_neighbors=5)) <= BOUND
    assert continuity(x, z, k=5) != trustworthiness(x, z, k=5)
    assert continuity(x, z) == continuity(x, z, k=12) != continuity(x, z, k=11)
    assert continuity(x, x) == 1


def test_a_map_that_tears_neighbours_apart_is_trustworthy_but_not_continuous():
    x = np.stack([np.cos(np.arange(40) * np.pi / 20), np.sin(np.arange(40) * np.pi / 20)], axis=1)
    unrolled = np.arange(40.0)[:, None]
    assert continuity(x, unrolled, k=3) < trustworthiness(x, unrolled, k=3)


def test_no_measure_holds_a_table_of_all_pairs(rng):
    samples = 4000
    z, x, labels = rng.standard_normal((samples, 2)), rng.standard_normal((samples, 8)), np.arange(samples) // 5
    for measure in (
        lambda: trustworthiness(x, z),
        lambda: continuity(x, z),
        lambda: silhouette(z, labels % 5),
        lambda: silhouette(z, np.arange(samples) // 2),
        lambda: shift_ratio(z, labels),
        lambda: accuracy(z, labels % 2),
        lambda: unevenness(z),
    ):
        tracemalloc.start()
        measure()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < samples**2 * 8 / 2


# ---- maps of views ----


def test_linear_r2_is_the_squared_correlation_and_that_of_scikit_learns_straight_line(rng):
    x, noise = rng.standard_normal(200), rng.standard_normal(200)
    target = 3 * x - 1 + noise
    line = np.polynomial.Polynomial.fit(x, target, 1)
    assert linear_r2(x, target) == pytest.approx(r2_score(target, line(x)), abs=1e-12)
    assert linear_r2(x, 5 - 2 * x) == pytest.approx(1)
    assert linear_r2(x, rng.standard_normal(200)) < 0.05


def test_the_resultant_of_angles_that_differ_by_a_turn_is_1_and_of_mirrored_or_unrelated_circles_0(rng):
    angle = 2 * np.pi * np.arange(36) / 36
    assert resultant_length(angle + 1.3, angle) == pytest.approx(1)
    assert resultant_length(angle + 2 * np.pi * rng.integers(-3, 4, 36), angle) == pytest.approx(1)
    assert resultant_length(-angle, angle) == pytest.approx(0, abs=1e-12)
    assert resultant_length(2 * angle, angle) == pytest.approx(0, abs=1e-12)
    many = rng.uniform(0, 2 * np.pi, (2, 4000))
    assert resultant_length(*many) < 0.06


def test_two_angles_that_vary_little_have_a_long_resultant_though_they_are_independent(rng):
    one, other = 0.3 * rng.standard_normal((2, 20_000))
    assert resultant_length(one, other) == pytest.approx(np.exp(-(0.3**2)), abs=0.005)


def test_small_random_errors_of_an_angle_shorten_the_resultant_by_half_their_variance(rng):
    angle, error = rng.uniform(0, 2 * np.pi, 20_000), 0.1 * rng.standard_normal(20_000)
    assert resultant_length(angle + error, angle) == pytest.approx(1 - 0.1**2 / 2, abs=2e-4)


def test_the_share_within_groups_is_0_for_one_place_a_group_and_about_1_for_groups_at_random(rng):
    groups = np.repeat(np.arange(50), 4)
    assert share_within(np.repeat(rng.standard_normal((50, 3)), 4, axis=0), groups) == pytest.approx(0, abs=1e-25)
    assert share_within(rng.standard_normal((200, 3)), groups) == pytest.approx(1, abs=0.15)
    z = rng.standard_normal((200, 3))
    assert share_within(7 * z + np.array([3, -50, 1e3]), groups) == pytest.approx(share_within(z, groups))


def test_similar_neighbours_are_counted_one_by_one_from_either_end(rng):
    z = rng.standard_normal((30, 2))
    pairs = rng.integers(0, 30, (80, 2))
    graph = SimilarityGraph(30, pairs[pairs[:, 0] != pairs[:, 1]])
    alike = {frozenset(pair) for pair in graph.pairs.tolist()}
    counted = [frozenset((i, j)) in alike for i, near in enumerate(nearest_neighbours(z, 5).tolist()) for j in near]
    assert similar_neighbours(z, graph) == pytest.approx(np.mean(counted))


# ---- what is refused, and what changes nothing ----

ANGLE = np.linspace(-3, 3, 30)
LABELS = np.arange(30) % 3
MAP = np.random.default_rng(0).standard_normal((30, 2))
GRAPH = SimilarityGraph(30, np.array([[0, 1], [2, 3]]))
OF_A_MAP = {
    "accuracy": lambda z: accuracy(z, LABELS),
    "regression_r2": lambda z: regression_r2(z, ANGLE),
    "unevenness": unevenness,
    "trustworthiness of the map": lambda z: trustworthiness(MAP, z),
    "trustworthiness of the data": lambda z: trustworthiness(z, MAP),
    "continuity of the map": lambda z: continuity(MAP, z),
    "continuity of the data": lambda z: continuity(z, MAP),
    "same_label_neighbours": lambda z: same_label_neighbours(z, LABELS),
    "silhouette": lambda z: silhouette(z, LABELS),
    "shift_ratio": lambda z: shift_ratio(z, LABELS),
    "share_within": lambda z: share_within(z, LABELS),
    "similar_neighbours": lambda z: similar_neighbours(z, GRAPH),
}
OF_LABELS = {
    "accuracy": accuracy,
    "same_label_neighbours": same_label_neighbours,
    "silhouette": silhouette,
    "shift_ratio": shift_ratio,
    "share_within": share_within,
}
OF_TWO_QUANTITIES = {"linear_r2": linear_r2, "resultant_length": resultant_length}


def on_a_line(*places):
    return np.array(places, float)[:, None]


LEFT = "it must be a whole number from 1 to"
REFUSED = [
    *((lambda k=k: accuracy(LINE, np.arange(5), k), f"k is {k}: {LEFT} 4") for k in (0, -1, 5, 6)),
    *((lambda k=k: regression_r2(LINE, np.arange(5), k), f"k is {k}: {LEFT} 4") for k in (0, -1, 5, 6)),
    *((lambda k=k: unevenness(LINE, k), f"k is {k}: {LEFT} 4") for k in (0, -1, 5, 6)),
    *(
        (lambda n=n, k=k: trustworthiness(np.eye(n), np.eye(n), k), f"k is {k}: {LEFT} {(n - 1) // 2}")
        for n, k in ((10, 0), (10, -3), (10, 5), (10, 9), (11, 6), (1, 1))
    ),
    *((lambda v=v: regression_r2(LINE, np.full(5, v), 3), "the target is the same") for v in (0.0, 1.0, 0.1)),
    *((lambda v=v: trustworthiness(MAP, MAP, 3, v), "threads is") for v in (0, -1, 1.5, None)),
    *((lambda s=s: slant(np.ones(s)), "(samples, height, width)") for s in ((28, 28), (28,), (1, 1, 28, 28))),
    *((lambda v=v: pca(MAP, v), f"dims is {v}: {LEFT} 2") for v in (0, 3, -1, 2.0)),
    (lambda: pca(np.ones((2, 9)), 3), "from 1 to 2"),
    (lambda: shift_ratio(LINE[:3], np.array([0, 1, 2])), "two copies"),
    (lambda: shift_ratio(LINE[:3], np.array([0, 0, 0])), "two characters"),
    (lambda: shift_ratio(np.ones((3, 1)), np.array([0, 0, 1])), "one place"),
    (lambda: silhouette(np.eye(3), np.array([1, 1, 1])), "a silhouette needs 2 to 2"),
    (lambda: silhouette(np.eye(3), np.array([1, 2, 3])), "a silhouette needs 2 to 2"),
    (lambda: linear_r2(np.ones(4), np.arange(4)), "nothing to explain"),
    (lambda: linear_r2(np.arange(4), np.ones(4)), "nothing to explain"),
    (lambda: share_within(np.eye(3), np.array([0, 1, 2])), "group of its own"),
    (lambda: share_within(np.ones((4, 2)), np.array([0, 0, 1, 1])), "one place"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_has_no_meaning_is_refused_in_one_line(call, message):
    assert message in refused(call)


RISING = np.array([[[0, 0, 1], [0, 1, 0], [1, 0, 0]]])
TWO_ROWS = np.array([[[0, 0, 0, 1, 0], [0] * 5, [0] * 5, [1, 0, 0, 0, 0]]])
UPRIGHT = np.tile([0.0, 0, 1, 0], (1, 5, 1))
TWO_PAIRS = on_a_line(0, 1, 10, 11)
WORKED = {
    "a stroke that rises to the right": (lambda: slant(RISING)[0], 1),
    "a stroke that falls to the right": (lambda: slant(RISING[:, :, ::-1])[0], -1),
    "an upright stroke": (lambda: slant(UPRIGHT)[0], 0),
    "ink in two rows": (lambda: slant(TWO_ROWS)[0], 1),
    "pure clusters": (lambda: accuracy(TWO_PAIRS, np.array([4, 4, 9, 9]), 1), 1),
    "every neighbour of the other class": (lambda: accuracy(TWO_PAIRS, np.array([4, 9, 4, 9]), 1), 0),
    # Each of the three has the other two as its neighbours, so a tie goes to the smaller label.
    "a tie for 4": (lambda: accuracy(on_a_line(0, 1, 2), np.array([4, 9, 4]), 2), 2 / 3),
    "a tie for none": (lambda: accuracy(on_a_line(0, 1, 2), np.array([9, 4, 9]), 2), 0),
    "a tie at the end": (lambda: accuracy(on_a_line(0, 1, 2), np.array([4, 4, 9]), 2), 2 / 3),
    # The nearest others of 0, 1, 3, 7, 15 are 1, 0, 1, 3, 7.
    "R²": (lambda: regression_r2(LINE, np.array([2, 0, 4, 6, 8]), 1), 1 - (4 + 4 + 16 + 4 + 4) / (4 + 16 + 0 + 4 + 16)),
    "neighbours that share the target": (lambda: regression_r2(TWO_PAIRS, np.array([3, 3, -8, -8]), 1), 1),
    "a lattice": (lambda: unevenness(lattice(6), 1), 0),
    "a lattice by its second nearest": (lambda: unevenness(lattice(6), 2), 0),
    "couples of two spacings": (lambda: unevenness(on_a_line(0, 1, 100, 104), 1), log(2)),
    # With the ends exchanged, the nearest on the map come third, fourth, first, first and third in the data.
    "trustworthiness": (lambda: trustworthiness(LINE, LINE[[4, 1, 2, 3, 0]], 1), 1 - 2 / (5 * 6) * (2 + 3 + 0 + 0 + 2)),
    "any k below half of 10": (lambda: trustworthiness(MAP[:10], MAP[:10], 4), 1),
    "any k below half of 11": (lambda: trustworthiness(MAP[:11], MAP[:11], 5), 1),
    "any k below half of 3": (lambda: trustworthiness(MAP[:3], MAP[:3], 1), 1),
    "silhouette": (
        lambda: silhouette(on_a_line(0, 1, 10, 12), np.array(["a", "a", "b", "b"])),
        np.mean([1 - 1 / 11, 1 - 1 / 10, 1 - 2 / 9.5, 1 - 2 / 11.5]),
    ),
    # Sums of squares 2 and 8 within the groups {0, 2} and {10, 14}; the mean of all is 6.5.
    "share within": (
        lambda: share_within(on_a_line(0, 2, 10, 14), np.array([7, 7, 1, 1])),
        (10 / 2) / ((6.5**2 + 4.5**2 + 3.5**2 + 7.5**2) / 3),
    ),
}


@pytest.mark.parametrize(("measure", "value"), WORKED.values(), ids=WORKED)
def test_what_is_worked_by_hand(measure, value):
    assert measure() == pytest.approx(value, rel=BOUND, abs=BOUND if value else 0)


@pytest.mark.parametrize(
    ("measure", "k"),
    [
        (lambda *k: accuracy(MAP, np.arange(30) % 2, *k), 5),
        (lambda *k: regression_r2(MAP, MAP[::-1, 0], *k), 10),
        (lambda *k: unevenness(MAP, *k), 10),
        (lambda *k: trustworthiness(MAP, MAP[::-1], *k), 12),
    ],
)
def test_each_measure_has_its_own_k_unless_told_otherwise(measure, k):
    assert measure() == measure(k) != measure(k + 1)


def with_value(array, value):
    """The array as float64 with one entry of its fourth sample replaced."""
    array = np.array(array, np.float64)
    array[(3,) + (0,) * (array.ndim - 1)] = value
    return array


def refused(measure, *arguments):
    with pytest.raises(InputError) as caught:
        measure(*arguments)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_measure_answers_where_a_value_is_not_finite(value):
    for measure in [*OF_A_MAP.values(), pca]:
        assert "sample 3 of" in refused(measure, with_value(MAP, value))
    for measure in OF_LABELS.values():
        assert "sample 3 of" in refused(measure, MAP, with_value(LABELS, value))
    for measure in OF_TWO_QUANTITIES.values():
        assert "sample 3 of" in refused(measure, with_value(ANGLE, value), ANGLE)
        assert "sample 3 of target" in refused(measure, ANGLE, with_value(ANGLE, value))
    assert "sample 3 of target" in refused(regression_r2, MAP, with_value(ANGLE, value))
    assert "sample 3 of images" in refused(slant, with_value(np.ones((5, 4, 4)), value))


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("measure", [*OF_A_MAP.values(), pca], ids=[*OF_A_MAP, "pca"])
def test_no_measure_takes_a_map_of_another_shape_or_kind(measure):
    for z in (MAP[:, 0], MAP[:, :, None], MAP[0, 0]):
        assert "has shape" in refused(measure, z)
    assert "complex128" in refused(measure, MAP + 0j)
    assert "masked" in refused(measure, np.ma.masked_array(MAP, MAP > 1))
    assert measure(np.asmatrix(MAP)) == pytest.approx(measure(MAP))
    assert measure(MAP.tolist()) == pytest.approx(measure(MAP))


@pytest.mark.parametrize("measure", OF_A_MAP.values(), ids=OF_A_MAP)
def test_no_measure_takes_a_map_of_more_or_fewer_samples(measure):
    if measure is not unevenness:
        for z in (MAP[:-1], np.concatenate([MAP, MAP])):
            assert re.search("numbers of samples differ|the graph has 30 samples", refused(measure, z))


@pytest.mark.parametrize("measure", OF_LABELS.values(), ids=OF_LABELS)
def test_labels_stand_one_beside_each_sample(measure):
    assert "shape" in refused(measure, MAP, LABELS[:, None])
    assert "differ" in refused(measure, MAP, LABELS[:-1])
    assert "masked" in refused(measure, MAP, np.ma.masked_equal(LABELS, 1))
    of_names, of_numbers = measure(MAP, np.array(["four", "nine", "one"])[LABELS]), measure(MAP, LABELS)
    assert of_names == pytest.approx(of_numbers)


@pytest.mark.parametrize("measure", OF_TWO_QUANTITIES.values(), ids=OF_TWO_QUANTITIES)
def test_two_quantities_are_compared_sample_by_sample(measure):
    for one, other in ((ANGLE[:, None], ANGLE), (ANGLE, ANGLE[:, None]), (ANGLE[:-1], ANGLE), (ANGLE, ANGLE[:1])):
        assert re.search("has shape|numbers of samples differ", refused(measure, one, other))


def test_a_target_has_one_number_for_each_sample():
    assert "shape" in refused(regression_r2, MAP, ANGLE[:, None])
    assert "differ" in refused(regression_r2, MAP, ANGLE[:-1])


@pytest.mark.parametrize("measure", OF_A_MAP.values(), ids=OF_A_MAP)
@pytest.mark.parametrize("unit", [1e-200, 1e200, 2.0**-1000])
def test_no_measure_depends_on_the_unit_of_length_however_large_or_small(measure, unit):
    assert measure(unit * MAP) == pytest.approx(measure(MAP), rel=1e-12)


def test_no_measure_depends_on_the_unit_of_a_quantity_however_large_or_small():
    for unit in (1e-200, 1e200):
        assert linear_r2(unit * MAP[:, 0], ANGLE) == pytest.approx(linear_r2(MAP[:, 0], ANGLE), rel=1e-12)
        assert linear_r2(MAP[:, 0], unit * ANGLE) == pytest.approx(linear_r2(MAP[:, 0], ANGLE), rel=1e-12)
        assert regression_r2(MAP, unit * ANGLE) == pytest.approx(regression_r2(MAP, ANGLE), rel=1e-12)


@pytest.mark.parametrize("measure", [*OF_A_MAP.values(), pca], ids=[*OF_A_MAP, "pca"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int64, np.float16, np.float32])
def test_a_map_of_any_dtype_is_measured_in_float64(measure, dtype):
    z = np.random.default_rng(3).integers(0, 128, (30, 2))
    assert np.array_equal(measure(z.astype(dtype)), measure(z.astype(np.float64)))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float16, np.float32])
def test_quantities_of_any_dtype_are_measured_in_float64(dtype):
    one, other = (a.astype(np.float64) for a in np.random.default_rng(4).integers(0, 100, (2, 30)))
    for measure in (*OF_TWO_QUANTITIES.values(), lambda x, t: regression_r2(MAP, t)):
        assert measure(one.astype(dtype), other.astype(dtype)) == measure(one, other)
    images = np.random.default_rng(5).integers(0, 100, (3, 6, 6))
    assert np.array_equal(slant(images.astype(dtype)), slant(images.astype(np.float64)))


@pytest.mark.parametrize("k", [np.uint8(5), np.int8(5), np.uint64(5)])
def test_a_k_of_numpys_integers_is_that_k(k):
    assert trustworthiness(MAP, MAP[::-1], k) == trustworthiness(MAP, MAP[::-1], 5)
    assert accuracy(MAP, LABELS, k) == accuracy(MAP, LABELS, 5)


@pytest.mark.parametrize("samples", [10, 11])
def test_as_many_neighbours_are_compared_as_half_of_the_others_at_most(samples, rng):
    z, most = rng.standard_normal((samples, 2)), {10: 4, 11: 5}[samples]
    assert trustworthiness(z, z, most) == 1
    assert refused(trustworthiness, z, z, most + 1) == f"k is {most + 1}: it must be a whole number from 1 to {most}"


# ---- ties in rank ----


def trusted_by_counting(x, z, k):
    """Trustworthiness from distances in exact fractions: a rank is 1 + the number of samples that are nearer."""
    x = [[Fraction(v) for v in row] for row in np.asarray(x, np.float64).tolist()]
    n, far = len(x), [[sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) for q in x] for p in x]
    excess = 0
    for i, near in enumerate(nearest_neighbours(z, k).tolist()):
        excess += sum(max(0, 1 + sum(far[i][m] < far[i][j] for m in range(n) if m != i) - k) for j in near)
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * excess


def test_data_are_trusted_fully_as_a_map_of_themselves_however_many_distances_tie():
    x = np.array([[0, 0, 0, 0], [1, 0, 1, 1], [0, 1, 1, 1], [1, 1, 0, 1], [0, 0, 1, 0]])
    assert trustworthiness(x, x, 2) == 1
    for seed in range(20):
        x = np.random.default_rng(seed).integers(0, 2, (9, 4))
        for same in (x, x / 10, 1e-6 * x, 0.3 * x + 7, x.astype(np.float32), x * np.array([1, 1 / 3, 1e-9, 1e9])):
            assert trustworthiness(same, same, 4) == 1


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(np.int64, st.tuples(st.integers(5, 12), st.integers(1, 6)), elements=st.integers(0, 2)),
    st.sampled_from([0, 2**20, 2**40]),
    st.sampled_from([[0], [0, 0, 2**-10]]),
    powers_of_two,
    st.integers(0, 2**32 - 1),
)
def test_ranks_are_exact_where_distances_tie_or_all_but_tie(x, offset, beside, unit, seed):
    rng = np.random.default_rng(seed)
    x, z = unit * (x + offset + rng.choice(beside, x.shape)), rng.standard_normal((len(x), 2))
    k = int(rng.integers(1, (len(x) + 1) // 2))
    assert trustworthiness(x, z, k) == pytest.approx(trusted_by_counting(x, z, k), abs=BOUND)


def test_duplicates_far_from_the_grid_share_their_rank(rng):
    x = np.repeat(rng.standard_normal((6, 50)) + rng.standard_normal(50), 5, axis=0)
    z = rng.standard_normal((30, 2))
    for k in (1, 4, 14):
        assert trustworthiness(x, z, k) == pytest.approx(trusted_by_counting(x, z, k), abs=BOUND)


def exact_comparisons(x):
    """How many samples of x are ranked again, difference by difference."""
    with mock.patch.object(ranks, "_nearer", side_effect=ranks._nearer) as nearer:
        trustworthiness(x, np.random.default_rng(0).standard_normal((len(x), 2)), 5)
    return nearer.call_count


def test_neither_pixels_nor_whole_numbers_nor_a_place_far_away_need_exact_comparisons(rng):
    x = rng.random((300, 20))
    assert exact_comparisons(x) == exact_comparisons(x + 1e6 * np.arange(20)) == 0
    assert exact_comparisons(rng.integers(0, 2, (300, 20))) == exact_comparisons(rng.integers(0, 256, (300, 20))) == 0
    assert exact_comparisons(np.repeat(x, 2, axis=0)) > 300


def test_a_tie_with_a_sample_that_is_not_asked_for_is_exact_too(rng):
    """Each middle is as far from either end; rounding takes the end that is not asked for to be nearer in half."""
    middle, step = 1000.0 * np.arange(100), rng.integers(2**29, 2**31, 100) / 2**30
    x = np.stack([middle - step, middle, middle + step], axis=1).reshape(-1, 1)
    assert (ranks.ranks_of_near(x, x, 1, 1)[1::3] == 1).all()


@pytest.mark.parametrize("features", [1, 3, 4, 1000])
def test_whole_numbers_count_as_such_only_as_far_as_their_products_are_exact(features):
    bits = (51 - features.bit_length()) // 2
    assert features * (2 * 2**bits) ** 2 <= 2**53
    x = np.zeros((40, features))
    x[:, 0] = np.repeat([0, 1, 2, 2**bits - 1], 10)
    assert exact_comparisons(x) == 0
    x[:, 0] *= 2
    x[0, 0] = 1
    assert exact_comparisons(x) > 0
