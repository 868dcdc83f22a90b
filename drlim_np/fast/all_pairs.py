"""The loss over every pair of a set, in tiles of near samples: exactly `loss.all_pairs_by_definition`.

With shared weights 𝓛 depends on W only through z, so one embedding of each sample replaces the two towers of every
pair. Memory beyond z and the graph is bounded by the pairs of two tiles, and pairs beyond the margin take no time.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from drlim_np.backend import Array, add_at, is_complex, kind, library, like, namespace, on_host, real, to_host, zeros
from drlim_np.checks.arrays import embeddings, require_floating, require_margin
from drlim_np.checks.numbers import native, whole_number
from drlim_np.errors import require
from drlim_np.fast.blocks import on_threads
from drlim_np.fast.devices import keep_freed_memory

Graph = Any  # a `graph.SimilarityGraph`: its size, pairs and edges

TILE = 256  # samples on either side of the pairs worked on at once: 256 KB an array in float32, which stays in cache
LARGE_TILE = 512  # for many samples on a narrow map: used when few tiles can be skipped, so that threads contend less
DEVICE_TILE = 2048  # the same on a device, where a launch costs as much as some 100,000 pairs: 16 MB an array
GROUPS = 8  # pairs of tiles are dealt to so many groups, each with its own gradient; to one if tiles are fewer than 16


def contrastive_all_pairs(z: Array, graph: Graph, margin: float) -> tuple[Array, Array]:
    """𝓛 over every pair of a set of embeddings z (samples, dims), margin m > 0 in their unit: loss, dL/dz (Eq. 2)."""
    attraction, pull = similar_sum(z, graph)
    repulsion, push = dissimilar_sum(z, graph, margin)
    return attraction + repulsion, pull + push


def similar_sum(z: Array, graph: Graph) -> tuple[Array, Array]:
    """Σ L_S over the listed similar pairs, and its gradient with respect to z (samples, dims)."""
    z = embeddings(z, graph.size)
    xp = namespace(z)
    others = like(partners(graph.pairs, graph.size), z)
    squares = xp.sum(zeros((1,), z))
    dz = []
    # Sample i adds up z_i - z_j over its row of `partners`. A pair is seen from both ends: a quarter of D² from each.
    for axis in range(z.shape[1]):
        x = z[:, axis]
        difference = x[:, None] - xp.reshape(xp.take(x, xp.reshape(others, (-1,))), others.shape)
        squares = squares + xp.sum(difference * difference)
        dz.append(xp.sum(difference, axis=1))
    return squares / 4, xp.stack(dz, axis=1)


def dissimilar_sum(
    z: Array, graph: Graph, margin: float, weight: Array | None = None, threads: int = 1
) -> tuple[Array, Array]:
    """Σ_{i<j} w_i w_j L_D over every pair that is not similar, and its gradient with respect to z (samples, dims).

    weight: (samples,) of z's dtype, or None for all ones. The number of threads changes nothing.
    """
    keep_freed_memory()
    z = embeddings(z, graph.size)
    margin = require_margin(margin, z)
    threads = whole_number("threads", threads, 1)
    xp = namespace(z)
    weight = xp.ones_like(z[:, 0]) if weight is None else native(weight)
    require_floating(z=z, weight=weight)
    samples = z.shape[0]
    require(weight.shape == (samples,), f"weight has shape {weight.shape}: one for each of {samples} samples is needed")

    places = to_host(real(z))
    tile, groups = division(places, margin) if on_host(z) else (DEVICE_TILE, 1)
    order = near_together(places, tile)
    place = np.argsort(order)  # the place of each sample in that order
    tiles = list(within_reach(places[order], place[graph.edges], tile, margin))
    order, place = like(order, z), like(place, z)
    coordinates = [xp.take(z[:, axis], order) for axis in range(z.shape[1])]
    weight = xp.take(weight, order)
    one = xp.ones_like(weight)
    # Matrices with the product x_i - x_j = (x_i, 1) · (1, -x_j): exact, in a quarter of the time.
    ends = [(xp.stack([x, one], axis=1), xp.stack([one, -x])) for x in coordinates]

    def of_group(group: int) -> tuple[list[Array], list[Array]]:
        costs = []
        gradient = [xp.zeros_like(x) for x in coordinates]
        for rows, columns, similar_pairs in tiles[group::groups]:
            differences = [end[rows, :] @ other[:, columns] for end, other in ends]
            among = rows == columns
            cost, forces = _springs(differences, weight[rows], weight[columns], similar_pairs, among, margin)
            costs.append(cost)
            for axis, (on_rows, on_columns) in enumerate(forces):
                gradient[axis] = add_at(add_at(gradient[axis], rows, -on_rows), columns, on_columns)
        return costs, gradient

    costs, gradients = zip(*on_threads(of_group, range(groups), threads), strict=True)
    in_order = (costs[k % groups][k // groups] for k in range(len(tiles)))  # as one group would add them
    loss = sum(in_order, xp.sum(zeros((1,), z)))
    gradient = [sum(others, first) for first, *others in zip(*gradients, strict=True)]
    dz = xp.stack([weight * dz for dz in gradient], axis=1)
    return loss / 2, xp.take(dz, place, axis=0)


def division(places: np.ndarray, margin: float) -> tuple[int, int]:
    """On the host: how many samples to a tile, and how many groups of pairs of tiles; places (samples, dims) real."""
    if len(places) < 2 * GROUPS * TILE:
        return TILE, 1
    # On a map less than 4 margins wide nearly all tiles are within reach of each other.
    return LARGE_TILE if np.ptp(places, axis=0).max() < 4 * margin else TILE, GROUPS


def _springs(
    differences: list[Array], w1: Array, w2: Array, similar_pairs: np.ndarray, among: bool, margin: float
) -> tuple[Array, list[tuple[Array, Array]]]:
    """Σ w_i w_j (m - D)² over the pairs of two tiles; and of the forces of Eq. 7 Σ w_j f_ij, Σ w_i f_ij by coordinate.

    differences: z_i - z_j, (rows, columns) of each coordinate, exact, while |a|² - 2ab + |b|² would cancel. They are
    overwritten: new arrays would evict the tile from the cache. among: the pairs are those of one tile with itself.
    """
    xp = namespace(w1)
    squares = differences[0] * differences[0]
    for difference in differences[1:]:
        squares += difference * difference
    d, least = xp.sqrt(squares), kind(squares).least_root
    del squares
    # Between √t and m, D is both `loss.missing`, as m - min(D, m), and `loss.at_least_tiny`. NaN stays NaN. Complex
    # numbers have no order, but for real ones `where` was a third of the time of the loss over all pairs.
    if is_complex(d):
        d = xp.where(real(d) >= margin, margin, xp.where(real(d) <= least, least, d))
    else:
        d = xp.clip(d, least, margin)
    gap = margin - d
    # A similar pair, or one seen from its other end, gets no gap: it adds exactly 0.
    if among:
        gap = xp.triu(gap, k=1)
    if len(similar_pairs):
        gap = zero_at(gap, similar_pairs)
    cost = w1 @ (gap * gap) @ w2
    forces = []
    gap /= d
    for difference in differences:
        difference *= gap
        forces.append((difference @ w2, w1 @ difference))  # a product with the weights sums over either end
    return cost, forces


def zero_at(x: Array, places: np.ndarray) -> Array:
    """`x` (rows, columns) with 0 at the given places, (places, 2) on the host. It may be `x` itself, overwritten."""
    if on_host(x) or library(x) == "cupy":  # the array API standard cannot write to a list of places
        first, second = like(places.T, x)
        x[first, second] = 0
        return x
    kept = np.ones(x.shape, bool)
    kept[places[:, 0], places[:, 1]] = False
    return namespace(x).where(like(kept, x), x, namespace(x).zeros_like(x))


def near_together(z: np.ndarray, size: int) -> np.ndarray:
    """An order of the samples of z (samples, dims), as indices, in which every run of `size` is near together."""

    def arranged(samples: np.ndarray) -> list[np.ndarray]:
        if len(samples) <= size or not z.shape[1]:  # without coordinates all are in one place
            return [samples]
        # The widest coordinate is cut at a multiple of `size` near its median, then each part again.
        here, left = z[samples], (len(samples) // size + 1) // 2 * size
        parted = samples[np.argpartition(here[:, np.argmax(np.ptp(here, axis=0))], left)]
        return arranged(parted[:left]) + arranged(parted[left:])

    return np.concatenate(arranged(np.arange(len(z))))


def within_reach(z: np.ndarray, similar: np.ndarray, size: int, reach: float) -> Iterator[tuple]:
    """The pairs of tiles, the second never before the first, of which the bounding boxes are less than `reach` apart.

    z (samples, dims) real, in the order of tiles of `size`; similar (edges, 2), the places of similar pairs in it.
    Yields rows, columns, and the similar pairs among them: (pairs, 2), each with its row and column in the tiles; of a
    tile with itself the row before the column. A place that is not a number counts as within reach.
    """
    tiles = [slice(start, min(start + size, len(z))) for start in range(0, len(z), size)]
    corners = [(z[tile].min(axis=0).astype(float), z[tile].max(axis=0).astype(float)) for tile in tiles]
    low, high = np.reshape(corners, (len(tiles), 2, z.shape[1])).swapaxes(0, 1)
    first, second = np.sort(similar, axis=1).T
    tile_pair = first // size * len(tiles) + second // size
    order = np.argsort(tile_pair, kind="stable")
    within, tile_pair = np.stack([first[order], second[order]], axis=1) % size, tile_pair[order]
    for k, rows in enumerate(tiles):
        apart = np.maximum(0, np.maximum(low[k:] - high[k], low[k] - high[k:]))
        others = k + np.flatnonzero(~((apart**2).sum(axis=1) >= reach**2))
        begin, end = (np.searchsorted(tile_pair, k * len(tiles) + others, side) for side in ("left", "right"))
        for other, first, last in zip(others, begin, end, strict=True):
            yield rows, tiles[other], within[first:last]


def by_sample(pairs: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Both directions of every pair: those paired with sample i are others[offsets[i] : offsets[i + 1]]."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    return np.searchsorted(both[:, 0], np.arange(size + 1)), both[:, 1]


def partners(pairs: np.ndarray, size: int) -> np.ndarray:
    """(size, largest degree): the samples that each is paired with, on either side, as often as it is; then itself."""
    offsets, others = by_sample(pairs, size)
    degree = np.diff(offsets)
    table = np.repeat(np.arange(size)[:, None], degree.max(initial=0), axis=1)
    table[np.arange(table.shape[1]) < degree[:, None]] = others
    return table


def edges_within(samples: np.ndarray, offsets: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """The edges among some distinct samples, each once, as places in `samples`; offsets, neighbours by `by_sample`."""
    place = np.full(len(offsets) - 1, -1)
    place[samples] = np.arange(len(samples))
    lengths = offsets[samples + 1] - offsets[samples]
    position = np.arange(lengths.sum()) + np.repeat(offsets[samples + 1] - np.cumsum(lengths), lengths)
    one = np.repeat(np.arange(len(samples)), lengths)
    other = place[neighbours[position]]
    inside = other > one
    return np.stack([one[inside], other[inside]], axis=1)
