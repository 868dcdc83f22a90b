"""The index work of sums over pairs, done on the host: tiles of near samples, and the pairs of a graph by sample.

Beyond the margin a dissimilar pair has neither loss nor force (Eq. 4), so tiles at least that far apart are left out.
"""

from collections.abc import Iterator

import numpy as np


def near_together(z: np.ndarray, size: int) -> np.ndarray:
    """An order of the samples of z (samples, dims), as indices, in which every run of `size` is near together."""

    def arranged(samples: np.ndarray) -> list[np.ndarray]:
        if len(samples) <= size:
            return [samples]
        # The widest coordinate is cut at a multiple of `size` near its median, then each part again.
        here, left = z[samples], (len(samples) // size + 1) // 2 * size
        parted = samples[np.argpartition(here[:, np.argmax(np.ptp(here, axis=0))], left)]
        return arranged(parted[:left]) + arranged(parted[left:])

    return np.concatenate(arranged(np.arange(len(z))))


def within_reach(
    z: np.ndarray, similar: np.ndarray, size: int, reach: float
) -> Iterator[tuple[slice, slice, np.ndarray]]:
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
