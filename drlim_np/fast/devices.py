"""Backends by name: NumPy on the host, or another library on its device. After that arrays bring their own module."""

import os

import numpy as np

from drlim_np.backend import Array, installed, library, like, namespace
from drlim_np.errors import InputError, require

BACKENDS = {"numpy": "numpy", "cupy": "cupy", "jax": "jax", "mlx": "mlx.core", "torch": "torch"}  # and the module


def origin(backend: str) -> Array:
    """An empty array of the backend of that name, for `like` to put other arrays on the same device."""
    require(backend in BACKENDS, f"backend is {backend!r}: choose {', '.join(BACKENDS)}")
    if backend == "numpy":
        return np.empty(0)
    if backend != "cupy":
        return _origin(backend)
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
        rounded = f"{name} is set, which rounds the products of float32 to 10 bits: unset it"
        require(os.environ.get(name, "0") == "0", rounded)
    try:
        cupy.ones((2, 2)) @ cupy.ones((2, 2))  # needs a compiled kernel, and cuBLAS
    except Exception as fault:
        reason = str(fault).partition("\n")[0]
        raise InputError(f"CuPy finds a GPU, but cannot compute on it ({reason}): {install}") from fault
    return cupy.empty(0)


def _origin(backend: str) -> Array:
    """Of JAX, MLX or PyTorch, on the device that the library prefers. JAX keeps float64, and no product is rounded."""
    os.environ.setdefault("MLX_ENABLE_TF32", "0")
    module = installed(BACKENDS[backend], f"arrays of the backend {backend}", backend)
    if backend == "jax":
        module.config.update("jax_enable_x64", True)
        module.config.update("jax_default_matmul_precision", "highest")
        return module.numpy.zeros(0)
    if backend == "mlx":
        return module.zeros(0)
    gpu = module.accelerator.current_accelerator() if module.accelerator.is_available() else None
    return namespace(module.zeros(0, device=gpu)).zeros(0, device=gpu)  # which needs array-api-compat


def origin_of_complex(backend: str) -> Array:
    """`origin`, but NumPy's where the backend has no complex128, as MLX has none: so the audit is on the host there."""
    model = origin(backend)
    try:
        return like(np.zeros(0, complex), model)
    except (InputError, TypeError):
        return origin("numpy")


def processors() -> int:
    """How many of the host's processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def device_of(x: Array) -> str:
    """The name of the device that `x` is on, for the record."""
    if library(x) == "cupy":
        return namespace(x).cuda.runtime.getDeviceProperties(x.device.id)["name"].decode()
    return str(getattr(x, "device", None) or namespace(x).default_device())  # MLX's arrays have none of their own
