"""The training step and the loss over all pairs on a GPU, ours on CuPy against PyTorch on the same device.

Kernels are asynchronous, so every run ends with a synchronisation: no clock is read before the device is done.
"""

import importlib.util

import numpy as np

from drlim_np.bench import fresh
from drlim_np.bench.race import Contest
from drlim_np.fast.all_pairs import dissimilar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.graph import SimilarityGraph
from drlim_np.networks import convnet
from drlim_np.tree import leaves, tree_map


def missing() -> str | None:
    """Why the cases of a GPU cannot run, or None if they can."""
    if importlib.util.find_spec("cupy") is None:
        return 'CuPy is not installed (pip install ".[cupy]")'
    import cupy

    if not cupy.is_available():
        return "CuPy finds no GPU"
    import torch

    return None if torch.cuda.is_available() else "PyTorch finds no GPU"


def step(images: int, threads: int) -> Contest:
    """forward and all parameter gradients of the network of Fig. 3 on a GPU; size: images"""
    import cupy
    import torch

    from drlim_np.bench import pytorch

    params, x, dz = fresh.problem(images)
    network = Blockwise(convnet(), size=images)
    our_params, our_x, our_dz = tree_map(cupy.asarray, params), cupy.asarray(x), cupy.asarray(dz)

    def ours() -> list:
        gradient = network(our_params, our_x)[1](our_dz).params
        cupy.cuda.Device().synchronize()
        return [array for _, array in leaves(gradient)]

    def theirs(channels_last: bool, compiled: bool):
        there = pytorch.step(params, x, dz, channels_last, compiled, device="cuda")

        def run() -> list:
            gradients = there()
            torch.cuda.synchronize()
            return gradients

        return run

    contestants = {
        "ours": ours,
        "PyTorch, eager": theirs(channels_last=False, compiled=False),
        "PyTorch, channels last": theirs(channels_last=True, compiled=False),
        "PyTorch, compiled": theirs(channels_last=False, compiled=True),
    }
    return Contest(
        contestants, lambda arrays: np.concatenate([_on_host(a) for a in arrays]), images, "images", images * fresh.FLOP
    )


def pairs(samples: int, threads: int) -> Contest:
    """the loss over all pairs and its gradient on a GPU, on a map one margin wide; size: samples"""
    import cupy
    import torch

    from drlim_np.bench import pytorch

    z = np.random.default_rng(0).random((samples, 2), dtype=np.float32)
    chain = np.stack([np.arange(samples - 1), np.arange(1, samples)], axis=1)
    similar, there = SimilarityGraph(samples, chain), cupy.asarray(z)

    def ours():
        result = dissimilar_sum(there, similar, 1.0)
        cupy.cuda.Device().synchronize()
        return result

    def theirs(size: int, compiled: bool):
        blocks = pytorch.blocks(z, chain, 1.0, size, compiled, device="cuda")

        def run():
            result = blocks()
            torch.cuda.synchronize()
            return result

        return run

    contestants = {
        "ours": ours,
        "PyTorch, blocks of 2,048": theirs(2048, compiled=False),
        "PyTorch, blocks of 2,048, compiled": theirs(2048, compiled=True),
    }
    return Contest(contestants, lambda result: _on_host(result[1]), similar.dissimilar_count, "pairs")


def _on_host(array) -> np.ndarray:
    """An array of CuPy or of PyTorch on the host, flat."""
    return np.ravel(array.get() if hasattr(array, "get") else array.cpu())
