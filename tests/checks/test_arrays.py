"""Layers and losses take what they are made for; everything else is refused in one line."""

from functools import partial

import numpy as np
import pytest

from drlim_np.fast.all_pairs import contrastive_all_pairs
from drlim_np.fast.blocks import Blockwise
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Conv2d, Linear, Subsample
from drlim_np.loss import contrastive, dissimilar_loss, energy, similar_loss
from drlim_np.networks import convnet, two_layer
from drlim_np.objective import EveryPair
from drlim_np.sampled import SampledCopies, SampledPairs
from drlim_np.tree import leaves, tree_map
from tests.help.every_layer import EVERY_LAYER, drawn
from tests.help.refusals import refuses

layers = pytest.mark.parametrize("name", EVERY_LAYER)
GRAPH = SimilarityGraph(4, [[0, 1], [1, 2], [2, 3]])
LOSSES = [lambda z: energy(z, z), lambda z: similar_loss(z[:, 0]), lambda z: dissimilar_loss(z[:, 0], 1.0)]
LOSSES += [lambda z: contrastive(z, z, [0, 1, 0, 1], 1.0), lambda z: contrastive_all_pairs(z, GRAPH, 1.0)]


def asked(name, rng):
    """The layer, its parameters, an input, its output and its pullback."""
    layer, shape = EVERY_LAYER[name]
    params, x = drawn(layer, rng, np.float32), rng.standard_normal(shape).astype(np.float32)
    return layer, params, x, *layer(params, x)


@layers
def test_a_gradient_of_another_shape_or_dtype_than_the_output_is_refused(name, rng):
    *_, y, pullback = asked(name, rng)
    for dy in (np.concat([y, y]), y[:1], y[None], y.sum()):  # longer, broadcast, with an axis more, with none
        refuses(partial(pullback, dy, wrt_input=True), f"dy has shape {dy.shape}")
    for dtype in (np.float64, np.int64, bool):
        refuses(partial(pullback, np.ones(y.shape, dtype)), f"and dtype {np.dtype(dtype)}: the output has")
    refuses(partial(pullback, y.tolist()), "expected an array, got list")


@layers
def test_parameters_of_another_shape_name_or_kind_are_refused(name, rng):
    layer, params, x, *_ = asked(name, rng)
    for path, array in leaves(params):
        for other in (array[..., None], np.concat([array, array]), array[:-1], array.sum()):
            changed = tree_map(lambda a, old=array, new=other: new if a is old else a, params)
            refuses(partial(layer, changed, x), f"takes a {path.split('.')[-1]} of shape {array.shape}, got")
    for other in ({**params, "more": x}, dict(list(params.items())[1:]) if params else {"weight": x}, x, None, []):
        refuses(partial(layer, other, x), "is it another network's?")
    if list(leaves(params)):
        refuses(partial(layer, tree_map(lambda p: p.tolist(), params), x), "expected an array, got list")


@layers
@pytest.mark.parametrize("dtype", [np.float16, np.longdouble])
def test_a_precision_in_which_squares_underflow_or_that_no_check_covers_is_refused_by_layers(name, dtype, rng):
    layer, shape = EVERY_LAYER[name]
    params = tree_map(lambda p: p.astype(dtype), drawn(layer, rng, np.float32))
    refuses(lambda: layer(params, np.ones(shape, dtype)), "convert it to a floating dtype, float32 or float64")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arrays_of_another_precision_or_with_another_product_are_refused_by_losses(loss, rng):
    for dtype in map(np.dtype, (np.float16, np.longdouble, np.int8, np.uint8, np.int64, bool)):
        z = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype)
        refuses(partial(loss, z), f"has dtype {dtype}: convert it to a floating dtype, float32 or float64")
    for wrapped in (np.asmatrix, np.ma.masked_array):
        refuses(partial(loss, wrapped(rng.random((4, 2)))), "convert it to a plain array")


def test_an_array_in_a_file_is_plain(tmp_path, rng):
    layer, x = Linear(3, 2), np.memmap(tmp_path / "x", np.float32, "w+", shape=(4, 3))
    assert layer(layer.init(rng), x)[0].shape == (4, 2)


@pytest.mark.parametrize("integer", [np.int64, np.uint8, np.int32])
def test_sizes_that_numpy_counted_do_not_promote(integer, rng):
    for layer, shape in (
        (Linear(integer(5), integer(3)), (4, 5)),
        (Conv2d(integer(2), integer(3), integer(3)), (4, 2, 6, 5)),
        (Subsample(integer(2), integer(3)), (4, 2, 9, 6)),
        (Blockwise(Linear(5, 3), integer(2), integer(2)), (5, 5)),
    ):
        y, pullback = layer(layer.init(rng), rng.random(shape, dtype=np.float32))
        gradient = pullback(y, wrt_input=True)
        assert {a.dtype for a in (y, gradient.input, *gradient.params.values())} == {np.dtype(np.float32)}


@pytest.mark.parametrize("size", [0, -1, 2.0, "2", None, True])
def test_sizes_that_are_no_whole_number_from_1_on_are_refused(size):
    of_layers = [(Linear, size, 2), (Linear, 2, size), (Conv2d, 1, size, 3), (Conv2d, 1, 3, size), (Subsample, 2, size)]
    of_blocks = [(Blockwise, Linear(2, 2), size), (Blockwise, Linear(2, 2), 2, size)]
    for make in (*of_layers, *of_blocks, (two_layer, 3, size), (convnet, size)):
        refuses(partial(*make), f"is {size!r}: it must be a whole number of at least 1")


def test_numbers_of_numpy_do_not_promote_the_loss_or_its_gradient(rng):
    d, z, one = rng.random(4, dtype=np.float32), rng.random((4, 3), dtype=np.float32), np.float64(1)
    network = two_layer(3, 2, 2)
    params = network.init(rng)
    sampled = SampledPairs(network, z, GRAPH, one, "exact", batch=np.int64(4))
    every = EveryPair(network, z, SimilarityGraph(GRAPH.pairs.max() + 1, GRAPH.pairs), one, "balanced")
    found = [dissimilar_loss(d, one), *contrastive(z, z[::-1], [0, 1, 0, 1], one)]
    found += [x for objective in (sampled, every) for _, x in leaves(dict(enumerate(objective(params, rng, one / 4))))]
    assert {x.dtype for x in found} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("dtype", "lost"), [(np.float32, 1e-46), (np.float32, 0.75 * 2**-63), (np.float64, 1e-200)])
def test_a_margin_whose_square_underflows_or_overflows_is_refused(dtype, lost, rng):
    z, network = np.zeros((4, 3), dtype), two_layer(3, 2, 2)
    params, x = network.init(rng, dtype), rng.random((4, 3)).astype(dtype)
    for margin in (lost, 1 / lost):
        for call in (
            partial(dissimilar_loss, z[:, 0], margin),
            partial(contrastive, z, z, [0, 1, 0, 1], margin),
            partial(contrastive_all_pairs, z, GRAPH, margin),
            partial(EveryPair(network, x, GRAPH, margin), params, rng, 1.0),
            *(partial(objective, network, x, GRAPH, margin) for objective in (SampledPairs, SampledCopies)),
        ):
            refuses(call, f"margin is {margin!r}: {np.dtype(dtype)} does not hold its square")


@pytest.mark.parametrize(("dtype", "margin"), [(np.float32, 1e-17), (np.float32, 5e18), (np.float64, 1e-150)])
def test_a_margin_whose_square_the_dtype_holds_repels_two_samples_within_it(dtype, margin):
    z = np.array([[0], [margin / 2]], dtype)
    loss, dz1, _ = contrastive(z[:1], z[1:], [1], margin)
    np.testing.assert_allclose(loss / margin, margin / 8, rtol=1e-3, atol=0)
    np.testing.assert_allclose(dz1, [[margin / 2]], rtol=1e-3, atol=0)


def test_objectives_are_not_asked_what_they_cannot_be(rng):
    network = two_layer(3, 2, 2)
    x, params = rng.random((4, 3)), network.init(rng, np.float64)
    sampled, every = SampledPairs(network, x, GRAPH), EveryPair(network, x, GRAPH, 1.0, "exact")
    sampled.from_pairs([[0, 1], [1, 2]], params)
    for progress in (-0.1, 1.1, np.nan, np.inf):
        refuses(partial(every, params, rng, progress), f"progress is {progress}: it runs from 0 to 1")
    for call, message in (
        (partial(sampled.from_pairs, [[0, 9], [1, 2]], params), "(0, 9): samples count from 0 to 3"),
        (partial(sampled.from_pairs, [[0, 1]], params), "draw at least 2"),
        (partial(SampledPairs, network, np.float32(1), GRAPH), "x has shape"),
        (partial(SampledPairs, network, x.tolist(), GRAPH), "expected an array, got list"),
        (partial(SampledPairs, network, x.astype(np.int64), GRAPH), "x has dtype int64"),
        (partial(EveryPair(network, x.tolist(), GRAPH), params, None, 1.0), "expected an array, got list"),
    ):
        refuses(call, message)
