"""The contrastive loss, Eqs. 1 to 4, and its gradient with respect to the embeddings.

The paper's convention: Y = 0 for a similar pair, Y = 1 for a dissimilar one. With D = ‖z1 - z2‖,

    L   = (1 - Y) ½ D²  +  Y ½ max(0, m - D)²                                          (Eq. 4)
    dL_S/dz1 = D dD/dz1          =             (z1 - z2)      attract-only spring      (Eq. 6)
    dL_D/dz1 = -(m - D) dD/dz1   = -(m - D)/D  (z1 - z2)      m-repulse-only, D < m    (Eq. 7)

because dD/dz1 = (z1 - z2)/D, and dD/dz2 = -dD/dz1: the two ends of a spring feel opposite forces. At D = 0 the
direction of dD/dz1 does not exist. L_S is smooth there and its gradient is 0. L_D has a cone point, and 0 is one of its
subgradients: that one is taken. No epsilon enters the distance: it is exact unless D² under- or overflows.
"""

import operator
from functools import reduce
from math import isfinite

import numpy as np

from drlim_np.backend import (
    Array,
    is_array,
    is_complex,
    keep_freed_memory,
    least_root,
    like,
    namespace,
    on_host,
    real,
    require_floating,
    to_host,
    zero_at,
    zeros,
)
from drlim_np.errors import InputError
from drlim_np.fast.tiles import near_together, within_reach
from drlim_np.graph import SimilarityGraph

TILE = 256  # samples on either side of the pairs worked on at once: 256 KB an array in float32, which stays in cache
DEVICE_TILE = 2048  # the same on a device, where a launch costs as much as some 100,000 pairs: 16 MB an array


def energy(z1: Array, z2: Array) -> Array:
    """D_W = ‖z1 - z2‖₂, the Euclidean distance of each pair (Eq. 1).

    z1, z2 (pairs, dims) → (pairs,), in the unit of the embedding. Raises InputError for mismatched shapes or dtypes.
    """
    _require_pairs(z1, z2)
    return _length(z1 - z2)


def similar_loss(d: Array) -> Array:
    """L_S = ½ D², for each energy in `d`: what a similar pair costs (Eq. 4, Y = 0)."""
    return d * d / 2


def dissimilar_loss(d: Array, margin: float) -> Array:
    """L_D = ½ max(0, m - D)², for each energy in `d`: what a dissimilar pair costs (Eq. 4, Y = 1).

    Raises InputError for a margin that is not positive and finite.
    """
    gap = margin - _hinged(d, require_margin(margin))
    return gap * gap / 2


def contrastive(z1: Array, z2: Array, y: Array, margin: float) -> tuple[Array, Array, Array]:
    """The loss summed over the given pairs (Eqs. 2 to 4) and its gradients: loss, dL/dz1, dL/dz2.

    z1, z2: (pairs, dims), the two towers' embeddings, of one floating dtype.
    y:      (pairs,), 0 similar, 1 dissimilar.
    margin: m > 0, in the unit of the embedding.

    Raises InputError for mismatched shapes or dtypes, labels other than 0 and 1, or a margin that is not positive and
    finite.
    """
    _require_pairs(z1, z2)
    margin = require_margin(margin)
    xp = namespace(z1)
    similar = _is_similar(y, z1)
    difference = z1 - z2
    d = _length(difference)
    loss = xp.sum(xp.where(similar, similar_loss(d), dissimilar_loss(d, margin)))
    hinged = _hinged(d, margin)
    stiffness = xp.where(similar, xp.ones_like(d), -(margin - hinged) / hinged)
    dz1 = stiffness[:, None] * difference
    return loss, dz1, -dz1


def contrastive_all_pairs(z: Array, similar: SimilarityGraph, margin: float) -> tuple[Array, Array]:
    """𝓛 over every pair of a set of embeddings (Eq. 2 with the pairs of Step 1), exact: loss, dL/dz.

    z (samples, dims). With shared weights 𝓛 depends on W only through z, so one embedding of each sample replaces the
    two towers of every pair. Memory beyond z and the graph is bounded by the pairs of two tiles. Raises InputError as
    `contrastive` does.
    """
    attraction, pull = similar_sum(z, similar)
    repulsion, push = dissimilar_sum(z, similar, margin)
    return attraction + repulsion, pull + push


def similar_sum(z: Array, similar: SimilarityGraph) -> tuple[Array, Array]:
    """Σ L_S over the listed similar pairs, and its gradient with respect to z (samples, dims).

    Every pair is seen from both its ends: sample i adds up z_i - z_j over its row of `similar.partners`, one coordinate
    after another. ½D² from either end makes each pair's share of the sum of squares a quarter.
    """
    _require_embeddings(z, similar)
    xp, partners = namespace(z), like(similar.partners, z)
    squares, dz = xp.sum(zeros((1,), z)), []
    for x in (z[:, axis] for axis in range(z.shape[1])):
        difference = x[:, None] - xp.reshape(xp.take(x, xp.reshape(partners, (-1,))), partners.shape)
        squares = squares + xp.sum(difference * difference)
        dz.append(xp.sum(difference, axis=1))
    return squares / 4, xp.stack(dz, axis=1)


def dissimilar_sum(
    z: Array, similar: SimilarityGraph, margin: float, weight: Array | None = None
) -> tuple[Array, Array]:
    """Σ_{i<j} w_i w_j L_D over every pair that is not similar, and its gradient with respect to z (samples, dims).

    weight: (samples,) of z's dtype, or None for all ones.

    Tiles of near samples are taken against one another; those that lie a margin or more apart are passed over. A pair
    that does not count, being similar or seen from its other end, is given no gap: like one at D ≥ m it adds exactly 0.
    """
    keep_freed_memory()
    _require_embeddings(z, similar)
    margin = require_margin(margin)
    if weight is not None:
        require_floating(z=z, weight=weight)
        if weight.shape != z.shape[:1]:
            raise InputError(f"weight has shape {weight.shape}: one for each of the {z.shape[0]} samples is needed")
    xp, tile = namespace(z), tile_size(z)
    places = to_host(real(z))
    order = near_together(places, tile)
    place = np.argsort(order)

    def arranged(x: Array) -> Array:
        return xp.take(x, like(order, z), axis=0)

    coordinates = [arranged(z[:, axis]) for axis in range(z.shape[1])]
    weight = xp.ones_like(z[:, 0]) if weight is None else arranged(weight)
    # x_i - x_j as a product, (x_i, 1) · (1, -x_j): factors of 1 keep it exact, and it takes a quarter of the time.
    ends = [(xp.stack([x, xp.ones_like(x)], axis=1), xp.stack([xp.ones_like(x), -x])) for x in coordinates]
    loss, gradient = xp.sum(zeros((1,), z)), [xp.zeros_like(x) for x in coordinates]
    for rows, columns, similar_pairs in within_reach(places[order], place[similar.edges], tile, margin):
        # One coordinate at a time: the differences stay exact, where the expansion |a|² - 2ab + |b|² would cancel.
        differences = [end[rows, :] @ other[:, columns] for end, other in ends]
        d = _hinged(xp.sqrt(reduce(operator.add, (difference * difference for difference in differences))), margin)
        gap = margin - d
        if rows == columns:
            gap = xp.triu(gap, k=1)
        if len(similar_pairs):
            gap = zero_at(gap, similar_pairs)
        w1, w2 = weight[rows], weight[columns]  # a product with them sums over either end
        loss = loss + w1 @ (gap * gap) @ w2
        push = gap / d
        for dz, force in zip(gradient, differences, strict=True):
            force *= push
            dz[rows] -= force @ w2
            dz[columns] += w1 @ force
    dz = xp.stack([weight * dz for dz in gradient], axis=1)
    return loss / 2, xp.take(dz, like(place, z), axis=0)


def tile_size(z: Array) -> int:
    """How many samples on either side of the pairs are worked on at once, by where z is."""
    return TILE if on_host(z) else DEVICE_TILE


def require_margin(margin: float) -> float:
    """m as a Python float, which never promotes float32 as a NumPy scalar would. Raises InputError unless 0 < m < ∞."""
    if not (isinstance(margin, int | float | np.floating | np.integer) and isfinite(margin) and margin > 0):
        raise InputError(f"margin is {margin!r}: it must be a finite number greater than 0")
    return float(margin)


def _length(difference: Array) -> Array:
    """sqrt(Σ d²) and not a norm with absolute values, which would lose the imaginary part of a complex step."""
    xp = namespace(difference)
    return xp.sqrt(xp.sum(difference * difference, axis=-1))


def _hinged(d: Array, margin: float) -> Array:
    """D cut to at most m, for max(0, m - D) = m - min(D, m), and to at least √t, t the smallest normal number.

    Below √t, D² underflows and D has no digits left. So much is left of it at D = 0 that (m - D)/D is finite there; the
    difference of 0 that it is multiplied by makes it no force. NaN stays NaN.

    One cut for both: made pair by pair, two choices took a third of the loss over all pairs, for a processor guesses
    badly which way each will go. Only complex numbers, which have no order, are chosen so.
    """
    xp, least = namespace(d), min(least_root(d), margin)
    if not is_complex(d):
        return xp.clip(d, least, margin)
    return xp.where(real(d) >= margin, margin, xp.where(real(d) <= least, least, d))


def _is_similar(y: Array, z: Array) -> Array:
    """Where Y = 0, (pairs,) bool beside z. Raises InputError for a wrong length or a label other than 0 and 1."""
    xp = namespace(z)
    y = like(np.asarray(y), z) if on_host(y) or not is_array(y) else y
    if y.shape != (z.shape[0],):
        raise InputError(f"y has shape {y.shape}: one label for each of the {z.shape[0]} pairs is needed")
    if xp.isdtype(y.dtype, "bool"):
        return ~y
    if not bool(xp.all((y == 0) | (y == 1))):
        raise InputError("y holds labels other than 0 and 1: use 0 for similar and 1 for dissimilar pairs")
    return y == 0


def _require_pairs(z1: Array, z2: Array) -> None:
    require_floating(z1=z1, z2=z2)
    if z1.shape != z2.shape or z1.ndim != 2:
        raise InputError(f"z1 has shape {z1.shape} and z2 {z2.shape}: both must be (pairs, dims)")


def _require_embeddings(z: Array, similar: SimilarityGraph) -> None:
    require_floating(z=z)
    if z.ndim != 2 or z.shape[0] != similar.size:
        raise InputError(
            f"z has shape {z.shape}: the graph has {similar.size} samples, so it must be ({similar.size}, dims)"
        )
