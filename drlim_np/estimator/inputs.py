"""What `fit` is given, or takes where nothing is: samples, who is similar to whom (Step 1), a network, a generator."""

from typing import Any

import numpy as np

from drlim_np.checks.numbers import coded_labels, finite, plain_array, real_array, same_length, whole_number
from drlim_np.errors import InputError, require
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.graph import SimilarityGraph, nearest_neighbour_graph
from drlim_np.layers import Linear, Sequential, Tanh
from drlim_np.tree import Tree

MOST = 2**25  # pairs that labels may list: half a gigabyte
WIDTH = 100  # of a hidden layer


def samples(name: str, x: Any, least: int = 1) -> np.ndarray:
    """`x`, such as a table, as (samples, features) or (samples, maps, height, width), float64 unless it is float32."""
    require(not hasattr(x, "toarray"), f"{name} is sparse: give a dense array, such as {name}.toarray()")
    x = plain_array(name, x)
    require(x.dtype.kind != "c", f"Complex data not supported: give the real and imaginary parts of {name} as features")
    shapes = f"{name} has shape {x.shape}: it must be (samples, features) or (samples, height, width)"
    remedy = f"Reshape your data: {name}.reshape(-1, 1) is one feature, {name}.reshape(1, -1) one sample"
    require(x.ndim in (2, 3, 4), f"{shapes}. {remedy}")
    require(len(x) >= least, f"{name} has n_samples={len(x)}: at least {least} are needed")
    empty = f"0 feature(s) (shape={x.shape}) while a minimum of 1 is required: {name} is empty"
    require(x[:1].size > 0 or len(x) == 0, empty)
    finite(name, x)
    dtype = np.float32 if x.dtype == np.float32 else np.float64
    try:
        x = x.astype(np.float64) if x.dtype.kind in "OSUT" else x
    except (TypeError, ValueError) as fault:  # of their own kinds, as scikit-learn wants them
        raise type(fault)(f"{name} must hold real numbers: {fault}") from None
    x = real_array(name, x).astype(dtype, copy=False)
    return x[:, None] if x.ndim == 3 else x


def feature_names(x: Any) -> list[str]:
    """The names of a table's columns, if they are texts."""
    names = list(getattr(x, "columns", ()))
    texts = [name for name in names if isinstance(name, str)]
    require(texts in ([], names), "X has feature names that are texts and others: rename by X.columns.astype(str)")
    return texts


def centre_and_scale(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean (features,) of rows (samples, features), their deviation () from it, and which vary (features,): 0 or 1.

    In float64, from the first row on, so that one value far from 0 leaves exactly 0. Only features that vary count in
    the deviation; where none does, it is 1, and all count as if they did.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean = rows[0] + (rows - rows[0].astype(float)).mean(axis=0)
        rest = rows - mean
    unit = np.abs(rest).max() or 1.0  # in it no square leaves the range
    require(bool(np.isfinite(unit)), f"X is too large for {rest.dtype}: divide it by its largest value")
    varied = (rest != 0).any(axis=0)
    varied |= not varied.any()
    return mean, unit * np.sqrt(np.square(rest[:, varied] / unit).mean()) or np.ones(()), varied.astype(float)


def similar_among(x: np.ndarray, labels: Any = None, similar: Any = None, n_neighbors: int = 5) -> SimilarityGraph:
    """The graph of x (samples, features), as `DrLIM.fit` says; each pair of one label is listed once, up to MOST."""
    if isinstance(similar, SimilarityGraph):
        same_length(X=x, y=x if labels is None else labels)
        return similar
    if similar is not None:
        remedy = "list the similar ones alone, or give a SimilarityGraph, next to which y is not used"
        require(labels is None, f"y is given with pairs, all of which are similar: {remedy}")
        sparse = hasattr(similar, "tocoo")
        return SimilarityGraph(len(x), np.stack(similar.tocoo().coords, axis=1) if sparse else similar)
    if labels is None:
        return nearest_neighbour_graph(x, whole_number("n_neighbors", n_neighbors, 1, len(x) - 2))
    distinct, coded, counts = coded_labels("y", labels, X=x)
    require(distinct.tolist() != [-1, 1], "y holds -1 and 1 alone, but -1 is unlabelled: give 0 and 1 for two classes")
    together = (counts > 1) & (distinct != -1)
    listed = sum(n * (n - 1) // 2 for n in counts[together].tolist())  # in Python's integers: NumPy's may have 32 bits
    require(listed <= MOST, f"y lists {listed:,} similar pairs: fit a part of the samples, or list fewer by similar=")
    groups = zip(np.split(np.argsort(coded, kind="stable"), np.cumsum(counts)[:-1]), together, strict=True)
    pairs = [members[np.stack(np.triu_indices(len(members), 1), axis=1)] for members, kept in groups if kept]
    alone = np.flatnonzero(~together[coded])
    if len(alone):
        k = whole_number("n_neighbors", n_neighbors, 1, len(x) - 2)
        pairs.append(np.stack([np.repeat(alone, k), nearest_neighbours(x, k)[alone].ravel()], axis=1))
    return SimilarityGraph(len(x), np.concatenate(pairs))


def network_of(given: Any, inputs: int, outputs: int) -> Any:
    """The network that was given, or else two hidden layers of tanh, which reach a lower objective than one."""
    if given is None:
        first, second, last = Linear(inputs, WIDTH), Linear(WIDTH, WIDTH), Linear(WIDTH, outputs)
        return Sequential(hidden1=first, squash1=Tanh(), hidden2=second, squash2=Tanh(), output=last)
    layer = callable(given) and hasattr(given, "init") and not isinstance(given, type)
    require(layer, f"network is {given!r}: give a layer of drlim_np.layers, such as networks.convnet()")
    return given


def require_outputs(network: Any, params: Tree, x: np.ndarray, outputs: int) -> None:
    """The network takes x, one sample, and gives one row of as many outputs."""
    hint = "; networks.convnet takes images of 32×32, as data.on_canvas makes them" if x.ndim == 4 else ""
    try:
        given = network(params, x)[0].shape
    except InputError as fault:
        raise InputError(f"network takes no sample of shape {x.shape[1:]}: {fault}{hint}") from None
    require(given == (1, outputs), f"network gives {given}: n_components asks for (1, {outputs}){hint}")


def generator(random_state: Any) -> np.random.Generator:
    """From None, a seed or a generator."""
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise InputError(f"random_state is {random_state!r}: give None, a seed from 0 on, or a generator") from None
