"""The loss over every pair of a set, in tiles of near samples: exactly `loss.all_pairs_by_definition`.

With shared weights 𝓛 depends on W only through z, so one embedding of each sample replaces the two towers of every
pair. Memory beyond z and the graph is bounded by the pairs of two tiles, and pairs beyond the margin take no time.
"""

import operator
from functools import reduce

import numpy as np

from drlim_np.backend import Array, like, namespace, of_cupy, on_host, real, to_host, zeros
from drlim_np.door.arrays import require_floating
from drlim_np.errors import require
from drlim_np.fast.memory import keep_freed_memory
from drlim_np.fast.tiles import near_together, within_reach
from drlim_np.graph import SimilarityGraph
from drlim_np.loss import hinged, require_embeddings, require_margin

TILE = 256  # samples on either side of the pairs worked on at once: 256 KB an array in float32, which stays in cache
DEVICE_TILE = 2048  # the same on a device, where a launch costs as much as some 100,000 pairs: 16 MB an array


def contrastive_all_pairs(z: Array, similar: SimilarityGraph, margin: float) -> tuple[Array, Array]:
    """𝓛 over every pair of a set of embeddings (Eq. 2 with the pairs of Step 1), exact: loss, dL/dz.

    z (samples, dims). Raises InputError as `loss.contrastive` does.
    """
    attraction, pull = similar_sum(z, similar)
    repulsion, push = dissimilar_sum(z, similar, margin)
    return attraction + repulsion, pull + push


def similar_sum(z: Array, similar: SimilarityGraph) -> tuple[Array, Array]:
    """Σ L_S over the listed similar pairs, and its gradient with respect to z (samples, dims).

    Every pair is seen from both its ends: sample i adds up z_i - z_j over its row of `similar.partners`, one coordinate
    after another. ½D² from either end makes each pair's share of the sum of squares a quarter.
    """
    require_embeddings(z, similar)
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

    weight: (samples,) of z's dtype, or None for all ones. Raises InputError as `loss.contrastive` does, and for a
    weight of another shape or dtype.

    Tiles of near samples are taken against one another; those that lie a margin or more apart are passed over.
    """
    keep_freed_memory()
    require_embeddings(z, similar)
    margin, samples = require_margin(margin, z), z.shape[0]
    weight = namespace(z).ones_like(z[:, 0]) if weight is None else weight
    require_floating(z=z, weight=weight)
    holds = weight.shape == (samples,)
    require(holds, f"weight has shape {weight.shape}: one for each of the {samples} samples is needed")

    places, tile, xp = to_host(real(z)), tile_size(z), namespace(z)
    order = near_together(places, tile)
    place = np.argsort(order)  # of each sample, where it stands in that order
    tiles = within_reach(places[order], place[similar.edges], tile, margin)
    coordinates = [_arranged(z[:, axis], order) for axis in range(z.shape[1])]
    weight = _arranged(weight, order)

    ends = [_ends(x) for x in coordinates]
    loss, gradient = xp.sum(zeros((1,), z)), [xp.zeros_like(x) for x in coordinates]
    for rows, columns, similar_pairs in tiles:
        differences = [end[rows, :] @ other[:, columns] for end, other in ends]
        among = rows == columns
        cost, forces = _springs(differences, weight[rows], weight[columns], similar_pairs, among, margin)
        loss = loss + cost
        for dz, (on_rows, on_columns) in zip(gradient, forces, strict=True):
            dz[rows] -= on_rows
            dz[columns] += on_columns
    dz = xp.stack([weight * dz for dz in gradient], axis=1)
    return loss / 2, _arranged(dz, place)


def tile_size(z: Array) -> int:
    """How many samples on either side of the pairs are worked on at once, by where z is."""
    return TILE if on_host(z) else DEVICE_TILE


def _springs(
    differences: list[Array], w1: Array, w2: Array, similar_pairs: np.ndarray, among: bool, margin: float
) -> tuple[Array, list[tuple[Array, Array]]]:
    """Σ w_i w_j (m - D)² over the pairs of two tiles; and of the forces of Eq. 7 Σ w_j f_ij, Σ w_i f_ij by coordinate.

    differences: z_i - z_j, (rows, columns) of each coordinate; changed. One coordinate at a time they stay exact, where
    the expansion |a|² - 2ab + |b|² would cancel. among: the pairs are those of one tile with itself.

    A pair that does not count, being similar or seen from its other end, is given no gap: like one at D ≥ m it adds
    exactly 0.
    """
    xp = namespace(w1)
    d = hinged(xp.sqrt(reduce(operator.add, (difference * difference for difference in differences))), margin)
    gap = margin - d
    if among:
        gap = xp.triu(gap, k=1)
    if len(similar_pairs):
        gap = zero_at(gap, similar_pairs)
    push, forces = gap / d, []
    for difference in differences:
        difference *= push
        forces.append((difference @ w2, w1 @ difference))  # a product with the weights sums over either end
    return w1 @ (gap * gap) @ w2, forces


def _ends(x: Array) -> tuple[Array, Array]:
    """Two matrices of which the product is x_i - x_j = (x_i, 1) · (1, -x_j): exact, in a quarter of the time."""
    xp, one = namespace(x), namespace(x).ones_like(x)
    return xp.stack([x, one], axis=1), xp.stack([one, -x])


def _arranged(x: Array, order: np.ndarray) -> Array:
    return namespace(x).take(x, like(order, x), axis=0)


def zero_at(x: Array, places: np.ndarray) -> Array:
    """`x` (rows, columns) with 0 at the given places, (places, 2) on the host. It may be `x` itself, changed.

    The standard knows no writing to a list of places; NumPy and CuPy do, for a fraction of the time.
    """
    if on_host(x) or of_cupy(x):
        first, second = like(places.T, x)
        x[first, second] = 0
        return x
    kept = np.ones(x.shape, bool)
    kept[places[:, 0], places[:, 1]] = False
    return namespace(x).where(like(kept, x), x, namespace(x).zeros_like(x))
