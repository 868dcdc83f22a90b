"""Arrays bring their module: what the rest of the package needs to run on NumPy, CuPy or any array API module alike.

There is no backend to select and no state. `namespace(x)` answers which module an array belongs to; everything that the
array API standard does not cover stands here, as a function with a name.
"""

from types import ModuleType
from typing import Any

import numpy as np

from drlim_np.errors import InputError

Array = Any  # an ndarray of NumPy, CuPy, or another module that follows the array API standard


def namespace(x: Array) -> ModuleType:
    """The module that `x` belongs to. Raises InputError if `x` is not an array."""
    if not hasattr(x, "__array_namespace__"):
        raise InputError(f"expected an array, got {type(x).__name__}: convert it first, for instance by numpy.asarray")
    return x.__array_namespace__()


def to_host(x: Array) -> np.ndarray:
    """`x` as a NumPy array: the one crossing from a device to the host."""
    if hasattr(x, "get"):  # CuPy
        return np.asarray(x.get())
    if hasattr(x, "to_device") and not isinstance(x, np.ndarray | np.generic):
        x = x.to_device(namespace(x).__array_namespace_info__().default_device())
    return np.asarray(x)


def like(host: np.ndarray, x: Array) -> Array:
    """The host array `host` beside `x`, in its module and on its device: the one crossing from the host to a device."""
    if isinstance(x, np.ndarray):
        return host
    return namespace(x).asarray(host, device=x.device)


def zeros(shape: tuple[int, ...], x: Array) -> Array:
    """Zeros of the given shape, with the module, device and dtype of `x`."""
    return namespace(x).zeros(shape, dtype=x.dtype, device=x.device)


def keep_freed_memory() -> None:
    """Lets the host's memory be used again at once: a training step in a fresh process then takes a third of the time.

    Having seen one large array freed, glibc keeps freed memory instead of returning it to the system, which would hand
    it back page by page, zeroed (mallopt(3), M_MMAP_THRESHOLD). Elsewhere this does nothing.
    """
    np.empty(31 << 20, np.uint8)


def real(x: Array) -> Array:
    """The real part, on which every comparison is decided: a complex step must not change which branch is taken."""
    xp = namespace(x)
    return xp.real(x) if xp.isdtype(x.dtype, "complex floating") else x


def require_floating(**arrays: Array) -> None:
    """Raises InputError unless all the arrays are floating, of one precision: nothing here ever promotes silently.

    complex128 counts as the precision of float64: a complex step perturbs some of the arrays only.
    """
    for name, x in arrays.items():
        if not namespace(x).isdtype(x.dtype, ("real floating", "complex floating")):
            raise InputError(f"{name} has dtype {x.dtype}: convert it to a floating dtype, such as float32")
    if len({namespace(x).finfo(x.dtype).bits for x in arrays.values()}) > 1:
        listed = ", ".join(f"{name} {x.dtype}" for name, x in arrays.items())
        raise InputError(f"mismatched dtypes ({listed}): convert them to one dtype")
