"""What must hold for any embeddings, margin and parameters; Hypothesis draws shapes, values, margins and seeds.

Points on the grid of 64ths, shifted by whole numbers and stretched by powers of two, have exact differences: there the
properties hold to the bit. Elsewhere the tolerance is 1e-12 of the largest quantity that enters the sum. Every gradient
is held to the complex step and to central differences.
"""

import os

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from drlim_np.audit.gradcheck import check, check_layer
from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum, similar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.graph import SimilarityGraph, pair_table
from drlim_np.layers import Conv2d, Flatten, Linear, Positions, Sequential, Subsample, Tanh
from drlim_np.loss import contrastive, energy
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.objective import EveryPair
from drlim_np.sampled import SampledPairs
from drlim_np.siamese import one_tower, two_towers
from drlim_np.tree import leaves, tree_map
from tests.help.comparing import BOUND, bits
from tests.help.every_layer import EVERY_LAYER
from tests.help.every_layer import drawn as random_params

TIMES = {"deep": 97, "few": 0.1}.get(os.environ.get("DRLIM_TESTS"), 1)  # deep: more than 20,000 examples in all


def examples(number):
    """So many drawn examples, or so many times TIMES."""
    return settings(max_examples=max(1, round(number * TIMES)))


seeds = st.integers(0, 2**32 - 1)
generators = seeds.map(np.random.default_rng)
reaches = st.sampled_from([1, 4, 64, 640])
margins = st.floats(0.05, 20)
sizes = st.integers(1, 4)
powers_of_two = st.integers(-20, 20).map(lambda k: 2.0**k)
dtypes = st.sampled_from([np.float32, np.float64, np.complex128])
few = settings(max_examples=25)
many = settings(max_examples=60)
twice_as_many = settings(max_examples=120)


@st.composite
def pairs_on_grid(draw):
    """z1, z2, y and m, all multiples of 1/64: every difference is exact, and D = 0 and D = m are common."""
    pairs, dims, rng, reach = draw(st.integers(1, 8)), draw(sizes), draw(generators), draw(reaches)
    z1, z2 = rng.integers(-reach, reach + 1, (2, pairs, dims)) / 64
    return z1, z2, rng.integers(0, 2, pairs), draw(st.integers(4, 1280)) / 64


@st.composite
def pairs_at_reach(draw):
    """z1, z2, y and m, with D between a tenth of m and three times m, so that no direction is ill-defined."""
    pairs, dims, rng, margin = draw(st.integers(1, 8)), draw(sizes), draw(generators), draw(margins)
    z1, away = rng.standard_normal((2, pairs, dims))
    length = margin * rng.uniform(0.1, 3, (pairs, 1))
    z1 = margin * z1
    return z1, z1 + length * away / np.linalg.norm(away, axis=1, keepdims=True), rng.integers(0, 2, pairs), margin


@st.composite
def sets(draw):
    """z, a graph over it, and m; z on the grid of 64ths, some pairs listed twice, some from both ends."""
    samples, dims, rng, reach = draw(st.integers(2, 8)), draw(sizes), draw(generators), draw(reaches)
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


@pytest.mark.line("eq-7")
@many
@given(pairs_at_reach(), st.floats(1e-9, 1e9))
def test_loss_and_gradients_are_exactly_zero_beyond_the_margin(drawn, excess):
    z1, z2, _, _ = drawn
    margin = float(energy(z1, z2).min()) / (1 + excess)
    assume(margin > 0)
    assert not any(x.any() for x in contrastive(z1, z2, np.ones(len(z1)), margin))


@many
@given(margins, st.integers(1, 52), st.sampled_from([-1, 1]), st.floats(0, 1e3))
def test_loss_and_gradient_are_continuous_across_the_margin_and_exactly_zero_from_there_on(margin, k, sign, beyond):
    # Along an axis D is exact: the root of a rounded square gives back what was squared.
    inside, z2 = np.array([[0, sign * margin * (1 - 2.0**-k)]]), np.zeros((1, 2))
    missing = margin - abs(inside[0, 1])  # exact, so the loss is ½ missing² and the force `missing` to rounding
    assert 0 <= missing <= 2 * margin * 2.0**-k
    loss, dz1, _ = contrastive(inside, z2, [1], margin)
    rounding = 1 + 8 * np.finfo(float).eps
    assert missing**2 / 2 / rounding <= loss <= missing**2 / 2 * rounding
    assert missing / rounding <= -sign * dz1[0, 1] <= missing * rounding
    for d in (margin, np.nextafter(margin, np.inf), margin * (1 + 2.0**-k), margin + beyond):
        outside = np.array([[0, sign * d]])
        assert energy(outside, z2)[0] == d
        assert not any(x.any() for x in contrastive(outside, z2, [1], margin))


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
@settings(max_examples=6)
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
    of_pairs, sums = contrastive(z1, z2, y, margin), dissimilar_sum(z, similar, reach, weight)
    of_sets = [contrastive_all_pairs(z, similar, reach), similar_sum(z, similar), sums]
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


# ---- gradients ----


def assert_holds(rows):
    assert all(row.holds for row in rows), "\n".join(map(str, rows))


def assert_of(form, argument, rng):
    """The gradient by one argument, a tree, is that of the loss: `form` of it gives both."""
    assert_holds(check(lambda a: form(a["x"])[0], {"x": argument}, {"x": form(argument)[1]}, rng))


def assert_audited(layer, shape, rng):
    """The gradients of a layer hold, at drawn parameters and a drawn input of that shape."""
    assert_holds(check_layer(layer, random_params(layer, rng), rng.standard_normal(shape), rng))


def energies(z):
    i, j = np.triu_indices(len(z), k=1)
    return energy(z[i], z[j])


def assume_smooth(z, margin):
    """Skips embeddings that hold a pair at a margin's or at no distance: there the loss bends within one difference.

    Complex step has no such limit; the loss at D = m and D = 0 has tests of its own.
    """
    d = energies(z) / margin
    assume(d.min() > 0.1 and np.abs(d - 1).min() > 1e-3)


@st.composite
def chains(draw, most=7):
    """Similarity graphs without isolated samples that leave at least one pair dissimilar; some pairs listed twice."""
    size = draw(st.integers(4, most))
    chain = np.stack([np.arange(size - 1), np.arange(1, size)], axis=1)
    again = draw(st.lists(st.integers(0, size - 2), max_size=3))
    return SimilarityGraph(size, np.concatenate([chain, chain[again][:, ::-1]]))


@st.composite
def small_networks(draw):
    """A stack with every kind of layer, and the shape of its input."""
    maps, kernel, window, out = draw(sizes), draw(sizes), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    channels, height, width = draw(sizes), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    network = Sequential(
        conv=Conv2d(channels, maps, kernel),
        squash=Tanh(),
        subsample=Subsample(maps, window),
        flatten=Flatten(),
        linear=Linear(maps * height * width, out),
    )
    return network, (channels, height * window + kernel - 1, width * window + kernel - 1)


@pytest.mark.line("fig-3-convolution")
@examples(25)
@given(sizes, sizes, sizes, sizes, sizes, sizes, generators)
def test_gradients_of_conv2d(samples, channels, maps, kernel, height, width, rng):
    shape = (samples, channels, kernel + height - 1, kernel + width - 1)
    assert_audited(Conv2d(channels, maps, kernel), shape, rng)


@examples(75)
@given(sizes, sizes, sizes, sizes, sizes, generators)
def test_gradients_of_linear_subsample_tanh_flatten_and_positions(samples, maps, window, height, width, rng):
    assert_audited(Linear(maps, window), (samples, maps), rng)
    for layer in (Subsample(maps, window), Tanh(), Flatten(), Positions()):
        assert_audited(layer, (samples, maps, window * height, window * width), rng)


@examples(15)
@given(small_networks(), sizes, st.integers(1, 3), generators)
def test_gradients_of_layers_in_sequence_and_in_blocks(drawn, samples, block, rng):
    network, shape = drawn
    for form in (network, Blockwise(network, size=block, threads=2)):
        assert_audited(form, (samples, *shape), rng)


@pytest.mark.line("fig-3", "sec-3-4-network")
@examples(3)
@given(st.sampled_from([(convnet(), CONVNET_INPUT), (two_layer(), (96 * 96,))]), generators)
def test_gradients_of_the_two_networks_of_the_paper(drawn, rng):
    network, shape = drawn
    assert_holds(check_layer(network, network.init(rng, np.float64), rng.random((1, *shape)), rng))


@pytest.mark.line("eq-6")
@examples(40)
@given(pairs_at_reach(), generators)
def test_gradients_of_the_contrastive_loss_over_given_pairs(drawn, rng):
    z1, z2, y, margin = drawn
    assert_of(lambda z1: contrastive(z1, z2, y, margin)[:2], z1, rng)
    assert_of(lambda z2: contrastive(z1, z2, y, margin)[::2], z2, rng)


@examples(40)
@given(chains(), sizes, st.floats(0.5, 10), generators)
def test_gradients_of_the_loss_over_all_pairs(similar, dims, margin, rng):
    z = margin * rng.standard_normal((similar.size, dims)) / np.sqrt(2 * dims)
    assume_smooth(z, margin)
    weight = rng.uniform(0.5, 2, similar.size)
    assert_of(lambda z: contrastive_all_pairs(z, similar, margin), z, rng)
    assert_of(lambda z: similar_sum(z, similar), z, rng)
    assert_of(lambda z: dissimilar_sum(z, similar, margin, weight), z, rng)


@examples(10)
@given(chains(most=5), small_networks(), st.floats(0.3, 3), st.sampled_from(["balanced", "exact"]), generators)
def test_gradients_of_a_siamese_network_down_to_each_parameter(similar, drawn, reach, weighting, rng):
    network, shape = drawn
    # No bias 0 and no coefficient 1, yet few units saturated: those would make all embeddings the same.
    params = tree_map(lambda p: p + 0.3 * rng.standard_normal(p.shape), network.init(rng, np.float64))
    x = rng.standard_normal((similar.size, *shape))
    z, _ = network(params, x)
    # Embeddings that all but coincide lose their differences to rounding, whatever the gradient.
    assume(energies(z).min() > 0.01 * np.abs(z).max())
    margin = float(reach * energies(z).mean())
    assume_smooth(z, margin)
    i, j, y = pair_table(similar)
    sample = similar.pairs[rng.integers(similar.listed_count, size=3)]
    sampled = SampledPairs(network, x, similar, margin, weighting, batch=3)
    assert_of(lambda p: two_towers(network, p, x[i], x[j], y, margin), params, rng)
    assert_of(lambda p: one_tower(network, p, x, similar, margin), params, rng)
    assert_of(lambda p: EveryPair(network, x, similar, margin, weighting)(p, rng, 1.0), params, rng)
    assert_of(lambda p: sampled.from_pairs(sample, p), params, rng)
