"""A network on blocks of samples, which threads share: the data of one block stay in the processor's cache."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, reduce
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from drlim_np.backend import Array, on_host
from drlim_np.checks.arrays import guarded
from drlim_np.checks.numbers import whole_number
from drlim_np.fast.devices import ask_for_large_pages, keep_freed_memory
from drlim_np.tree import Gradient, Pullback, Tree, add


@dataclass(frozen=True)
class Blockwise:
    """The same network, `size` samples at a time, on `threads` threads: a layer like any other.

    Samples do not interact inside a network, so outputs concatenate and parameter gradients add, in the order of the
    samples: the number of threads changes nothing. On a device all samples are one block.
    """

    network: Any
    size: int = 64
    threads: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", whole_number("size", self.size, 1))
        object.__setattr__(self, "threads", whole_number("threads", self.threads, 1))
        keep_freed_memory()

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Tree:
        """The network's own parameters."""
        return self.network.init(rng, dtype)

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        if not on_host(x):
            return self.network(params, x)
        samples = x.shape[0]
        blocks = [slice(k, min(k + self.size, samples)) for k in range(0, max(1, samples), self.size)]
        forward = on_threads(lambda block: self.network(params, x[block, ...]), blocks, self.threads)
        outputs, pullbacks = zip(*forward, strict=True)
        ends = [0, *accumulate(len(y) for y in outputs)]

        def pullback(dy: Array, wrt_input: bool) -> Gradient:
            def backward(b: int) -> Gradient:
                return pullbacks[b](dy[ends[b] : ends[b + 1], ...], wrt_input=wrt_input)

            gradients = on_threads(backward, range(len(blocks)), self.threads)
            dinput = np.concat([gradient.input for gradient in gradients]) if wrt_input else None
            return Gradient(reduce(add, (gradient.params for gradient in gradients)), dinput)

        return guarded(np.concat(outputs), pullback)


def on_threads(function: Callable, items: Sequence, threads: int) -> list:
    """`function` of each item, in order. The calling thread takes the first share, others the rest, if they start."""
    share = max(1, -(-len(items) // threads))  # rounded up
    mine, *others = [items[start : start + share] for start in range(0, max(1, len(items)), share)]
    try:
        theirs = [_pool(threads - 1).submit(lambda part: list(map(function, part)), part) for part in others]
    except RuntimeError:  # no thread can be started, as in WebAssembly
        return list(map(function, items))
    return sum((part.result() for part in theirs), list(map(function, mine)))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads that wait for work: starting them for every pass costs a tenth of a training step of 256 images."""
    return ThreadPoolExecutor(threads, initializer=ask_for_large_pages)
