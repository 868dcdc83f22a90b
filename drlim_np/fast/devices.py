"""The host's memory and processors, and backends by name: after that arrays bring their own module and device."""

import os
import sys
from contextlib import suppress
from functools import cache
from mmap import PAGESIZE
from pathlib import Path

import numpy as np

from drlim_np.backend import Array, installed, library, like, namespace
from drlim_np.errors import InputError, require

BACKENDS = {"numpy": "numpy", "cupy": "cupy", "jax": "jax", "mlx": "mlx.core", "torch": "torch"}  # and the module


def origin(backend: str) -> Array:
    """An empty array of the backend of that name, for `like` to put other arrays on the same device."""
    require(backend in BACKENDS, f"backend is {backend!r}: choose {', '.join(BACKENDS)}")
    if backend != "cupy":
        return np.empty(0) if backend == "numpy" else _origin(backend)
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


@cache
def keep_freed_memory() -> None:
    """Lets the process keep the memory that it frees: a step in a fresh process then takes a third of the time."""
    # Having seen one large array freed, glibc keeps freed memory (mallopt(3), M_MMAP_THRESHOLD). Elsewhere: no change.
    np.empty(31 << 20, np.uint8)
    ask_for_large_pages()


def ask_for_large_pages() -> None:
    """Makes NumPy ask Linux for huge pages (madvise(2)), which this thread's arrays reuse: steps take 3 to 5 % less."""
    np.empty(30 << 20, np.uint8)


def free_memory() -> int:
    """Bytes that this process may still take: of the machine, its container and its addresses; at most sys.maxsize."""
    limits = [sys.maxsize]
    with suppress(OSError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        limits += [1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    with suppress(OSError, ValueError):  # if there is no limit, the file says "max"
        most, taken = (int(Path("/sys/fs/cgroup", f"memory.{name}").read_text()) for name in ("max", "current"))
        limits.append(most - taken)
    with suppress(ImportError, OSError):  # Windows has none of this, macOS no /proc
        from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit

        allowed, used = getrlimit(RLIMIT_AS)[0], PAGESIZE * int(Path("/proc/self/statm").read_text().split()[0])
        limits.append((2 * sys.maxsize if allowed == RLIM_INFINITY else allowed) - used)
    return min(limits)


def require_memory(needed: float, what: str) -> None:
    """Refuses `what`, with both numbers, if it needs more bytes than are free."""
    free = free_memory() if needed > 2**20 else needed  # a look takes longer than a search among few samples
    numbers = f"{needed / 2**30:.3g} GiB of memory, and {free / 2**30:.3g} are free"
    require(needed <= free, f"{what} needs {numbers}: take fewer samples")
