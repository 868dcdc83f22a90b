"""The numbers behind each claim. `z` is an embedding, (samples, dims); all work in float64 on the host."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from drlim_np.errors import InputError
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.graph import SimilarityGraph

BLOCK = 256  # rows of the table of distances held at once: 20 MB for 10,000 samples


def slant(images: np.ndarray) -> np.ndarray:
    """How far each digit leans: cov(x, y)/var(y) of its ink, (samples, height, width) → (samples,) float64.

    x to the right and y upwards: pixels to the right per pixel of height, 0 upright, positive leaning right.
    Raises InputError for an image without ink or with all ink in one row, whose slant is not defined.
    """
    ink = np.asarray(images, dtype=np.float64)
    _, height, width = ink.shape
    x, y = np.arange(width), np.arange(height)[::-1]
    total = ink.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_x, mean_y = ink.sum(axis=1) @ x / total, ink.sum(axis=2) @ y / total
        dx, dy = x - mean_x[:, None], y - mean_y[:, None]
        lean = np.einsum("nyx,nx,ny->n", ink, dx, dy, optimize=True) / np.einsum("nyx,ny->n", ink, dy**2, optimize=True)
    flat = ~np.isfinite(lean) | (np.count_nonzero(ink.any(axis=2), axis=1) < 2)
    if flat.any():
        raise InputError(f"image {np.flatnonzero(flat)[0]} is blank or a single row: it has no slant")
    return lean


def neighbours(z: np.ndarray, k: int, threads: int = 1) -> np.ndarray:
    """The k nearest other samples of each on the map, nearest first: (samples, k). Ties go to the smaller index.

    threads: at work at once; the result does not depend on it.

    Raises InputError unless 1 ≤ k < samples, as do the measures below that look at k neighbours.
    """
    return nearest_neighbours(np.asarray(z, dtype=np.float64), k, threads)


def accuracy(z: np.ndarray, labels: np.ndarray, k: int = 5) -> float:
    """Leave-one-out k-nearest-neighbour accuracy: the share of samples that share the label of most neighbours.

    A tie between labels goes to the smaller one.
    """
    classes, coded = np.unique(labels, return_inverse=True)
    votes = coded[neighbours(z, k)]
    counts = (votes[:, :, None] == np.arange(len(classes))).sum(axis=1)
    return float(np.mean(counts.argmax(axis=1) == coded))


def regression_r2(z: np.ndarray, target: np.ndarray, k: int = 10) -> float:
    """How well the place on the map predicts a quantity: R² = 1 - Σ (t - t̂)² / Σ (t - mean t)².

    t̂ of a sample is the mean over its k nearest others, so no sample predicts itself. 1 is perfect; 0 is no better than
    the mean of all. Raises InputError for a target that is the same everywhere.
    """
    target = np.asarray(target, dtype=np.float64)
    if (target == target[0]).all():
        raise InputError(f"the target is {target[0]:g} for every sample: there is nothing to predict")
    predicted = target[neighbours(z, k)].mean(axis=1)
    return float(1 - np.sum((target - predicted) ** 2) / np.sum((target - target.mean()) ** 2))


def unevenness(z: np.ndarray, k: int = 10) -> float:
    """Standard deviation of log r_k, r_k the distance to the k-th nearest other: 0 on a lattice, large in clumps.

    Does not depend on the unit of length. Raises InputError where k + 1 samples coincide, whose log r_k is not defined.
    """
    z = np.asarray(z, dtype=np.float64)
    radius = np.sqrt(np.sum((z - z[neighbours(z, k)[:, -1]]) ** 2, axis=1))
    if not (radius > 0).all():
        raise InputError(f"{k + 1} or more samples share one place on the map: its evenness is not defined")
    return float(np.std(np.log(radius)))


def trustworthiness(x: np.ndarray, z: np.ndarray, k: int = 12, threads: int = 1) -> float:
    """How far one can trust that neighbours on the map are neighbours in the data (Venna and Kaski, 2001), at most 1.

    1 - 2 / (n k (2n - 3k - 1)) · Σ_i Σ_{j among the k nearest of i on the map} max(0, rank_i(j) - k), where rank_i(j)
    is 1 + the number of samples nearer to i than j is, in the data `x` (samples, features).
    threads: blocks of samples ranked at once; the result does not depend on it. Raises InputError unless 1 ≤ k < n/2.
    """
    return _agreement(x, z, k, threads)


def continuity(x: np.ndarray, z: np.ndarray, k: int = 12, threads: int = 1) -> float:
    """How far neighbours in the data stay neighbours on the map: `trustworthiness` with the two exchanged."""
    return _agreement(z, x, k, threads)


def same_label_neighbours(z: np.ndarray, labels: np.ndarray, k: int = 5) -> float:
    """The share of the k nearest others of each sample that have its label; by chance about the label's own share."""
    labels = np.asarray(labels)
    return float(np.mean(labels[neighbours(z, k)] == labels[:, None]))


def silhouette(z: np.ndarray, labels: np.ndarray) -> float:
    """Mean of (b - a)/max(a, b) over the samples (Rousseeuw, 1987): 1 for tight clusters far apart, 0 for none, ≥ -1.

    a is a sample's mean distance to the others of its label, b the least mean distance to those of another. A sample
    that is alone with its label counts 0. Raises InputError for a single label, or one for every sample.
    """
    z = np.asarray(z, dtype=np.float64)
    names, coded, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if not 1 < len(names) < len(z):
        raise InputError(f"{len(z)} samples have {len(names)} labels: a silhouette needs 2 to {len(z) - 1}")
    order, first, total = np.argsort(coded), np.cumsum(counts) - counts, 0.0
    z, coded = z[order], coded[order]
    for rows in _blocks(len(z)):
        sums, own = np.add.reduceat(_distances(z, rows), first, axis=1), coded[rows, None]
        a = np.take_along_axis(sums, own, axis=1)[:, 0] / np.maximum(counts[coded[rows]] - 1, 1)
        to_others = sums / counts
        np.put_along_axis(to_others, own, np.inf, axis=1)
        b = to_others.min(axis=1)
        larger = np.maximum(a, b)
        counted = (counts[coded[rows]] > 1) & (larger > 0)
        total += np.sum((b - a)[counted] / larger[counted])
    return float(total / len(z))


def shift_ratio(z: np.ndarray, character: np.ndarray) -> float:
    """Mean distance between copies of one character over that between different characters, over all pairs.

    character: (samples,), equal for the copies of one. 0 where copies coincide, about 1 where shifting one takes
    it as far as replacing it. Raises InputError without two copies of a character, without two characters, or where all
    characters lie in one place.
    """
    z, character = np.asarray(z, dtype=np.float64), np.asarray(character)
    sums, pairs = np.zeros(2), np.zeros(2)
    for rows in _blocks(len(z)):
        alike, distance = character[rows, None] == character, _distances(z, rows)
        sums += distance[alike].sum(), distance[~alike].sum()
        pairs += np.count_nonzero(alike) - len(alike), np.count_nonzero(~alike)
    if not pairs.all():
        raise InputError("a shift ratio needs two copies of a character, and two characters")
    if not sums[1] > 0:
        raise InputError("all characters lie in one place on the map: their shift ratio is not defined")
    return float(np.divide(*(sums / pairs)))


def linear_r2(x: np.ndarray, target: np.ndarray) -> float:
    """The share of a quantity's variance that a straight line in x explains: their squared correlation, 0 to 1.

    x, target: (samples,). Raises InputError where either is the same everywhere.
    """
    x, target = np.asarray(x, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if np.ptp(x) == 0 or np.ptp(target) == 0:
        raise InputError("one of the two quantities is the same for every sample: there is nothing to explain")
    return float(np.corrcoef(x, target)[0, 1] ** 2)


def circular_correlation(angle: np.ndarray, target: np.ndarray) -> float:
    """How constant the difference of two angles is: |mean e^{i(angle - target)}|, in radians, (samples,) each.

    1 if one is the other turned by some angle; 0 if they have nothing to do with each other; about 1 - σ²/2 for small
    random errors of standard deviation σ. A mirrored circle counts as another.
    """
    return float(abs(np.mean(np.exp(1j * (np.asarray(angle) - np.asarray(target))))))


def share_within(z: np.ndarray, groups: np.ndarray) -> float:
    """The variance of the places within a group over that of all places: 0 where what varies in a group has no effect.

    groups: (samples,), equal for the samples of one. Both variances are unbiased: sums of squared distances to the
    mean over (samples - groups), and over (samples - 1). Raises InputError unless some group has two samples, and
    where all samples lie in one place.
    """
    z = np.asarray(z, dtype=np.float64)
    names, coded, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if len(names) == len(z):
        raise InputError("every sample is a group of its own: nothing varies within one")
    means = np.stack([np.bincount(coded, column) for column in z.T], axis=1) / counts[:, None]
    within, total = np.sum((z - means[coded]) ** 2), np.sum((z - z.mean(axis=0)) ** 2)
    if not total > 0:
        raise InputError("all samples lie in one place on the map: shares of its variance are not defined")
    return float(within / (len(z) - len(names)) / (total / (len(z) - 1)))


def similar_neighbours(z: np.ndarray, similar: SimilarityGraph, k: int = 5) -> float:
    """The share of the k nearest others of each sample that are similar to it in the graph."""
    nearest = neighbours(z, k)
    pairs = np.sort(np.stack([np.repeat(np.arange(len(nearest)), k), nearest.ravel()], axis=1), axis=1)
    return float(np.isin(pairs @ [similar.size, 1], similar.edges @ [similar.size, 1]).mean())


def pca(x: np.ndarray, dims: int = 2) -> np.ndarray:
    """The linear baseline: coordinates along the `dims` directions of largest variance, (samples, dims)."""
    x = np.asarray(x, dtype=np.float64)
    left, scale, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return left[:, :dims] * scale[:dims]


def _agreement(space: np.ndarray, other: np.ndarray, k: int, threads: int) -> float:
    """How few of the k nearest in `other` rank beyond k by distance in `space`; see `trustworthiness`."""
    samples = len(space)
    if not 1 <= k < samples / 2:
        raise InputError(f"k is {k}: trustworthiness of {samples} samples needs 1 <= k < {samples / 2:g}")
    space = np.asarray(space, dtype=np.float64)
    space, nearest = space - space.mean(axis=0), neighbours(other, k, threads)
    squares = np.sum(space * space, axis=1)

    def beyond(rows: slice) -> int:
        squared = space[rows] @ space.T  # centred, so that little cancels in |a|² - 2ab + |b|²
        squared *= -2
        squared += squares[rows, None]
        squared += squares
        squared[np.arange(len(squared)), np.arange(samples)[rows]] = np.inf
        of_nearest = np.take_along_axis(squared, nearest[rows], axis=1)
        squared.sort(axis=1)
        rank = 1 + np.array([np.searchsorted(*line) for line in zip(squared, of_nearest, strict=True)])
        return int(np.maximum(rank - k, 0).sum())

    with ThreadPoolExecutor(threads) as pool:
        total = sum(pool.map(beyond, _blocks(samples)))
    return float(1 - 2 / (samples * k * (2 * samples - 3 * k - 1)) * total)


def _distances(z: np.ndarray, rows: slice) -> np.ndarray:
    """The Euclidean distances of the given rows to all samples, coordinate by coordinate."""
    return np.sqrt(sum((column[rows, None] - column) ** 2 for column in z.T))


def _blocks(samples: int) -> Iterator[slice]:
    """All rows, BLOCK at a time: no table of all pairs is ever held."""
    for start in range(0, samples, BLOCK):
        yield slice(start, min(start + BLOCK, samples))
