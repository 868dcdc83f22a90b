"""Wrong gradients of this loss, most with a thread or release that has them. Whatever audits here must reject each.

Each is the mistake as a function: of points z1, z2 (pairs, dims), labels and margin, to dL/dz1, dL/dz2;
or of a network, its parameters, the inputs of both towers, labels and margin, to dL/dW.
"""

from collections.abc import Callable

import numpy as np

from drlim_np.loss import contrastive, energy
from drlim_np.tree import add


def _of_force(force: Callable) -> Callable:
    """The mistake with this force: force(z1 - z2, D, m) → dL_S/dz1, dL_D/dz1, and dL/dz2 opposite."""

    def gradients(z1, z2, y, margin):
        with np.errstate(invalid="ignore", divide="ignore"):  # at D = 0
            pull, push = force(z1 - z2, energy(z1, z2)[:, None], margin)
        dz1 = np.where(np.asarray(y)[:, None] == 0, pull, push)
        return dz1, -dz1

    return gradients


def _squashed(v, d, m):
    squashed = 1 / (1 + np.exp(-d))
    return v, -(m - squashed) * squashed * (1 - squashed) / d * v


def _unit(v, d):
    return np.divide(v, d, out=np.zeros_like(v), where=d > 0)


def _push(v, d, m):
    return -np.where(d < m, (m - d) / d, 0) * v


LOSSES = {
    "the labels' convention flipped": lambda z1, z2, y, m: contrastive(z1, z2, 1 - y, m)[1:],  # keras #13584
    "margin - D² for (margin - D)²": _of_force(lambda v, d, m: (v, -np.where(d * d < m, v, 0))),  # BVLC/caffe #2308
    "the similar term not squared": _of_force(lambda v, d, m: (_unit(v, d), _push(v, d, m))),  # Caffe's docs, #3310
    "the ½ missing": lambda *given: [2 * dz for dz in contrastive(*given)[1:]],  # tensorflow-addons 0.23.0
    "an epsilon inside the difference": _of_force(lambda v, d, m: (v + 1e-6, _push(v + 1e-6, d, m))),  # pytorch #61538
    # adambielski/siamese-triplet #18
    "an epsilon under the root": _of_force(lambda v, d, m: (v, _push(v, np.sqrt(d * d + 1e-6), m))),
    "a sigmoid on the distance": _of_force(_squashed),  # keras-io #2230
    "a push beyond the margin": _of_force(lambda v, d, m: (v, -(m - d) / d * v)),
    "mean in the loss, sum in the gradient": lambda *given: [len(given[0]) * dz for dz in contrastive(*given)[1:]],
    # the default of pytorch-metric-learning's ContrastiveLoss: L_S = D, L_D = max(0, m - D)
    "both hinges linear": _of_force(lambda v, d, m: (_unit(v, d), -np.where(d < m, _unit(v, d), 0))),
    # catalyst's ContrastiveEmbeddingLoss: the root of a sum, differentiated, is D/D v for a similar pair as well
    "NaN at D = 0 for similar pairs": _of_force(lambda v, d, m: (d / d * v, _push(v, d, m))),
    "the second tower's sign": lambda *given: contrastive(*given)[1:2] * 2,
}


def _forgotten(network, params, x1, x2, y, margin):
    (z1, pullback), (z2, _) = network(params, x1), network(params, x2)
    return pullback(contrastive(z1, z2, y, margin)[1]).params


def _cache_shared(network, params, x1, x2, y, margin):
    (z1, _), (z2, pullback) = network(params, x1), network(params, x2)
    _, dz1, dz2 = contrastive(z1, z2, y, margin)
    return add(pullback(dz1).params, pullback(dz2).params)


TOWERS = {"one tower's gradient forgotten": _forgotten, "a cache shared by the towers": _cache_shared}
