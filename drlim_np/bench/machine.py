"""The machine's own bound, where a training step spends its time, and how memory grows with the samples."""

import resource
import sys
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter

import numpy as np

from drlim_np.bench import duration, heading, row
from drlim_np.bench.cases import MARGIN, NEAREST, a_map, digits, images, problem
from drlim_np.bench.race import ROUNDS, apart, clock, environment, timer_of
from drlim_np.fast.all_pairs import dissimilar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.fast.maps import by_row
from drlim_np.fast.patches import as_rows, patches
from drlim_np.networks import convnet
from drlim_np.sampled import SampledPairs
from drlim_np.siamese import one_tower
from drlim_np.tree import Gradient

PRODUCT = 1024  # rows and columns of a matrix
BLOCK = 64  # images
WIDE = 16.0  # margins that a map is wide, as Fig. 4's is that was trained on the exact sum


def bound(threads: int) -> float:
    """What the machine can do: flop/s of matrix products in float32, each thread with matrices of its own, at best."""
    matrices = np.ones((threads, 3, PRODUCT, PRODUCT), np.float32)
    with ThreadPoolExecutor(threads) as pool:
        products = partial(pool.map, lambda one: np.matmul(one[0], one[1], out=one[2]), matrices)
        seconds = min(clock(lambda: list(products()), timer_of(threads))[0] for _ in range(3 * ROUNDS))
    return threads * 2 * PRODUCT**3 / seconds


def layers() -> dict[str, tuple[float, int]]:
    """Of a step of a block on one thread: each layer's seconds, and 0; of the products of C1 and C3 alone, and flop."""
    params, x, dz = problem(BLOCK)
    network, spent, found = convnet().layers, defaultdict(list), {}
    for _ in range(3 + 3 * ROUNDS):
        y, back, pullbacks = x, dz, {}
        for name, layer in network.items():
            seconds, (y, pullbacks[name]) = clock(partial(layer, params[name], y))
            spent[f"{name} forward"].append(seconds)
        for name in reversed(network):
            seconds, gradient = clock(partial(pullbacks[name], back, wrt_input=name != "C1"))
            spent[f"{name} backward"].append(seconds)
            back = gradient.input
    for name, maps in {"C1": x, "C3": np.ones((BLOCK, 15, 9, 9), np.float32)}.items():
        w = as_rows(params[name]["weight"])
        p = patches(by_row(maps), network[name].kernel, maps.shape[3])
        y = w @ p
        for what, factors in {"W P": (w, p), "dy Pᵀ": (y, p.mT), "Wᵀ dy": (w.T, y)}.items():
            if (name, what) != ("C1", "Wᵀ dy"):  # of images no gradient is asked
                seconds = min(clock(partial(np.matmul, *factors))[0] for _ in range(60 * ROUNDS))
                found[f"{name}: {what}"] = seconds, 2 * y.size * w.shape[1]
    return {what: (float(np.median(seconds[3:])), 0) for what, seconds in spent.items()} | found  # 3 warm up


STEPS = {
    "gradient": ("exact gradient over all pairs of digits, one thread", (6_000,)),
    "neighbours": ("five nearest neighbours in 1,024 pixels, two threads", (6_000, 30_000, 60_000)),
    "pairs": ("all pairs of a map 16 margins wide, its graph, two threads", (6_000, 30_000, 60_000, 300_000)),
    "drawn": ("100 objectives from 128 drawn pairs of such a map, its graph", (6_000, 30_000, 60_000, 300_000)),
}


def prepared(step: str, samples: int) -> Callable:
    """What one of STEPS runs, its data ready."""
    if step == "gradient":
        network = Blockwise(convnet())
        return partial(one_tower, network, network.init(np.random.default_rng(0)), *digits(samples), MARGIN)
    if step == "neighbours":
        return partial(nearest_neighbours, images(samples).reshape(samples, -1), NEAREST, threads=2)
    if step == "pairs":
        return partial(dissimilar_sum, *a_map(samples, WIDE), MARGIN, threads=2)
    objective = SampledPairs(lambda _, x: (x, lambda dz: Gradient({"z": dz}, dz)), *a_map(samples, WIDE), MARGIN)
    rng = np.random.default_rng(1)
    return lambda: [objective({}, rng, 1.0) for _ in range(100)]


def peak(step: str, samples: int) -> tuple[float, int]:
    """One of STEPS, run in this process: its seconds, and the most bytes that the process has held."""
    seconds, _ = clock(prepared(step, samples), perf_counter)
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def print_layers() -> None:
    """What `layers` finds in a process of its own."""
    title = "Where a training step of 64 images spends its time, on one thread; then its products alone"
    print(heading(title, "what", "time", "share", "products at"))
    found = apart(environment(1), layers)
    whole = sum(seconds for seconds, flop in found.values() if not flop)
    for what, (seconds, flop) in found.items():
        rate = f"{flop / seconds / 1e9:.3g} GFLOP/s" if flop else ""
        print(row(what, duration(seconds), f"{seconds / whole:.0%}", rate))


def print_memory() -> None:
    """The `peak` of every step at every size."""
    print(heading("Each step alone in its process", "step", "samples", "time", "peak memory"))
    for step, (words, sizes) in STEPS.items():
        for size in sizes:
            seconds, held = apart(environment(1), peak, step, size)
            print(row(words, f"{size:,}", duration(seconds), f"{held / 2**30:.2f} GiB"), flush=True)
