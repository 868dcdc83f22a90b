"""The same work on the processor and on a GPU."""

import importlib.util
from collections.abc import Callable

import numpy as np

from drlim_np.tree import leaves


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
