"""The numbers behind each claim. `z` is an embedding, (samples, dims); all work in float64 on the host."""

import numpy as np

from drlim_np.errors import InputError


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


def distances(z: np.ndarray) -> np.ndarray:
    """The table of Euclidean distances, (samples, samples), with infinity on the diagonal: nobody's own neighbour."""
    z = np.asarray(z, dtype=np.float64)
    squared = np.zeros((len(z), len(z)))
    for column in z.T:
        squared += (column[:, None] - column) ** 2
    np.fill_diagonal(squared, np.inf)
    return np.sqrt(squared)


def neighbours(z: np.ndarray, k: int) -> np.ndarray:
    """The k nearest other samples of each on the map, nearest first: (samples, k). Ties go to the smaller index.

    Raises InputError unless 1 ≤ k < samples, as do the measures below that look at k neighbours.
    """
    _require_others(z, k)
    return np.argsort(distances(z), axis=1, kind="stable")[:, :k]


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
    _require_others(z, k)
    radius = np.partition(distances(z), k - 1, axis=1)[:, k - 1]
    if not (radius > 0).all():
        raise InputError(f"{k + 1} or more samples share one place on the map: its evenness is not defined")
    return float(np.std(np.log(radius)))


def trustworthiness(x: np.ndarray, z: np.ndarray, k: int = 12) -> float:
    """How far one can trust that neighbours on the map are neighbours in the data (Venna and Kaski, 2001), at most 1.

    1 - 2 / (n k (2n - 3k - 1)) · Σ_i Σ_{j among the k nearest of i on the map} max(0, rank_i(j) - k), where rank_i(j)
    counts from 1 by distance in the data `x` (samples, features).
    """
    samples = len(z)
    if not 1 <= k < samples / 2:
        raise InputError(f"k is {k}: trustworthiness of {samples} samples needs 1 <= k < {samples / 2:g}")
    order = np.argsort(_pixel_distances(x), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(1, samples + 1)[None], axis=1)
    excess = np.take_along_axis(rank, neighbours(z, k), axis=1) - k
    return float(1 - 2 / (samples * k * (2 * samples - 3 * k - 1)) * np.maximum(excess, 0).sum())


def pca(x: np.ndarray, dims: int = 2) -> np.ndarray:
    """The linear baseline: coordinates along the `dims` directions of largest variance, (samples, dims)."""
    x = np.asarray(x, dtype=np.float64)
    left, scale, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return left[:, :dims] * scale[:dims]


def _require_others(z: np.ndarray, k: int) -> None:
    if not 1 <= k < len(z):
        raise InputError(f"k is {k}: each of {len(z)} samples has {len(z) - 1} others")


def _pixel_distances(x: np.ndarray) -> np.ndarray:
    """`distances` for many features, by the expansion |a|² - 2ab + |b|², centred so that little cancels."""
    x = np.asarray(x, dtype=np.float64) - np.mean(x, axis=0)
    squares = np.sum(x * x, axis=1)
    squared = np.maximum(squares[:, None] - 2 * x @ x.T + squares, 0)
    np.fill_diagonal(squared, np.inf)
    return np.sqrt(squared)
