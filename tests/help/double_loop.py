"""The loss over all pairs written out from Eqs. 1 to 4, one pair at a time, and random graphs to hold it against."""

from itertools import combinations
from math import sqrt

import numpy as np


def double_loop(z, pairs, margin, weight=None):
    """Attraction, its gradient, repulsion, its gradient, one pair at a time from Eqs. 1 to 4."""
    samples = len(z)
    weight = np.ones(samples) if weight is None else weight
    attraction, pull, repulsion, push = 0.0, np.zeros(z.shape), 0.0, np.zeros(z.shape)
    for i, j in pairs:
        attraction += sum((z[i] - z[j]) ** 2) / 2
        pull[i] += z[i] - z[j]
        pull[j] -= z[i] - z[j]
    similar = {frozenset(p) for p in pairs.tolist()}
    for i, j in combinations(range(samples), 2):
        d = sqrt(sum((z[i] - z[j]) ** 2))
        if frozenset((i, j)) not in similar and d < margin:
            repulsion += weight[i] * weight[j] * (margin - d) ** 2 / 2
            if d > 0:
                force = weight[i] * weight[j] * (margin - d) / d * (z[i] - z[j])
                push[i] -= force
                push[j] += force
    return attraction, pull, repulsion, push


def random_pairs(samples, rng):
    """Each distinct pair listed never, from either end, or from both."""
    pairs = []
    for i, j in combinations(range(samples), 2):
        pairs += [[], [], [(i, j)], [(j, i)], [(i, j), (j, i)]][rng.integers(5)]
    return rng.permutation(np.array(pairs, dtype=int).reshape(-1, 2))
