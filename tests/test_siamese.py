"""Two copies of G_W that share one W, and the one copy that does their work."""

import numpy as np
import pytest

from drlim_np.graph import SimilarityGraph, pair_table
from drlim_np.loss import contrastive, energy
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.siamese import one_tower, two_towers
from drlim_np.tree import add, leaves, tree_map
from tests.help.comparing import BOUND, assert_agree

networks = pytest.mark.parametrize(
    ("network", "shape", "last"),
    [(convnet(), CONVNET_INPUT, "F4.bias"), (two_layer(40, 6, 3), (40,), "output.bias")],
    ids=["convnet", "two_layer"],
)
GRAPHS = {
    "each listed once": SimilarityGraph(5, np.array([[0, 1], [2, 1], [3, 4]])),
    "listed from both ends": SimilarityGraph(5, np.array([[0, 1], [1, 0], [2, 1], [4, 3], [3, 4]])),
    "none similar": SimilarityGraph(5, np.empty((0, 2), dtype=int)),
    "all similar": SimilarityGraph(4, np.array([[0, 1], [0, 2], [3, 0], [1, 2], [1, 3], [2, 3]])),
}


def problem(network, shape, samples, seed=0):
    """Weights with no 0 and no 1 among them, inputs, and a margin that most pairs are within."""
    rng = np.random.default_rng(seed)
    params = tree_map(lambda p: p + 0.1 * rng.standard_normal(p.shape), network.init(rng, np.float64))
    x = rng.standard_normal((samples, *shape))
    z, _ = network(params, x)
    i, j = np.triu_indices(samples, k=1)
    return params, x, 1.2 * float(np.median(energy(z[i], z[j])))


@pytest.mark.parametrize("similar", GRAPHS.values(), ids=GRAPHS)
@networks
@pytest.mark.line("one-copy")
def test_embedding_each_sample_once_is_two_towers_on_every_pair(network, shape, last, similar):
    params, x, margin = problem(network, shape, similar.size)
    i, j, y = pair_table(similar)
    towers = two_towers(network, params, x[i], x[j], y, margin)
    assert towers[0] > 0
    once = one_tower(network, params, x, similar, margin)
    assert_agree(once, towers, last)
    for _, gradient in (towers, once):  # the last bias moves both towers alike, so its gradient vanishes
        assert np.linalg.norm(dict(leaves(gradient))[last]) <= BOUND * max(abs(g).max() for _, g in leaves(gradient))


@pytest.mark.line("two-towers")
@networks
def test_the_gradient_is_the_sum_of_what_the_two_towers_contribute_and_neither_alone(network, shape, last):
    params, x, margin = problem(network, shape, 6)
    x1, x2, y = x[:3], x[3:], [0, 1, 0]
    (z1, pullback1), (z2, pullback2) = network(params, x1), network(params, x2)
    loss, dz1, dz2 = contrastive(z1, z2, y, margin)
    first, second = pullback1(dz1).params, pullback2(dz2).params
    towers = two_towers(network, params, x1, x2, y, margin)
    assert_agree(towers, (loss, add(first, second)), last)
    for name, _ in leaves(params):
        total, one, other = (dict(leaves(tree))[name] for tree in (towers[1], first, second))
        for alone in (one, other):
            assert np.linalg.norm(total - alone) > 0.1 * np.linalg.norm(alone), name
