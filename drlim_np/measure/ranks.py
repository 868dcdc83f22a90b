"""Ranks by distance, exact where distances tie; and the table of all distances, a block of rows at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from drlim_np.checks.numbers import whole_number
from drlim_np.fast.knn import nearest_neighbours

BLOCK = 256  # rows of the table of distances held at once: 20 MB for 10,000 samples


def blocks(samples: int) -> Iterator[slice]:
    """All rows, BLOCK at a time, so that no table of all pairs is ever held."""
    for start in range(0, samples, BLOCK):
        yield slice(start, min(start + BLOCK, samples))


def ranks_of_near(space: np.ndarray, other: np.ndarray, k: int, threads: int) -> np.ndarray:
    """The ranks by distance in `space` of the k nearest in `other`, nearest first, (samples, k); see `trustworthiness`.

    Distances come from matrix products. Where their rounding could decide a rank, they are computed again, difference
    by difference, so that samples tie in rank if they do in distance. Whole numbers and the like need none of that.
    """
    samples, features = space.shape
    k = whole_number("k", k, 1, (samples - 1) // 2)
    nearest = nearest_neighbours(other, k, threads)
    bits = (51 - features.bit_length()) // 2  # so that features · (2 · 2^bits)² stays below 2^53
    rounds = any((np.rint(part) != part).any() for part in (np.ldexp(space[rows], bits) for rows in blocks(samples)))
    varied = space[:, (space != space[0]).any(axis=0)]  # what is the same everywhere adds to no distance
    centred = varied - varied.mean(axis=0) if rounds else varied  # so that little cancels in |a|² - 2ab + |b|²
    squares = np.sum(centred * centred, axis=1)
    rounding = rounds * (features + 6) * np.finfo(float).eps * (np.sqrt(squares) + np.sqrt(squares.max())) ** 2

    def ranks(rows: slice) -> np.ndarray:
        squared = centred[rows] @ centred.T
        squared *= -2
        squared += squares[rows, None]
        squared += squares
        squared[np.arange(len(squared)), np.arange(samples)[rows]] = np.inf
        of_nearest, doubt = np.take_along_axis(squared, nearest[rows], axis=1), 2 * rounding[rows, None]
        edges = np.concatenate([of_nearest - doubt, of_nearest + doubt], axis=1)
        lines = zip(squared, edges, strict=True)
        # How many are below each edge. Only those below the last edge are sorted, usually few.
        below = np.array([np.searchsorted(np.sort(line[line < edge.max()]), edge) for line, edge in lines])
        nearer = below[:, :k]
        for i in np.flatnonzero((below[:, k:] - nearer > 1).any(axis=1)):
            row = rows.start + i
            nearer[i] = _nearer(space, row, nearest[row], squared[i], doubt[i])
        return 1 + nearer

    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(ranks, blocks(samples))))


def _nearer(space: np.ndarray, i: int, whom: np.ndarray, squared: np.ndarray, doubt: np.ndarray) -> np.ndarray:
    """How many samples are nearer to sample i than each of `whom`, (k,): those within `doubt` are compared exactly.

    squared: (samples,) the squared distances from i, rounded; here they are made exact where it counts.
    """
    near = np.flatnonzero((np.abs(squared - squared[whom, None]) <= doubt).any(axis=0))
    difference = space[near] - space[i]
    squared[near] = np.einsum("rf,rf->r", difference, difference)
    return np.count_nonzero(squared < squared[whom, None], axis=1)
