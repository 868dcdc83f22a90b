"""Which pairs of samples can be within the margin: samples in tiles of near ones, and the tiles that reach each other.

Beyond the margin a dissimilar pair has neither loss nor force (Eq. 4), so two tiles whose bounding boxes are at least
the margin apart may be left out: the sum over all pairs stays exact, at a cost that follows the pairs within reach.
All of this is index work, done on the host.
"""

from collections.abc import Iterator

import numpy as np


def near_together(z: np.ndarray, size: int) -> np.ndarray:
    """An order of the samples, (samples,) indices: every run of `size`, counted from the start, is near together.

    z (samples, dims) real. The widest coordinate is cut at a multiple of `size` near its median, then each part again.
    """

    def arranged(samples: np.ndarray) -> list[np.ndarray]:
        if len(samples) <= size:
            return [samples]
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
