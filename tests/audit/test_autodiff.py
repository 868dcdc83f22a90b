"""JAX's automatic differentiation of our own forward code against our pullbacks, in float64, where JAX is installed.

The sum over all pairs is compared on the list of its pairs: tiles look at values, and hold each sample with itself, at
D = 0, where JAX's gradient is NaN.
"""

import numpy as np
import pytest

from drlim_np.audit import catalogue
from drlim_np.audit.catalogue import MARGIN, small_graph
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

jax = pytest.importorskip("jax", reason="JAX is not installed: no automatic differentiation of the forward code")

SIAMESE = pytest.mark.parametrize(
    ("network", "shape"), [(convnet(), (1, 32, 32)), (two_layer(30, 5, 3), (30,))], ids=["convnet", "two_layer"]
)
GRAPH = small_graph(6)


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def error(ours, loss, arguments):
    """How far our gradient, a tree, is from that of `loss` by JAX, relative to its norm."""
    theirs = dict(leaves(jax.grad(loss)(arguments)))
    ours = dict(leaves(ours))
    assert theirs.keys() == ours.keys() and all(g.dtype == np.float64 for g in theirs.values())
    off = sum(np.sum((ours[name] - np.asarray(theirs[name])) ** 2) for name in theirs)
    return np.sqrt(off / sum(np.sum(np.asarray(g) ** 2) for g in theirs.values()))


def of_layer(layer, shape, rng):
    """Through L = Σ v ⊙ layer(params, x)."""
    params, x = drawn(layer, rng), rng.standard_normal(shape)
    y, pullback = layer(params, x)
    v = rng.standard_normal(y.shape)
    ours = pullback(v, wrt_input=True)._asdict()
    return error(ours, lambda a: (v * layer(a["params"], a["input"])[0]).sum(), {"params": params, "input": x})


@pytest.mark.parametrize("name", EVERY_LAYER)
def test_every_layer_and_network(name, rng):
    assert of_layer(*EVERY_LAYER[name], rng) <= BOUND


def listed(z, which=(0, 1)):
    """Both ends of the pairs of GRAPH, similar (0), dissimilar (1) or all, and their labels."""
    i, j, y = pair_table(GRAPH)
    kept = np.flatnonzero(np.isin(y, which))
    return z[i[kept], :], z[j[kept], :], y[kept]


def test_the_loss_of_given_pairs_and_the_sums_over_all_pairs_of_a_set(rng):
    z1, z2, y = catalogue.pairs_around_the_margin(rng)
    _, dz1, dz2 = contrastive(z1, z2, y, MARGIN)
    ours, arguments = {"z1": dz1, "z2": dz2}, {"z1": z1, "z2": z2}
    assert error(ours, lambda a: contrastive(a["z1"], a["z2"], y, MARGIN)[0], arguments) <= BOUND
    z = 0.6 * rng.standard_normal((6, 2))
    assert error(contrastive_all_pairs(z, GRAPH, MARGIN)[1], lambda z: contrastive(*listed(z), MARGIN)[0], z) <= BOUND
    assert error(similar_sum(z, GRAPH)[1], lambda z: similar_sum(z, GRAPH)[0], z) <= BOUND


@SIAMESE
def test_two_towers_and_one_on_both_networks(network, shape, rng):
    params, x = network.init(rng, np.float64), rng.random((6, *shape))
    x1, x2, y = listed(x.reshape(6, -1))
    pairs = x1.reshape(-1, *shape), x2.reshape(-1, *shape)
    loss = lambda params: two_towers(network, params, *map(jax.numpy.asarray, pairs), y, MARGIN)[0]  # noqa: E731
    assert error(two_towers(network, params, *pairs, y, MARGIN)[1], loss, params) <= BOUND
    assert error(one_tower(network, params, x, GRAPH, MARGIN)[1], loss, params) <= BOUND


@SIAMESE
@pytest.mark.parametrize("weighting", ["balanced", "exact"])
def test_both_objectives_by_the_means_of_their_pairs(network, shape, weighting, rng):
    params, x = network.init(rng, np.float64), rng.random((6, *shape))
    lam, y = dissimilar_weight(GRAPH, weighting), pair_table(GRAPH)[2]

    def loss(params):
        z = network(params, jax.numpy.asarray(x))[0]
        similar, dissimilar = (contrastive(*listed(z, kind), MARGIN)[0] / np.sum(y == kind) for kind in (0, 1))
        return (similar + lam * dissimilar) / (1 + lam)

    ours = EveryPair(network, x, GRAPH, MARGIN, weighting)(params, rng, 1.0)[1]
    assert error(ours, loss, params) <= BOUND


def test_a_wrong_pullback_is_told_apart(rng):
    assert of_layer(Tanh(), (4, 3), rng) <= BOUND < 1e-3 < of_layer(Forgetful(), (4, 3), rng)


def test_at_distance_0_jax_gives_nan_where_ours_is_0():
    z = np.array([[0.5, -0.25]])
    for y in (0, 1):
        _, dz1, _ = contrastive(z, z, [y], MARGIN)
        theirs = jax.grad(lambda z1, y=y: contrastive(z1, jax.numpy.asarray(z), [y], MARGIN)[0])(z)
        assert (dz1 == 0).all() and np.isnan(theirs).all()
