"""One table, module by function: what NumPy computes, the other array modules compute too, and what they cannot is
refused in one line.

A module that is not installed is skipped with the reason. The one whose arrays stand in for CuPy, and array_api_strict,
are always there; test_array_api.py asks more of these two.
"""

from functools import partial

import numpy as np
import pytest

from drlim_np.backend import like, namespace, to_host
from drlim_np.copies import SampledCopies
from drlim_np.errors import InputError
from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum, similar_sum
from drlim_np.fast.devices import device_of, origin
from drlim_np.files import weights
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Conv2d, Flatten, Linear, Positions, Sequential, Subsample, Tanh
from drlim_np.loss import contrastive, dissimilar_loss, energy, similar_loss
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.objective import EveryPair, SampledPairs
from drlim_np.siamese import one_tower, two_towers
from drlim_np.training import SGD, embed, minimise
from drlim_np.tree import leaves, tree_map
from tests.help.comparing import bits

BOUNDS = {"float32": 2e-5, "float64": 1e-11}
PAIRS = SimilarityGraph(6, np.array([[0, 1], [1, 0], [2, 5], [3, 5], [4, 0]]))
Y = np.array([0, 1, 1, 0, 1, 1])
SMALL = two_layer(5, 4, 2)


@pytest.fixture(params=["strict", "stand-in", "jax", "mlx", "torch"])
def model(request):
    """An empty array of each module, to put others beside it."""
    if request.param == "strict":
        strict = pytest.importorskip("array_api_strict", reason="array_api_strict is not installed")
        return strict.zeros(0, device=strict.Device("device1"))
    if request.param == "stand-in":
        request.getfixturevalue("standin")
        return origin("cupy")
    try:
        return origin(request.param)
    except InputError as reason:
        pytest.skip(str(reason))


def near_init(layer, rng, dtype):
    """Parameters with no bias at 0, but where tanh is not flat: there 1 - y² keeps few digits in any module."""
    return tree_map(lambda w: (w + 0.1 * rng.standard_normal(w.shape)).astype(dtype), layer.init(rng, dtype))


def back_and_forth(layer, shape):
    """Forward and back of a layer: a function of where its arrays are."""

    def run(there, dtype):
        rng = np.random.default_rng(0)
        params, x = near_init(layer, rng, dtype), rng.standard_normal(shape).astype(dtype)
        y, pullback = layer(tree_map(there, params), there(x))
        gradient = pullback(there(rng.standard_normal(y.shape).astype(dtype)), wrt_input=True)
        return {"y": y, **gradient._asdict()}

    return run


def of_z(function):
    """A function of two sets of embeddings, of which one pair is at D = 0."""

    def run(there, dtype):
        z1, z2 = np.random.default_rng(0).standard_normal((2, 6, 3)).astype(dtype)
        z2[1] = z1[1]
        return function(there(z1), there(z2))

    return run


def of_network(function, network=SMALL, shape=(5,)):
    """A function of a network, its parameters and six samples."""

    def run(there, dtype):
        rng = np.random.default_rng(0)
        params, x = network.init(rng, dtype), rng.standard_normal((6, *shape)).astype(dtype)
        return function(network, tree_map(there, params), there(x))

    return run


def descent(objective, network, params, x):
    """Three steps with momentum, and the map that they end in. The loss leaves open where a map is."""
    params, losses = minimise(objective(network, x, PAIRS), params, SGD(0.1, 0.9), 3, np.random.default_rng(1))
    z = embed(network, params, x, block=4)
    return {"losses": like(losses.astype(to_host(z).dtype), x), "z": z - z[:1, ...]}


def but_the_last_bias(found):
    """Its gradient is the rounding of a sum that is zero, which cannot be compared relative to its size."""
    loss, dparams = found
    return {"loss": loss} | {name: w for name, w in leaves(dparams) if name != "output.bias"}


LAYERS = {
    "Linear": (Linear(5, 3), (4, 5)),
    "Conv2d": (Conv2d(2, 3, 2), (2, 2, 3, 4)),
    "Subsample": (Subsample(2, 2), (2, 2, 2, 4)),
    "Tanh": (Tanh(), (4, 3)),
    "Flatten": (Flatten(), (2, 2, 3, 5)),
    "Positions": (Positions(), (2, 2, 3, 5)),
    "Sequential": (Sequential(conv=Conv2d(1, 2, 2), squash=Tanh(), flat=Flatten(), out=Linear(4, 2)), (2, 1, 2, 3)),
    "two_layer": (SMALL, (4, 5)),
    "convnet": (convnet(), (2, *CONVNET_INPUT)),
}
OBJECTIVES = {"EveryPair": EveryPair, "SampledPairs": partial(SampledPairs, batch=4)}
OBJECTIVES |= {"SampledCopies": partial(SampledCopies, batch=4)}
FUNCTIONS = {name: back_and_forth(*layer) for name, layer in LAYERS.items()}
FUNCTIONS |= {
    "energy": of_z(energy),
    "similar_loss": of_z(lambda z1, z2: similar_loss(z1)),
    "dissimilar_loss": of_z(lambda z1, z2: dissimilar_loss(z1, 1.0)),
    "contrastive": of_z(lambda z1, z2: contrastive(z1, z2, Y, 2.0)),
    "contrastive, labels there": of_z(lambda z1, z2: contrastive(z1, z2, like(Y, z1), 2.0)),
    "contrastive_all_pairs": of_z(lambda z1, z2: contrastive_all_pairs(z1, PAIRS, 2.0)),
    "similar_sum": of_z(lambda z1, z2: similar_sum(z1, PAIRS)),
    "dissimilar_sum": of_z(lambda z1, z2: dissimilar_sum(z1, PAIRS, 2.0, z2[:, 0] * z2[:, 0])),
    "one_tower": of_network(lambda *given: but_the_last_bias(one_tower(*given, PAIRS, 1.0))),
    "two_towers": of_network(
        lambda network, W, x: but_the_last_bias(two_towers(network, W, x[:3, ...], x[3:, ...], [0, 1, 1], 1.0))
    ),
    **{f"descent on {name}": of_network(partial(descent, way)) for name, way in OBJECTIVES.items()},
    "descent of convnet": of_network(partial(descent, OBJECTIVES["SampledPairs"]), convnet(), CONVNET_INPUT),
}
HOST = partial(like, x=np.empty(0))


def named(result):
    """Every array of a result, a tuple or a tree, by its name."""
    return dict(leaves(dict(enumerate(result)) if isinstance(result, tuple) else {"": result}))


@pytest.mark.parametrize("dtype", list(BOUNDS))
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_equals_numpys_on_every_module(name, dtype, model):
    theirs = named(FUNCTIONS[name](partial(like, x=model), np.dtype(dtype)))
    ours = named(FUNCTIONS[name](HOST, np.dtype(dtype)))
    assert theirs.keys() == ours.keys() and len(ours) > 0
    for leaf, expected in ours.items():
        assert namespace(theirs[leaf]) is namespace(model) and device_of(theirs[leaf]) == device_of(model), leaf
        actual = to_host(theirs[leaf])
        assert actual.dtype == dtype and actual.shape == expected.shape, leaf
        assert np.linalg.norm(actual - expected) <= BOUNDS[dtype] * np.linalg.norm(expected), leaf


@pytest.mark.parametrize("dtype", list(BOUNDS))
def test_weights_of_every_module_are_saved_and_loaded_bit_for_bit(dtype, model, tmp_path):
    params = SMALL.init(np.random.default_rng(0), np.dtype(dtype))
    weights.save(tmp_path / "W.npz", tree_map(partial(like, x=model), params))
    assert bits(weights.load(tmp_path / "W.npz")) == bits(params)


def test_samples_on_the_host_are_embedded_by_weights_elsewhere_and_come_back(model):
    params, x = SMALL.init(np.random.default_rng(0)), np.ones((7, 5), np.float32)
    z = embed(SMALL, tree_map(partial(like, x=model), params), x, block=3)
    assert type(z) is np.ndarray and z.dtype == np.float32
    np.testing.assert_allclose(z, embed(SMALL, params, x), rtol=2e-5)
