"""What is measured: the same work by us and by others, at sizes that the figures need."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import StringIO
from unittest.mock import patch

import numpy as np

from drlim_np import verbatim
from drlim_np.bench.given import FLOP, awaited, flat, images, neighbours_on_the_map, on_host, problem, there
from drlim_np.bench.race import Contest, Times, race, timer_of
from drlim_np.checks.terminal import first_line
from drlim_np.data.shifts import SHIFTS, shifted
from drlim_np.fast.all_pairs import DEVICE_TILE, TILE, dissimilar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.fast.tiles import near_together
from drlim_np.graph import SimilarityGraph
from drlim_np.measure.lle import lle
from drlim_np.neighbours import alike_in_any_copy, nearest_neighbour_graph
from drlim_np.networks import convnet
from drlim_np.objective import EveryPair, SampledPairs
from drlim_np.training import SGD, descend, minimise
from drlim_np.tree import tree_map

MARGIN, RATE, NEAREST, VIEWS = 1.0, 0.1, 5, 660
ONE, WIDE = 1.0, 16.0  # margins that a map is wide: all within reach; as Fig. 4's is that was trained on the exact sum
BEGUN = 300  # steps after which a map is as wide as it will be, give or take
HELD = 6_000  # samples: the most of which autograd can hold all pairs


@dataclass(frozen=True)
class Case:
    """A contest at several sizes. build(size, threads) → Contest.

    quick:   sizes for a quick look.    peer: the library it needs.    device: "cuda" for a case of a GPU.
    blas:    whether the threads are those of the matrix library; otherwise it runs on one: threads are ours.
    """

    build: Callable[..., Contest]
    sizes: tuple[int, ...]
    quick: tuple[int, ...]
    peer: str
    threads: tuple[int, ...] = (1, 2)
    blas: bool = False
    device: str = "cpu"

    def contest(self, size: int, threads: int) -> Contest:
        """The contest at a size, on the case's device."""
        return self.build(size, threads, self.device) if self.device != "cpu" else self.build(size, threads)

    @property
    def words(self) -> str:
        """The first line of the case's docstring, and its device."""
        return first_line(self.build) + (", on a GPU" if self.device != "cpu" else "")


def step(images: int, threads: int, device: str = "cpu") -> Contest:
    """forward and all parameter gradients of the network of Fig. 3, float32; size: images"""
    from drlim_np.bench import pytorch

    params, x, dz = problem(images)
    theirs = {
        f"PyTorch, {words}": pytorch.step(params, x, dz, "last" in words, "compiled" in words, device)
        for words in ("eager", "channels last", "compiled", "compiled, channels last")
    }
    params, x, dz = tree_map(there(device), params), there(device)(x), there(device)(dz)
    network = Blockwise(convnet(), threads=threads) if device == "cpu" else Blockwise(convnet(), size=images)
    ours = {"ours": lambda: network(params, x)[1](dz).params}
    return Contest(awaited(ours | theirs, device), flat, images, "images", images * FLOP)


def pairs(samples: int, threads: int, device: str = "cpu") -> Contest:
    """the loss over all dissimilar pairs and its gradient, on a map one margin wide; size: samples"""
    return _pairs(samples, ONE, threads, device)


def spread(samples: int, threads: int) -> Contest:
    """the same on a map 16 margins wide, as a trained one: most tiles lie beyond the margin; size: samples"""
    return _pairs(samples, WIDE, threads)


def _pairs(samples: int, width: float, threads: int, device: str = "cpu") -> Contest:
    from drlim_np.bench import pytorch

    z = width * np.random.default_rng(0).random((samples, 2), dtype=np.float32)
    z = z[near_together(z, TILE)]  # near ones together, for them as for us
    similar = neighbours_on_the_map(z)
    size = TILE if device == "cpu" else DEVICE_TILE
    blocks = partial(pytorch.blocks, z, similar.edges, MARGIN, device=device)
    theirs = {
        "PyTorch, the same blocks": blocks(size, compiled=False),
        "PyTorch, larger blocks, compiled": blocks(2 * size, compiled=True),
    }
    if width > ONE:
        theirs["PyTorch, compiled, passing over the same blocks"] = blocks(size, compiled=True, reach=MARGIN)
    if samples <= HELD and device == "cpu":
        theirs["PyTorch, autograd"] = pytorch.by_autograd(z, similar.edges, MARGIN)
    places = there(device)(z)
    ours = {"ours": lambda: dissimilar_sum(places, similar, MARGIN, threads=threads)}
    contestants = awaited(ours | theirs, device)
    return Contest(contestants, lambda result: on_host(result[1]), similar.dissimilar_count, "pairs")


def neighbours(samples: int, threads: int) -> Contest:
    """the five nearest neighbours of each image of 1,024 pixels, exact; size: images"""
    from sklearn.neighbors import NearestNeighbors

    x = images(samples).reshape(samples, -1)
    search = NearestNeighbors(n_neighbors=NEAREST, algorithm="brute").fit(x)
    contestants = {
        "ours": lambda: nearest_neighbours(x, NEAREST, threads),
        "scikit-learn, brute force": lambda: search.kneighbors(return_distance=False),
    }
    return Contest(contestants, lambda near: np.sort(near, axis=1), samples**2 / 2, "pairs", samples**2 * x.shape[1])


def locally_linear(samples: int, threads: int) -> Contest:
    """locally linear embedding of digits from ten given neighbours each; size: images"""
    from sklearn.manifold import locally_linear_embedding
    from sklearn.neighbors import NearestNeighbors

    x = images(samples).reshape(samples, -1).astype(float)
    near = nearest_neighbours(x, 10)
    and_itself = np.concatenate([np.arange(samples)[:, None], near], axis=1)

    def theirs(solver: str) -> np.ndarray:
        with patch.object(NearestNeighbors, "kneighbors", lambda *_, **__: and_itself):  # its search is not timed
            return locally_linear_embedding(x, n_neighbors=10, n_components=2, eigen_solver=solver, random_state=0)[0]

    contestants = {"ours": lambda: lle(x, near), "scikit-learn, arpack": lambda: theirs("arpack")}
    if samples <= 2_000:
        contestants["scikit-learn, dense"] = lambda: theirs("dense")
    return Contest(contestants, lambda z: np.abs(z), samples, "samples")  # the sign of a direction is free


def figure4(characters: int, threads: int) -> Contest:
    """a training step of Fig. 4, from drawing 128 pairs to the update of W; size: digits"""
    x = images(characters)
    return _sampled(x, nearest_neighbour_graph(x.reshape(characters, -1), NEAREST), threads)


def figure7(samples: int, threads: int) -> Contest:
    """a training step of Figs. 5 and 7, the same way; size: digits with their shifts"""
    return _sampled(*_shifted_digits(samples), threads)


def full(samples: int, threads: int) -> Contest:
    """a training step of Fig. 7 over every pair, against one on 128 drawn pairs; size: digits with their shifts"""
    x, similar = _shifted_digits(samples)
    network = Blockwise(convnet(), threads=threads)
    drawn = SampledPairs(network, x, similar, MARGIN)
    start = network.init(np.random.default_rng(0))
    params, _ = minimise(drawn, start, SGD(RATE, 0.9), BEGUN, np.random.default_rng(1), stream=StringIO())
    contestants = {
        "ours": endless(EveryPair(network, x, similar, MARGIN, "balanced", threads), params),
        f"ours, on {drawn.batch} drawn pairs": endless(drawn, params),
    }
    return Contest(contestants, None, similar.dissimilar_count, "pairs")


def _shifted_digits(samples: int) -> tuple[np.ndarray, SimilarityGraph]:
    x = images(samples // len(SHIFTS))
    similar = alike_in_any_copy(nearest_neighbour_graph(x.reshape(len(x), -1), NEAREST), len(SHIFTS))
    return shifted(x), similar


def _sampled(x: np.ndarray, similar: SimilarityGraph, threads: int) -> Contest:
    from drlim_np.bench import pytorch

    network = Blockwise(convnet(), threads=threads)
    objective = SampledPairs(network, x, similar, MARGIN)
    params = network.init(np.random.default_rng(0))

    contestants = {"ours": endless(objective, params)}
    for name, compiled in {"PyTorch, eager": False, "PyTorch, compiled, channels last": True}.items():
        rng = np.random.default_rng(1)
        contestants[name] = pytorch.sampled_pairs(objective, params, RATE, rng, compiled)
    images = 2 * objective.batch
    return Contest(contestants, lambda step: np.asarray(getattr(step, "loss", step)), images, "images", images * FLOP)


def figure8(updates: int, threads: int) -> Contest:
    """Step 2 of the paper as Fig. 8 has it, W changed after every pair of 660 views; size: pairs"""
    from drlim_np.bench import pytorch

    rng = np.random.default_rng(0)
    azimuth, elevation = rng.integers(18, size=VIEWS), rng.integers(9, size=VIEWS)
    x = rng.standard_normal((VIEWS, VIEWS), dtype=np.float32) / np.sqrt(np.arange(1, VIEWS + 1, dtype=np.float32))
    pairs = verbatim.pair_up(verbatim.similar_views(azimuth, elevation, around=18))
    pairs, rates = rng.permutation(pairs, axis=1)[:, :updates], np.full(updates, verbatim.RATE)
    first = tuple(w.astype(np.float32) for w in verbatim.first_weights(rng, VIEWS))
    A, a, B, b = first
    params = {"hidden": {"weight": A, "bias": a}, "squash": {}, "output": {"weight": B, "bias": b}}

    def ours() -> np.ndarray:
        W = tuple(w.copy() for w in first)
        verbatim.sweep(W, x, pairs, MARGIN, rates)
        return np.concatenate([w.ravel() for w in W])

    theirs = pytorch.pair_by_pair(params, x, pairs, MARGIN, verbatim.RATE)
    return Contest({"ours": ours, "PyTorch, eager": theirs}, np.asarray, updates, "pairs")


def endless(objective, params) -> Callable:
    """A training step at every call."""
    return descend(objective, params, SGD(RATE, 0.9), 10**9, np.random.default_rng(1)).__next__


CASES = {
    "step": Case(step, (64, 256, 1024), (16,), "torch"),
    "pairs": Case(pairs, (512, 6_000, 30_000), (600,), "torch"),
    "spread": Case(spread, (512, 6_000, 30_000), (600,), "torch"),
    "neighbours": Case(neighbours, (6_000, 30_000), (500,), "sklearn"),
    "lle": Case(locally_linear, (2_000, 6_000), (300,), "sklearn", blas=True),
    "figure4": Case(figure4, (6_000,), (300,), "torch"),
    "figure7": Case(figure7, (30_000,), (300,), "torch"),
    "full": Case(full, (6_000, 30_000), (300,), "numpy"),
    "figure8": Case(figure8, (5_000,), (200,), "torch", threads=(1,)),
    "gpu-step": Case(step, (256, 1024), (16,), "torch", threads=(1,), device="cuda"),
    "gpu-pairs": Case(pairs, (6_000, 30_000), (600,), "torch", threads=(1,), device="cuda"),
}


def measured(name: str, size: int, threads: int, rounds: int) -> Times:
    """One contest, in this process."""
    case = CASES[name]
    return race(case.contest(size, threads), rounds, timer_of(threads, case.device != "cpu"))
