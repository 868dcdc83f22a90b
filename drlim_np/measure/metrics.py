"""The numbers behind each claim. `z` is an embedding, (samples, dims); all work in float64 on the host.

All raise InputError for arrays of wrong shapes or different lengths, and for values that are not finite. No measure
depends on the unit of length, so a map is first brought into one in which no square leaves the range of float64.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from drlim_np.checks.numbers import finite, plain_array, real_array, same_length, whole_number
from drlim_np.errors import InputError
from drlim_np.fast.knn import in_unit, nearest_neighbours
from drlim_np.graph import SimilarityGraph

BLOCK = 256  # rows of the table of distances held at once: 20 MB for 10,000 samples


def slant(images: np.ndarray) -> np.ndarray:
    """How far each digit leans: cov(x, y)/var(y) of its ink, (samples, height, width) → (samples,) float64.

    x to the right and y upwards: pixels to the right per pixel of height, 0 upright, positive leaning right.
    Raises InputError for an image without ink or with all ink in one row, whose slant is not defined.
    """
    ink = real_array("images", images, "samples", "height", "width")
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


def accuracy(z: np.ndarray, labels: np.ndarray, k: int = 5) -> float:
    """Leave-one-out k-nearest-neighbour accuracy: the share of samples that share the label of most neighbours.

    A tie between labels goes to the smaller one. Raises InputError unless 1 ≤ k < samples, as do the measures below
    that look at k neighbours.
    """
    z, (coded, sizes) = _rows("z", z), _coded("labels", labels, z)
    votes = coded[nearest_neighbours(z, k)]
    counts = (votes[:, :, None] == np.arange(len(sizes))).sum(axis=1)
    return float(np.mean(counts.argmax(axis=1) == coded))


def regression_r2(z: np.ndarray, target: np.ndarray, k: int = 10) -> float:
    """How well the place on the map predicts a quantity: R² = 1 - Σ (t - t̂)² / Σ (t - mean t)².

    t̂ of a sample is the mean over its k nearest others, so no sample predicts itself. 1 is perfect; 0 is no better than
    the mean of all. Raises InputError for a target that is the same everywhere.
    """
    z, target = _rows("z", z), in_unit(real_array("target", target, "samples"))
    same_length(z=z, target=target)
    nearest = nearest_neighbours(z, k)
    if (target == target[0]).all():
        raise InputError("the target is the same for every sample: there is nothing to predict")
    predicted = target[nearest].mean(axis=1)
    return float(1 - np.sum((target - predicted) ** 2) / np.sum((target - target.mean()) ** 2))


def unevenness(z: np.ndarray, k: int = 10) -> float:
    """Standard deviation of log r_k, r_k the distance to the k-th nearest other: 0 on a lattice, large in clumps.

    Does not depend on the unit of length. Raises InputError where k + 1 samples coincide, whose log r_k is not defined.
    """
    z = _rows("z", z)
    radius = np.sqrt(np.sum((z - z[nearest_neighbours(z, k)[:, -1]]) ** 2, axis=1))
    if not (radius > 0).all():
        raise InputError(f"{k + 1} or more samples share one place on the map: its evenness is not defined")
    return float(np.std(np.log(radius / radius.max())))


def trustworthiness(x: np.ndarray, z: np.ndarray, k: int = 12, threads: int = 1) -> float:
    """How far one can trust that neighbours on the map are neighbours in the data (Venna and Kaski, 2001), at most 1.

    1 - 2 / (n k (2n - 3k - 1)) · Σ_i Σ_{j among the k nearest of i on the map} max(0, rank_i(j) - k), where rank_i(j)
    is 1 + the number of samples nearer to i than j is, in the data `x` (samples, features). Samples at one distance
    share their rank.
    threads: blocks of samples ranked at once; the result does not depend on it. Raises InputError unless 1 ≤ k < n/2.
    """
    return _agreement(_ranks_of_near(_rows("x", x), _rows("z", z), k, threads))


def trust_of_each(x: np.ndarray, z: np.ndarray, k: int = 12, threads: int = 1) -> np.ndarray:
    """What every sample adds to `trustworthiness`, (samples,), whose mean that is: 1 where its neighbours are true."""
    ranks, n = _ranks_of_near(_rows("x", x), _rows("z", z), k, threads), len(x)
    return 1 - 2 / (k * (2 * n - 3 * k - 1)) * np.maximum(ranks - k, 0).sum(axis=1)


def continuity(x: np.ndarray, z: np.ndarray, k: int = 12, threads: int = 1) -> float:
    """How far neighbours in the data stay neighbours on the map: `trustworthiness` with the two exchanged."""
    return _agreement(_ranks_of_near(_rows("z", z), _rows("x", x), k, threads))


def rank_error(x: np.ndarray, z: np.ndarray, k: int = 12, threads: int = 1) -> float:
    """Mean relative rank error (Lee and Verleysen, 2007): 0 if near ones have their true ranks, 1 if all are reversed.

    Σ_i Σ_r |rank_i - r| / r over r = 1 … k, rank_i being the rank in the data of the r-th nearest on the map, in parts
    of n Σ_r |n - 2r| / r. With x and z exchanged it tells of neighbours lost.
    """
    ranks, r = _ranks_of_near(_rows("x", x), _rows("z", z), k, threads), np.arange(1, k + 1)
    return float((np.abs(ranks - r) / r).sum() / (len(ranks) * (np.abs(len(ranks) - 2 * r) / r).sum()))


def local_continuity(x: np.ndarray, z: np.ndarray, k: int = 12, threads: int = 1) -> float:
    """Local continuity meta-criterion (Chen and Buja, 2009): what the k nearest in data and map share beyond chance.

    The mean share of the k nearest that both have, less k/(n - 1), which a random map has: 1 - k/(n - 1) at best.
    """
    same_length(x=(x := _rows("x", x)), z=(z := _rows("z", z)))
    one, other = nearest_neighbours(x, k, threads), nearest_neighbours(z, k, threads)
    return float((one[:, :, None] == other[:, None]).any(axis=2).mean() - k / (len(x) - 1))


def distance_correlation(x: np.ndarray, z: np.ndarray) -> float:
    """Spearman's ρ between all distances in the data and on the map, -1 to 1: the number of the Shepard diagram.

    Takes memory for all n (n - 1) / 2 pairs, a few times. Raises InputError where all distances of either are equal.
    """
    same_length(x=(x := _rows("x", x)), z=(z := _rows("z", z)))
    apart = [np.concatenate([np.sum((a[i + 1 :] - a[i]) ** 2, axis=1) for i in range(len(a))]) for a in (x, z)]
    if min(np.ptp(squares) if squares.size else 0 for squares in apart) == 0:
        raise InputError("all distances are the same, in the data or on the map: their correlation is not defined")
    return float(np.corrcoef(_average_ranks(apart[0]), _average_ranks(apart[1]))[0, 1])


def same_label_neighbours(z: np.ndarray, labels: np.ndarray, k: int = 5) -> float:
    """The share of the k nearest others of each sample that have its label; by chance about the label's own share."""
    z, (coded, _) = _rows("z", z), _coded("labels", labels, z)
    return float(np.mean(coded[nearest_neighbours(z, k)] == coded[:, None]))


def silhouette(z: np.ndarray, labels: np.ndarray) -> float:
    """Mean of (b - a)/max(a, b) over the samples (Rousseeuw, 1987): 1 for tight clusters far apart, 0 for none, ≥ -1.

    a is a sample's mean distance to the others of its label, b the least mean distance to those of another. A sample
    that is alone with its label counts 0. Raises InputError for a single label, or one for every sample.
    """
    total = 0.0
    for _, counted in _silhouettes(z, labels):
        total += np.sum(counted[counted != 0])
    return float(total / len(z))


def silhouette_of_each(z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The silhouette of every sample, (samples,), whose mean `silhouette` is; raises what that raises."""
    rows, found = map(np.concatenate, zip(*_silhouettes(z, labels), strict=True))
    return found[np.argsort(rows)]


def _silhouettes(z: np.ndarray, labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Some samples and their silhouettes, until all have been seen."""
    z, (coded, counts) = _rows("z", z), _coded("labels", labels, z)
    if not 1 < len(counts) < len(z):
        raise InputError(f"{len(z)} samples have {len(counts)} labels: a silhouette needs 2 to {len(z) - 1}")
    order, first = np.argsort(coded), np.cumsum(counts) - counts
    z, coded = z[order], coded[order]
    for rows in _blocks(len(z)):
        sums, own = np.add.reduceat(_distances(z, rows), first, axis=1), coded[rows, None]
        a = np.take_along_axis(sums, own, axis=1)[:, 0] / np.maximum(counts[coded[rows]] - 1, 1)
        to_others = sums / counts
        np.put_along_axis(to_others, own, np.inf, axis=1)
        b = to_others.min(axis=1)
        larger = np.maximum(a, b)
        counted = (counts[coded[rows]] > 1) & (larger > 0)
        yield order[rows], np.where(counted, (b - a) / np.where(counted, larger, 1), 0.0)


def shift_ratio(z: np.ndarray, character: np.ndarray) -> float:
    """Mean distance between copies of one character over that between different characters, over all pairs.

    character: (samples,), equal for the copies of one. 0 where copies coincide, about 1 where shifting one takes
    it as far as replacing it. Raises InputError without two copies of a character, without two characters, or where all
    characters lie in one place.
    """
    z, (character, _) = _rows("z", z), _coded("character", character, z)
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
    x, target = (in_unit(real_array(name, a, "samples")) for name, a in (("x", x), ("target", target)))
    same_length(x=x, target=target)
    if np.ptp(x) == 0 or np.ptp(target) == 0:
        raise InputError("one of the two quantities is the same for every sample: there is nothing to explain")
    return float(np.corrcoef(x, target)[0, 1] ** 2)


def resultant_length(angle: np.ndarray, target: np.ndarray) -> float:
    """How constant the difference of two angles is: its mean resultant length |mean e^{i(angle - target)}|.

    angle, target: (samples,) radians. 1 if one is the other turned by some angle; about 1 - σ²/2 for small random
    errors of standard deviation σ; 0 if the difference is spread evenly round the circle, as between an angle that goes
    round and its mirror image. It is no correlation: two independent angles that vary little have it near 1 as well.
    """
    angle, target = (real_array(name, a, "samples") for name, a in (("angle", angle), ("target", target)))
    same_length(angle=angle, target=target)
    return float(abs(np.mean(np.exp(1j * (angle - target)))))


def share_within(z: np.ndarray, groups: np.ndarray) -> float:
    """The variance of the places within a group over that of all places: 0 where what varies in a group has no effect.

    groups: (samples,), equal for the samples of one. Both variances are unbiased: sums of squared distances to the
    mean over (samples - groups), and over (samples - 1). Raises InputError unless some group has two samples, and
    where all samples lie in one place.
    """
    z, (coded, counts) = _rows("z", z), _coded("groups", groups, z)
    if len(counts) == len(z):
        raise InputError("every sample is a group of its own: nothing varies within one")
    means = np.stack([np.bincount(coded, column) for column in z.T], axis=1) / counts[:, None]
    within, total = np.sum((z - means[coded]) ** 2), np.sum((z - z.mean(axis=0)) ** 2)
    if not total > 0:
        raise InputError("all samples lie in one place on the map: shares of its variance are not defined")
    return float(within / (len(z) - len(counts)) / (total / (len(z) - 1)))


def similar_neighbours(z: np.ndarray, similar: SimilarityGraph, k: int = 5) -> float:
    """The share of the k nearest others of each sample that are similar to it in the graph, one of as many samples."""
    z = _rows("z", z)
    if similar.size != len(z):
        raise InputError(f"the graph has {similar.size} samples and the map {len(z)}: take the graph of these samples")
    nearest = nearest_neighbours(z, k)
    pairs = np.sort(np.stack([np.repeat(np.arange(len(nearest)), k), nearest.ravel()], axis=1))
    return float(np.isin(pairs @ [similar.size, 1], similar.edges @ [similar.size, 1]).mean())


def pca(x: np.ndarray, dims: int = 2) -> np.ndarray:
    """The linear baseline: coordinates along the `dims` directions of largest variance, (samples, dims).

    Raises InputError unless 1 ≤ dims ≤ the smaller of samples and features.
    """
    x = real_array("x", x, "samples", "features")
    dims = whole_number("dims", dims, 1, min(x.shape))
    left, scale, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return left[:, :dims] * scale[:dims]


def _agreement(ranks: np.ndarray) -> float:
    """How few of the ranks (samples, k) of near ones are beyond k; see `trustworthiness`."""
    n, k = ranks.shape
    return float(1 - 2 / (n * k * (2 * n - 3 * k - 1)) * int(np.maximum(ranks - k, 0).sum()))


def _ranks_of_near(space: np.ndarray, other: np.ndarray, k: int, threads: int) -> np.ndarray:
    """The ranks by distance in `space` of the k nearest in `other`, nearest first, (samples, k); see `trustworthiness`.

    Distances come from matrix products. Where their rounding could decide a rank, they are computed again, difference
    by difference, so that samples tie in rank if they do in distance. Whole numbers and the like need none of that.
    """
    same_length(x=space, z=other)
    samples, features = space.shape
    k = whole_number("k", k, 1, (samples - 1) // 2)
    nearest = nearest_neighbours(other, k, threads)
    bits = (51 - features.bit_length()) // 2  # so that features · (2 · 2^bits)² stays below 2^53
    rounds = any((np.rint(part) != part).any() for part in (np.ldexp(space[rows], bits) for rows in _blocks(samples)))
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
        below = np.array([_below(*line) for line in zip(squared, edges, strict=True)])
        nearer = below[:, :k]
        for i in np.flatnonzero((below[:, k:] - nearer > 1).any(axis=1)):
            row = rows.start + i
            nearer[i] = _nearer(space, row, nearest[row], squared[i], doubt[i])
        return 1 + nearer

    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(ranks, _blocks(samples))))


def _average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks less a half, those that tie share their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - counts / 2)[place]


def _below(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many of the values, (samples,), lie below each of the edges, in any order: of the shape of `edges`.

    Only what lies below the last edge is sorted, mostly few.
    """
    return np.searchsorted(np.sort(values[values < edges.max()]), edges)


def _nearer(space: np.ndarray, i: int, whom: np.ndarray, squared: np.ndarray, doubt: np.ndarray) -> np.ndarray:
    """How many samples are nearer to sample i than each of `whom`, (k,): those within `doubt` are compared exactly.

    squared: (samples,) the squared distances from i, rounded; here they are made exact where it counts.
    """
    near = np.flatnonzero((np.abs(squared - squared[whom, None]) <= doubt).any(axis=0))
    difference = space[near] - space[i]
    squared[near] = np.einsum("rf,rf->r", difference, difference)
    return np.count_nonzero(squared < squared[whom, None], axis=1)


def _rows(name: str, x: np.ndarray) -> np.ndarray:
    """`x` (samples, dims) as float64, in a unit that keeps squares in range."""
    return in_unit(real_array(name, x, "samples", "dims"))


def _coded(name: str, labels: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the samples of z as (samples,) numbers 0, 1, … in the labels' order, and how many have each."""
    labels = plain_array(name, labels, "samples")
    if np.issubdtype(labels.dtype, np.inexact):
        finite(name, labels)
    same_length(**{"z": z, name: labels})
    _, coded, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return coded, counts


def _distances(z: np.ndarray, rows: slice) -> np.ndarray:
    """The Euclidean distances of the given rows to all samples, coordinate by coordinate."""
    return np.sqrt(sum((column[rows, None] - column) ** 2 for column in z.T))


def _blocks(samples: int) -> Iterator[slice]:
    """All rows, BLOCK at a time: no table of all pairs is ever held."""
    for start in range(0, samples, BLOCK):
        yield slice(start, min(start + BLOCK, samples))
