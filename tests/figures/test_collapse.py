"""Attraction alone collapses; with the dissimilar pairs it does not."""

import numpy as np
import pytest

from drlim_np.figures.collapse import attraction_alone, spread
from drlim_np.graph import SimilarityGraph
from drlim_np.networks import two_layer
from drlim_np.objective import EveryPair
from drlim_np.training import SGD, constant, descend, embed

X = np.random.default_rng(0).standard_normal((12, 5)).astype(np.float32)
RING = SimilarityGraph(12, np.array([(i, (i + 1) % 12) for i in range(12)]))
NETWORK = two_layer(5, 8, 3)
BOTH = EveryPair(NETWORK, X, RING, 1.0, "balanced")


def test_the_spread_is_the_root_of_the_mean_square_distance_from_the_mean():
    z = np.array([[1.0, 0.0, 5.0], [-1.0, 0.0, 5.0], [0.0, 2.0, 5.0], [0.0, -2.0, 5.0]])
    assert spread(z) == pytest.approx(np.sqrt((1 + 1 + 4 + 4) / 4))
    assert spread(z + 7) == pytest.approx(spread(z))


def test_attraction_alone_is_the_balanced_objective_less_its_dissimilar_half():
    params = NETWORK.init(np.random.default_rng(1))
    z = embed(NETWORK, params, X).astype(float)
    d = np.linalg.norm(z[:, None] - z, axis=2)
    near = [d[i, j] for i, j in RING.pairs]
    far = [d[i, j] for i in range(12) for j in range(i) if j + 1 != i and (j, i) != (0, 11)]
    alone, both = (objective(params, None, 1.0)[0] for objective in (attraction_alone(BOTH), BOTH))
    assert alone == pytest.approx(np.mean(np.square(near)) / 4, rel=1e-5)
    assert both - alone == pytest.approx(np.mean(np.square(np.maximum(0, 1 - np.array(far)))) / 4, rel=1e-4)


def test_without_dissimilar_pairs_the_map_collapses_and_with_them_it_does_not():
    start, last = NETWORK.init(np.random.default_rng(1)), {}
    for name, objective in (("with", BOTH), ("without", attraction_alone(BOTH))):
        *_, step = descend(objective, start, SGD(0.3, 0.9), 150, np.random.default_rng(0), constant)
        last[name] = spread(embed(NETWORK, step.params, X))
    assert last["without"] < 0.05 * spread(embed(NETWORK, start, X))
    assert last["with"] > 0.5
