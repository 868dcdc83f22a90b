"""Automatic differentiation of our own forward code, by JAX and by PyTorch, against our pullbacks, in float64.

The sum over all pairs is compared on the list of its pairs: tiles look at values, and hold each sample with itself, at
D = 0, where an automatic gradient is NaN. What is not installed is skipped.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from drlim_np.audit import catalogue
from drlim_np.audit.catalogue import MARGIN, small_graph
from drlim_np.audit.gradcheck import FLOOR
from drlim_np.fast.all_pairs import contrastive_all_pairs, similar_sum
from drlim_np.graph import pair_table
from drlim_np.layers import Tanh
from drlim_np.loss import contrastive
from drlim_np.networks import convnet, two_layer
from drlim_np.objective import EveryPair, dissimilar_weight
from drlim_np.siamese import one_tower, two_towers
from drlim_np.tree import leaves
from tests.help.comparing import BOUND
from tests.help.every_layer import EVERY_LAYER, Forgetful, drawn

SIAMESE = pytest.mark.parametrize(
    ("network", "shape"), [(convnet(), (1, 32, 32)), (two_layer(30, 5, 3), (30,))], ids=["convnet", "two_layer"]
)
GRAPH = small_graph(6)


@pytest.fixture(params=["jax", "torch"])
def auto(request):
    """The gradient of a function at a tree of arrays by that library, `of`, and an array of it, `array`."""
    library = pytest.importorskip(request.param, reason=f"{request.param} is not installed: no second opinion")
    if request.param == "torch":
        from tests.help import autograd

        yield SimpleNamespace(of=autograd.gradient_of, array=autograd.tensor)
        return
    with library.enable_x64(True):
        yield SimpleNamespace(of=lambda function, x: library.grad(function)(x), array=library.numpy.asarray)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def error(ours, theirs):
    """How far our gradient, a tree, is from that one: of each tensor by its norm, as `gradcheck.check` has it."""
    ours, theirs = dict(leaves(ours)), {name: np.asarray(g) for name, g in leaves(theirs)}
    assert theirs.keys() == ours.keys() and all(g.dtype == np.float64 for g in theirs.values())
    least = FLOOR * np.sqrt(sum(np.sum(g**2) for g in theirs.values()))
    return max(np.linalg.norm(ours[name] - g) / max(np.linalg.norm(g), least) for name, g in theirs.items())


def of_layer(layer, shape, auto, rng):
    """Through L = Σ v ⊙ layer(params, x)."""
    arguments = {"params": drawn(layer, rng), "input": rng.standard_normal(shape)}
    y, pullback = layer(*arguments.values())
    v = rng.standard_normal(y.shape)
    theirs = auto.of(lambda a: (auto.array(v) * layer(a["params"], a["input"])[0]).sum(), arguments)
    return error(pullback(v, wrt_input=True)._asdict(), theirs)


@pytest.mark.parametrize("name", EVERY_LAYER)
def test_every_layer_and_network(name, auto, rng):
    assert of_layer(*EVERY_LAYER[name], auto, rng) <= BOUND


def listed(z, which=(0, 1)):
    """Both ends of the pairs of GRAPH, similar (0), dissimilar (1) or all, and their labels."""
    i, j, y = pair_table(GRAPH)
    kept = np.flatnonzero(np.isin(y, which))
    return z[i[kept], :], z[j[kept], :], y[kept]


def test_the_loss_of_given_pairs_and_the_sums_over_all_pairs_of_a_set(auto, rng):
    z1, z2, y = catalogue.pairs_around_the_margin(rng)
    _, dz1, dz2 = contrastive(z1, z2, y, MARGIN)
    theirs = auto.of(lambda a: contrastive(a["z1"], a["z2"], y, MARGIN)[0], {"z1": z1, "z2": z2})
    assert error({"z1": dz1, "z2": dz2}, theirs) <= BOUND
    z = 0.6 * rng.standard_normal((6, 2))
    theirs = auto.of(lambda z: contrastive(*listed(z), MARGIN)[0], z)
    assert error(contrastive_all_pairs(z, GRAPH, MARGIN)[1], theirs) <= BOUND
    theirs = auto.of(lambda z: contrastive(*listed(z, 0), MARGIN)[0], z)
    assert error(similar_sum(z, GRAPH)[1], theirs) <= BOUND


@SIAMESE
def test_two_towers_and_one_on_both_networks(network, shape, auto, rng):
    params, x = network.init(rng, np.float64), rng.random((6, *shape))
    x1, x2, y = listed(x.reshape(6, -1))
    pairs = x1.reshape(-1, *shape), x2.reshape(-1, *shape)

    def loss(params):
        return contrastive(*(network(params, auto.array(some))[0] for some in pairs), y, MARGIN)[0]

    theirs = auto.of(loss, params)
    assert error(two_towers(network, params, *pairs, y, MARGIN)[1], theirs) <= BOUND
    assert error(one_tower(network, params, x, GRAPH, MARGIN)[1], theirs) <= BOUND


@SIAMESE
@pytest.mark.parametrize("weighting", ["balanced", "exact"])
def test_both_objectives_by_the_means_of_their_pairs(network, shape, weighting, auto, rng):
    params, x = network.init(rng, np.float64), rng.random((6, *shape))
    lam, y = dissimilar_weight(GRAPH, weighting), pair_table(GRAPH)[2]

    def loss(params):
        z = network(params, auto.array(x))[0]
        similar, dissimilar = (contrastive(*listed(z, kind), MARGIN)[0] / np.sum(y == kind) for kind in (0, 1))
        return (similar + lam * dissimilar) / (1 + lam)

    ours = EveryPair(network, x, GRAPH, MARGIN, weighting)(params, rng, 1.0)[1]
    assert error(ours, auto.of(loss, params)) <= BOUND


def test_a_wrong_pullback_is_told_apart_because_the_library_differentiates_what_it_is_given(auto, rng):
    assert of_layer(Tanh(), (4, 3), auto, rng) <= BOUND < 1e-3 < of_layer(Forgetful(), (4, 3), auto, rng)
    x = np.array([0.5, -1.0])
    np.testing.assert_allclose(auto.of(lambda x: (x * x * x).sum(), x), 3 * x**2, rtol=1e-15)


@pytest.mark.parametrize("y", [0, 1])
def test_at_distance_0_an_automatic_gradient_is_nan_where_ours_is_0(y, auto):
    z = np.array([[0.5, -0.25]])
    theirs = auto.of(lambda z1: contrastive(z1, auto.array(z), [y], MARGIN)[0], z)
    assert (contrastive(z, z, [y], MARGIN)[1] == 0).all() and np.isnan(theirs).all()
