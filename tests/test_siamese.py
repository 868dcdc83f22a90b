"""Two copies of G_W that share one W, and the one copy that does their work."""

from math import sqrt

import numpy as np
import pytest

from drlim_np.graph import SimilarityGraph, pair_table
from drlim_np.layers import Linear, Sequential, Tanh
from drlim_np.loss import contrastive, energy
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.siamese import one_tower, two_towers
from drlim_np.tree import add, leaves, tree_map
from tests.help.comparing import assert_agree

BOUND = 1e-12
SMALL = Sequential(hidden=Linear(3, 4), squash=Tanh(), output=Linear(4, 2))
NETWORKS = {
    "convnet": (convnet(), CONVNET_INPUT, "F4.bias"),
    "two_layer": (two_layer(40, 6, 3), (40,), "output.bias"),
    "small": (SMALL, (3,), "output.bias"),
}
GRAPHS = {
    "each listed once": SimilarityGraph(5, np.array([[0, 1], [2, 1], [3, 4]])),
    "listed from both ends": SimilarityGraph(5, np.array([[0, 1], [1, 0], [2, 1], [4, 3], [3, 4]])),
    "none similar": SimilarityGraph(5, np.empty((0, 2), dtype=int)),
    "all similar": SimilarityGraph(4, np.array([[0, 1], [0, 2], [3, 0], [1, 2], [1, 3], [2, 3]])),
}
GRAPH = GRAPHS["listed from both ends"]


def problem(network, shape, samples, seed=0):
    """Weights with no 0 and no 1 among them, inputs, and a margin that most pairs are within."""
    rng = np.random.default_rng(seed)
    params = tree_map(lambda p: p + 0.1 * rng.standard_normal(p.shape), network.init(rng, np.float64))
    x = rng.standard_normal((samples, *shape))
    z, _ = network(params, x)
    i, j = np.triu_indices(samples, k=1)
    return params, x, 1.2 * float(np.median(energy(z[i], z[j])))


def norm(tree):
    return sqrt(sum(np.sum(g * g) for _, g in leaves(tree)))


# ---- one copy does the work of two ----


@pytest.mark.parametrize("similar", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize(("network", "shape", "last"), NETWORKS.values(), ids=NETWORKS)
@pytest.mark.line("one-copy")
def test_embedding_each_sample_once_is_two_towers_on_every_pair(network, shape, last, similar):
    params, x, margin = problem(network, shape, similar.size)
    i, j, y = pair_table(similar)
    towers = two_towers(network, params, x[i], x[j], y, margin)
    assert towers[0] > 0 and norm(towers[1]) > 0
    assert_agree(one_tower(network, params, x, similar, margin), towers, last)


# ---- the gradient of shared weights ----


@pytest.mark.line("two-towers")
@pytest.mark.parametrize(("network", "shape", "last"), NETWORKS.values(), ids=NETWORKS)
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


def test_towers_that_could_differ_have_the_gradients_that_add_up():
    """dL/dW along any direction is what moving the first copy's W does, plus what moving the second's does."""
    params, x, margin = problem(SMALL, (3,), 8)
    direction = tree_map(lambda p: np.random.default_rng(1).standard_normal(p.shape), params)
    x1, x2, y = x[:4], x[4:], np.array([0, 1, 0, 1])
    moved = tree_map(lambda p, u: p + 1e-20j * u, params, direction)

    def slope(first, second):
        return contrastive(SMALL(first, x1)[0], SMALL(second, x2)[0], y, margin)[0].imag / 1e-20

    plain = tree_map(lambda p: p.astype(complex), params)
    _, gradient = two_towers(SMALL, params, x1, x2, y, margin)
    along = sum(np.sum(g * u) for (_, g), (_, u) in zip(leaves(gradient), leaves(direction), strict=True))
    apart = slope(moved, plain) + slope(plain, moved)
    assert abs(along - apart) <= BOUND * norm(gradient) * norm(direction)
    assert abs(along - slope(moved, moved)) <= BOUND * norm(gradient) * norm(direction)


@pytest.mark.parametrize(("network", "shape", "last"), NETWORKS.values(), ids=NETWORKS)
def test_swapping_the_towers_inputs_changes_nothing(network, shape, last):
    params, x, margin = problem(network, shape, 6)
    x1, x2, y = x[:3], x[3:], [0, 1, 1]
    towers = two_towers(network, params, x1, x2, y, margin)
    assert_agree(two_towers(network, params, x2, x1, y, margin), towers, last)


@pytest.mark.parametrize(("network", "shape", "last"), NETWORKS.values(), ids=NETWORKS)
def test_the_last_bias_moves_both_towers_alike_so_its_gradient_vanishes(network, shape, last):
    params, x, margin = problem(network, shape, GRAPH.size)
    i, j, y = pair_table(GRAPH)
    for _, gradient in (
        two_towers(network, params, x[i], x[j], y, margin),
        one_tower(network, params, x, GRAPH, margin),
    ):
        assert np.linalg.norm(dict(leaves(gradient))[last]) <= BOUND * norm(gradient)


def test_shifting_the_last_bias_leaves_the_loss_as_it_was():
    params, x, margin = problem(SMALL, (3,), GRAPH.size)
    shifted = params | {"output": params["output"] | {"bias": params["output"]["bias"] + 5.0}}
    loss, moved = (one_tower(SMALL, p, x, GRAPH, margin)[0] for p in (params, shifted))
    assert abs(moved - loss) <= BOUND * loss


def test_the_same_input_in_both_towers_feels_no_force():
    params, x, margin = problem(SMALL, (3,), 4)
    loss, gradient = two_towers(SMALL, params, x, x.copy(), [0, 1, 1, 0], margin)
    assert loss == margin * margin
    assert norm(gradient) == 0
