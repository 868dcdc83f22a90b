"""The numbers behind each claim. `z` is an embedding, (samples, dims); all work in float64 on the host.

No measure depends on the unit of length, so a map is first brought into one in which squares stay in range.
"""

from collections.abc import Iterator

import numpy as np

from drlim_np.checks.numbers import coded_labels, real_array, same_length, whole_number
from drlim_np.errors import require
from drlim_np.fast.blocks import on_threads
from drlim_np.fast.knn import FastDistances, in_unit, nearest_neighbours
from drlim_np.graph import SimilarityGraph

BLOCK = 256  # rows of the table of distances held at once: 20 MB for 10,000 samples


def slant(images: np.ndarray) -> np.ndarray:
    """How far each digit leans to the right: cov(x, y)/var(y) of its ink, (samples, height, width) → (samples,)."""
    ink = real_array("images", images, "samples", "height", "width")
    y, x = np.arange(ink.shape[1])[::-1], np.arange(ink.shape[2])
    total = ink.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_x, mean_y = ink.sum(axis=1) @ x / total, ink.sum(axis=2) @ y / total
        dx, dy = x - mean_x[:, None], y - mean_y[:, None]
        lean = np.einsum("nyx,nx,ny->n", ink, dx, dy, optimize=True) / np.einsum("nyx,ny->n", ink, dy**2, optimize=True)
    flat = ~np.isfinite(lean) | (np.count_nonzero(ink.any(axis=2), axis=1) < 2)
    require(not flat.any(), f"image {flat.argmax()} is blank or a single row: it has no slant")
    return lean


def accuracy(z: np.ndarray, labels: np.ndarray, k: int = 5) -> float:
    """The share of samples with the label of most of their k nearest others; a tie goes to the smaller label."""
    z = _rows("z", z)
    _, coded, sizes = coded_labels("labels", labels, z=z)
    votes = (coded[nearest_neighbours(z, k)[:, :, None]] == np.arange(len(sizes))).sum(axis=1)
    return float(np.mean(votes.argmax(axis=1) == coded))


def regression_r2(z: np.ndarray, target: np.ndarray, k: int = 10) -> float:
    """R² = 1 - Σ (t - t̂)² / Σ (t - mean t)² of a target (samples,); t̂ is its mean over the k nearest others on z."""
    z, target = _rows("z", z), in_unit(real_array("target", target, "samples"))
    same_length(z=z, target=target)
    require((target != target[0]).any(), "the target is the same for every sample: there is nothing to predict")
    predicted = target[nearest_neighbours(z, k)].mean(axis=1)
    return float(1 - np.sum((target - predicted) ** 2) / np.sum((target - target.mean()) ** 2))


def unevenness(z: np.ndarray, k: int = 10) -> float:
    """Standard deviation of log r_k, r_k the distance to the k-th nearest other: 0 on a lattice, large in clumps."""
    z = _rows("z", z)
    radius = np.sqrt(np.sum((z - z[nearest_neighbours(z, k)[:, -1]]) ** 2, axis=1))
    require(bool(radius.all()), f"{k + 1} or more samples share one place on the map: its evenness is not defined")
    return float(np.std(np.log(radius / radius.max())))


def trustworthiness(x: np.ndarray, z: np.ndarray, k: int = 12, threads: int = 1) -> float:
    """How far one can trust that neighbours on the map are neighbours in the data (Venna and Kaski, 2001), at most 1.

    1 - 2 / (n k (2n - 3k - 1)) · Σ_i Σ_{j among the k nearest of i on the map} max(0, rank_i(j) - k), where rank_i(j)
    is 1 + the number of samples nearer to i than j is, in the data `x` (samples, features); k must be below n/2.
    """
    return _agreement(k, threads, x=x, z=z)


def continuity(x: np.ndarray, z: np.ndarray, k: int = 12, threads: int = 1) -> float:
    """How far neighbours in the data stay neighbours on the map: `trustworthiness` with the two exchanged."""
    return _agreement(k, threads, z=z, x=x)


def same_label_neighbours(z: np.ndarray, labels: np.ndarray, k: int = 5) -> float:
    """The share of the k nearest others of each sample that have its label."""
    z = _rows("z", z)
    _, coded, _ = coded_labels("labels", labels, z=z)
    return float(np.mean(coded[nearest_neighbours(z, k)] == coded[:, None]))


def silhouette(z: np.ndarray, labels: np.ndarray) -> float:
    """Mean of (b - a)/max(a, b) over the samples (Rousseeuw, 1987): 1 for tight clusters far apart, 0 for none, ≥ -1.

    a is a sample's mean distance to the others of its label, b the least mean distance to those of another. A sample
    alone with its label counts 0.
    """
    z = _rows("z", z)
    _, coded, counts = coded_labels("labels", labels, z=z)
    fits = 1 < len(counts) < len(z)
    require(fits, f"{len(z)} samples have {len(counts)} labels: a silhouette needs 2 to {len(z) - 1}")
    order, first = np.argsort(coded), np.cumsum(counts) - counts
    z, coded = z[order], coded[order]
    total = 0.0
    for rows, distance in _distances(z):
        sums, own = np.add.reduceat(distance, first, axis=1), coded[rows, None]
        a = np.take_along_axis(sums, own, axis=1)[:, 0] / np.maximum(counts[coded[rows]] - 1, 1)
        to_others = sums / counts
        np.put_along_axis(to_others, own, np.inf, axis=1)
        b = to_others.min(axis=1)
        counted = (counts[coded[rows]] > 1) & (a != b)  # the others add 0
        total += np.sum((b - a)[counted] / np.maximum(a, b)[counted])
    return float(total / len(z))


def shift_ratio(z: np.ndarray, character: np.ndarray) -> float:
    """Mean distance between copies of one character over that between different ones; character: (samples,) labels."""
    z = _rows("z", z)
    _, character, _ = coded_labels("character", character, z=z)
    sums, pairs = np.zeros(2), np.zeros(2)
    for rows, distance in _distances(z):
        same = character[rows, None] == character
        sums += distance[same].sum(), distance[~same].sum()
        pairs += np.count_nonzero(same) - len(same), np.count_nonzero(~same)
    require(bool(pairs.all()), "a shift ratio needs two copies of a character, and two characters")
    require(sums[1] > 0, "all characters are in one place on the map: their shift ratio is not defined")
    return float(np.divide(*(sums / pairs)))


def linear_r2(x: np.ndarray, target: np.ndarray) -> float:
    """The share of a target's variance that a line in x explains: their squared correlation; both (samples,)."""
    x, target = (in_unit(real_array(name, a, "samples")) for name, a in (("x", x), ("target", target)))
    same_length(x=x, target=target)
    varied = np.ptp(x) > 0 and np.ptp(target) > 0
    require(varied, "one of the two quantities is the same for every sample: there is nothing to explain")
    return float(np.corrcoef(x, target)[0, 1] ** 2)


def resultant_length(angle: np.ndarray, target: np.ndarray) -> float:
    """How constant the difference of two angles is: |mean e^{i(angle - target)}|, both (samples,) radians."""
    angle, target = (real_array(name, a, "samples") for name, a in (("angle", angle), ("target", target)))
    same_length(angle=angle, target=target)
    return float(abs(np.mean(np.exp(1j * (angle - target)))))


def share_within(z: np.ndarray, groups: np.ndarray) -> float:
    """The variance of the places within a group over that of all places, both unbiased; groups: (samples,) labels."""
    z = _rows("z", z)
    _, coded, counts = coded_labels("groups", groups, z=z)
    require(len(counts) < len(z), "every sample is a group of its own: nothing varies within one")
    means = np.stack([np.bincount(coded, column) for column in z.T], axis=1) / counts[:, None]
    within, total = np.sum((z - means[coded]) ** 2), np.sum((z - z.mean(axis=0)) ** 2)
    require(total > 0, "all samples are in one place on the map: shares of its variance are not defined")
    return float(within / (len(z) - len(counts)) / (total / (len(z) - 1)))


def similar_neighbours(z: np.ndarray, similar: SimilarityGraph, k: int = 5) -> float:
    """The share of the k nearest others of each sample that are similar to it in the graph, one of as many samples."""
    z = _rows("z", z)
    size = similar.size
    require(size == len(z), f"the graph has {size} samples and the map {len(z)}: take the graph of these samples")
    near = np.sort(SimilarityGraph.of_neighbours(nearest_neighbours(z, k)).pairs)
    return float(np.isin(near @ [size, 1], similar.edges @ [size, 1]).mean())


def pca(x: np.ndarray, dims: int = 2) -> np.ndarray:
    """The linear baseline: coordinates along the `dims` directions of largest variance, (samples, dims)."""
    x = real_array("x", x, "samples", "features")
    dims = whole_number("dims", dims, 1, min(x.shape))
    left, scale, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return left[:, :dims] * scale[:dims]


def _agreement(k: int, threads: int, **spaces: np.ndarray) -> float:
    """How few of the k nearest in the second space have ranks beyond k in the first; see `trustworthiness`."""
    space, other = (_rows(name, x) for name, x in spaces.items())
    same_length(**spaces)
    samples = len(space)
    k = whole_number("k", k, 1, (samples - 1) // 2)
    nearest = nearest_neighbours(other, k, threads)
    blocks = [slice(start, start + BLOCK) for start in range(0, samples, BLOCK)]
    fast = FastDistances(space[:, (space != space[0]).any(axis=0)], np.float64)  # without what is the same everywhere

    # Distances come from matrix products. Where their rounding could decide a rank, they are computed again, difference
    # by difference, so that samples tie in rank if they do in distance.
    def excess(rows: slice) -> int:
        squared = fast.squared(rows, slice(None))
        squared[np.arange(len(squared)), np.arange(samples)[rows]] = np.inf
        of_nearest, doubt = np.take_along_axis(squared, nearest[rows], axis=1), 2 * fast.bound[rows, None]
        edges = np.concatenate([of_nearest - doubt, of_nearest + doubt], axis=1)
        # How many are below each edge. Only those below the last edge are sorted, usually few.
        lines = zip(squared, edges, strict=True)
        below = np.array([np.searchsorted(np.sort(line[line < edge.max()]), edge) for line, edge in lines])
        nearer, unsure = below[:, :k], below[:, k:] - below[:, :k] > 1
        for i in np.flatnonzero(unsure.any(axis=1)):
            row, whom = rows.start + i, unsure[i]
            nearer[i, whom] = _nearer(space, row, nearest[row, whom], squared[i], doubt[i])
        return int(np.maximum(1 + nearer - k, 0).sum(dtype=np.int64))

    beyond = sum(on_threads(excess, blocks, threads))
    return float(1 - 2 / (samples * k * (2 * samples - 3 * k - 1)) * beyond)


def _nearer(space: np.ndarray, i: int, whom: np.ndarray, squared: np.ndarray, doubt: np.ndarray) -> np.ndarray:
    """How many samples are nearer to sample i than each of `whom`, (k,): those within `doubt` are compared exactly."""
    near = np.flatnonzero((np.abs(squared - squared[whom, None]) <= doubt).any(axis=0))
    difference = space[near] - space[i]
    squared[near] = np.square(difference).sum(axis=1)
    return np.count_nonzero(squared < squared[whom, None], axis=1)


def _rows(name: str, x: np.ndarray) -> np.ndarray:
    """`x` (samples, dims) as float64, in a unit that keeps squares in range."""
    return in_unit(real_array(name, x, "samples", "dims"))


def _distances(z: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """BLOCK rows at a time, so that no table of all pairs is ever held, with their distances to all samples."""
    for start in range(0, len(z), BLOCK):
        rows = slice(start, start + BLOCK)
        yield rows, np.sqrt(sum((column[rows, None] - column) ** 2 for column in z.T))
