"""Automatic differentiation of our own forward code, by JAX and PyTorch, held to our pullbacks in float64.

The sums over all pairs of a set are differentiated as a sum over the list of its pairs: tiles look at values, and hold
each sample with itself, at D = 0. There both give NaN: they multiply the slope of the root, infinite, by 0.
"""

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from drlim_np.audit.catalogue import LAYERS, MARGIN, NETWORKS, pairs_around_the_margin, small_graph
from drlim_np.audit.gradcheck import COMPLEX_BOUND
from drlim_np.audit.numbers import drawn_like
from drlim_np.audit.proof import Proof
from drlim_np.backend import Array, like
from drlim_np.graph import pair_table
from drlim_np.loss import contrastive, dissimilar_loss, energy, similar_loss
from drlim_np.objective import EveryPair
from drlim_np.sampled import SampledCopies, SampledPairs
from drlim_np.siamese import one_tower, two_towers
from drlim_np.tree import Tree, leaves, tree_map


def libraries() -> list[str]:
    """Those of JAX and PyTorch that are installed; PyTorch's arrays need array-api-compat."""
    needs = {"jax": ("jax",), "torch": ("torch", "array_api_compat")}
    return [library for library, modules in needs.items() if all(map(find_spec, modules))]


def proofs(library: str, seed: int = 0, layers: list = LAYERS, networks: list = NETWORKS) -> Iterator[Proof]:
    """Each gradient against the library's: layers with the shape of an input, networks with a name and a sample's."""
    rng = np.random.default_rng(seed)
    forms = [(type(layer).__name__, *of_layer(layer, shape, rng)) for layer, shape in layers]
    forms += [(name, *of_layer(network, (2, *shape), rng)) for name, network, shape in networks]
    z1, z2, y = pairs_around_the_margin(rng)
    ends, dz = {1: z1, 2: z2}, dict(zip((1, 2), contrastive(z1, z2, y, MARGIN)[1:], strict=True))
    forms += [("contrastive", dz, lambda z: contrastive(z[1], z[2], y, MARGIN)[0], ends)]
    for of, network, shape in networks:
        forms += [(f"{form}, {of}", *what) for form, *what in _of_objectives(network, shape, rng)]
    for name, *what in forms:
        share = error(library, *what)
        bound = f"off by {share:.0e} of its norm, at most {COMPLEX_BOUND:.0e}"
        yield Proof(name, f"the gradient is {library}'s", (), share <= COMPLEX_BOUND, bound, "autodiff")


def gradient(library: str, loss: Callable, arguments: Tree) -> Tree:
    """dloss/darguments by JAX or PyTorch, back on the host."""
    module = import_module(library)
    if library == "jax":
        with module.enable_x64(True):
            return tree_map(np.asarray, module.grad(loss)(arguments))
    given = tree_map(lambda x: module.tensor(x, requires_grad=True), arguments)
    loss(given).backward()
    return tree_map(lambda x: x.grad.numpy(), given)


def error(library: str, ours: Tree, loss: Callable, arguments: Tree) -> float:
    """How far our gradient is from that of `loss` by the library, relative to its norm; both are like `arguments`."""
    theirs = dict(leaves(gradient(library, loss, arguments)))
    off = sum(np.sum((g - theirs[name]) ** 2) for name, g in leaves(ours))
    return float(np.sqrt(off / sum(np.sum(g**2) for g in theirs.values())))


def of_layer(layer: Callable, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Tree, Callable, Tree]:
    """For `error`: the gradient of a layer through L = Σ v ⊙ layer(params, x), v drawn; L; and what it depends on."""
    params, x = drawn_like(layer.init(rng, np.float64), rng.standard_normal), rng.standard_normal(shape)
    y, pullback = layer(params, x)
    v = rng.standard_normal(y.shape)

    def loss(given: Tree) -> Array:
        y, _ = layer(given["params"], given["input"])
        return (like(v, y) * y).sum()

    return pullback(v, wrt_input=True)._asdict(), loss, {"params": params, "input": x}


def _of_objectives(network: Callable, shape: tuple[int, ...], rng: np.random.Generator) -> Iterator[tuple]:
    """Two towers, one, and each objective as a function of W, by how much each pair attracts and repels in it."""
    graph = small_graph(6)
    params, x = network.init(rng, np.float64), rng.random((6, *shape))
    i, j, y = pair_table(graph)
    drawn = graph.pairs[: graph.listed_count // 2 + 1]
    every, sampled, copies = (form(network, x, graph, MARGIN) for form in (EveryPair, SampledPairs, SampledCopies))

    def counted(pairs: np.ndarray) -> np.ndarray:
        count = np.bincount(pairs @ [6, 1], np.ones(len(pairs)), minlength=36).reshape(6, 6)
        return count + count.T

    attract, repel = (counted(np.stack([i, j], axis=1)[y == kind]) for kind in (0, 1))
    # w_i w_j for couples of draws over what they add on average, as SampledPairs has it
    w = np.bincount(drawn.ravel(), minlength=6) * graph.listed_count / graph.degree
    couples = np.outer(w, w) * repel / (len(drawn) * (len(drawn) - 1) * graph.dissimilar_count)
    characters, *weights = copies.weights(drawn)
    for form, (_, gradient), samples, by_pair in [
        ("two towers", two_towers(network, params, x[i], x[j], y, MARGIN), x, (attract, repel)),
        ("embed once", one_tower(network, params, x, graph, MARGIN), x, (attract, repel)),
        ("every pair", every(params, rng, 1.0), x, (attract / len(y), repel / len(y))),
        ("sampled pairs", sampled.from_pairs(drawn, params), x, (counted(drawn) / len(drawn) / 2, couples / 2)),
        ("sampled copies", copies.from_pairs(drawn, params), x[characters], weights),
    ]:
        yield form, gradient, partial(_by_the_list, network, samples, *by_pair), params


def _by_the_list(network: Callable, x: np.ndarray, attract: np.ndarray, repel: np.ndarray, params: Tree) -> Array:
    """Σ_{i<j} a_ij L_S + r_ij L_D."""
    _, w = next(leaves(params))
    z, _ = network(params, like(x, w))
    i, j = np.triu_indices(len(z), 1)
    d = energy(z[i, :], z[j, :])
    return (like(attract[i, j], d) * similar_loss(d) + like(repel[i, j], d) * dissimilar_loss(d, MARGIN)).sum()
