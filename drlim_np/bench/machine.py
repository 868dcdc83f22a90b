"""The machine's own bounds, where a training step spends its time, and how memory grows with the samples."""

import resource
import sys
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter

import numpy as np

from drlim_np.bench.cases import MARGIN, NEAREST, WIDE, a_map, digits, images, problem
from drlim_np.bench.race import ROUNDS, clock, timer_of
from drlim_np.fast.all_pairs import dissimilar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.fast.maps import by_row
from drlim_np.fast.patches import as_rows, patches
from drlim_np.networks import convnet
from drlim_np.objective import SampledPairs
from drlim_np.siamese import one_tower
from drlim_np.tree import Gradient

PRODUCT, COPIED = 1024, 1 << 26  # rows and columns of a matrix; bytes
BLOCK = 64  # images


def bounds(threads: int) -> tuple[float, float]:
    """What the machine can do: matrix products in float32, flop/s, and copies, bytes/s, each read and written.

    Each thread has matrices of its own, and memory far larger than its cache. The best of several runs is a bound.
    """
    matrices = np.ones((threads, 3, PRODUCT, PRODUCT), np.float32)
    pieces = np.ones((threads, 2, COPIED), np.uint8)
    timer = timer_of(threads)
    with ThreadPoolExecutor(threads) as pool:

        def fastest(each: Callable[[int], object]) -> float:
            return min(clock(lambda: list(pool.map(each, range(threads))), timer)[0] for _ in range(3 * ROUNDS))

        product = fastest(lambda k: np.matmul(matrices[k, 0], matrices[k, 1], out=matrices[k, 2]))
        copy = fastest(lambda k: np.copyto(pieces[k, 0], pieces[k, 1]))
    return threads * 2 * PRODUCT**3 / product, threads * 2 * COPIED / copy


def by_layer() -> dict[str, tuple[float, int]]:
    """Seconds of each layer of Fig. 3's network, forward and backward, in a step of one block on one thread; and 0."""
    params, x, dz = problem(BLOCK)
    layers = convnet().layers
    first = next(iter(layers))
    spent = defaultdict(list)
    for _ in range(3 + 3 * ROUNDS):
        y, back, pullbacks = x, dz, {}
        for name, layer in layers.items():
            seconds, (y, pullbacks[name]) = clock(partial(layer, params[name], y))
            spent[f"{name} forward"].append(seconds)
        for name in reversed(layers):
            seconds, gradient = clock(partial(pullbacks[name], back, wrt_input=name != first))
            spent[f"{name} backward"].append(seconds)
            back = gradient.input
    return {what: (float(np.median(seconds[3:])), 0) for what, seconds in spent.items()}  # the first three warm up


def by_part() -> dict[str, tuple[float, int]]:
    """The products of C1 and C3 and the passes over C1's output in such a step, each repeated alone: seconds, flop."""
    params, x, _ = problem(BLOCK)
    works = {}
    for name, maps in {"C1": x, "C3": np.ones((BLOCK, 15, 9, 9), np.float32)}.items():
        w = as_rows(params[name]["weight"])
        p = patches(by_row(maps), convnet().layers[name].kernel, maps.shape[3])
        y = w @ p
        flop = 2 * y.size * w.shape[1]
        works[f"{name}: W P"] = partial(np.matmul, w, p), flop
        works[f"{name}: dy Pᵀ"] = partial(np.matmul, y, p.mT), flop
        if name == "C1":
            works["C1's output: tanh"] = partial(np.tanh, y), 0
            works["C1's output: copied"] = partial(np.copy, y), 0
        else:
            works[f"{name}: Wᵀ dy"] = partial(np.matmul, w.T, y), flop
    return {what: (min(clock(work)[0] for _ in range(60 * ROUNDS)), flop) for what, (work, flop) in works.items()}


# ---- each alone in its process: (samples) → what is run ----


def exact_gradient(samples: int) -> Callable:
    x, similar = digits(samples)
    network = Blockwise(convnet())
    params = network.init(np.random.default_rng(0))
    return lambda: one_tower(network, params, x, similar, MARGIN)


def neighbours(samples: int) -> Callable:
    x = images(samples).reshape(samples, -1)
    return lambda: nearest_neighbours(x, NEAREST, threads=2)


def all_pairs(samples: int) -> Callable:
    z, similar = a_map(samples, WIDE)
    return lambda: dissimilar_sum(z, similar, MARGIN, threads=2)


def drawn(samples: int) -> Callable:
    z, similar = a_map(samples, WIDE)
    rng = np.random.default_rng(1)
    objective = SampledPairs(lambda params, x: (x, lambda dz: Gradient({"z": dz}, dz)), z, similar, MARGIN)
    return lambda: [objective({}, rng, 1.0) for _ in range(100)]


STEPS = {
    "exact gradient over all pairs of digits, one thread": (exact_gradient, (6_000,)),
    "five nearest neighbours in 1,024 pixels, two threads": (neighbours, (6_000, 30_000, 60_000)),
    "all pairs of a map 16 margins wide, its graph, two threads": (all_pairs, (6_000, 30_000, 60_000, 300_000)),
    "100 objectives from 128 drawn pairs of such a map, its graph": (drawn, (6_000, 30_000, 60_000, 300_000)),
}


def peak(step: str, samples: int) -> tuple[float, int]:
    """One of STEPS, run in this process: its seconds, and the most bytes that the process has held."""
    seconds, _ = clock(STEPS[step][0](samples), perf_counter)
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
