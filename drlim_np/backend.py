"""Arrays bring their module, so that the rest of the package runs on NumPy, CuPy or any array API module.

There is no state. What the standard does not cover, or CuPy does otherwise, is a function here. Arrays go to a device
by `like` and come back by `to_host`, and nowhere else.
"""

import sys
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from drlim_np.errors import InputError

Array = Any  # an ndarray of NumPy, CuPy, or another module that follows the array API standard


def namespace(x: Array) -> ModuleType:
    """The module that the array `x` belongs to."""
    if isinstance(x, np.ndarray):
        return np
    if not is_array(x):
        raise InputError(f"expected an array, got {type(x).__name__}: convert it first, for instance by numpy.asarray")
    return sys.modules["cupy"] if of_cupy(x) else x.__array_namespace__()


def is_array(x: Any) -> bool:
    """Whether `x` is an array of any module."""
    return of_cupy(x) or hasattr(x, "__array_namespace__")


def of_cupy(x: Any) -> bool:
    """Whether `x` is a CuPy array, which has no `__array_namespace__`; works without CuPy installed."""
    return type(x).__module__.partition(".")[0] == "cupy"


def on_host(x: Array) -> bool:
    """Whether `x` is a NumPy array."""
    return isinstance(x, np.ndarray | np.generic)


def to_host(x: Array) -> np.ndarray:
    """`x` as a NumPy array: the one crossing from a device to the host."""
    if hasattr(x, "get"):  # CuPy
        return np.asarray(x.get())
    if hasattr(x, "to_device") and not on_host(x):
        x = x.to_device(namespace(x).__array_namespace_info__().default_device())
    return np.asarray(x)


def like(host: np.ndarray, x: Array) -> Array:
    """The host array `host` in the module and on the device of `x`: the one crossing from the host to a device."""
    if on_host(x):
        return host
    return namespace(x).asarray(host, **_device(x))


def zeros(shape: tuple[int, ...], x: Array) -> Array:
    """Zeros of the given shape, with the module, device and dtype of `x`."""
    return namespace(x).zeros(shape, dtype=x.dtype, **_device(x))


def real(x: Array) -> Array:
    """The real part, which decides every comparison: a complex step must not change which branch is taken."""
    return namespace(x).real(x) if is_complex(x) else x


def is_complex(x: Array) -> bool:
    """Whether `x` holds complex numbers, as in a complex step."""
    return kind(x).complex


class Kind(NamedTuple):
    """A dtype: bits of a real number, 0 for integers; whether complex; the root of the smallest normal number."""

    bits: int
    complex: bool
    least_root: float  # the square of a smaller number underflows


def kind(x: Array) -> Kind:
    """What kind of numbers `x` holds."""
    return _kind(namespace(x), x.dtype)


@cache
def _kind(xp: ModuleType, dtype: Any) -> Kind:
    """Cached, because every layer and tile asks, and NumPy's answer takes longer than many a calculation."""
    if not xp.isdtype(dtype, ("real floating", "complex floating")):
        return Kind(0, False, 0.0)
    info = xp.finfo(dtype)
    return Kind(info.bits, xp.isdtype(dtype, "complex floating"), float(info.smallest_normal) ** 0.5)


def _device(x: Array) -> dict[str, Any]:
    """The keyword that creates an array on the device of `x`.

    CuPy has none: it creates all on the current device. Nor have the arrays inside jax.grad a device.
    """
    return {} if of_cupy(x) or not hasattr(x, "device") else {"device": x.device}
