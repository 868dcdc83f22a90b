"""The same work by us and by others, at sizes that the figures need: what it is given, the contestants, the table."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import numpy as np

from drlim_np import verbatim
from drlim_np.backend import like, to_host
from drlim_np.bench.race import Contest, Times, race, timer_of
from drlim_np.data import AZIMUTHS, SHIFTS, handwriting, in_their_span, on_canvas, rendering, shifted, split, wide
from drlim_np.errors import InputError
from drlim_np.fast.all_pairs import DEVICE_TILE, TILE, dissimilar_sum, near_together
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.devices import origin
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.fast.sweep import sweep
from drlim_np.graph import SimilarityGraph, alike_in_any_copy, nearest_neighbour_graph
from drlim_np.networks import CONVNET_INPUT, convnet
from drlim_np.sampled import SampledCopies, SampledPairs
from drlim_np.training import SGD, descend
from drlim_np.tree import Tree, leaves, tree_map

MARGIN, RATE, NEAREST = 1.0, 0.1, 5
PAIRS = 20  # of characters, in a step of Fig. 7
DEVICES = {"numpy": "cpu", "cupy": "cuda"}  # PyTorch's, where ours computes by that backend

# Multiplications and additions that an image needs: C1 forward and for its weights; C3 these and back to its input; the
# rest is less than a thousandth.
FLOP = 2 * (2 * 27**2 * 15 * 36 + 3 * 30 * 15 * 81)


def problem(images: int) -> tuple[Tree, np.ndarray, np.ndarray]:
    """Parameters of the network of Fig. 3, images, and a gradient at its output."""
    rng = np.random.default_rng(0)
    params = convnet().init(rng)
    return params, rng.random((images, *CONVNET_INPUT), dtype=np.float32), rng.standard_normal((images, 2), np.float32)


def a_map(samples: int, width: float) -> tuple[np.ndarray, SimilarityGraph]:
    """z (samples, 2) float32, near ones together, and each sample's next few in an order of near ones as similar."""
    z = width * np.random.default_rng(0).random((samples, 2), dtype=np.float32)
    z = z[near_together(z, TILE)]
    order = near_together(z, 8)
    return z, SimilarityGraph(samples, np.concatenate([np.stack([order, np.roll(order, k)], 1) for k in range(1, 6)]))


def images(samples: int) -> np.ndarray:
    """Generated digits on their canvas, (samples, 1, 32, 32) float32."""
    halves = (samples + 1) // 2, samples // 2
    return on_canvas(handwriting.generate(train=halves, test=(1, 1)).train.images)


def digits(samples: int) -> tuple[np.ndarray, SimilarityGraph]:
    """The same, each similar to its nearest."""
    x = images(samples)
    return x, nearest_neighbour_graph(x.reshape(samples, -1), NEAREST)


def step(images: int, threads: int, backend: str = "numpy") -> Contest:
    from drlim_np.bench import pytorch

    kinds = ("eager", "channels last", "compiled", "compiled, channels last")
    theirs = {f"PyTorch, {kind}": pytorch.step(*problem(images), kind, DEVICES[backend]) for kind in kinds}
    return Contest({"ours": our_step(images, threads, backend)} | theirs, flat, images * FLOP)


def our_step(images: int, threads: int, backend: str) -> Callable[[], Tree]:
    """Forward and all gradients of the network of Fig. 3."""
    network = Blockwise(convnet(), threads=threads)
    params, x, dz = (tree_map(partial(like, x=origin(backend)), given) for given in problem(images))
    return lambda: network(params, x)[1](dz).params


def modules(images: int, threads: int) -> Contest:
    """Our own step on every array module that is installed; each ends on the host, because some only then compute."""
    contestants = {}
    for name, backend in {"ours": "numpy", "jax": "jax", "mlx": "mlx", "torch": "torch"}.items():
        with suppress(InputError):  # is not installed
            run = our_step(images, threads, backend)
            contestants[name] = lambda run=run: flat(run())
    return Contest(contestants, np.asarray, images * FLOP)


def pairs(samples: int, threads: int, backend: str = "numpy") -> Contest:
    from drlim_np.bench import pytorch

    z, similar = a_map(samples, MARGIN)
    size, device, places = TILE if backend == "numpy" else DEVICE_TILE, DEVICES[backend], like(z, origin(backend))
    contestants = {
        "ours": lambda: dissimilar_sum(places, similar, MARGIN, threads=threads),
        "PyTorch, the same blocks": pytorch.blocks(z, similar.edges, MARGIN, size, False, device),
        "PyTorch, larger blocks, compiled": pytorch.blocks(z, similar.edges, MARGIN, 2 * size, True, device),
    }
    return Contest(contestants, lambda result: flat(result[1:]))


def neighbours(samples: int, threads: int) -> Contest:
    from sklearn.neighbors import NearestNeighbors

    x = images(samples).reshape(samples, -1)
    search = NearestNeighbors(n_neighbors=NEAREST, algorithm="brute").fit(x)
    contestants = {"ours": partial(nearest_neighbours, x, NEAREST, threads)}
    contestants["scikit-learn, brute force"] = partial(search.kneighbors, return_distance=False)
    return Contest(contestants, lambda near: np.sort(near, axis=1), samples**2 * x.shape[1])


def figure4(samples: int, threads: int) -> Contest:
    objective = SampledPairs(Blockwise(convnet(), threads=threads), *digits(samples), MARGIN)
    return descents(objective, {"PyTorch": objective.x}, 2 * objective.batch * FLOP)


def figure7(samples: int, threads: int) -> Contest:
    x, similar = digits(samples // len(SHIFTS))
    network, similar = Blockwise(convnet(), threads=threads), alike_in_any_copy(similar, len(SHIFTS))
    objective = SampledCopies(network, wide(x), similar, MARGIN, batch=PAIRS)
    return descents(objective, {"PyTorch on images": shifted(x), "PyTorch on wide pictures": objective.x}, 0)


def descents(objective: SampledPairs, theirs: dict[str, np.ndarray], flop: float) -> Contest:
    """A training step at every call; theirs are given these images."""
    from drlim_np.bench import pytorch

    params = objective.network.init(np.random.default_rng(0))
    steps = descend(objective, params, SGD(RATE, 0.9), 10**9, np.random.default_rng(1))
    contestants = {"ours": lambda: np.asarray(next(steps).loss)}
    for who, x in theirs.items():
        for kind in ("eager", "compiled, channels last"):
            contestants[f"{who}, {kind}"] = pytorch.descent(objective, params, x, RATE, kind)
    return Contest(contestants, np.asarray, flop)


def figure8(updates: int, threads: int) -> Contest:
    rng, views = np.random.default_rng(0), rendering.generate()
    inputs, train, _ = split(views, rng)
    x = in_their_span(inputs, train)[0][train]
    pairs = verbatim.pair_up(verbatim.similar_views(views.azimuth[train], views.elevation[train], AZIMUTHS))
    pairs, rates = rng.permutation(pairs, axis=1)[:, :updates], np.full(updates, verbatim.RATE)
    first = [w.astype(np.float32) for w in verbatim.first_weights(rng, len(x))]

    def swept(sweep: Callable) -> np.ndarray:
        W = [w.copy() for w in first]
        sweep(W, x, pairs, MARGIN, rates)
        return flat(W)

    return Contest({"ours": partial(swept, sweep), "the paper's page": partial(swept, verbatim.sweep)}, None)


def flat(arrays) -> np.ndarray:
    """Arrays of ours or theirs, in a tree or one after another, as one vector on the host."""
    arrays = [array for _, array in leaves(arrays)] if isinstance(arrays, dict) else arrays
    return np.concatenate([np.ravel(to_host(array.cpu() if hasattr(array, "cpu") else array)) for array in arrays])


class Case(NamedTuple):
    """A contest at several sizes."""

    build: Callable[[int, int], Contest]  # of a size and a number of threads
    sizes: tuple[int, ...]
    words: str  # the work, and what a size counts
    threads: tuple[int, ...] = (1, 2)


CASES = {
    "step": Case(step, (64, 256, 1024), "gradients of Fig. 3's network, float32; size: images"),
    "modules": Case(modules, (256,), "our step on other array modules, those installed; size: images", (1,)),
    "pairs": Case(pairs, (512, 6_000, 30_000), "loss over all pairs of a map one margin wide; size: samples"),
    "neighbours": Case(neighbours, (6_000, 30_000), "five nearest of 1,024 pixels, exact; size: images"),
    "figure4": Case(figure4, (6_000,), "training step on 128 drawn pairs; size: digits"),
    "figure7": Case(figure7, (30_000,), "the same on 20 pairs of characters; size: their copies"),
    "figure8": Case(figure8, (20_000,), "Step 2 pair by pair, on 660 views; size: pairs", (1,)),
    "gpu-step": Case(partial(step, backend="cupy"), (256, 1024), "step on a GPU; size: images", (1,)),
    "gpu-pairs": Case(partial(pairs, backend="cupy"), (6_000, 30_000), "pairs on a GPU; size: samples", (1,)),
}


def measured(name: str, size: int, threads: int, rounds: int) -> Times:
    """One contest, in this process."""
    return race(CASES[name].build(size, threads), rounds, timer_of(threads, name))
