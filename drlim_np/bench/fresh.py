"""A training step in a process of its own with the libraries as installed: what somebody sees who tunes nothing."""

import json
import sys
from collections.abc import Callable

import numpy as np

from drlim_np.bench.race import Contest, apart, clock
from drlim_np.fast.blocks import Blockwise
from drlim_np.networks import CONVNET_INPUT, convnet
from drlim_np.tree import Tree

# Multiplications and additions that an image needs: C1 forward and for its weights; C3 these and back to its input;
# the rest is less than a thousandth.
FLOP = 2 * (2 * 27**2 * 15 * 36 + 3 * 30 * 15 * 81)


def problem(images: int) -> tuple[Tree, np.ndarray, np.ndarray]:
    """Parameters of the network of Fig. 3, images, and a gradient at its output."""
    rng = np.random.default_rng(0)
    params = convnet().init(rng)
    return params, rng.random((images, *CONVNET_INPUT), dtype=np.float32), rng.standard_normal((images, 2), np.float32)


def our_step(params: Tree, x: np.ndarray, dz: np.ndarray, threads: int) -> Callable:
    """Forward and all parameter gradients; returns them."""
    network = Blockwise(convnet(), threads=threads)
    return lambda: network(params, x)[1](dz).params


def contest(images: int, threads: int) -> Contest:
    """the step in fresh processes, with PyTorch as installed; size: images"""
    contestants = {
        name: lambda whose=whose: apart("drlim_np.bench.fresh", images, whose, keep_memory=False)
        for name, whose in (("ours", "ours"), ("PyTorch, eager, as installed", "theirs"))
    }
    return Contest(contestants, None, images, "images", images * FLOP)


def main(images: str, whose: str) -> None:
    """Prints the median seconds of a step, after a few to warm up."""
    data = problem(int(images))
    if whose == "ours":
        step = our_step(*data, threads=1)
    else:
        import torch

        from drlim_np.bench import pytorch

        torch.set_num_threads(1)
        step = pytorch.step(*data, channels_last=False, compiled=False)
    seconds = [clock(step)[0] for _ in range(9)]
    print(json.dumps(float(np.median(seconds[2:]))))


if __name__ == "__main__":
    main(*sys.argv[1:])
