"""The paper's network trained on a few images with a checkpoint: for tests, and a process of its own that they kill."""

import io
import sys
from pathlib import Path

import numpy as np

from drlim_np.fast.blocks import Blockwise
from drlim_np.files.cache import Checkpoint
from drlim_np.graph import SimilarityGraph
from drlim_np.networks import convnet
from drlim_np.objective import SampledPairs
from drlim_np.training import SGD, minimise
from drlim_np.tree import leaves

STEPS, EVERY = 24, 5
DIGEST = "ab" * 32


def task(optimiser=None):
    """Objective, first weights, optimiser, steps, generator."""
    rng = np.random.default_rng(3)
    x = rng.random((12, 1, 32, 32), dtype=np.float32)
    graph = SimilarityGraph(12, np.stack([np.arange(12), (np.arange(12) + 1) % 12], axis=1))
    network = Blockwise(convnet())
    return SampledPairs(network, x, graph, batch=4), network.init(rng), optimiser or SGD(0.1, 0.9), STEPS, rng


def kept_in(folder):
    return Checkpoint(Path(folder, "training.npz"), DIGEST, EVERY)


def bits(params, losses, rng):
    """All that a training leaves: the bytes of W and of the losses, and where the generator stands."""
    return {name: leaf.tobytes() for name, leaf in leaves(params)}, losses.tobytes(), rng.bit_generator.state


def outcome(kept=None, optimiser=None):
    parts = task(optimiser)
    return bits(*minimise(*parts, stream=io.StringIO(), checkpoint=kept), parts[-1])


if __name__ == "__main__":
    print("starts", flush=True)
    outcome(kept_in(sys.argv[1]))
