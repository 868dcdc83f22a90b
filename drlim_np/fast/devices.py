"""Backends by name: NumPy on the host, or CuPy on a GPU. After that every array brings its own module."""

import os

import numpy as np

from drlim_np.backend import Array, namespace, of_cupy
from drlim_np.errors import InputError, require

BACKENDS = ("numpy", "cupy")


def origin(backend: str) -> Array:
    """An empty array of the backend of that name, for `like` to put other arrays on the same device."""
    if backend == "numpy":
        return np.empty(0)
    require(backend == "cupy", f"backend is {backend!r}: choose {' or '.join(BACKENDS)}")
    install = 'run pip install "cupy-cuda12x[ctk]>=14", or for CUDA 13 "cupy-cuda13x[ctk]>=14"'
    try:
        import cupy
    except ImportError as fault:
        raise InputError(f"the backend cupy needs CuPy, which is not installed: {install}") from fault
    version = cupy.__version__
    require(int(version.split(".")[0]) >= 14, f"CuPy {version} is too old: {install}")
    driver = "install NVIDIA's driver, after which nvidia-smi lists the GPU, or use the backend numpy"
    require(cupy.is_available(), f"CuPy is installed, but finds no GPU: {driver}")
    for name in ("CUPY_TF32", "NVIDIA_TF32_OVERRIDE"):
        off = os.environ.get(name, "0") == "0"
        require(off, f"{name} is set, which rounds the products of float32 to 10 bits: unset it")
    try:
        cupy.ones((2, 2)) @ cupy.ones((2, 2))  # needs a compiled kernel, and cuBLAS
    except Exception as fault:
        reason = str(fault).partition("\n")[0]
        raise InputError(f"CuPy finds a GPU, but cannot compute on it ({reason}): {install}") from fault
    return cupy.empty(0)


def processors() -> int:
    """How many of the host's processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def device_of(x: Array) -> str:
    """The name of the device that `x` is on, for the record."""
    if of_cupy(x):
        return namespace(x).cuda.runtime.getDeviceProperties(x.device.id)["name"].decode()
    return str(x.device)
