"""What the project costs, measured on the machine at hand; not a test. Times are ratios of two things in one run.

python tests/benchmark.py step        a training step against PyTorch (pip install torch), one thread each
python tests/benchmark.py gradient    memory and time of the exact gradient over all pairs of 6,000 samples
python tests/benchmark.py neighbours  memory and time of the nearest neighbours among 30,000 x 1,024 pixels
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[variable] = "1"

import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from drlim_np.data import handwriting
from drlim_np.data.canvas import on_canvas
from drlim_np.layers import InBlocks
from drlim_np.neighbours import nearest_neighbour_graph, nearest_neighbours
from drlim_np.networks import convnet
from drlim_np.siamese import embed_once

BATCH = 256


def step() -> None:
    """Forward and all parameter gradients of G_W (Fig. 3) on 256 images in float32: ours over PyTorch's, by turns."""
    import torch

    torch.set_num_threads(1)
    np.ones(31 << 20, np.uint8)  # once freed, glibc keeps memory of that size at hand: for both, as in a real run
    rng = np.random.default_rng(0)
    network = InBlocks(convnet())
    params = network.init(rng)
    x, dz = rng.random((BATCH, 1, 32, 32), dtype=np.float32), rng.standard_normal((BATCH, 2)).astype(np.float32)
    theirs, their_x, their_dz = _in_torch(torch, params), torch.tensor(x), torch.tensor(dz)

    def our_step():
        return network(params, x)[1](dz).params

    def their_step():
        theirs.zero_grad(set_to_none=True)
        theirs(their_x).backward(their_dz)
        return [parameter.grad for parameter in theirs.parameters()]

    ours, reference = our_step()["C3"]["weight"], their_step()[4].numpy()
    times = np.array([[_seconds(our_step), _seconds(their_step)] for _ in range(60)])[10:]
    print(f"C3's gradients differ by {np.linalg.norm(ours - reference) / np.linalg.norm(reference):.1e} of their norm")
    ratio, (our_ms, their_ms) = np.median(times[:, 0] / times[:, 1]), 1e3 * np.median(times, axis=0)
    print(f"training step, {BATCH} images: {our_ms:.1f} ms, PyTorch {torch.__version__} {their_ms:.1f} ms: {ratio:.2f}")


def gradient() -> None:
    """The gradient of the loss over all pairs of 6,000 generated digits, their nearest neighbours similar (Fig. 4)."""
    x = on_canvas(handwriting.generate().train.images)
    similar = nearest_neighbour_graph(x.reshape(len(x), -1), 5)
    network = InBlocks(convnet())
    params = network.init(np.random.default_rng(0))
    seconds = _seconds(lambda: embed_once(network, params, x, similar, 1.0))
    print(f"{similar.listed_count:,} similar pairs, {similar.dissimilar_count:,} dissimilar: {seconds:.1f} s")
    _print_peak()


def neighbours() -> None:
    """Step 1 at the scale of Figs. 5 to 7."""
    x = on_canvas(handwriting.generate(train=(15_000, 15_000), test=(1, 1)).train.images).reshape(30_000, -1)
    print(f"nearest neighbours of {len(x):,} x {x.shape[1]:,}: {_seconds(lambda: nearest_neighbours(x, 5, 2)):.1f} s")
    _print_peak()


def _in_torch(torch, params):
    """The same network in PyTorch, with the same weights."""

    class Subsample(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.coefficient = torch.nn.Parameter(torch.empty(15, 1, 1))
            self.bias = torch.nn.Parameter(torch.empty(15, 1, 1))

        def forward(self, x):
            return self.coefficient * torch.nn.functional.avg_pool2d(x, 3) + self.bias

    nn = torch.nn
    layers = [nn.Conv2d(1, 15, 6), nn.Tanh(), Subsample(), nn.Tanh(), nn.Conv2d(15, 30, 9), nn.Tanh(), nn.Flatten()]
    network = nn.Sequential(*layers, nn.Linear(30, 2))
    ours = [array for name in ("C1", "S2", "C3", "F4") for array in params[name].values()]
    with torch.no_grad():
        for theirs, array in zip(network.parameters(), ours, strict=True):
            theirs.copy_(torch.tensor(array).reshape(theirs.shape))
    return network


def _seconds(function) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def _print_peak() -> None:
    unit = 2**30 if sys.platform == "darwin" else 2**20
    print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit:.2f} GiB")


if __name__ == "__main__":
    benchmarks = {function.__name__: function for function in (step, gradient, neighbours)}
    if len(sys.argv) != 2 or sys.argv[1] not in benchmarks:
        sys.exit(__doc__)
    benchmarks[sys.argv[1]]()
