"""Step 1 for the estimator: who is similar to whom, from pairs, from labels, or from the samples themselves."""

from math import prod
from typing import Any

import numpy as np

from drlim_np.checks.numbers import finite, plain_array, real_array, same_length, whole_number
from drlim_np.errors import InputError
from drlim_np.fast.knn import in_unit, nearest_neighbours
from drlim_np.fast.memory import require_memory
from drlim_np.graph import SimilarityGraph
from drlim_np.neighbours import nearest_neighbour_graph

MOST = 2**25  # pairs that labels may list: half a gigabyte
FOUND = 30  # samples nearest to each that PyNNDescent looks for, itself among them; its default
OWN = 1200  # bytes that its index takes for each sample; each entry of x takes 16, mostly for copies


def similar_among(
    x: np.ndarray, labels: Any = None, similar: SimilarityGraph | Any = None, n_neighbors: int = 5
) -> SimilarityGraph:
    """The graph of x (samples, features): `similar` itself if given, a graph or (pairs, 2); or from labels (samples,).

    Samples of one label are similar, each pair listed once; one that is alone with its label is similar to its
    n_neighbors nearest. Without either, every sample is. Raises InputError for labels that list more than MOST pairs.
    """
    if similar is not None:
        return similar if isinstance(similar, SimilarityGraph) else SimilarityGraph(len(x), similar)
    k = whole_number("n_neighbors", n_neighbors, 1, len(x) - 1)
    if labels is None:
        return nearest_neighbour_graph(x, k)
    labels = plain_array("y", labels, "samples")
    same_length(X=x, y=labels)
    if labels.dtype.kind == "f":
        finite("y", labels)
    _, coded, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if (listed := int(np.sum(counts * (counts - 1) // 2))) > MOST:
        raise InputError(f"y lists {listed:,} similar pairs: fit a part of the samples, or list fewer by similar=")
    order, pairs = np.argsort(coded, kind="stable"), []
    for members in np.split(order, np.cumsum(counts)[:-1]):
        pairs.append(members[np.stack(np.triu_indices(len(members), 1), axis=1)])
    alone = np.flatnonzero(counts[coded] == 1)
    if len(alone):
        pairs.append(np.stack([np.repeat(alone, k), nearest_neighbours(x, k)[alone].ravel()], axis=1))
    return SimilarityGraph(len(x), np.concatenate(pairs))


def approximate_graph(x: np.ndarray, k: int = 5, threads: int = 1) -> SimilarityGraph:
    """Nearly `nearest_neighbour_graph`: each sample of x (samples, features) with k of its nearest, few of them missed.

    To be given to `fit` as `similar`; it pays from tens of thousands of samples on (bench/README.md says how far).
    Dong, Charikar, Li, WWW 2011, in float32 by PyNNDescent. Raises InputError where that is missing, for a k outside
    1 … 29 or of samples and more, for an x that is not (samples, features), finite and real, and where memory is short.
    """
    shape = getattr(x, "shape", ())
    needed = 16 * prod(shape) + OWN * prod(shape[:1])
    require_memory(needed, f"the index of neighbours in an x of shape {shape}")
    x = in_unit(real_array("x", x, "samples", "features"))
    found = min(FOUND, len(x))
    k = whole_number("k", k, 1, found - 1)
    try:
        from pynndescent import NNDescent
    except ImportError as fault:
        raise InputError('PyNNDescent is missing: run pip install ".[approximate]"') from fault
    near, _ = NNDescent(x, n_neighbors=found, n_jobs=threads, random_state=0).neighbor_graph
    own = near == np.arange(len(x))[:, None]  # first, but for samples of which there are copies
    near = np.take_along_axis(near, np.argsort(own, axis=1, kind="stable"), axis=1)[:, :k]
    return SimilarityGraph(len(x), np.stack([np.repeat(np.arange(len(x)), k), near.ravel()], axis=1))
