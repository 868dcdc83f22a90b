"""Arrays bring their module: what the rest of the package needs to run on NumPy, CuPy or any array API module alike.

There is no state: `namespace(x)` answers which module an array belongs to, so that arrays of both can live side by side
in one process. All that the array API standard does not cover, or CuPy does otherwise, stands here, as a function with
a name. Host and device meet in `like`, one way, and `to_host`, the other.
"""

import os
import sys
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from drlim_np.errors import InputError

Array = Any  # an ndarray of NumPy, CuPy, or another module that follows the array API standard

BACKENDS = ("numpy", "cupy")


def origin(backend: str) -> Array:
    """An empty array of the backend of that name, for `like` to put others beside it.

    Raises InputError for a name that is not in BACKENDS; and for "cupy" where CuPy is missing or too old, finds no GPU
    or cannot compute on it, and where the environment lets float32 be rounded to TF32.
    """
    if backend == "numpy":
        return np.empty(0)
    if backend != "cupy":
        raise InputError(f"backend is {backend!r}: choose {' or '.join(BACKENDS)}")
    install = 'run pip install "cupy-cuda12x[ctk]>=14", or for CUDA 13 "cupy-cuda13x[ctk]>=14"'
    try:
        import cupy
    except ImportError as fault:
        raise InputError(f"the backend cupy needs CuPy, which is not installed: {install}") from fault
    if int(cupy.__version__.split(".")[0]) < 14:
        raise InputError(f"CuPy {cupy.__version__} is too old: {install}")
    if not cupy.is_available():
        raise InputError(
            "CuPy is installed, but finds no GPU: install NVIDIA's driver, after which nvidia-smi lists the GPU,"
            " or use the backend numpy"
        )
    for variable in ("CUPY_TF32", "NVIDIA_TF32_OVERRIDE"):
        if os.environ.get(variable, "0") != "0":
            raise InputError(f"{variable} is set, which rounds the products of float32 to 10 bits: unset it")
    try:
        cupy.ones((2, 2)) @ cupy.ones((2, 2))  # needs a compiled kernel, and cuBLAS
    except Exception as fault:
        reason = str(fault).partition("\n")[0]
        raise InputError(f"CuPy finds a GPU, but cannot compute on it ({reason}): {install}") from fault
    return cupy.empty(0)


def namespace(x: Array) -> ModuleType:
    """The module that `x` belongs to. Raises InputError if `x` is not an array."""
    if isinstance(x, np.ndarray):
        return np
    if not is_array(x):
        raise InputError(f"expected an array, got {type(x).__name__}: convert it first, for instance by numpy.asarray")
    return sys.modules["cupy"] if _of_cupy(x) else x.__array_namespace__()


def is_array(x: Any) -> bool:
    """Whether `x` is an array, of whatever module."""
    return _of_cupy(x) or hasattr(x, "__array_namespace__")


def on_host(x: Array) -> bool:
    """Whether `x` is NumPy's, in whose memory the processor's caches count; on a device the number of launches does."""
    return isinstance(x, np.ndarray | np.generic)


def device_of(x: Array) -> str:
    """The name of the device that `x` is on, for the record."""
    if _of_cupy(x):
        return namespace(x).cuda.runtime.getDeviceProperties(x.device.id)["name"].decode()
    return str(x.device)


def to_host(x: Array) -> np.ndarray:
    """`x` as a NumPy array: the one crossing from a device to the host."""
    if hasattr(x, "get"):  # CuPy
        return np.asarray(x.get())
    if hasattr(x, "to_device") and not on_host(x):
        x = x.to_device(namespace(x).__array_namespace_info__().default_device())
    return np.asarray(x)


def like(host: np.ndarray, x: Array) -> Array:
    """The host array `host` beside `x`, in its module and on its device: the one crossing from the host to a device."""
    if on_host(x):
        return host
    return namespace(x).asarray(host, **_device(x))


def zeros(shape: tuple[int, ...], x: Array) -> Array:
    """Zeros of the given shape, with the module, device and dtype of `x`."""
    return namespace(x).zeros(shape, dtype=x.dtype, **_device(x))


def windows(x: Array, size: int, axis: int) -> Array:
    """All runs of `size` along an axis: windows[…, i, u, …] = x[…, i + u, …], i along `axis`, u along a new one behind.

    Not to be written to: on the host they share the memory of `x`, where a step to the next run is a step along it.
    """
    runs = x.shape[axis] - size + 1
    if on_host(x):
        shape, strides = (*x.shape[:axis], runs, size, *x.shape[axis + 1 :]), x.strides[: axis + 1] + x.strides[axis:]
        return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)
    before = (slice(None),) * axis
    return namespace(x).stack([x[(*before, slice(u, u + runs), ...)] for u in range(size)], axis=axis + 1)


def zero_at(x: Array, places: np.ndarray) -> Array:
    """`x` (rows, columns) with 0 at the given places, (places, 2) on the host. It may be `x` itself, changed.

    The standard knows no writing to a list of places; NumPy and CuPy do, for a fraction of the time.
    """
    if on_host(x) or _of_cupy(x):
        first, second = like(places.T, x)
        x[first, second] = 0
        return x
    kept = np.ones(x.shape, bool)
    kept[places[:, 0], places[:, 1]] = False
    return namespace(x).where(like(kept, x), x, namespace(x).zeros_like(x))


@cache
def keep_freed_memory() -> None:
    """Lets the host's memory be used again at once.

    A training step in a fresh process then takes a third of the time, the loss over all pairs three quarters.

    Having seen one large array freed, glibc keeps freed memory instead of returning it to the system, which would hand
    it back page by page, zeroed (mallopt(3), M_MMAP_THRESHOLD). Elsewhere this does nothing.
    """
    np.empty(31 << 20, np.uint8)


def real(x: Array) -> Array:
    """The real part, on which every comparison is decided: a complex step must not change which branch is taken."""
    return namespace(x).real(x) if is_complex(x) else x


def is_complex(x: Array) -> bool:
    """Whether `x` holds complex numbers, as in a complex step."""
    return _kind(namespace(x), x.dtype).complex


def least_root(x: Array) -> float:
    """The root of the smallest normal number of a floating dtype: the square of a smaller one underflows."""
    return _kind(namespace(x), x.dtype).least_root


def require_floating(**arrays: Array) -> None:
    """Raises InputError unless all the arrays are floating, of one precision: nothing here ever promotes silently.

    complex128 counts as the precision of float64: a complex step perturbs some of the arrays only.
    """
    kinds = {name: _kind(namespace(x), x.dtype) for name, x in arrays.items()}
    for name, x in arrays.items():
        if not kinds[name].bits:
            raise InputError(f"{name} has dtype {x.dtype}: convert it to a floating dtype, such as float32")
    if len({kind.bits for kind in kinds.values()}) > 1:
        listed = ", ".join(f"{name} {x.dtype}" for name, x in arrays.items())
        raise InputError(f"mismatched dtypes ({listed}): convert them to one dtype")


class _Kind(NamedTuple):
    """A dtype: bits of a real number, 0 for integers, and what else is asked of it."""

    bits: int
    complex: bool
    least_root: float


@cache
def _kind(xp: ModuleType, dtype: Any) -> _Kind:
    """Remembered, for every layer and tile asks, and NumPy takes longer to answer than for many a calculation."""
    if not xp.isdtype(dtype, ("real floating", "complex floating")):
        return _Kind(0, False, 0.0)
    info = xp.finfo(dtype)
    return _Kind(info.bits, xp.isdtype(dtype, "complex floating"), float(info.smallest_normal) ** 0.5)


def _of_cupy(x: Any) -> bool:
    """CuPy's arrays have no `__array_namespace__`. To recognise one must not need CuPy."""
    return type(x).__module__.partition(".")[0] == "cupy"


def _device(x: Array) -> dict[str, Any]:
    """The keyword that creates an array beside `x`: CuPy has none, for it creates all on the current device."""
    return {} if _of_cupy(x) else {"device": x.device}
