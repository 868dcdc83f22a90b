"""The estimate over whole characters: on average over all draws the objective over every pair of copies."""

from functools import reduce
from itertools import product

import numpy as np
import pytest

from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Conv2d, Linear, Positions, Sequential, Tanh
from drlim_np.loss import all_pairs_by_definition
from drlim_np.objective import EveryPair
from drlim_np.sampled import SampledCopies, SampledPairs, weighted_pairs
from drlim_np.tree import add, leaves, tree_map
from tests.help.comparing import assert_agree, assert_close
from tests.help.every_layer import drawn
from tests.help.refusals import refuses

# Three characters in two copies: similar within and between characters, listed from both ends, twice, and not at all.
GRAPH = SimilarityGraph(6, [[0, 1], [0, 2], [2, 0], [1, 3], [4, 2], [4, 3], [4, 3]])
NETWORK = Sequential(conv=Conv2d(1, 3, 3), squash=Tanh(), rows=Positions(), out=Linear(3, 2))
X = np.random.default_rng(0).random((3, 1, 3, 4))
MARGIN = 0.8


@pytest.mark.line("step-2-drawn-pairs")
@pytest.mark.parametrize(
    ("weighting", "progress", "batch"), [("balanced", 1.0, 3), ("exact", 0.2, 2), ("exact", 1.0, 2)]
)
def test_the_mean_over_all_draws_is_the_objective_over_every_pair(weighting, progress, batch, rng):
    params = drawn(NETWORK, rng)
    sampled = SampledCopies(NETWORK, X, GRAPH, MARGIN, weighting, batch)
    found = [sampled.from_pairs(np.array(pairs), params, progress) for pairs in product(GRAPH.pairs, repeat=batch)]
    loss, gradient = reduce(add, ({"loss": loss, "dW": dW} for loss, dW in found)).values()
    average = loss / len(found), tree_map(lambda dw: dw / len(found), gradient)
    objective = EveryPair(NETWORK, X, GRAPH, MARGIN, weighting)(params, rng, progress)
    assert_agree(average, objective, vanishing="out.bias")


def test_with_one_copy_and_each_pair_listed_once_it_is_the_estimate_over_images(rng):
    graph = SimilarityGraph(5, [[0, 1], [1, 2], [3, 2], [3, 4]])
    network, x = Linear(3, 2), rng.standard_normal((5, 3))
    params, pairs = drawn(network, rng), [[0, 1], [3, 2], [3, 4], [0, 1]]
    forms = [form(network, x, graph, 1.5, "exact").from_pairs(pairs, params) for form in (SampledCopies, SampledPairs)]
    assert_agree(*forms, vanishing="bias")


def test_it_draws_from_the_listed_pairs_as_the_estimate_over_images_does(rng):
    params = drawn(NETWORK, rng)
    sampled = SampledCopies(NETWORK, X, GRAPH, MARGIN, batch=4)
    expected = GRAPH.pairs[np.random.default_rng(7).integers(len(GRAPH.pairs), size=4)]
    assert sampled(params, np.random.default_rng(7), 1.0)[0] == sampled.from_pairs(expected, params)[0]
    refuses(lambda: sampled.from_pairs(expected[:1], params), "1 pairs drawn: dissimilar pairs arise")


def test_the_dtype_of_x_is_kept_and_the_copies_of_a_single_character_are_enough(rng):
    of_one = SampledCopies(NETWORK, X[:1].astype(np.float32), SimilarityGraph(2, [[0, 1]]), MARGIN)
    loss, gradient = of_one(drawn(NETWORK, rng, np.float32), rng, 1.0)
    assert of_one.batch == 128
    assert {loss.dtype, *(dw.dtype for _, dw in leaves(gradient))} == {np.dtype(np.float32)}


def test_weighted_pairs_with_a_pair_of_weights_for_each_pair_are_the_loss_over_all_pairs(rng):
    z = rng.standard_normal((6, 2))
    attract = np.zeros((6, 6))
    np.add.at(attract, tuple(GRAPH.pairs.T), 1.0)
    i, j = GRAPH.edges.T
    repel = 1 - np.eye(6)
    repel[i, j] = repel[j, i] = 0
    for z_at in (z, z * 0):
        loss, dz = weighted_pairs(z_at, attract + attract.T, repel, MARGIN)
        expected, dz_expected = all_pairs_by_definition(z_at, GRAPH, MARGIN)
        assert_close(loss, expected)
        assert_close(dz, dz_expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": X[:2, :, :, :], "graph": SimilarityGraph(5, [[0, 1]])}, "not as many copies of each"),
        ({"x": X[:0]}, "the graph has 6 samples"),
        ({"graph": SimilarityGraph(6, [[0, 1], [2, 3]])}, "character 2 is in no similar pair"),
        ({"batch": 1}, "batch is 1"),
        ({"margin": 0.0}, "margin is 0.0"),
        ({"x": X.astype(np.int64)}, "x has dtype int64"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    given = {"x": X, "graph": GRAPH, "margin": MARGIN} | change
    refuses(lambda: SampledCopies(NETWORK, **given), message)
