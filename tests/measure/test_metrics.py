"""The numbers behind the claims against scikit-learn, against sorted lists, and against values worked by hand."""

from fractions import Fraction
from functools import partial
from itertools import combinations
from math import dist, log
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as theirs
from sklearn.metrics import r2_score, silhouette_score

from drlim_np.fast.knn import nearest_neighbours
from drlim_np.graph import SimilarityGraph
from drlim_np.measure import metrics as m
from tests.help.peaks import peak_of_memory
from tests.help.refusals import refuses

BOUND = 1e-12


def drawn(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def on_a_line(*places):
    return np.array(places, float)[:, None]


MAP, DATA, INK = drawn(0, 30, 2), drawn(1, 30, 6) + 5, drawn(2, 30, 4, 5) ** 2
NOISY = MAP[:, 0] + 0.3 * drawn(3, 30)
ANGLE = np.linspace(-3, 3, 30)
LABELS = np.digitize(NOISY, [-0.5, 0.4])
GRAPH = SimilarityGraph(30, np.stack([np.arange(30), np.roll(np.arange(30), 1)], axis=1))
ARGUMENTS = {
    m.slant: {"images": INK},
    m.accuracy: {"z": MAP, "labels": LABELS},
    m.regression_r2: {"z": MAP, "target": NOISY},
    m.unevenness: {"z": MAP},
    m.trustworthiness: {"x": DATA, "z": MAP},
    m.continuity: {"x": DATA, "z": MAP},
    m.same_label_neighbours: {"z": MAP, "labels": LABELS},
    m.silhouette: {"z": MAP, "labels": LABELS},
    m.shift_ratio: {"z": MAP, "character": LABELS},
    m.linear_r2: {"x": MAP[:, 0], "target": NOISY},
    m.resultant_length: {"angle": ANGLE, "target": NOISY},
    m.share_within: {"z": MAP, "groups": LABELS},
    m.similar_neighbours: {"z": MAP, "similar": GRAPH},
    m.pca: {"x": DATA},
}
EVERY = [(measure, name) for measure, given in ARGUMENTS.items() for name in given if name != "similar"]
REAL = [(measure, name) for measure, name in EVERY if ARGUMENTS[measure][name] is not LABELS]


def measured(measure, **others):
    """A measure of its arguments in the table, some of them exchanged for others."""
    return measure(**ARGUMENTS[measure] | others)


@pytest.mark.parametrize("k", [1, 5, 12, 14])
def test_trustworthiness_and_continuity_are_those_of_scikit_learn(k):
    assert 1 > m.trustworthiness(DATA, MAP, k) == pytest.approx(theirs(DATA, MAP, n_neighbors=k), rel=BOUND)
    assert 1 > m.continuity(DATA, MAP, k) == pytest.approx(theirs(MAP, DATA, n_neighbors=k), rel=BOUND)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("x", [DATA, DATA[:5]])
def test_pca_is_that_of_scikit_learn_up_to_sign(x, dims):
    found, expected = m.pca(x, dims), PCA(dims, svd_solver="full").fit_transform(x)
    np.testing.assert_allclose(found, np.sign(np.sum(found * expected, axis=0)) * expected, rtol=0, atol=BOUND)


def copies(rng, characters=9, shifts=5, spread=0.3):
    """A map on which the copies of a character are about its place, and the character of each."""
    character = np.repeat(np.arange(characters), shifts)
    places = rng.standard_normal((characters, 2))[character]
    shuffled = rng.permutation(len(character))
    return (places + spread * rng.standard_normal(places.shape))[shuffled], character[shuffled]


@pytest.mark.parametrize("block", [1, 7, 100])
def test_shift_ratio_and_silhouette_are_those_of_all_pairs_whatever_the_blocks(rng, monkeypatch, block):
    monkeypatch.setattr(m, "BLOCK", block)
    z, character = copies(rng)
    apart = {True: [], False: []}
    for i, j in combinations(range(45), 2):
        apart[character[i] == character[j]].append(dist(z[i], z[j]))
    assert m.shift_ratio(z, character) == pytest.approx(np.mean(apart[True]) / np.mean(apart[False]), rel=BOUND)
    for labels in (character, np.concatenate([character[:-1], [99]])):
        assert m.silhouette(z, labels) == pytest.approx(silhouette_score(z, labels), rel=BOUND)
    assert m.silhouette(np.ones_like(z), character) == 0


def test_slant_is_the_covariance_over_the_variance_of_each_pixels_place_by_its_ink(rng):
    ink = np.zeros((6, 9, 12), int)
    ink[:, 1:8, 6:11] = rng.integers(0, 5, (6, 7, 5))
    row, column = np.mgrid[:9, :12]
    for image, found in zip(ink, m.slant(ink), strict=True):
        covariance = np.cov(column.ravel(), -row.ravel(), fweights=image.ravel())
        assert found == pytest.approx(covariance[0, 1] / covariance[1, 1], rel=BOUND)


@settings(deadline=None, max_examples=100)
@given(
    hnp.arrays(np.int64, st.tuples(st.integers(3, 8), st.integers(1, 3)), elements=st.integers(-2, 2)),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(-5, 5)), min_size=8, max_size=8),
    st.data(),
)
def test_what_rests_on_neighbours_is_counted_over_their_lists(z, quantities, data):
    n = len(z)
    labels, target = (np.array(column[:n]) for column in zip(*quantities, strict=True))
    target[0] = 6
    k = data.draw(st.integers(1, n - 1))
    near = nearest_neighbours(z, k).tolist()
    listed = [(i, j) for i, row in enumerate(near) for j in row]
    votes = [sorted(labels[row].tolist()) for row in near]
    assert m.accuracy(z, labels, k) == np.mean([max(vote, key=vote.count) for vote in votes] == labels)
    assert m.same_label_neighbours(z, labels, k) == np.mean([labels[i] == labels[j] for i, j in listed])
    ring = SimilarityGraph(n, np.stack([np.arange(n), np.roll(np.arange(n), 1)], axis=1))
    assert m.similar_neighbours(z, ring, k) == np.mean([(i - j) % n in (1, n - 1) for i, j in listed])
    predicted = [np.mean(target[row]) for row in near]
    assert m.regression_r2(z, target, k) == pytest.approx(r2_score(target, predicted), rel=BOUND, abs=BOUND)
    radius = [dist(z[i], z[row[-1]]) for i, row in enumerate(near)]
    if min(radius) > 0:
        assert m.unevenness(z, k) == pytest.approx(np.std(np.log(radius)), rel=BOUND, abs=BOUND)


LINE = on_a_line(0, 1, 3, 7, 15)
TWO_PAIRS = on_a_line(0, 1, 10, 11)
CIRCLE = 2 * np.pi * np.arange(36) / 36
IN_FIFTIES = np.repeat(np.arange(50), 4)
WORKED = {
    "a stroke that rises to the right": (lambda: m.slant(np.eye(3)[None, ::-1])[0], 1),
    "an upright stroke": (lambda: m.slant(np.tile([0.0, 0, 1, 0], (1, 5, 1)))[0], 0),
    "ink in two rows": (lambda: m.slant(np.array([[[0, 0, 0, 1, 0], [0] * 5, [0] * 5, [1, 0, 0, 0, 0]]]))[0], 1),
    # Each of the three has the other two as its neighbours, so a tie goes to the smaller label.
    "a tie for 4": (lambda: m.accuracy(on_a_line(0, 1, 2), np.array([4, 9, 4]), 2), 2 / 3),
    # The nearest others of 0, 1, 3, 7, 15 are 1, 0, 1, 3, 7.
    "R²": (lambda: m.regression_r2(LINE, [2, 0, 4, 6, 8], 1), 1 - (4 + 4 + 16 + 4 + 4) / (4 + 16 + 0 + 4 + 16)),
    "couples of two spacings": (lambda: m.unevenness(on_a_line(0, 1, 100, 104), 1), log(2)),
    "three in one place, by the next": (lambda: m.unevenness(on_a_line(0, 0, 0, 1, 3), 3), 0.4 * log(3)),
    # With the ends exchanged, the nearest on the map come third, fourth, first, first and third in the data.
    "trustworthiness": (lambda: m.trustworthiness(LINE, LINE[[4, 1, 2, 3, 0]], 1), 1 - 2 / (5 * 6) * (2 + 3 + 2)),
    "the fewest samples": (lambda: m.trustworthiness(MAP[:3], 5 * MAP[:3] - 1, 1), 1),
    "silhouette": (lambda: m.silhouette(TWO_PAIRS, [*"aabb"]), 1 - (2 / 21 + 2 / 19) / 2),
    "copies in one place": (lambda: m.shift_ratio(*copies(np.random.default_rng(0), spread=0)), 0),
    # Sums of squares 2 and 8 within the groups {0, 2} and {10, 14}; 131 about the mean of all.
    "share within": (lambda: m.share_within(on_a_line(0, 2, 10, 14), [7, 7, 1, 1]), (10 / 2) / (131 / 3)),
    "groups in one place": (lambda: m.share_within(drawn(0, 50, 3)[IN_FIFTIES], IN_FIFTIES), 0),
    "a line that explains a part": (lambda: m.linear_r2([0, 1, 2, 3], [0, 1, 1, 3]), 4.5**2 / (5 * 4.75)),
    "a line that falls": (lambda: m.linear_r2(ANGLE, 5 - 2 * ANGLE), 1),
    "one of two angles turned by a quarter": (lambda: m.resultant_length([0, np.pi / 2], [0, 0]), np.sqrt(0.5)),
    "angles turned": (lambda: m.resultant_length(CIRCLE + 1.3, CIRCLE), 1),
    "angles mirrored": (lambda: m.resultant_length(-CIRCLE, CIRCLE), 0),
    "components of a line": (lambda: abs(m.pca(LINE * [2, 3, 6] + 7)), abs((LINE - LINE.mean()) * [7, 0])),
}


@pytest.mark.parametrize(("measure", "value"), WORKED.values(), ids=WORKED)
def test_what_is_worked_by_hand(measure, value):
    assert measure() == pytest.approx(value, rel=BOUND, abs=BOUND)


@pytest.mark.line("claim-even")
def test_clumps_are_more_uneven_than_a_random_map_and_that_more_than_a_shaken_lattice(rng):
    shaken = np.argwhere(np.ones((10, 10))) + rng.uniform(-0.1, 0.1, (100, 2))
    scattered = rng.random((100, 2))
    clumped = np.concatenate([0.01 * rng.random((50, 2)), rng.random((50, 2))])
    assert 2 * m.unevenness(shaken) < 1.5 * m.unevenness(scattered) < m.unevenness(clumped)


DEFAULTS = {m.regression_r2: 10, m.unevenness: 10, m.trustworthiness: 12, m.continuity: 12}
DEFAULTS |= {m.accuracy: 5, m.same_label_neighbours: 5, m.similar_neighbours: 5}


@pytest.mark.parametrize(("measure", "k"), DEFAULTS.items())
def test_each_measure_has_its_own_k_unless_told_otherwise(measure, k):
    assert measured(measure) == measured(measure, k=k) == measured(measure, k=np.uint8(k)) != measured(measure, k=k + 1)


@pytest.mark.parametrize(("measure", "name"), [pair for pair in REAL if pair[0] not in (m.pca, m.resultant_length)])
@pytest.mark.parametrize("unit", [1e-200, 1e200, 2.0**-1000])
def test_no_measure_depends_on_a_unit_however_large_or_small(measure, name, unit):
    other = unit * ARGUMENTS[measure][name]
    assert measured(measure, **{name: other}) == pytest.approx(measured(measure), rel=BOUND)


@pytest.mark.parametrize(("measure", "name"), REAL)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int64, np.float16, np.float32])
def test_numbers_of_any_dtype_are_measured_in_float64(measure, name, dtype):
    whole = np.random.default_rng(3).integers(0, 128, ARGUMENTS[measure][name].shape)
    found, expected = (measured(measure, **{name: whole.astype(kind)}) for kind in (dtype, np.float64))
    assert np.array_equal(found, expected) and np.asarray(found).dtype == np.float64


@pytest.mark.parametrize(("measure", "name"), EVERY)
def test_lists_and_names_are_measured_too_and_arrays_left_as_they_were(measure, name):
    given = ARGUMENTS[measure][name]
    before, names = given.tobytes(), np.array(["four", "nine", "one"])
    for other in (given.tolist(), names[given] if given is LABELS else given):
        assert measured(measure, **{name: other}) == pytest.approx(measured(measure))
    assert given.tobytes() == before


def test_the_number_of_threads_does_not_change_how_neighbours_agree(monkeypatch):
    monkeypatch.setattr(m, "BLOCK", 8)
    assert m.trustworthiness(DATA, MAP, threads=3) == m.trustworthiness(DATA, MAP)
    assert m.continuity(DATA, MAP, threads=3) == m.continuity(DATA, MAP)


def test_no_measure_holds_a_table_of_all_pairs(rng):
    samples = 4000
    z, x, labels = rng.standard_normal((samples, 2)), rng.standard_normal((samples, 8)), np.arange(samples) // 5
    calls = [(m.trustworthiness, x, z), (m.silhouette, z, labels % 5), (m.silhouette, z, np.arange(samples) // 2)]
    for measure, *given_to in [*calls, (m.shift_ratio, z, labels), (m.accuracy, z, labels % 2), (m.unevenness, z)]:
        with peak_of_memory() as peak:
            measure(*given_to)
            assert peak() < samples**2 * 8 / 2


@pytest.mark.parametrize(("measure", "name"), EVERY)
def test_what_no_measure_takes_is_refused(measure, name):
    fit = ARGUMENTS[measure][name]
    fourth = (np.arange(fit.size) == 3 * fit[0].size).reshape(fit.shape)
    unfit = [(np.where(fourth, value, fit), f"sample 3 of {name} holds") for value in (np.nan, np.inf, -np.inf)]
    unfit += [(other, f"{name} has shape") for other in (fit[..., None], fit[0], fit.flat[0])]
    unfit.append((np.ma.masked_array(fit, fit > 1), f"{name} has masked entries"))
    if fit is not LABELS:
        unfit.append((fit + 0j, "complex128"))
    if measure is m.similar_neighbours:
        unfit.append((MAP[:-1], "the graph has 30 samples and the map 29"))
    elif len(ARGUMENTS[measure]) > 1:
        unfit += [(other, f"{name} {len(other)}") for other in (fit[:-1], np.concatenate([fit, fit]), fit[:1])]
    for other, message in unfit:
        refuses(partial(measured, measure, **{name: other}), message)


def with_image(image, at):
    images = np.random.default_rng(0).random((3, 20, 20))
    images[at] = image
    return images


LEFT = "it must be a whole number from 1 to"
ONE_ROW = "is blank or a single row"
REFUSED = [
    *((lambda of=of, k=k: measured(of, k=k), f"k is {k}: {LEFT} {most}")
      for most, measures in ((29, (m.accuracy, m.regression_r2, m.unevenness)), (14, (m.trustworthiness, m.continuity)))
      for of in measures for k in (0, -3, most + 1, most + 2)),
    *((lambda v=v: m.regression_r2(LINE, np.full(5, v), 3), "the target is the same") for v in (0.0, 1.0, 0.1)),
    *((lambda v=v: m.trustworthiness(MAP, MAP, 3, v), "threads is") for v in (0, -1, 1.5, None)),
    *((lambda v=v: m.pca(MAP, v), f"dims is {v}: {LEFT} 2") for v in (0, 3, -1, 2.0)),
    *((lambda at=at: m.slant(with_image(0, at)), f"image {at} {ONE_ROW}") for at in (0, 2)),
    *((lambda row=row: m.slant(with_image(np.eye(20)[row][:, None] * drawn(row, 20) ** 2, 1)), f"image 1 {ONE_ROW}")
      for row in range(20)),
    (lambda: m.slant(with_image(np.eye(20)[0][:, None] - np.eye(20)[1][:, None], 1)), f"image 1 {ONE_ROW}"),
    (lambda: m.pca(np.ones((2, 9)), 3), "from 1 to 2"),
    (lambda: m.unevenness(on_a_line(0, 0, 0, 1, 3), 2), "3 or more samples share one place"),
    (lambda: m.shift_ratio(LINE[:3], np.array([0, 1, 2])), "two copies"),
    (lambda: m.shift_ratio(LINE[:3], np.array([0, 0, 0])), "two characters"),
    (lambda: m.shift_ratio(np.ones((3, 1)), np.array([0, 0, 1])), "one place"),
    (lambda: m.silhouette(np.eye(3), np.array([1, 1, 1])), "a silhouette needs 2 to 2"),
    (lambda: m.silhouette(np.eye(3), np.array([1, 2, 3])), "a silhouette needs 2 to 2"),
    (lambda: m.linear_r2(np.ones(4), np.arange(4)), "nothing to explain"),
    (lambda: m.linear_r2(np.arange(4), np.ones(4)), "nothing to explain"),
    (lambda: m.share_within(np.eye(3), np.array([0, 1, 2])), "group of its own"),
    (lambda: m.share_within(np.ones((4, 2)), np.array([0, 0, 1, 1])), "one place"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_has_no_meaning_is_refused_in_one_line(call, message):
    refuses(call, message)


def trusted_by_counting(x, z, k):
    """Trustworthiness from distances in exact fractions: a rank is 1 + the number of samples that are nearer."""
    x = [[Fraction(v) for v in row] for row in np.asarray(x, np.float64).tolist()]
    n, far = len(x), [[sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) for q in x] for p in x]
    excess = 0
    for i, near in enumerate(nearest_neighbours(z, k).tolist()):
        excess += sum(max(0, 1 + sum(far[i][o] < far[i][j] for o in range(n) if o != i) - k) for j in near)
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * excess


def test_data_are_trusted_fully_as_a_map_of_themselves_however_many_distances_tie():
    for seed in range(20):
        x = np.random.default_rng(seed).integers(0, 2, (9, 4))
        for same in (x, x / 10, 1e-6 * x, 0.3 * x + 7, x.astype(np.float32), x * np.array([1, 1 / 3, 1e-9, 1e9])):
            assert m.trustworthiness(same, same, 4) == 1


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(np.int64, st.tuples(st.integers(5, 12), st.integers(1, 6)), elements=st.integers(0, 2)),
    st.sampled_from([0, 2**20, 2**40]),
    st.sampled_from([[0], [0, 0, 2**-10]]),
    st.integers(-20, 20).map(lambda n: 2.0**n),
    st.integers(0, 2**32 - 1),
)
def test_ranks_are_exact_where_distances_tie_or_all_but_tie(x, offset, beside, unit, seed):
    rng = np.random.default_rng(seed)
    x, z = unit * (x + offset + rng.choice(beside, x.shape)), rng.standard_normal((len(x), 2))
    k = int(rng.integers(1, (len(x) + 1) // 2))
    assert m.trustworthiness(x, z, k) == pytest.approx(trusted_by_counting(x, z, k), abs=BOUND)


def exact_comparisons(x):
    """How many samples of x are ranked again, difference by difference."""
    with mock.patch.object(m, "_nearer", side_effect=m._nearer) as nearer:
        m.trustworthiness(x, np.random.default_rng(0).standard_normal((len(x), 2)), 5)
    return nearer.call_count


def test_neither_pixels_nor_a_place_far_away_need_exact_comparisons(rng):
    x = rng.random((300, 20))
    assert exact_comparisons(x) == exact_comparisons(x + 1e6 * np.arange(20)) == 0
    assert exact_comparisons(np.column_stack([x, np.full(300, 1e30)])) == 0  # the same for all, however large
    assert exact_comparisons(np.repeat(x, 2, axis=0)) > 300


def test_a_tie_with_a_sample_that_is_not_asked_for_is_exact_too(rng):
    """Each middle is as far from either end; rounding takes the end that is not asked for to be nearer in half."""
    middle, step = 1000.0 * np.arange(100), rng.integers(2**29, 2**31, 100) / 2**30
    x = np.stack([middle - step, middle, middle + step], axis=1).reshape(-1, 1)
    assert m.trustworthiness(x, x, 1) == 1
