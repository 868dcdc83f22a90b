"""The machine's own bounds, and where a training step spends its time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, process_time

import numpy as np

from drlim_np.bench import fresh
from drlim_np.bench.race import ROUNDS, clock
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.maps import by_row
from drlim_np.fast.patches import as_rows, patches
from drlim_np.networks import convnet

PRODUCT, COPIED = 1024, 1 << 26  # rows and columns of a matrix; bytes


def bounds(threads: int) -> dict[str, float]:
    """What the machine can do on `threads` threads: matrix products in float32, flop/s, and copies, bytes/s.

    Each thread multiplies matrices of its own, and copies a piece of memory far larger than its cache, of which every
    byte is read and written. The best of several runs, because a bound is sought.
    """
    matrices = np.ones((threads, 3, PRODUCT, PRODUCT), np.float32)
    pieces = np.ones((threads, 2, COPIED), np.uint8)
    timer = perf_counter if threads > 1 else process_time
    with ThreadPoolExecutor(threads) as pool:

        def fastest(each: Callable[[int], object]) -> float:
            return min(clock(lambda: list(pool.map(each, range(threads))), timer)[0] for _ in range(3 * ROUNDS))

        product = fastest(lambda k: np.matmul(matrices[k, 0], matrices[k, 1], out=matrices[k, 2]))
        copy = fastest(lambda k: np.copyto(pieces[k, 0], pieces[k, 1]))
    return {"flops": threads * 2 * PRODUCT**3 / product, "bytes": threads * 2 * COPIED / copy}


def by_layer(images: int = 256) -> dict[str, list[float]]:
    """Of a training step of the network of Fig. 3 on one thread, seconds in each layer: name → forward, backward."""
    params, x, dz = fresh.problem(images)
    network, size = convnet(), Blockwise(convnet()).size
    spent = {name: [] for name in network.layers}

    def round_() -> dict[str, np.ndarray]:
        seconds = {name: np.zeros(2) for name in network.layers}
        for start in range(0, images, size):
            here, pullbacks = x[start : start + size], {}
            for name, layer in network.layers.items():
                elapsed, (here, pullbacks[name]) = clock(lambda layer=layer, name=name, y=here: layer(params[name], y))
                seconds[name][0] += elapsed
            back = dz[start : start + size]
            for name in reversed(network.layers):
                first = name == next(iter(network.layers))
                elapsed, gradient = clock(lambda p=pullbacks[name], b=back, f=first: p(b, wrt_input=not f))
                seconds[name][1] += elapsed
                back = gradient.input
        return seconds

    for number in range(3 + 3 * ROUNDS):
        for name, seconds in round_().items():
            if number >= 3:
                spent[name].append(seconds)
    return {name: np.median(rounds, axis=0).tolist() for name, rounds in spent.items()}


def by_part() -> dict[str, tuple[float, int, int]]:
    """What a block of the network of Fig. 3 cannot do without, each over and over: seconds, flop, bytes of results.

    The products of C1 and C3, and the passes over C1's output, which the cache next to the core does not hold.
    """
    size, network = Blockwise(convnet()).size, convnet()
    params, x, _ = fresh.problem(size)
    found, inputs = {}, {"C1": x, "C3": np.ones((size, 15, 9, 9), np.float32)}
    for name, images in inputs.items():
        w, kernel = as_rows(params[name]["weight"]), network.layers[name].kernel
        p = patches(by_row(images), kernel, images.shape[3])
        y = w @ p
        flop = 2 * y.size * w.shape[1]
        found[f"{name}: W P"] = _fastest(np.matmul, w, p), flop, y.nbytes
        found[f"{name}: dy Pᵀ"] = _fastest(np.matmul, y, p.mT), flop, len(y) * w.nbytes
        if name == "C1":
            found["C1's output: tanh"] = _fastest(np.tanh, y), 0, y.nbytes
            found["C1's output: copied"] = _fastest(np.copy, y), 0, y.nbytes
        else:
            found[f"{name}: Wᵀ dy"] = _fastest(np.matmul, w.T, y), flop, p.nbytes
    return found


def _fastest(work: Callable, *arguments: np.ndarray) -> float:
    """Seconds that a call takes, the least of several means over twenty, whose results are not kept."""

    def repeated() -> None:
        for _ in range(20):
            work(*arguments)

    return min(clock(repeated)[0] / 20 for _ in range(3 * ROUNDS))
