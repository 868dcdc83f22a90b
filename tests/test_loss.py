"""The contrastive loss against values worked by hand; every defect on record in such code has a row, under its name."""

from functools import partial

import numpy as np
import pytest

from drlim_np.checks.numbers import told
from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum, similar_sum
from drlim_np.graph import SimilarityGraph
from drlim_np.loss import all_pairs_by_definition, contrastive, energy
from tests.help.comparing import BOUND, assert_close
from tests.help.refusals import refuses

OF_ALL = (all_pairs_by_definition, contrastive_all_pairs)
of_all_pairs = pytest.mark.parametrize("form", OF_ALL)


# ---- Eqs. 1, 2, 6 and 7 by hand, on the 3-4-5 triangle ----


@pytest.mark.line("eq-1")
def test_energy_is_the_euclidean_distance():
    z1, z2 = np.array([[3.0, 4.0], [1.0, 1.0], [6.0, 13.0]]), np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    assert energy(z1, z2).tolist() == [5, 0, 13]
    assert energy(np.array([[1.0, 2.0, 2.0]]), np.array([[0.0, 0.0, 0.0]])).tolist() == [3]


# z1 - z2 of each pair, labels, margin; loss, dL/dz1
ONE_OF_EACH = [[3, 4], [3, 4]], [0, 1], 7.0, 14.5, [[3, 4], [-1.2, -1.6]]
NEAR = [[0.3, 0.4]], [1], 2.0, 1.125, [[-0.9, -1.2]]
BEYOND = [[3, 4]], [1], 2.0, 0.0, [[0, 0]]
BY_HAND = {
    "a similar pair is pulled together with its difference": ([[3, 4]], [0], 7.0, 12.5, [[3, 4]]),
    "whatever the margin": ([[3, 4]], [0], 0.5, 12.5, [[3, 4]]),
    "a dissimilar pair is pushed apart by what is missing": ([[3, 4]], [1], 7.0, 2.0, [[-1.2, -1.6]]),
    "but not at the margin": ([[3, 4]], [1], 5.0, 0.0, [[0, 0]]),
    "nor beyond it": BEYOND,
    "pairs are summed, not averaged": ([[3, 4], [3, 4], [6, 8]], [0, 1, 0], 7.0, 64.5, [[3, 4], [-1.2, -1.6], [6, 8]]),
    # Every defect on record: planted in the sources, it gives another value than this one.
    "label convention flipped": ([[3, 4], [3, 4]], [0, 0], 7.0, 25.0, [[3, 4], [3, 4]]),
    "margin less the squared distance": NEAR,
    "square of margin less the squared distance": NEAR,
    "similar term not squared": ([[3, 4]], [0], 7.0, 12.5, [[3, 4]]),
    "half missing": ONE_OF_EACH,
    "half missing in the loss alone": ONE_OF_EACH,
    "NaN at zero distance": ([[0, 0], [3, 4]], [1, 1], 7.0, 26.5, [[0, 0], [-1.2, -1.6]]),
    "epsilon inside the difference": ([[0, 0]], [1], 2.0, 2.0, [[0, 0]]),
    "epsilon under the square root": ([[3e-5, 4e-5]], [1], 1.0, 0.99995**2 / 2, [[-0.6 * 0.99995, -0.8 * 0.99995]]),
    "second tower with the sign of the first": ONE_OF_EACH,
    "sigmoid on the distance": BEYOND,
    "mean in the loss, sum in the gradient": ONE_OF_EACH,
    "mean in both": ONE_OF_EACH,
    "no hinge: pushed beyond the margin": BEYOND,
}


@pytest.mark.line("eq-2", "eq-6", "eq-7")
@pytest.mark.parametrize("name", BY_HAND)
def test_loss_and_forces_on_the_3_4_5_triangle_are_those_worked_by_hand(name):
    difference, y, margin, loss, by_hand = BY_HAND[name]
    z1 = np.array(difference, float)
    found, dz1, dz2 = contrastive(z1, np.zeros_like(z1), np.array(y), margin)
    assert abs(found - loss) <= BOUND * loss
    assert_close(dz1, np.array(by_hand, float))
    assert_close(dz2, -np.array(by_hand, float))


# ---- D = 0, and next to it ----


@pytest.mark.line("cone-point")
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize(("y", "expected"), [(0, 0), (1, 2)])
def test_the_gradient_at_zero_distance_is_the_zero_subgradient(y, expected, dtype):
    z = np.array([[1.5, -7.25]], dtype)
    with np.errstate(all="raise"):
        loss, dz1, dz2 = contrastive(z, z.copy(), [y], 2.0)
    assert loss == expected
    assert not dz1.any() and not dz2.any()
    for form in OF_ALL:
        with np.errstate(all="raise"):
            loss, dz = form(np.full((5, 3), 0.1, dtype), SimilarityGraph(5, np.array([[0, 1], [4, 2]])), 2.0)
        assert loss == 8 * 2 and not dz.any()  # eight dissimilar pairs at ½ m² each


@pytest.mark.parametrize("d", [1e-3, 1e-5, 1e-8, 1e-30, 1e-100, 1e-150])
def test_a_tiny_distance_is_exact(d):
    along = np.array([[0.6, 0.8]])
    with np.errstate(all="raise"):
        measured = energy(d * along, 0 * along)
        pull, push = (contrastive(d * along, 0 * along, [y], 1.0) for y in (0, 1))
    assert measured == pytest.approx([d], rel=1e-15, abs=0)
    for found, loss, dz1 in ((pull, d * d / 2, d * along), (push, (1 - d) ** 2 / 2, (d - 1) * along)):
        assert found[0] == pytest.approx(loss, rel=1e-15, abs=0)
        assert found[1] == pytest.approx(dz1, rel=1e-15, abs=0)
        assert found[2] == pytest.approx(-dz1, rel=1e-15, abs=0)


@pytest.mark.parametrize("d", [1e-170, 1e-300, 1e-310])
def test_a_distance_whose_square_vanishes_counts_as_zero(d):
    z1 = np.array([[0.6 * d, 0.8 * d]])
    assert energy(z1, np.zeros((1, 2)))[0] == 0
    loss, dz1, dz2 = contrastive(z1, np.zeros((1, 2)), [1], 1.0)
    assert loss == 0.5
    assert np.abs([dz1, dz2]).max() < 1e-15
    with np.errstate(over="ignore"):  # and one whose square overflows is beyond every margin
        assert contrastive(z1 / d * 1e160, np.zeros((1, 2)), [1], 1.0)[0] == 0


def test_a_tight_cloud_far_from_the_origin_keeps_its_distances_in_float32():
    z = (np.random.default_rng(0).standard_normal((60, 2)) * 1e-3 + (1e3, -1e3)).astype(np.float32)
    margin = 2.0**-9
    i, j = np.triu_indices(len(z), k=1)
    exact = energy(z[i].astype(float), z[j].astype(float))
    bound = 8 * np.finfo(np.float32).eps
    assert_close(energy(z[i], z[j]).astype(float), exact, bound)
    similar = SimilarityGraph(60, np.random.default_rng(1).permutation(60).reshape(-1, 2))
    y = np.arange(len(i)) % 2
    for single, double in (
        *((form(z, similar, margin), form(z.astype(float), similar, margin)) for form in OF_ALL),
        (contrastive(z[i], z[j], y, margin), contrastive(z[i].astype(float), z[j].astype(float), y, margin)),
    ):
        for narrow, wide in zip(single, double, strict=True):
            assert narrow.dtype == np.float32
            assert_close(narrow.astype(float), wide, bound)


# ---- what is given, and what is refused ----

Z = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 6.0]])
GRAPH = SimilarityGraph(3, np.array([[0, 1]]))


@pytest.mark.parametrize(
    "y", [[0, 1, 1], [0.0, 1.0, 1.0], [False, True, True], np.uint8([0, 1, 1]), np.float32([0, 1, 1])]
)
@pytest.mark.parametrize("margin", [2, 2.0, np.float64(2), np.float32(2), np.int64(2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_labels_and_the_margin_are_of_any_kind_and_what_is_found_has_the_dtype_of_the_embeddings(y, margin, dtype):
    z = Z.astype(dtype)
    found = contrastive(z, z, y, margin)
    assert found[0] == 4 and {a.dtype for a in found} == {np.dtype(dtype)}
    assert {a.dtype for form in OF_ALL for a in form(z, GRAPH, margin)} == {np.dtype(dtype)}


@of_all_pairs
def test_no_pairs_and_no_samples_have_no_loss(form):
    loss, dz1, dz2 = contrastive(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), 1.0)
    assert loss == 0 and dz1.shape == dz2.shape == (0, 2)
    loss, dz = form(np.zeros((0, 2)), SimilarityGraph(0, np.zeros((0, 2), int)), 1.0)
    assert loss == 0 and loss.dtype == dz.dtype == np.float64 and dz.shape == (0, 2)


def given(y=(0, 1, 0), margin=1.0, z1=Z, z2=Z):
    return lambda: contrastive(z1, z2, y, margin)


def of_all(z=Z, margin=1.0):
    return [partial(form, z, GRAPH, margin) for form in (*OF_ALL, dissimilar_sum)]


MARGINS = [0, 0.0, -1, -1e-9, float("nan"), float("inf"), -float("inf"), "1", None, 1j, Z[0]]
LABELS = [[0, 1, 2], [0, 0.5, 1], [0, 1, float("nan")], [0, 1, -1], ["0", "1", "0"]]
LENGTHS = [[0, 1], [0, 1, 0, 1], [[0, 1, 0]], [[0], [1], [0]], 1, []]
SHAPES = [(Z, Z[:2]), (Z, Z[:, :1]), (Z[:1], Z), (Z[0], Z[0]), (Z[None], Z[None]), (Z, Z[0])]
OTHER_SIZES = [Z[:2], np.concatenate([Z, Z]), Z[0], Z[:, 0], Z[None]]
WHOLE = [Z.astype(dtype) for dtype in (np.int64, np.int8, bool)]
NARROW = Z.astype(np.float32)

REFUSED = [
    *((form, f"margin is {told(m)}: it must be a finite number greater than 0")
      for m in MARGINS for form in (given(margin=m), *of_all(margin=m))),
    *((given(y), "y holds labels other than 0 and 1: use 0 for similar and 1 for dissimilar pairs") for y in LABELS),
    *((given(y), f"y has shape {np.shape(y)}: one label for each of the 3 pairs is needed") for y in LENGTHS),
    *((call, f"z1 has shape {z1.shape} and z2 {z2.shape}: both must be (pairs, dims)")
      for z1, z2 in SHAPES for call in (given(z1=z1, z2=z2), partial(energy, z1, z2))),
    *((call, "mismatched dtypes (z1 float64, z2 float32): convert them to one dtype")
      for call in (given(z2=NARROW), partial(energy, Z, NARROW))),
    *((given(z1=z, z2=z), f"z1 has dtype {z.dtype}: convert it to a floating dtype") for z in WHOLE),
    *((given(z2=z), f"z2 has dtype {z.dtype}: convert it to a floating dtype") for z in WHOLE),
    *((call, f"z has dtype {z.dtype}: convert it to a floating dtype")
      for z in WHOLE for call in (*of_all(z), partial(similar_sum, z, GRAPH))),
    *((call, f"z has shape {z.shape}: the graph has 3 samples, so it must be (3, dims)")
      for z in OTHER_SIZES for call in (*of_all(z), partial(similar_sum, z, GRAPH))),
    (given(z1=Z.tolist()), "expected an array, got list: convert it first, for instance by numpy.asarray"),
    *((call, "expected an array, got list") for call in of_all(Z.tolist())),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_has_no_meaning_is_refused(call, message):
    refuses(call, message)
