"""The same code on another array module: array_api_strict on a device that is not the host's, as a GPU is not.

There numpy.asarray of an array raises, as do mixed dtypes and all that the array API standard does not cover.
"""

import warnings
from functools import partial

import numpy as np
import pytest

from drlim_np.errors import DivergedError, InputError
from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum, similar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Linear, Sequential, Tanh
from drlim_np.loss import contrastive, energy
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.objective import EveryPair, SampledPairs
from drlim_np.siamese import one_tower, two_towers
from drlim_np.training import SGD, descend, embed, minimise
from drlim_np.tree import leaves, tree_map
from tests.help.every_layer import EVERY_LAYER, random_tree

strict = pytest.importorskip("array_api_strict", reason="array_api_strict is not installed")
DEVICE = strict.Device("device1")
HOST = strict.Device("CPU_DEVICE")

ROUNDING = {"float32": 1e-6, "float64": 1e-12, "complex128": 1e-12}
# Over all pairs the forces on a set cancel, and with them what reaches the first layers' biases: there NumPy's own
# gradient of the convnet in float32 lies 4e-6 of its norm from that in float64.
CANCELLED = ROUNDING | {"float32": 1e-5}
precisions = pytest.mark.parametrize("dtype", list(ROUNDING))


def on_device(tree):
    return tree_map(lambda x: strict.asarray(x, device=DEVICE), tree)


def on_host(x):
    assert x.device == DEVICE
    return np.asarray(x.to_device(HOST))


def assert_equal_to_rounding(theirs, ours, rounding=ROUNDING):
    """Every array of a tree on the device against its twin from NumPy: dtype, shape and values."""
    theirs, ours = dict(leaves(theirs)), dict(leaves(ours))
    assert theirs.keys() == ours.keys()
    for name, expected in ours.items():
        actual = on_host(theirs[name])
        assert actual.dtype == expected.dtype and actual.shape == expected.shape
        bound = rounding[expected.dtype.name] * np.linalg.norm(expected)
        assert np.linalg.norm(actual - expected) <= bound, name


def test_the_device_refuses_to_be_read_as_numpy():
    with pytest.raises((RuntimeError, TypeError)):
        np.asarray(strict.zeros(2, device=DEVICE))


SMALL = Sequential(hidden=Linear(5, 4), squash=Tanh(), out=Linear(4, 2))


@precisions
@pytest.mark.parametrize("name", EVERY_LAYER)
def test_layers_and_networks_equal_numpys_forward_and_back(name, dtype, rng):
    layer, shape = EVERY_LAYER[name]
    params, x = random_tree(layer.init(rng), rng, dtype), rng.standard_normal(shape).astype(dtype)
    y, pullback = layer(params, x)
    dy = rng.standard_normal(y.shape).astype(dtype)
    their_y, their_pullback = layer(on_device(params), on_device(x))
    assert_equal_to_rounding(their_y, y)
    assert their_pullback(on_device(dy)).input is None
    assert_equal_to_rounding(their_pullback(on_device(dy)).params, pullback(dy).params)
    gradient = their_pullback(on_device(dy), wrt_input=True)
    assert_equal_to_rounding(gradient._asdict(), pullback(dy, wrt_input=True)._asdict())


Y = [0, 1, 1, 0, 1, 1]


def tree_of(values):
    return dict(zip(("loss", "dz1", "dz2"), values, strict=False))


@precisions
@pytest.mark.parametrize(
    ("y", "margin"),
    [
        pytest.param(Y, 2.0, id="list"),
        pytest.param(Y, 2, id="whole margin"),
        pytest.param(strict.asarray(Y, device=DEVICE), 2.0, id="device"),
        pytest.param(strict.asarray(Y, dtype=strict.float64, device=DEVICE), 2.0, id="device, float64"),
        pytest.param(strict.asarray([bool(y) for y in Y], device=DEVICE), 2.0, id="device, truths"),
        pytest.param(np.array(Y), 2.0, id="NumPy"),
        pytest.param(Y, np.float64(2), id="NumPy margin"),
    ],
)
def test_the_loss_over_given_pairs_equals_numpys(y, margin, dtype, rng):
    z1, z2 = rng.standard_normal((2, 6, 3)).astype(dtype)
    z2[1] = z1[1]  # D = 0, dissimilar
    theirs = contrastive(on_device(z1), on_device(z2), y, margin)
    assert_equal_to_rounding(tree_of(theirs), tree_of(contrastive(z1, z2, Y, 2.0)))
    assert_equal_to_rounding(energy(on_device(z1), on_device(z2)), energy(z1, z2))


@precisions
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda z, similar, _: contrastive_all_pairs(z, similar, 2.0), id="all pairs"),
        pytest.param(lambda z, similar, _: similar_sum(z, similar), id="similar"),
        pytest.param(lambda z, similar, _: dissimilar_sum(z, similar, 2.0), id="dissimilar"),
        pytest.param(lambda z, similar, w: dissimilar_sum(z, similar, 2.0, w), id="weighted"),
    ],
)
def test_the_losses_over_a_set_equal_numpys_whatever_the_tiles(form, dtype, rng, monkeypatch):
    similar = SimilarityGraph(7, np.array([[0, 1], [1, 0], [2, 5], [6, 5], [5, 1]]))
    z, weight = rng.standard_normal((7, 2)).astype(dtype), rng.uniform(0.5, 2, 7).astype(dtype)
    z[3] = z[4]
    for tile in (1, 3, 256):
        for name in ("TILE", "DEVICE_TILE"):
            monkeypatch.setattr(f"drlim_np.fast.all_pairs.{name}", tile)
        theirs = form(on_device(z), similar, on_device(weight))
        assert_equal_to_rounding(tree_of(theirs), tree_of(form(z, similar, weight)))


@precisions
@pytest.mark.parametrize(
    ("network", "shape"),
    [
        pytest.param(SMALL, (5,), id="fully connected"),
        pytest.param(convnet(), CONVNET_INPUT, id="convnet"),
    ],
)
def test_two_towers_equal_numpys(network, shape, dtype, rng):
    params = random_tree(network.init(rng), rng, dtype)
    x1, x2 = rng.standard_normal((2, 3, *shape)).astype(dtype)
    loss, dparams = two_towers(network, params, x1, x2, [0, 1, 1], 8.0)
    their_loss, their_dparams = two_towers(network, *map(on_device, (params, x1, x2)), [0, 1, 1], 8.0)
    assert_equal_to_rounding(their_loss, loss)
    # The towers pull the last bias in opposite directions: the sum is rounding, and has nothing to be compared with.
    last = list(network.layers)[-1]
    dparams[last].pop("bias"), their_dparams[last].pop("bias")
    assert_equal_to_rounding(their_dparams, dparams)


@precisions
def test_a_set_embedded_once_equals_numpys(dtype, rng):
    similar = SimilarityGraph(6, np.array([[0, 1], [1, 0], [2, 5]]))
    params, x = random_tree(SMALL.init(rng), rng, dtype), rng.standard_normal((6, 5)).astype(dtype)
    loss, dparams = one_tower(SMALL, params, x, similar, 2.0)
    their_loss, their_dparams = one_tower(SMALL, on_device(params), on_device(x), similar, 2.0)
    assert_equal_to_rounding(their_loss, loss)
    dparams["out"].pop("bias"), their_dparams["out"].pop("bias")
    assert_equal_to_rounding(their_dparams, dparams)


# ---- training ----

GRAPH = SimilarityGraph(9, np.array([[0, 1], [1, 0], [2, 5], [3, 5], [4, 6], [7, 8], [8, 0]]))
NETWORKS = [
    pytest.param(Blockwise(convnet(), size=4), CONVNET_INPUT, id="convnet"),
    pytest.param(two_layer(30, 5, 3), (30,), id="two-layer"),
]
OPTIMISERS = [pytest.param(SGD(0.1), id="plain"), pytest.param(SGD(0.1, momentum=0.9), id="momentum")]


def without_the_last_bias(tree):
    """Its gradient is the rounding of a sum that is zero, which cannot be compared relative to its size."""
    *others, last = tree
    return {name: tree[name] for name in others} | {last: {"weight": tree[last]["weight"]}}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("network", "shape"), NETWORKS)
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(
            lambda network, params, x: two_towers(network, params, x[:4, ...], x[4:8, ...], [0, 1, 1, 0], 1.0),
            id="two towers",
        ),
        pytest.param(lambda network, params, x: one_tower(network, params, x, GRAPH, 1.0), id="embed once"),
    ],
)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_one_step_of_descent_on_each_form_of_the_loss_equals_numpys(network, shape, form, optimiser, dtype, rng):
    params, x = network.init(rng, dtype), rng.standard_normal((9, *shape)).astype(dtype)

    def step(params, x):
        loss, gradient = form(network, params, x)
        return loss, *optimiser.update(params, gradient, optimiser.init(params), 0.5)

    loss, stepped, state = step(params, x)
    their_loss, their_stepped, their_state = step(on_device(params), on_device(x))
    assert_equal_to_rounding(their_loss, loss)
    assert_equal_to_rounding(without_the_last_bias(their_stepped), without_the_last_bias(stepped), CANCELLED)
    assert_equal_to_rounding(without_the_last_bias(their_state), without_the_last_bias(state), CANCELLED)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("network", "shape"), NETWORKS)
@pytest.mark.parametrize(
    "objective", [pytest.param(EveryPair, id="every pair"), pytest.param(partial(SampledPairs, batch=6), id="sampled")]
)
def test_the_objectives_equal_numpys_on_the_same_draws(objective, network, shape, dtype, rng):
    params, x = network.init(rng, dtype), rng.standard_normal((9, *shape)).astype(dtype)
    loss, gradient = objective(network, x, GRAPH)(params, np.random.default_rng(1), 0.5)
    theirs = objective(network, on_device(x), GRAPH)(on_device(params), np.random.default_rng(1), 0.5)
    assert_equal_to_rounding(theirs[0], loss)
    assert_equal_to_rounding(without_the_last_bias(theirs[1]), without_the_last_bias(gradient), CANCELLED)


@pytest.mark.parametrize(("network", "shape"), NETWORKS)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_training_and_the_map_it_ends_in_equal_numpys(network, shape, optimiser, rng):
    start, x = network.init(rng, np.float64), rng.standard_normal((9, *shape))
    params, losses = minimise(EveryPair(network, x, GRAPH), start, optimiser, 3, rng)
    theirs, their_losses = minimise(EveryPair(network, on_device(x), GRAPH), on_device(start), optimiser, 3, rng)
    np.testing.assert_allclose(their_losses, losses, rtol=1e-10)
    assert_equal_to_rounding(embed(network, on_device(params), on_device(x), block=4), embed(network, params, x))
    ours, theirs = without_the_last_bias(params), without_the_last_bias(theirs)
    for (name, expected), (_, actual) in zip(leaves(ours), leaves(theirs), strict=True):
        np.testing.assert_allclose(on_host(actual), expected, rtol=0, atol=1e-9, err_msg=name)


def test_samples_on_the_host_are_embedded_by_weights_on_the_device_and_come_back(rng):
    params, x = SMALL.init(rng, np.float64), rng.standard_normal((7, 5))
    z = embed(SMALL, on_device(params), x, block=3)
    assert type(z) is np.ndarray
    np.testing.assert_allclose(z, embed(SMALL, params, x), rtol=1e-12)


def test_a_gradient_that_is_not_finite_is_named_on_the_device_too(rng):
    params = on_device(SMALL.init(rng, np.float64))
    x = rng.standard_normal((9, 5))
    x[3, 2] = np.nan
    with pytest.raises(DivergedError, match="the objective is not finite at step 1"):
        next(descend(EveryPair(SMALL, on_device(x), GRAPH), params, SGD(0.1), 1, rng))


def test_zero_distance_is_finite_without_a_warning():
    z = on_device(np.array([[1.5, -7.25]]))
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        loss, dz1, dz2 = contrastive(z, z, [1], 2.0)
    assert on_host(loss) == 2
    assert not on_host(dz1).any() and not on_host(dz2).any()


def test_what_numpy_refuses_is_refused_on_the_device():
    z = on_device(np.zeros((3, 2)))
    whole, narrow = on_device(np.zeros((3, 2), int)), on_device(np.zeros((3, 2), np.float32))
    for call, named in (
        (lambda: contrastive(z, z, [0, 1, 2], 1.0), "labels other than 0 and 1"),
        (lambda: contrastive(z, z, [0, 1], 1.0), "y has shape"),
        (lambda: contrastive(z, z, [0, 1, 1], -1.0), "margin is -1.0"),
        (lambda: contrastive(z, whole, [0, 1, 1], 1.0), "z2 has dtype"),
        (lambda: contrastive(z, narrow, [0, 1, 1], 1.0), "mismatched dtypes"),
        (
            lambda: Linear(5, 3)(on_device(Linear(5, 3).init(np.random.default_rng(0), np.float64)), z),
            "Linear(inputs=5, outputs=3",
        ),
    ):
        with pytest.raises(InputError) as refusal:
            call()
        assert named in str(refusal.value) and "\n" not in str(refusal.value)
