"""The k nearest neighbours of each sample, exact."""

from math import prod
from threading import Lock

import numpy as np

from drlim_np.checks.numbers import real_array, whole_number
from drlim_np.fast.all_pairs import near_together, within_reach
from drlim_np.fast.blocks import on_threads
from drlim_np.fast.devices import require_memory

TILE = 1024  # samples on either side of the pairs that are compared at once: 4 MB of distances in float32
SPARE = 16  # candidates kept beyond k, so that what the fast distances lack rarely matters
ROWS = 128  # samples whose candidates are compared exactly at once
COMPONENTS = 320  # principal components that stand for all features where samples are many


def nearest_neighbours(x: np.ndarray, k: int, threads: int = 1) -> np.ndarray:
    """The k Euclidean nearest neighbours of each sample among the others, exact: (samples, k) indices, nearest first.

    x: (samples, features), any real dtype, such as pixels. k: from 1 to samples - 1. Ties go to the smaller index.

    Fast distances are never larger than the true ones but for rounding, of which a bound is known. So each sample keeps
    k + SPARE candidates, and these are compared again in float64, difference by difference. If a sample beyond them may
    be as near as the last of the k, all that may be are compared in this way.
    """
    shape = getattr(x, "shape", ())  # of each entry 24 bytes, mostly for copies in float64
    require_memory(24 * prod(shape), f"the search for nearest neighbours in an x of shape {shape}")
    x = real_array("x", x, "samples", "features")
    samples, threads = len(x), whole_number("threads", threads, 1)
    k = whole_number("k", k, 1, samples - 1)
    x = in_unit(np.compress((x != x[0]).any(axis=0), x, axis=1))  # a pixel the same everywhere adds to no distance
    fast = FastDistances(x)
    candidates, beyond = _candidates(fast, min(k + SPARE, samples - 1), threads)

    def neighbours_from(start: int) -> np.ndarray:
        rows = np.arange(start, min(start + ROWS, samples))
        nearest, radius = _rank(x, rows, candidates[rows], k)
        for at in np.flatnonzero(beyond[rows] <= radius):
            row = rows[[at]]
            near = np.flatnonzero(fast.squared(row, slice(None)) - fast.bound[row] <= radius[at])
            nearest[at] = _rank(x, row, near[None, near != row], k)[0]
        return nearest

    return np.concatenate(on_threads(neighbours_from, range(0, samples, ROWS), threads))


class FastDistances:
    """Squared distances between samples of x (samples, features) by a matrix product: |a - b|² = |a|² + |b|² - 2ab.

    dtype: float32 or float64. In float32 those of many samples with many features may be too small: they are of the
    principal components and the length of the rest, for which ||a| - |b|| ≤ |a - b|.
    z: (samples, features or COMPONENTS + 1), in which they are; bound: (samples,), by how much rounding may change one.
    """

    def __init__(self, x: np.ndarray, dtype: type = np.float32) -> None:
        (samples, features), z = x.shape, x - x.mean(axis=0)  # about the mean, so that little cancels
        if dtype == np.float32 and COMPONENTS < features <= samples / 16:  # or to find them takes longer than they save
            few = z[np.linspace(0, samples - 1, 4 * features).astype(int)]
            components = z @ np.linalg.eigh(few.T @ few)[1][:, -COMPONENTS:]
            rest = np.einsum("ij,ij->i", z, z) - np.einsum("ij,ij->i", components, components)
            z = np.column_stack([components, np.sqrt(np.maximum(0, rest))])
        self.z = z.astype(dtype)
        squares = np.einsum("ij,ij->i", self.z, self.z, dtype=np.float64)
        self.squares = squares.astype(dtype)
        # Rounding: up to `features` times in the product, and a few times in the rest.
        self.bound = (features + 6) * float(np.finfo(dtype).eps) * (np.sqrt(squares) + np.sqrt(squares.max())) ** 2

    def squared(self, one: np.ndarray | slice, other: np.ndarray | slice) -> np.ndarray:
        """Of samples `one` from samples `other`: (one, other)."""
        fast = (-2 * self.z[one]) @ self.z[other].T
        fast += self.squares[one, None]
        fast += self.squares[other]
        return fast


def in_unit(x: np.ndarray) -> np.ndarray:
    """`x` (float64) times the power of two that leaves its largest entry below 1: exact, and squares stay in range."""
    return np.ldexp(x, -np.frexp(max(x.max(initial=0.0), -x.min(initial=0.0)))[1])


def _candidates(fast: FastDistances, kept: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """The nearest by fast distances, (samples, kept) ascending; and (samples,) a bound below the others' squares."""
    # Tile against tile, each distance for both its samples. First each tile is compared with itself. So each sample
    # has a limit, which few later distances pass, as a tile is of near samples.
    samples, order = len(fast.z), near_together(fast.z, TILE)
    tiles = [order[start : start + TILE] for start in range(0, samples, TILE)]
    distance, index = np.full((samples, kept), np.inf, np.float32), np.zeros((samples, kept), int)
    limit = np.full(samples, np.inf, np.float32)  # the greatest distance kept; read early, it lets more pass
    one_at_a_time = Lock()

    def keep(rows: np.ndarray, near: np.ndarray, others: np.ndarray) -> None:
        near = np.concatenate([distance[rows], near], axis=1)
        others = np.concatenate([index[rows], others], axis=1)
        least = np.argpartition(near, kept - 1, axis=1)[:, :kept]
        distance[rows] = np.take_along_axis(near, least, axis=1)
        index[rows] = np.take_along_axis(others, least, axis=1)
        limit[rows] = distance[rows].max(axis=1)

    def alone(tile: np.ndarray) -> None:
        squared = fast.squared(tile, tile)
        np.fill_diagonal(squared, np.inf)
        keep(tile, squared, np.broadcast_to(tile, squared.shape))

    def with_another(pair: tuple[np.ndarray, np.ndarray]) -> None:
        one, other = pair
        squared = fast.squared(one, other)
        for end, limits in enumerate((limit[one, None], limit[other])):
            near = np.flatnonzero(squared < limits)
            ends = one[near // len(other)], other[near % len(other)]
            with one_at_a_time:
                keep(*_by_sample(ends[end], squared.ravel()[near], ends[1 - end]))

    on_threads(alone, tiles, threads)
    reached = within_reach(fast.z[order], np.zeros((0, 2), int), TILE, max(0.0, float(limit.max())) ** 0.5)
    on_threads(with_another, [(order[one], order[other]) for one, other, _ in reached if one != other], threads)
    return np.sort(index, axis=1), distance.max(axis=1) - fast.bound


def _by_sample(one: np.ndarray, distance: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs by their one end: (rows,) distinct ends; (rows, most) distances, padded with inf, and other ends."""
    order = np.argsort(one, kind="stable")
    rows, count = np.unique(one, return_counts=True)
    filled = np.arange(np.max(count, initial=0)) < count[:, None]
    distances, others = np.full(filled.shape, np.inf, np.float32), np.zeros(filled.shape, int)
    distances[filled], others[filled] = distance[order], other[order]
    return rows, distances, others


def _rank(x: np.ndarray, rows: np.ndarray, candidates: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """For each row the k nearest of its candidates, given in ascending order, and the squared distance of the last."""
    difference = np.take(x, candidates, axis=0) - x[rows, None]
    squared = np.square(difference, out=difference).sum(axis=2)  # in the order of a plain sum, by which ties are told
    squared[squared > np.partition(squared, k - 1)[:, k - 1 : k]] = np.inf  # equal ones are sorted in no time
    order = np.argsort(squared, kind="stable")[:, :k]
    radius = np.take_along_axis(squared, order[:, -1:], axis=1)[:, 0]
    return np.take_along_axis(candidates, order, axis=1), radius
