"""What the cases work on: weights, images and graphs, on the processor or on a GPU."""

import importlib.util
from collections.abc import Callable

import numpy as np

from drlim_np.data import handwriting
from drlim_np.data.canvas import on_canvas
from drlim_np.fast.tiles import near_together
from drlim_np.graph import SimilarityGraph
from drlim_np.networks import CONVNET_INPUT, convnet
from drlim_np.tree import Tree, leaves

# Multiplications and additions that an image needs: C1 forward and for its weights; C3 these and back to its input; the
# rest is less than a thousandth.
FLOP = 2 * (2 * 27**2 * 15 * 36 + 3 * 30 * 15 * 81)


def problem(images: int) -> tuple[Tree, np.ndarray, np.ndarray]:
    """Parameters of the network of Fig. 3, images, and a gradient at its output."""
    rng = np.random.default_rng(0)
    params = convnet().init(rng)
    return params, rng.random((images, *CONVNET_INPUT), dtype=np.float32), rng.standard_normal((images, 2), np.float32)


def neighbours_on_the_map(z: np.ndarray) -> SimilarityGraph:
    """A graph as a trained map shows it: of each sample the next few in an order of near ones."""
    order = near_together(z, 8)
    return SimilarityGraph(len(z), np.concatenate([np.stack([order, np.roll(order, k)], 1) for k in range(1, 6)]))


def images(samples: int) -> np.ndarray:
    """Generated digits on their canvas, (samples, 1, 32, 32) float32."""
    halves = (samples + 1) // 2, samples // 2
    return on_canvas(handwriting.generate(train=halves, test=(1, 1)).train.images)


def flat(gradients) -> np.ndarray:
    """Parameter gradients, ours or theirs, as one vector on the host."""
    arrays = [array for _, array in leaves(gradients)] if isinstance(gradients, dict) else gradients
    return np.concatenate([on_host(array) for array in arrays])


def there(device: str) -> Callable:
    """What brings an array of NumPy's to the device."""
    if device == "cpu":
        return np.asarray
    import cupy

    return cupy.asarray


def on_host(array) -> np.ndarray:
    """An array of NumPy, CuPy or PyTorch on the host, flat."""
    return np.ravel(array.get() if hasattr(array, "get") else array.cpu() if hasattr(array, "cpu") else array)


def awaited(contestants: dict[str, Callable], device: str) -> dict[str, Callable]:
    """The contestants; on a GPU, which works on after a call has returned, each waits until the GPU is done."""
    if device == "cpu":
        return contestants
    import torch

    def waiting(run: Callable) -> Callable:
        return lambda: (run(), torch.cuda.synchronize())[0]  # waits for all streams of the device, CuPy's too

    return {name: waiting(run) for name, run in contestants.items()}


def missing_gpu() -> str | None:
    """Why the cases of a GPU cannot run, or None if they can."""
    if importlib.util.find_spec("cupy") is None:
        return 'CuPy is not installed (pip install ".[cupy]")'
    import cupy
    import torch

    if not cupy.is_available():
        return "CuPy finds no GPU"
    return None if torch.cuda.is_available() else "PyTorch finds no GPU"
