"""What the project costs, measured on the machine at hand; not a test. Times are ratios of two things in one run.

python tests/benchmark.py step        a training step against PyTorch (pip install torch), on one thread and on two
python tests/benchmark.py gradient    memory and time of the exact gradient over all pairs of 6,000 samples
python tests/benchmark.py neighbours  memory and time of the nearest neighbours among 30,000 x 1,024 pixels
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[variable] = "1"

import resource
import subprocess
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

# PyTorch's large arrays are not given back to the system and faulted in again; ours are not either way (InBlocks).
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 32), "MALLOC_TRIM_THRESHOLD_": str(1 << 33)}
SETTINGS = ("eager", "channels last", "compiled", "compiled, channels last")


def step() -> None:
    """Forward and all parameter gradients of G_W (Fig. 3) in float32: ours over PyTorch's, each setting in turn."""
    for batch in (256, 1024):
        for threads in (1, 2):
            _run("_step", batch, threads, environment=KEEP_MEMORY)
        rounds = [[float(_run("_fresh", batch, who, show=False)) for who in ("ours", "eager")] for _ in range(9)]
        (ours, theirs), ratio = 1e3 * np.median(rounds, axis=0), np.median([a / b for a, b in rounds])
        print(f"{batch} images, fresh processes: {ours:.1f} ms, PyTorch as installed {theirs:.1f} ms: {ratio:.2f}")


def _run(*arguments, environment: dict | None = None, show: bool = True) -> str:
    """This script's function `arguments[0]` in a process of its own, whose environment glibc reads at its start."""
    command = [sys.executable, __file__, *map(str, arguments)]
    output = subprocess.run(
        command, env=os.environ | (environment or {}), check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    if show:
        print(output, end="", flush=True)
    return output


def _step(batch: str, threads: str) -> None:
    ours = _our_step(int(batch), int(threads))
    theirs = {setting: _their_step(int(batch), int(threads), setting) for setting in SETTINGS}
    mine, reference = ours()["C3"]["weight"], theirs["eager"]()[4].numpy()
    difference = np.linalg.norm(mine - reference) / np.linalg.norm(reference)
    print(f"{batch} images, {threads} threads (C3's gradients differ by {difference:.0e} of their norm)")
    times = np.array([[_seconds(f) for f in (ours, *theirs.values())] for _ in range(40)])[10:]
    for setting, their_times in zip(SETTINGS, times.T[1:], strict=True):
        ms, their_ms, ratio = 1e3 * np.median(times[:, 0]), 1e3 * np.median(their_times), times[:, 0] / their_times
        low, middle, high = np.quantile(ratio, (0.25, 0.5, 0.75))
        print(
            f"  {ms:.1f} ms, PyTorch {setting} {their_ms:.1f} ms: {middle:.2f} (half of them {low:.2f} to {high:.2f})"
        )


def _fresh(batch: str, who: str) -> None:
    step = _our_step(int(batch), 1) if who == "ours" else _their_step(int(batch), 1, who)
    print(np.median([_seconds(step) for _ in range(20)][5:]))


def _problem(batch: int):
    rng = np.random.default_rng(0)
    params = convnet().init(rng)
    return params, rng.random((batch, 1, 32, 32), dtype=np.float32), rng.standard_normal((batch, 2), dtype=np.float32)


def _our_step(batch: int, threads: int):
    network, (params, x, dz) = InBlocks(convnet(), threads=threads), _problem(batch)
    return lambda: network(params, x)[1](dz).params


def _their_step(batch: int, threads: int, setting: str):
    import torch

    torch.set_num_threads(threads)
    params, x, dz = _problem(batch)
    network, x, dz = _in_torch(torch, params), torch.tensor(x), torch.tensor(dz)
    if "channels last" in setting:
        network, x = network.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    parameters = list(network.parameters())
    if "compiled" in setting:
        network = torch.compile(network)

    def their_step():
        network.zero_grad(set_to_none=True)
        network(x).backward(dz)
        return [parameter.grad for parameter in parameters]

    return their_step


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
    benchmarks = {function.__name__: function for function in (step, gradient, neighbours, _step, _fresh)}
    if len(sys.argv) < 2 or sys.argv[1] not in benchmarks:
        sys.exit(__doc__)
    benchmarks[sys.argv[1]](*sys.argv[2:])
