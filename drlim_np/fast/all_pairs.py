"""The loss over every pair of a set, in tiles of near samples: exactly `loss.all_pairs_by_definition`.

With shared weights 𝓛 depends on W only through z, so one embedding of each sample replaces the two towers of every
pair. Memory beyond z and the graph is bounded by the pairs of two tiles, and pairs beyond the margin take no time.
"""

import numpy as np

from drlim_np.backend import Array, like, namespace, of_cupy, on_host, real, to_host, zeros
from drlim_np.checks.arrays import require_floating
from drlim_np.checks.numbers import whole_number
from drlim_np.errors import require
from drlim_np.fast.blocks import on_threads
from drlim_np.fast.memory import keep_freed_memory
from drlim_np.fast.tiles import near_together, within_reach
from drlim_np.graph import SimilarityGraph
from drlim_np.loss import hinged, require_embeddings, require_margin

TILE = 256  # samples on either side of the pairs worked on at once: 256 KB an array in float32, which stays in cache
LARGE_TILE = 512  # of many samples on a narrow map, where hardly a tile is passed over: threads then seldom meet
DEVICE_TILE = 2048  # the same on a device, where a launch costs as much as some 100,000 pairs: 16 MB an array
GROUPS = 8  # that pairs of tiles are dealt to, each with a gradient of its own; of fewer than 16 tiles there is one


def contrastive_all_pairs(z: Array, similar: SimilarityGraph, margin: float, threads: int = 1) -> tuple[Array, Array]:
    """𝓛 over every pair of a set of embeddings (Eq. 2 with the pairs of Step 1), exact: loss, dL/dz.

    z (samples, dims). Raises InputError as `loss.contrastive` does.
    """
    attraction, pull = similar_sum(z, similar)
    repulsion, push = dissimilar_sum(z, similar, margin, threads=threads)
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
    z: Array, similar: SimilarityGraph, margin: float, weight: Array | None = None, threads: int = 1
) -> tuple[Array, Array]:
    """Σ_{i<j} w_i w_j L_D over every pair that is not similar, and its gradient with respect to z (samples, dims).

    weight: (samples,) of z's dtype, or None for all ones. Raises InputError as `loss.contrastive` does, and for a
    weight of another shape or dtype.

    Tiles of near samples are taken against one another; those that lie a margin or more apart are passed over. Pairs of
    tiles are dealt to groups, which threads share, and what the groups add up to is added in their order: the result
    does not depend on the number of threads.
    """
    keep_freed_memory()
    require_embeddings(z, similar)
    margin, samples, threads = require_margin(margin, z), z.shape[0], whole_number("threads", threads, 1)
    weight = namespace(z).ones_like(z[:, 0]) if weight is None else weight
    require_floating(z=z, weight=weight)
    holds = weight.shape == (samples,)
    require(holds, f"weight has shape {weight.shape}: one for each of the {samples} samples is needed")

    places, xp = to_host(real(z)), namespace(z)
    tile, groups = division(places, margin) if on_host(z) else (DEVICE_TILE, 1)
    order = near_together(places, tile)
    place = np.argsort(order)  # of each sample, where it stands in that order
    tiles = list(within_reach(places[order], place[similar.edges], tile, margin))
    coordinates = [_arranged(z[:, axis], order) for axis in range(z.shape[1])]
    weight = _arranged(weight, order)

    ends = [_ends(x) for x in coordinates]

    def of_group(group: int) -> tuple[list[Array], list[Array]]:
        costs, gradient = [], [xp.zeros_like(x) for x in coordinates]
        for rows, columns, similar_pairs in tiles[group::groups]:
            differences = [end[rows, :] @ other[:, columns] for end, other in ends]
            among = rows == columns
            cost, forces = _springs(differences, weight[rows], weight[columns], similar_pairs, among, margin)
            costs.append(cost)
            for dz, (on_rows, on_columns) in zip(gradient, forces, strict=True):
                dz[rows] -= on_rows
                dz[columns] += on_columns
        return costs, gradient

    costs, gradients = zip(*on_threads(of_group, range(groups), threads), strict=True)
    in_order = (costs[k % groups][k // groups] for k in range(len(tiles)))  # as one group would add them
    loss = sum(in_order, xp.sum(zeros((1,), z)))
    gradient = [sum(others, first) for first, *others in zip(*gradients, strict=True)]
    dz = xp.stack([weight * dz for dz in gradient], axis=1)
    return loss / 2, _arranged(dz, place)


def division(places: np.ndarray, margin: float) -> tuple[int, int]:
    """On the host: the samples of a tile, and the groups that pairs of tiles are dealt to.

    places (samples, dims) real. On a map less than 4 margins wide nearly all tiles are within reach of each other.
    """
    if len(places) < 2 * GROUPS * TILE:
        return TILE, 1
    return LARGE_TILE if np.ptp(places, axis=0).max() < 4 * margin else TILE, GROUPS


def _springs(
    differences: list[Array], w1: Array, w2: Array, similar_pairs: np.ndarray, among: bool, margin: float
) -> tuple[Array, list[tuple[Array, Array]]]:
    """Σ w_i w_j (m - D)² over the pairs of two tiles; and of the forces of Eq. 7 Σ w_j f_ij, Σ w_i f_ij by coordinate.

    differences: z_i - z_j, (rows, columns) of each coordinate; changed, as all is where it can be, because new memory
    would drive from the cache what has to stay. One coordinate at a time they stay exact, where
    the expansion |a|² - 2ab + |b|² would cancel. among: the pairs are those of one tile with itself.

    A pair that does not count, being similar or seen from its other end, is given no gap: like one at D ≥ m it adds
    exactly 0.
    """
    xp = namespace(w1)
    squares = differences[0] * differences[0]
    for difference in differences[1:]:
        squares += difference * difference
    d = hinged(xp.sqrt(squares), margin)
    del squares
    gap = margin - d
    if among:
        gap = xp.triu(gap, k=1)
    if len(similar_pairs):
        gap = zero_at(gap, similar_pairs)
    cost, forces = w1 @ (gap * gap) @ w2, []
    gap /= d
    for difference in differences:
        difference *= gap
        forces.append((difference @ w2, w1 @ difference))  # a product with the weights sums over either end
    return cost, forces


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
