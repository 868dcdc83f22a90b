"""The same work by us and by others, at sizes that the figures need: what it is given, the contestants, the table."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import StringIO
from typing import NamedTuple

import numpy as np

from drlim_np import verbatim
from drlim_np.backend import Array, like, to_host
from drlim_np.bench.race import Contest, Times, race, timer_of
from drlim_np.copies import SampledCopies
from drlim_np.data import handwriting
from drlim_np.data.canvas import on_canvas
from drlim_np.data.shifts import SHIFTS, shifted, wide
from drlim_np.errors import InputError
from drlim_np.fast.all_pairs import DEVICE_TILE, TILE, dissimilar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.devices import origin
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.fast.tiles import near_together
from drlim_np.graph import SimilarityGraph
from drlim_np.neighbours import alike_in_any_copy, nearest_neighbour_graph
from drlim_np.networks import CONVNET_INPUT, convnet
from drlim_np.objective import EveryPair, SampledPairs
from drlim_np.training import SGD, descend, minimise
from drlim_np.tree import Tree, leaves, tree_map

MARGIN, RATE, NEAREST, VIEWS = 1.0, 0.1, 5, 660
PAIRS = 20  # of characters, in a step of Fig. 7
STEP_KINDS = ("eager", "compiled, channels last")
ONE, WIDE = 1.0, 16.0  # margins that a map is wide: all within reach; as Fig. 4's is that was trained on the exact sum
BEGUN = 300  # steps after which a map is as wide as it will be, give or take

# Multiplications and additions that an image needs: C1 forward and for its weights; C3 these and back to its input; the
# rest is less than a thousandth.
FLOP = 2 * (2 * 27**2 * 15 * 36 + 3 * 30 * 15 * 81)

# ---- what the work is done on ----


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


def digits(samples: int) -> tuple[np.ndarray, SimilarityGraph]:
    """Generated digits on their canvas, (samples, 1, 32, 32) float32, each similar to its nearest."""
    x = images(samples)
    return x, nearest_neighbour_graph(x.reshape(samples, -1), NEAREST)


def shifted_digits(samples: int) -> tuple[np.ndarray, SimilarityGraph]:
    """Generated digits as pictures of five copies each, (samples / 5, 1, 32, 44), and Fig. 7's graph of the copies."""
    x, similar = digits(samples // len(SHIFTS))
    return wide(x), alike_in_any_copy(similar, len(SHIFTS))


def images(samples: int) -> np.ndarray:
    """Generated digits on their canvas, (samples, 1, 32, 32) float32."""
    halves = (samples + 1) // 2, samples // 2
    return on_canvas(handwriting.generate(train=halves, test=(1, 1)).train.images)


# ---- the contestants, (size, threads) → Contest ----


def step(images: int, threads: int, device: str = "cpu") -> Contest:
    from drlim_np.bench import pytorch

    params, x, dz = problem(images)
    kinds = ("eager", "channels last", "compiled", "compiled, channels last")
    theirs = {f"PyTorch, {kind}": pytorch.step(params, x, dz, kind, device) for kind in kinds}
    network = Blockwise(convnet(), threads=threads)
    params, x, dz = tree_map(partial(on, device), params), on(device, x), on(device, dz)
    ours = {"ours": lambda: network(params, x)[1](dz).params}
    return Contest(ours | theirs, flat, images * FLOP)


def modules(images: int, threads: int) -> Contest:
    """Our own step on every array module that is installed; each ends on the host, because some only then compute."""
    network, contestants = Blockwise(convnet(), threads=threads), {}
    for backend in ("numpy", "jax", "mlx", "torch"):
        with suppress(InputError):  # is not installed
            given = [tree_map(partial(like, x=origin(backend)), array) for array in problem(images)]
            contestants[backend] = lambda given=given: flat(network(*given[:2])[1](given[2]).params)
    return Contest({"ours": contestants.pop("numpy")} | contestants, np.asarray, images * FLOP)


def pairs(samples: int, threads: int, width: float = ONE, device: str = "cpu") -> Contest:
    from drlim_np.bench import pytorch

    z, similar = a_map(samples, width)
    size = TILE if device == "cpu" else DEVICE_TILE
    blocks = partial(pytorch.blocks, z, similar.edges, MARGIN, device=device)
    theirs = {
        "PyTorch, the same blocks": blocks(size, compiled=False),
        "PyTorch, larger blocks, compiled": blocks(2 * size, compiled=True),
    }
    if width > ONE:
        theirs["PyTorch, compiled, passing over the same blocks"] = blocks(size, compiled=True, reach=MARGIN)
    places = on(device, z)
    ours = {"ours": lambda: dissimilar_sum(places, similar, MARGIN, threads=threads)}
    return Contest(ours | theirs, lambda result: flat(result[1:]))


def neighbours(samples: int, threads: int) -> Contest:
    from sklearn.neighbors import NearestNeighbors

    x = images(samples).reshape(samples, -1)
    search = NearestNeighbors(n_neighbors=NEAREST, algorithm="brute").fit(x)
    contestants = {
        "ours": lambda: nearest_neighbours(x, NEAREST, threads),
        "scikit-learn, brute force": lambda: search.kneighbors(return_distance=False),
    }
    return Contest(contestants, lambda near: np.sort(near, axis=1), samples**2 * x.shape[1])


def figure4(samples: int, threads: int) -> Contest:
    from drlim_np.bench import pytorch

    network = Blockwise(convnet(), threads=threads)
    objective = SampledPairs(network, *digits(samples), MARGIN)
    params = network.init(np.random.default_rng(0))
    contestants = {"ours": endless(objective, params)}
    for kind in STEP_KINDS:
        contestants[f"PyTorch, {kind}"] = pytorch.sampled_pairs(objective, params, RATE, np.random.default_rng(1), kind)
    return Contest(contestants, loss_of, 2 * objective.batch * FLOP)


def figure7(samples: int, threads: int) -> Contest:
    from drlim_np.bench import pytorch

    network = Blockwise(convnet(), threads=threads)
    objective = SampledCopies(network, *shifted_digits(samples), MARGIN, batch=PAIRS)
    params = network.init(np.random.default_rng(0))
    pictures = objective.x
    contestants = {"ours": endless(objective, params)}
    for what, x in {"images": shifted(pictures[..., 6:-6]), "wide pictures": pictures}.items():
        for kind in STEP_KINDS:
            rng = np.random.default_rng(1)
            theirs = pytorch.sampled_copies(objective, params, x, RATE, rng, kind)
            contestants[f"PyTorch on {what}, {kind}"] = theirs
    return Contest(contestants, loss_of)


def full(samples: int, threads: int) -> Contest:
    x, similar = shifted_digits(samples)
    network = Blockwise(convnet(), threads=threads)
    objective = SampledCopies(network, x, similar, MARGIN, batch=PAIRS)
    start = network.init(np.random.default_rng(0))
    params, _ = minimise(objective, start, SGD(RATE, 0.9), BEGUN, np.random.default_rng(1), stream=StringIO())
    contestants = {
        "ours": endless(EveryPair(network, x, similar, MARGIN, "balanced", threads), params),
        f"ours, on {objective.batch} drawn pairs": endless(objective, params),
    }
    return Contest(contestants, None)


def figure8(updates: int, threads: int) -> Contest:
    from drlim_np.bench import pytorch

    rng = np.random.default_rng(0)
    azimuth, elevation = rng.integers(18, size=VIEWS), rng.integers(9, size=VIEWS)
    x = rng.standard_normal((VIEWS, VIEWS), dtype=np.float32) / np.sqrt(np.arange(1, VIEWS + 1, dtype=np.float32))
    pairs = verbatim.pair_up(verbatim.similar_views(azimuth, elevation, around=18))
    pairs, rates = rng.permutation(pairs, axis=1)[:, :updates], np.full(updates, verbatim.RATE)
    first = [w.astype(np.float32) for w in verbatim.first_weights(rng, VIEWS)]

    def ours() -> np.ndarray:
        W = [w.copy() for w in first]
        verbatim.sweep(W, x, pairs, MARGIN, rates)
        return flat(W)

    theirs = pytorch.pair_by_pair(first, x, pairs, MARGIN, verbatim.RATE)
    return Contest({"ours": ours, "PyTorch, eager": theirs}, np.asarray)


def loss_of(step) -> np.ndarray:
    """Of a step of ours or theirs."""
    return np.asarray(getattr(step, "loss", step))


def endless(objective: Callable, params: Tree) -> Callable:
    """A training step at every call."""
    return descend(objective, params, SGD(RATE, 0.9), 10**9, np.random.default_rng(1)).__next__


def on(device: str, array: np.ndarray) -> Array:
    """The array on the processor ("cpu"), or by CuPy on a GPU ("cuda")."""
    return array if device == "cpu" else like(array, origin("cupy"))


def flat(arrays) -> np.ndarray:
    """Arrays of ours or theirs, in a tree or one after another, as one vector on the host."""
    arrays = [array for _, array in leaves(arrays)] if isinstance(arrays, dict) else arrays
    return np.concatenate([np.ravel(to_host(array.cpu() if hasattr(array, "cpu") else array)) for array in arrays])


# ---- the table ----


class Case(NamedTuple):
    """A contest at several sizes. build(size, threads) → Contest.

    peer:  the library it needs.
    words: the work, and what a size counts.
    """

    build: Callable[[int, int], Contest]
    sizes: tuple[int, ...]
    peer: str
    words: str
    threads: tuple[int, ...] = (1, 2)


CASES = {
    "step": Case(step, (64, 256, 1024), "torch", "gradients of Fig. 3's network, float32; size: images"),
    "modules": Case(modules, (256,), "numpy", "our step on other array modules, those installed; size: images", (1,)),
    "pairs": Case(pairs, (512, 6_000, 30_000), "torch", "loss over all pairs of a map one margin wide; size: samples"),
    "spread": Case(partial(pairs, width=WIDE), (512, 6_000, 30_000), "torch", "the same on a map 16 margins wide"),
    "neighbours": Case(neighbours, (6_000, 30_000), "sklearn", "five nearest of 1,024 pixels, exact; size: images"),
    "figure4": Case(figure4, (6_000,), "torch", "training step on 128 drawn pairs; size: digits"),
    "figure7": Case(figure7, (30_000,), "torch", "the same on 20 pairs of characters; size: their copies"),
    "full": Case(full, (6_000, 30_000), "numpy", "training step over every pair of these, against one on drawn pairs"),
    "figure8": Case(figure8, (5_000,), "torch", "Step 2 pair by pair, on 660 views; size: pairs", threads=(1,)),
    "gpu-step": Case(partial(step, device="cuda"), (256, 1024), "torch", "step on a GPU; size: images", (1,)),
    "gpu-pairs": Case(partial(pairs, device="cuda"), (6_000, 30_000), "torch", "pairs on a GPU; size: samples", (1,)),
}


def measured(name: str, size: int, threads: int, rounds: int) -> Times:
    """One contest, in this process."""
    return race(CASES[name].build(size, threads), rounds, timer_of(threads, name))
