"""Every gradient against complex step and central differences; Hypothesis draws shapes, values, margins and seeds."""

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
from drlim_np.tree import tree_map
from tests.help.every_layer import drawn as random_params

TIMES = {"deep": 97, "few": 0.1}.get(os.environ.get("DRLIM_TESTS"), 1)  # deep: more than 20,000 examples in all


def examples(number):
    """So many drawn examples, or so many times TIMES."""
    return settings(deadline=None, max_examples=max(1, round(number * TIMES)))


seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 4)
margins = st.floats(0.5, 10)


def assert_holds(rows):
    assert all(row.holds for row in rows), "\n".join(map(str, rows))


def assert_of(form, argument, rng):
    """The gradient by one argument, a tree, is that of the loss: `form` of it gives both."""
    assert_holds(check(lambda a: form(a["x"])[0], {"x": argument}, {"x": form(argument)[1]}, rng))


def assert_audited(layer, shape, seed):
    """The gradients of a layer hold, at parameters and an input of that shape drawn from `seed`."""
    rng = np.random.default_rng(seed)
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
def graphs(draw, most=7):
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
@given(sizes, sizes, sizes, sizes, sizes, sizes, seeds)
def test_gradients_of_conv2d(samples, channels, maps, kernel, height, width, seed):
    shape = (samples, channels, kernel + height - 1, kernel + width - 1)
    assert_audited(Conv2d(channels, maps, kernel), shape, seed)


@examples(75)
@given(sizes, sizes, sizes, sizes, sizes, seeds)
def test_gradients_of_linear_subsample_tanh_flatten_and_positions(samples, maps, window, height, width, seed):
    assert_audited(Linear(maps, window), (samples, maps), seed)
    for layer in (Subsample(maps, window), Tanh(), Flatten(), Positions()):
        assert_audited(layer, (samples, maps, window * height, window * width), seed)


@examples(15)
@given(small_networks(), sizes, st.integers(1, 3), seeds)
def test_gradients_of_layers_in_sequence_and_in_blocks(drawn, samples, block, seed):
    network, shape = drawn
    for form in (network, Blockwise(network, size=block, threads=2)):
        assert_audited(form, (samples, *shape), seed)


@pytest.mark.line("fig-3", "sec-3-4-network")
@examples(3)
@given(st.sampled_from([(convnet(), CONVNET_INPUT), (two_layer(), (96 * 96,))]), seeds)
def test_gradients_of_the_two_networks_of_the_paper(drawn, seed):
    network, shape = drawn
    rng = np.random.default_rng(seed)
    assert_holds(check_layer(network, network.init(rng, np.float64), rng.random((1, *shape)), rng))


@pytest.mark.line("eq-6")
@examples(40)
@given(st.integers(1, 8), sizes, margins, seeds)
def test_gradients_of_the_contrastive_loss_over_given_pairs(pairs, dims, margin, seed):
    rng = np.random.default_rng(seed)
    z1, away = rng.standard_normal((2, pairs, dims))
    length = margin * rng.choice([0.1, 0.5, 0.9, 0.99, 1.01, 1.5, 3], (pairs, 1))
    z2, y = z1 + length * away / np.linalg.norm(away, axis=1, keepdims=True), rng.integers(0, 2, pairs)
    assert_of(lambda z1: contrastive(z1, z2, y, margin)[:2], z1, rng)
    assert_of(lambda z2: contrastive(z1, z2, y, margin)[::2], z2, rng)


@examples(40)
@given(graphs(), sizes, margins, seeds)
def test_gradients_of_the_loss_over_all_pairs(similar, dims, margin, seed):
    rng = np.random.default_rng(seed)
    z = margin * rng.standard_normal((similar.size, dims)) / np.sqrt(2 * dims)
    assume_smooth(z, margin)
    weight = rng.uniform(0.5, 2, similar.size)
    assert_of(lambda z: contrastive_all_pairs(z, similar, margin), z, rng)
    assert_of(lambda z: similar_sum(z, similar), z, rng)
    assert_of(lambda z: dissimilar_sum(z, similar, margin, weight), z, rng)


@examples(10)
@given(graphs(most=5), small_networks(), st.floats(0.3, 3), st.sampled_from(["balanced", "exact"]), seeds)
def test_gradients_of_a_siamese_network_down_to_each_parameter(similar, drawn, reach, weighting, seed):
    network, shape = drawn
    rng = np.random.default_rng(seed)
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
