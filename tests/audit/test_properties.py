"""What must hold for any embeddings, margin and parameters; Hypothesis draws shapes, values, margins and seeds.

Points on the grid of 64ths, shifted by whole numbers and stretched by powers of two, have exact differences: there the
properties hold to the bit. Elsewhere the tolerance is 1e-12 of the largest quantity that enters the sum.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum, similar_sum
from drlim_np.graph import SimilarityGraph
from drlim_np.loss import contrastive, energy
from drlim_np.networks import two_layer
from drlim_np.siamese import one_tower, two_towers
from drlim_np.tree import leaves
from tests.help.comparing import bits
from tests.help.every_layer import EVERY_LAYER
from tests.help.every_layer import drawn as random_params

BOUND = 1e-12

seeds = st.integers(0, 2**32 - 1)
generators = seeds.map(np.random.default_rng)
reaches = st.sampled_from([1, 4, 64, 640])
margins = st.floats(0.05, 20)
powers_of_two = st.integers(-20, 20).map(lambda k: 2.0**k)
dtypes = st.sampled_from([np.float32, np.float64, np.complex128])
few = settings(deadline=None, max_examples=25)
many = settings(deadline=None, max_examples=60)
twice_as_many = settings(deadline=None, max_examples=120)


@st.composite
def pairs_on_grid(draw):
    """z1, z2, y and m, all multiples of 1/64: every difference is exact, and D = 0 and D = m are common."""
    pairs, dims, rng, reach = draw(st.integers(1, 8)), draw(st.integers(1, 4)), draw(generators), draw(reaches)
    z1, z2 = rng.integers(-reach, reach + 1, (2, pairs, dims)) / 64
    return z1, z2, rng.integers(0, 2, pairs), draw(st.integers(4, 1280)) / 64


@st.composite
def pairs_at_reach(draw):
    """z1, z2, y and m, with D between a tenth of m and three times m, so that no direction is ill-defined."""
    pairs, dims, rng, margin = draw(st.integers(1, 8)), draw(st.integers(1, 4)), draw(generators), draw(margins)
    z1, away = rng.standard_normal((2, pairs, dims))
    length = margin * rng.uniform(0.1, 3, (pairs, 1))
    z1 = margin * z1
    return z1, z1 + length * away / np.linalg.norm(away, axis=1, keepdims=True), rng.integers(0, 2, pairs), margin


@st.composite
def sets(draw):
    """z, a graph over it, and m; z on the grid of 64ths, some pairs listed twice, some from both ends."""
    samples, dims, rng, reach = draw(st.integers(2, 8)), draw(st.integers(1, 4)), draw(generators), draw(reaches)
    pairs = rng.integers(0, samples, (draw(st.integers(0, 12)), 2))
    similar = SimilarityGraph(samples, pairs[pairs[:, 0] != pairs[:, 1]])
    return rng.integers(-reach, reach + 1, (samples, dims)) / 64, similar, draw(st.integers(4, 1280)) / 64


@st.composite
def embeddings(draw, pairs=pairs_on_grid()):  # noqa: B008 - a strategy keeps nothing
    """z and m, and a loss as a function of both, with dL/dz: over given pairs, or over all pairs of a set."""
    if draw(st.booleans()):
        z, similar, margin = draw(sets())
        return z, margin, lambda z, margin: contrastive_all_pairs(z, similar, margin)
    z1, z2, y, margin = draw(pairs)

    def over_pairs(z, margin):
        loss, *forces = contrastive(*np.split(z, 2), y, margin)
        return loss, np.concatenate(forces)

    return np.concatenate([z1, z2]), margin, over_pairs


def reach_of(z, margin):
    """What bounds the sum of all forces, and what bounds its rounding.

    The direction of a pair is lost in the rounding of its ends by as much as they are further out than apart.
    """
    i, j = np.triu_indices(len(z), k=1)
    d = np.linalg.norm(z[i] - z[j], axis=1)
    reach = len(z) * (np.linalg.norm(z) + margin)
    return reach, reach * (1 + np.abs(z).max() / d[d > 0].min(initial=np.inf))


def assert_close(actual, expected, scale):
    assert np.shape(actual) == np.shape(expected)
    assert np.linalg.norm(np.subtract(actual, expected)) <= BOUND * scale


# ---- the loss over given pairs ----


@pytest.mark.line("eq-7")
@many
@given(pairs_at_reach(), st.floats(1e-9, 1e9))
def test_loss_and_gradients_are_exactly_zero_beyond_the_margin(drawn, excess):
    z1, z2, _, _ = drawn
    margin = float(energy(z1, z2).min()) / (1 + excess)
    assume(margin > 0)
    assert not any(x.any() for x in contrastive(z1, z2, np.ones(len(z1)), margin))


@many
@given(margins, st.integers(1, 4), st.integers(0, 3), st.sampled_from([-1, 1]), st.floats(0, 1e3))
def test_loss_and_gradients_are_exactly_zero_at_the_margin(margin, dims, axis, sign, beyond):
    # Along an axis D is exact: the root of a rounded square gives back what was squared.
    z1, z2 = np.zeros((1, dims)), np.zeros((1, dims))
    for d in (margin, np.nextafter(margin, np.inf), margin + beyond):
        z1[0, axis % dims] = sign * d
        assert energy(z1, z2)[0] == d
        assert not any(x.any() for x in contrastive(z1, z2, [1], margin))


@many
@given(margins, st.integers(1, 52), st.sampled_from([-1, 1]))
def test_loss_and_gradient_are_continuous_across_the_margin(margin, k, sign):
    inside, outside = (np.array([[sign * margin * (1 + side * 2.0**-k)]]) for side in (-1, 1))
    missing = margin - abs(inside[0, 0])  # exact, so the loss is ½ missing² and the force `missing` to rounding
    assert 0 <= missing <= 2 * margin * 2.0**-k
    loss, dz1, _ = contrastive(inside, np.zeros((1, 1)), [1], margin)
    rounding = 1 + 8 * np.finfo(float).eps
    assert missing**2 / 2 / rounding <= loss <= missing**2 / 2 * rounding
    assert missing / rounding <= -sign * dz1[0, 0] <= missing * rounding
    loss, dz1, _ = contrastive(outside, np.zeros((1, 1)), [1], margin)
    assert loss == 0 and dz1[0, 0] == 0


@many
@given(pairs_at_reach(), seeds)
def test_neither_the_order_within_a_pair_nor_that_of_the_pairs_matters(drawn, seed):
    z1, z2, y, margin = drawn
    loss, dz1, dz2 = contrastive(z1, z2, y, margin)
    swapped = contrastive(z2, z1, y, margin)
    assert swapped[0] == loss
    assert np.array_equal(swapped[1], dz2) and np.array_equal(swapped[2], dz1)
    order = np.random.default_rng(seed).permutation(len(y))
    permuted = contrastive(z1[order], z2[order], y[order], margin)
    assert_close(permuted[0], loss, scale=loss)
    assert np.array_equal(permuted[1], dz1[order]) and np.array_equal(permuted[2], dz2[order])


@many
@given(pairs_on_grid(), st.booleans())
def test_the_loss_is_finite_and_of_similar_pairs_zero_only_at_collapse(drawn, collapsed):
    z1, z2, _, margin = drawn
    loss, *forces = contrastive(*drawn)
    assert 0 <= loss < np.inf and np.isfinite(forces).all()
    z2 = z1.copy() if collapsed else z2
    loss, dz1, _ = contrastive(z1, z2, np.zeros(len(z1)), margin)
    assert (loss == 0) == np.array_equal(z1, z2) == (not dz1.any())


# ---- the loss over all pairs of a set ----


@pytest.mark.line("eq-2-all-pairs")
@many
@given(sets())
def test_the_loss_over_all_pairs_is_the_sum_over_every_pair(drawn):
    z, similar, margin = drawn
    loss, dz, listed = 0.0, np.zeros_like(z), {frozenset(p) for p in similar.pairs.tolist()}
    unlisted = [(i, j) for i in range(len(z)) for j in range(i) if frozenset((i, j)) not in listed]
    for y, pairs in ((0, similar.pairs.tolist()), (1, unlisted)):
        for i, j in pairs:
            one, di, dj = contrastive(z[[i]], z[[j]], [y], margin)
            loss += one
            dz[i] += di[0]
            dz[j] += dj[0]
    all_loss, all_dz = contrastive_all_pairs(z, similar, margin)
    assert_close(all_loss, loss, scale=loss)
    assert_close(all_dz, dz, scale=len(z) ** 2 * (np.abs(z).max() + margin))


# ---- both losses ----


@twice_as_many
@given(embeddings(), seeds)
def test_a_translation_changes_nothing(drawn, seed):
    z, margin, of = drawn
    shift = np.random.default_rng(seed).integers(-(2**40), 2**40, z.shape[1])
    assert all(map(np.array_equal, of(z + shift, margin), of(z, margin)))


@twice_as_many
@given(embeddings(pairs_at_reach()), seeds)
def test_a_rotation_leaves_the_loss_and_rotates_the_forces(drawn, seed):
    z, margin, of = drawn
    assume(len(np.unique(z, axis=0)) == len(z))  # the cone point at D = 0 is one point: rounding would move it off
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((z.shape[1], z.shape[1])))
    (loss, dz), (turned_loss, turned_dz) = of(z, margin), of(z @ turn, margin)
    reach, rounding = reach_of(z, margin)
    assert_close(turned_loss, loss, scale=reach**2)
    assert_close(turned_dz, dz @ turn, scale=rounding)


@twice_as_many
@given(embeddings(pairs_at_reach()), powers_of_two, st.floats(0.01, 100))
def test_stretching_embeddings_and_margin_by_s_multiplies_the_loss_by_s_squared(drawn, power, s):
    z, margin, of = drawn
    (loss, dz), (stretched_loss, stretched_dz) = of(z, margin), of(power * z, power * margin)
    assert stretched_loss == power**2 * loss
    assert np.array_equal(stretched_dz, power * dz)

    stretched_loss, stretched_dz = of(s * z, s * margin)
    reach, rounding = reach_of(s * z, s * margin)
    assert_close(stretched_loss, s**2 * loss, scale=reach**2)
    assert_close(stretched_dz, s * dz, scale=rounding)


# ---- layers ----


@pytest.mark.parametrize("name", EVERY_LAYER)
@settings(deadline=None, max_examples=6)
@given(dtype=dtypes, rng=generators)
def test_layers_keep_the_dtype_and_never_touch_what_they_are_given(name, dtype, rng):
    layer, shape = EVERY_LAYER[name]
    params = random_params(layer, rng, dtype)
    x = rng.standard_normal(shape).astype(dtype)
    given_bits = bits(x, params)
    y, pullback = layer(params, x)
    dy = rng.standard_normal(y.shape).astype(dtype)
    returned_bits = bits(y, dy)
    gradient = dict(leaves(pullback(dy, wrt_input=True)._asdict()))
    assert bits(x, params) == given_bits
    assert bits(y, dy) == returned_bits
    assert {y.dtype, *(g.dtype for g in gradient.values())} == {np.dtype(dtype)}
    assert gradient["input"].shape == x.shape


@pytest.mark.parametrize("name", EVERY_LAYER)
def test_samples_do_not_interact_inside_a_layer(name):
    layer, shape = EVERY_LAYER[name]
    rng = np.random.default_rng(0)
    params, x = random_params(layer, rng), rng.standard_normal(shape)
    order = rng.permutation(len(x))
    y = layer(params, x)[0].reshape(len(x), -1)
    for some in (order, order[:1]):
        assert_close(layer(params, x[some])[0].reshape(len(some), -1), y[some], scale=np.linalg.norm(y))


@few
@given(pairs_on_grid(), sets(), dtypes, generators)
def test_losses_and_siamese_networks_keep_the_dtype_and_never_touch_what_they_are_given(pairs, points, dtype, rng):
    z1, z2, y, margin = pairs
    z1, z2 = z1.astype(dtype), z2.astype(dtype)
    z, similar, reach = points
    z, weight = z.astype(dtype), np.full(len(z), 1.5, dtype)
    network = two_layer(4, 3, 2)
    params = random_params(network, rng, dtype)
    x, labels = rng.standard_normal((similar.size, 4)).astype(dtype), rng.integers(0, 2, similar.size)
    given = (z1, z2, y, z, similar.pairs, weight, x, labels, params)
    before = bits(*given)
    of_pairs = contrastive(z1, z2, y, margin)
    of_sets = [contrastive_all_pairs(z, similar, reach), similar_sum(z, similar)]
    of_sets.append(dissimilar_sum(z, similar, reach, weight))
    of_networks = [
        two_towers(network, params, x, x[::-1], labels, reach),
        one_tower(network, params, x, similar, reach),
    ]
    assert energy(z1, z2).dtype == dtype
    assert bits(*given) == before
    assert [dz.shape for dz in of_pairs[1:]] == [z1.shape] * 2
    assert [dz.shape for _, dz in of_sets] == [z.shape] * 3
    for loss, *gradients in (of_pairs, *of_sets, *of_networks):
        assert loss.shape == ()
        assert {x.dtype for tree in (loss, *gradients) for _, x in leaves(tree)} == {np.dtype(dtype)}
