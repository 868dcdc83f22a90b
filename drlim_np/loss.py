"""The contrastive loss, Eqs. 1 to 7, and its gradient with respect to the embeddings.

The paper's convention: Y = 0 for a similar pair, Y = 1 for a dissimilar one. With D = ‖z1 - z2‖ and z = G_W(X),

    L         = (1 - Y) ½ D²  +  Y ½ max(0, m - D)²                                                            (Eq. 4)
    F         = -K X              a spring of stiffness K, stretched by X from its rest length                 (Eq. 5)
    ∂L_S/∂W   = D ∂D/∂W           attract-only: K = ∂D/∂W, X = D, of rest length 0                             (Eq. 6)
    ∂L_D/∂W   = -(m - D) ∂D/∂W    m-repulse-only: K = ∂D/∂W, X = m - D, of rest length m; 0 for D ≥ m          (Eq. 7)

D depends on W only through z1 and z2, so the chain rule splits in two: here dL/dz, and from it the network's pullback
makes ∂L/∂W = (∂z1/∂W)ᵀ dL/dz1 + (∂z2/∂W)ᵀ dL/dz2. As ∂D/∂z1 = (z1 - z2)/D = -∂D/∂z2,

    dL_S/dz1 =             z1 - z2        dL_D/dz1 = -(m - D)/D (z1 - z2)  for D < m        dL/dz2 = -dL/dz1

and the two ends of a spring feel opposite forces. At D = 0 the direction of ∂D/∂z1 does not exist. L_S is smooth there
and its gradient is 0. L_D has a cone point, and 0 is one of its subgradients: that one is taken. No epsilon enters the
distance; very near D = 0, where D² would underflow, the force divides by a tiny constant, not D, and so is smaller.
"""

import numpy as np

from drlim_np.backend import Array, is_complex, kind, namespace, real
from drlim_np.checks.arrays import embeddings, require_floating, require_margin, similar_by_label
from drlim_np.errors import require
from drlim_np.graph import SimilarityGraph, pair_table


def energy(z1: Array, z2: Array) -> Array:
    """D_W = ‖z1 - z2‖₂, the Euclidean distance of each pair (Eq. 1): (pairs, dims), (pairs, dims) → (pairs,)."""
    require_floating(z1=z1, z2=z2)
    fits = z1.shape == z2.shape and z1.ndim == 2
    require(fits, f"z1 has shape {z1.shape} and z2 {z2.shape}: both must be (pairs, dims)")
    xp = namespace(z1)
    difference = z1 - z2
    return xp.sqrt(xp.sum(difference * difference, axis=1))  # no absolute values: a complex step must pass through


def similar_loss(d: Array) -> Array:
    """L_S = ½ D², for each energy in `d`: the cost of a similar pair (Eq. 4, Y = 0)."""
    require_floating(d=d)
    return d * d / 2


def dissimilar_loss(d: Array, margin: float) -> Array:
    """L_D = ½ max(0, m - D)², for each energy in `d`: the cost of a dissimilar pair (Eq. 4, Y = 1)."""
    require_floating(d=d)
    gap = missing(d, require_margin(margin, d))
    return gap * gap / 2


def contrastive(z1: Array, z2: Array, y: Array, margin: float) -> tuple[Array, Array, Array]:
    """The loss summed over the given pairs (Eqs. 2 to 4) and its gradients: loss, dL/dz1, dL/dz2.

    z1, z2: (pairs, dims), of one floating dtype; y: (pairs,), 0 similar, 1 dissimilar; margin: m > 0, in the unit of z.
    """
    d = energy(z1, z2)
    margin = require_margin(margin, z1)
    is_similar = similar_by_label(y, z1)
    xp = namespace(z1)
    loss = xp.sum(xp.where(is_similar, similar_loss(d), dissimilar_loss(d, margin)))  # Eq. 3
    pull = xp.ones_like(d)  # times z1 - z2: Eq. 6
    push = repulsion(d, margin)  # times z1 - z2: Eq. 7
    dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2)
    return loss, dz1, -dz1


def all_pairs_by_definition(z: np.ndarray, graph: SimilarityGraph, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """𝓛 over every pair of a small set z (samples, dims): loss, dL/dz, `fast.all_pairs` by its definition (Eq. 2)."""
    z = embeddings(z, graph.size)
    i, j, y = pair_table(graph)
    loss, dz1, dz2 = contrastive(z[i], z[j], y, margin)
    dz = np.zeros_like(z)
    np.add.at(dz, i, dz1)
    np.add.at(dz, j, dz2)
    return loss, dz


def missing(d: Array, margin: float) -> Array:
    """max(0, m - D): how much is missing to the margin."""
    return _at_least(margin - d, 0.0)


def repulsion(d: Array, margin: float) -> Array:
    """-max(0, m - D)/D, by which z1 - z2 is multiplied to dL_D/dz1 (Eq. 7)."""
    return -missing(d, margin) / at_least_tiny(d)


def at_least_tiny(d: Array) -> Array:
    """D, but at least √t, t the smallest normal number: below √t (1e-19 in float32) D² underflows."""
    return _at_least(d, kind(d).least_root)


def _at_least(x: Array, least: float) -> Array:
    """max(x, least); NaN stays NaN. Complex numbers have no order: their real parts are compared."""
    if is_complex(x):
        return namespace(x).where(real(x) <= least, least, x)
    return namespace(x).clip(x, least, None)
