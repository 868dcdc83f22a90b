"""What `fit` is given, or takes where nothing is: samples, who is similar to whom (Step 1), a network, a generator."""

from typing import Any

import numpy as np

from drlim_np.checks.numbers import finite, native, plain_array, same_length, whole_number
from drlim_np.errors import require
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Linear, Sequential, Tanh
from drlim_np.neighbours import nearest_neighbour_graph

MOST = 2**25  # pairs that labels may list: half a gigabyte


def samples(name: str, x: Any, least: int = 1) -> np.ndarray:
    """`x`, such as a table or lists, as float32 if it is that, else as float64.

    Rows (samples, features), or images (samples, height, width), or (samples, maps, height, width); at least `least`.
    """
    require(not hasattr(x, "toarray"), f"{name} is sparse: give a dense array, such as {name}.toarray()")
    require(not np.ma.is_masked(x), f"{name} has masked entries: leave them out, or fill them in")
    x = native(np.asarray(x))
    remedy = "give its real and imaginary parts as features"
    require(x.dtype.kind != "c", f"Complex data not supported: {name} is {x.dtype}, {remedy}")
    x = x.astype(np.float32 if x.dtype == np.float32 else np.float64)
    shapes = f"{name} has shape {x.shape}: it must be (samples, features) or (samples, height, width)"
    remedy = f"Reshape your data: {name}.reshape(-1, 1) is one feature, {name}.reshape(1, -1) one sample"
    require(x.ndim in (2, 3, 4), f"{shapes}. {remedy}")
    require(len(x) >= least, f"{name} has n_samples={len(x)}: at least {least} are needed")
    empty = f"0 feature(s) (shape={x.shape}) while a minimum of 1 is required: {name} is empty"
    require(x[:1].size > 0 or len(x) == 0, empty)
    finite(name, x)
    return x


def similar_among(
    x: np.ndarray, labels: Any = None, similar: SimilarityGraph | Any = None, n_neighbors: int = 5
) -> SimilarityGraph:
    """The graph of x (samples, features): `similar` itself if given, a graph or (pairs, 2); or from labels (samples,).

    Samples of one label are similar, each pair listed once; one that is alone with its label is similar to its
    n_neighbors nearest. Without either, every sample is similar to those. Labels may list up to MOST pairs.
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
    listed = sum(n * (n - 1) // 2 for n in counts.tolist())  # in Python's integers: NumPy's may have 32 bits
    remedy = "fit a part of the samples, or list fewer by similar="
    require(listed <= MOST, f"y lists {listed:,} similar pairs: {remedy}")
    groups = np.split(np.argsort(coded, kind="stable"), np.cumsum(counts)[:-1])
    pairs = [members[np.stack(np.triu_indices(len(members), 1), axis=1)] for members in groups]
    alone = np.flatnonzero(counts[coded] == 1)
    if len(alone):
        pairs.append(np.stack([np.repeat(alone, k), nearest_neighbours(x, k)[alone].ravel()], axis=1))
    return SimilarityGraph(len(x), np.concatenate(pairs))


def default_network(inputs: int, outputs: int, width: int = 100) -> Sequential:
    """Two hidden layers of tanh: on a swiss roll and on small digits they reach a lower objective than one does."""
    hidden1, hidden2 = Linear(inputs, width), Linear(width, width)
    return Sequential(hidden1=hidden1, squash1=Tanh(), hidden2=hidden2, squash2=Tanh(), output=Linear(width, outputs))


def generator(random_state: Any) -> np.random.Generator:
    """From None, a seed or a generator; a RandomState, as scikit-learn's users have it, seeds one."""
    old = isinstance(random_state, np.random.RandomState)
    return np.random.default_rng(random_state.randint(2**31) if old else random_state)
