"""JAX's automatic differentiation of our own forward code, held to our pullbacks in float64, where JAX is installed.

The sums over all pairs of a set are differentiated as a sum over the list of its pairs: tiles look at values, and hold
each sample with itself, at D = 0. There jax.grad gives NaN: it multiplies the slope of the root, infinite, by 0.
"""

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module

import numpy as np

from drlim_np.audit.gradcheck import COMPLEX_BOUND
from drlim_np.audit.numbers import drawn_like
from drlim_np.audit.proof import Proof
from drlim_np.backend import Array
from drlim_np.copies import SampledCopies
from drlim_np.graph import SimilarityGraph, pair_table
from drlim_np.loss import contrastive, dissimilar_loss, energy, similar_loss
from drlim_np.objective import EveryPair, SampledPairs
from drlim_np.siamese import one_tower, two_towers
from drlim_np.tree import Tree, leaves

MARGIN = 1.0


def proofs(layers: list, networks: list, graph: SimilarityGraph, rng: np.random.Generator) -> Iterator[Proof]:
    """Each gradient against jax.grad: layers with the shape of an input, networks with a name and that of a sample."""
    with import_module("jax").enable_x64(True):
        found = [(type(layer).__name__, of_layer(layer, shape, rng)) for layer, shape in layers]
        found += [(name, of_layer(network, (2, *shape), rng)) for name, network, shape in networks]
        found += [("contrastive", _of_pairs(graph, rng))]
        for _, network, shape in networks:
            found += _of_objectives(network, shape, graph, rng)
    for name, off in found:
        bound = f"off by {off:.0e} of its norm, at most {COMPLEX_BOUND:.0e}"
        yield Proof(name, "the gradient is jax.grad of the loss", (), (), off <= COMPLEX_BOUND, bound, "autodiff")


def error(ours: Tree, loss: Callable, arguments: Tree) -> float:
    """How far our gradient is from that of `loss` by JAX, relative to its norm; both are trees like `arguments`."""
    theirs = {name: np.asarray(g) for name, g in leaves(import_module("jax").grad(loss)(arguments))}
    off = sum(np.sum((g - theirs[name]) ** 2) for name, g in leaves(ours))
    return float(np.sqrt(off / sum(np.sum(g**2) for g in theirs.values())))


def of_layer(layer: Callable, shape: tuple[int, ...], rng: np.random.Generator) -> float:
    """Of a layer, through L = Σ v ⊙ layer(params, x), v drawn."""
    params, x = drawn_like(layer.init(rng, np.float64), rng.standard_normal), rng.standard_normal(shape)
    y, pullback = layer(params, x)
    v = rng.standard_normal(y.shape)
    ours = pullback(v, wrt_input=True)._asdict()
    return error(ours, lambda a: (v * layer(a["params"], a["input"])[0]).sum(), {"params": params, "input": x})


def _of_pairs(graph: SimilarityGraph, rng: np.random.Generator) -> float:
    i, j, y = pair_table(graph)
    z = 0.6 * rng.standard_normal((graph.size, 2))  # some pairs are within the margin
    _, *dz = contrastive(z[i], z[j], y, MARGIN)
    ours, ends = (dict(enumerate(two)) for two in (dz, (z[i], z[j])))
    return error(ours, lambda z: contrastive(z[0], z[1], y, MARGIN)[0], ends)


def _of_objectives(network: Callable, shape: tuple, graph: SimilarityGraph, rng: np.random.Generator) -> Iterator:
    """Two towers, one, and each objective as a function of W, by how much each pair attracts and repels in it."""
    params, x = network.init(rng, np.float64), rng.random((graph.size, *shape))
    i, j, y = pair_table(graph)
    drawn = graph.pairs[: graph.listed_count // 2 + 1]
    every, sampled, copies = (form(network, x, graph, MARGIN) for form in (EveryPair, SampledPairs, SampledCopies))
    attract, repel = (_counted(graph.size, i[y == kind], j[y == kind]) for kind in (0, 1))
    # w_i w_j for couples of draws over what they add on average, as SampledPairs has it
    w = np.bincount(drawn.ravel(), minlength=graph.size) * graph.listed_count / graph.degree
    couples = np.outer(w, w) * repel / (len(drawn) * (len(drawn) - 1) * graph.dissimilar_count)
    characters, *weights = copies.weights(drawn)
    half = _counted(graph.size, *drawn.T) / len(drawn) / 2, couples / 2
    for form, (_, gradient), samples, by_pair in [
        ("two towers", two_towers(network, params, x[i], x[j], y, MARGIN), x, (attract, repel)),
        ("embed once", one_tower(network, params, x, graph, MARGIN), x, (attract, repel)),
        ("every pair", every(params, rng, 1.0), x, (attract / len(y), repel / len(y))),
        ("sampled pairs", sampled.from_pairs(drawn, params), x, half),
        ("sampled copies", copies.from_pairs(drawn, params), x[characters], weights),
    ]:
        yield form, error(gradient, partial(_by_the_list, network, samples, *by_pair), params)


def _counted(size: int, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """How often each pair is listed, from either end."""
    count = np.zeros((size, size))
    np.add.at(count, (i, j), 1)
    return count + count.T


def _by_the_list(network: Callable, x: np.ndarray, attract: np.ndarray, repel: np.ndarray, params: Tree) -> Array:
    """Σ_{i<j} a_ij L_S + r_ij L_D."""
    z = network(params, import_module("jax").numpy.asarray(x))[0]
    i, j = np.triu_indices(len(z), 1)
    d = energy(z[i, :], z[j, :])
    return (attract[i, j] * similar_loss(d) + repel[i, j] * dissimilar_loss(d, MARGIN)).sum()
