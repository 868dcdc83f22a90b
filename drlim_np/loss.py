"""The contrastive loss, Eqs. 1 to 7, and its gradient with respect to the embeddings.

The paper's convention: Y = 0 for a similar pair, Y = 1 for a dissimilar one. With D = ‖z1 - z2‖ and z = G_W(X),

    L         = (1 - Y) ½ D²  +  Y ½ max(0, m - D)²                                                            (Eq. 4)
    F         = -K X              a spring of stiffness K, stretched by X from its rest length                 (Eq. 5)
    ∂L_S/∂W   = D ∂D/∂W           K = ∂D/∂W, X = D: attract-only, of rest length 0                             (Eq. 6)
    ∂L_D/∂W   = -(m - D) ∂D/∂W    K = ∂D/∂W, X = m - D: m-repulse-only, of rest length m; 0 for D ≥ m          (Eq. 7)

Both are about W, which D depends on through z1 and z2 alone. So the gradient is computed in two halves: here dL/dz, and
from it the network's pullback makes ∂L/∂W = (∂z1/∂W)ᵀ dL/dz1 + (∂z2/∂W)ᵀ dL/dz2. As ∂D/∂z1 = (z1 - z2)/D = -∂D/∂z2,

    dL_S/dz1 =             z1 - z2        dL_D/dz1 = -(m - D)/D (z1 - z2)  for D < m        dL/dz2 = -dL/dz1

and the two ends of a spring feel opposite forces. At D = 0 the direction of ∂D/∂z1 does not exist. L_S is smooth there
and its gradient is 0. L_D has a cone point, and 0 is one of its subgradients: that one is taken. No epsilon enters the
distance; next to D = 0, where D² underflows, the force takes D for a little more than it is: see `hinged`.
"""

import numpy as np

from drlim_np.backend import Array, is_array, is_complex, kind, like, namespace, on_host, real
from drlim_np.checks.arrays import require_floating
from drlim_np.checks.numbers import positive_number
from drlim_np.errors import require
from drlim_np.graph import SimilarityGraph, pair_table


def energy(z1: Array, z2: Array) -> Array:
    """D_W = ‖z1 - z2‖₂, the Euclidean distance of each pair (Eq. 1).

    z1, z2 (pairs, dims) → (pairs,), in the unit of the embedding. Raises InputError for mismatched shapes or dtypes.
    """
    require_floating(z1=z1, z2=z2)
    shapes = f"z1 has shape {z1.shape} and z2 {z2.shape}"
    require(z1.shape == z2.shape and z1.ndim == 2, f"{shapes}: both must be (pairs, dims)")
    difference, xp = z1 - z2, namespace(z1)
    return xp.sqrt(xp.sum(difference * difference, axis=1))  # no absolute values: a complex step must pass through


def similar_loss(d: Array) -> Array:
    """L_S = ½ D², for each energy in `d`: what a similar pair costs (Eq. 4, Y = 0)."""
    require_floating(d=d)
    return d * d / 2


def dissimilar_loss(d: Array, margin: float) -> Array:
    """L_D = ½ max(0, m - D)², for each energy in `d`: what a dissimilar pair costs (Eq. 4, Y = 1).

    Raises InputError for a margin that is not positive and finite.
    """
    require_floating(d=d)
    margin = require_margin(margin, d)
    gap = margin - hinged(d, margin)
    return gap * gap / 2


def contrastive(z1: Array, z2: Array, y: Array, margin: float) -> tuple[Array, Array, Array]:
    """The loss summed over the given pairs (Eqs. 2 to 4) and its gradients: loss, dL/dz1, dL/dz2.

    z1, z2: (pairs, dims), the two towers' embeddings, of one floating dtype.
    y:      (pairs,), 0 similar, 1 dissimilar.
    margin: m > 0, in the unit of the embedding.

    Raises InputError for mismatched shapes or dtypes, labels other than 0 and 1, or a margin that is not positive and
    finite.
    """
    d, margin, xp = energy(z1, z2), require_margin(margin, z1), namespace(z1)
    similar, cut = _is_similar(y, z1), hinged(d, margin)
    loss = xp.sum(xp.where(similar, similar_loss(d), dissimilar_loss(d, margin)))  # Eq. 3
    factor = xp.where(similar, xp.ones_like(d), -(margin - cut) / cut)  # Eqs. 6 and 7: X ∂D/∂z1, over z1 - z2
    dz1 = factor[:, None] * (z1 - z2)
    return loss, dz1, -dz1


def all_pairs_by_definition(z: np.ndarray, similar: SimilarityGraph, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """𝓛 over every pair of a set (Eq. 2 with the pairs of Step 1): loss, dL/dz. For NumPy's arrays, and for small sets.

    z (samples, dims). Every pair is written out; a sample's gradient is the sum over the pairs in which it stands.
    `fast.all_pairs.contrastive_all_pairs` is the same in less memory and time. Raises InputError as `contrastive` does.
    """
    require_embeddings(z, similar)
    i, j, y = pair_table(similar)
    loss, dz1, dz2 = contrastive(z[i], z[j], y, margin)
    dz = np.zeros_like(z)
    np.add.at(dz, i, dz1)
    np.add.at(dz, j, dz2)
    return loss, dz


def hinged(d: Array, margin: float) -> Array:
    """D cut to at most m, for max(0, m - D) = m - min(D, m), and to at least √t, t the smallest normal number.

    Below √t, about 1e-19 in float32 and 1e-154 in float64, D² underflows and D has no digits left. There the force is
    (m - √t)/√t (z1 - z2): at D = 0 that is no force, as z1 - z2 is 0, and otherwise one smaller than Eq. 7's.
    NaN stays NaN.

    One cut serves both: chosen pair by pair, they took a third of the loss over all pairs, because a processor guesses
    badly which way each pair will go. Only complex numbers, which have no order, are chosen so.
    """
    xp, least = namespace(d), kind(d).least_root
    if not is_complex(d):
        return xp.clip(d, least, margin)
    return xp.where(real(d) >= margin, margin, xp.where(real(d) <= least, least, d))


def require_margin(margin: float, z: Array) -> float:
    """m as a Python float. Raises InputError unless the dtype of z holds m²: float32 does from 1e-19 to 1e19."""
    m, least = positive_number("margin", margin), kind(z).least_root
    require(least < m < 1 / least, f"margin is {margin!r}: {z.dtype} does not hold its square: choose one nearer to 1")
    return m


def require_embeddings(z: Array, similar: SimilarityGraph) -> None:
    """Raises InputError unless z is floating, (samples, dims), with as many samples as the graph."""
    require_floating(z=z)
    fits, size = z.ndim == 2 and z.shape[0] == similar.size, similar.size
    require(fits, f"z has shape {z.shape}: the graph has {size} samples, so it must be ({size}, dims)")


def _is_similar(y: Array, z: Array) -> Array:
    """Where Y = 0, (pairs,) bool beside z. Raises InputError for a wrong length or a label other than 0 and 1."""
    y, pairs = like(np.asarray(y), z) if on_host(y) or not is_array(y) else y, z.shape[0]
    require(y.shape == (pairs,), f"y has shape {y.shape}: one label for each of the {pairs} pairs is needed")
    if namespace(y).isdtype(y.dtype, "bool"):
        return ~y
    labelled = bool(namespace(y).all((y == 0) | (y == 1)))
    require(labelled, "y holds labels other than 0 and 1: use 0 for similar and 1 for dissimilar pairs")
    return y == 0
