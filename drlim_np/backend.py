"""Arrays bring their module, so that the rest of the package runs on NumPy, CuPy, JAX, MLX, PyTorch or another.

What the array API standard does not cover, or a module does otherwise, is a function here. Arrays go to a device by
`like` and come back by `to_host`, and nowhere else. bench/README.md: which versions were run, and how.
"""

import sys
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from drlim_np.errors import InputError, require

Array = Any  # of NumPy, CuPy, JAX, MLX, PyTorch, or another module that follows the array API standard


def namespace(x: Array) -> ModuleType:
    """The module that the array `x` belongs to."""
    if isinstance(x, np.ndarray):
        return np
    if not is_array(x):
        raise InputError(f"expected an array, got {type_of(x)}: convert it first, for instance by numpy.asarray")
    if library(x) == "sparse":
        raise InputError(f"expected a dense array, got {type_of(x)}: give a dense array, as its todense() is")
    if library(x) == "torch":
        return installed("array_api_compat.torch", "PyTorch's arrays", "array-api-compat")
    return sys.modules["cupy"] if library(x) == "cupy" else x.__array_namespace__()


def installed(module: str, taker: str, package: str) -> ModuleType:
    """The module, imported. Without it one line says what to install."""
    try:
        return import_module(module)
    except ImportError as fault:
        raise InputError(f"{taker} need {package}, which is not installed: run pip install {package}") from fault


def is_array(x: Any) -> bool:
    """Whether `x` is an array of any module; those of CuPy and PyTorch have no `__array_namespace__`."""
    return hasattr(x, "__array_namespace__") or (library(x) in ("cupy", "torch") and hasattr(x, "dtype"))


def library(x: Any) -> str:
    """The library that the type of `x` is from; works without any of them installed."""
    return type(x).__module__.partition(".")[0]


def type_of(x: Any) -> str:
    """The type of `x` for a message, with its module unless it is Python's own."""
    return f"{type(x).__module__}.{type(x).__qualname__}".removeprefix("builtins.")


def on_host(x: Array) -> bool:
    """Whether `x` is a NumPy array."""
    return isinstance(x, np.ndarray | np.generic)


def to_host(x: Array) -> np.ndarray:
    """`x` as a NumPy array: the one crossing from a device to the host."""
    if on_host(x):
        return np.asarray(x)
    if hasattr(x, "get"):  # CuPy
        return np.asarray(x.get())
    if library(x) == "torch":
        x = x.detach().cpu()
    elif library(x) != "jaxlib" and hasattr(x, "to_device"):
        x = x.to_device(namespace(x).__array_namespace_info__().default_device())
    try:
        host = np.asarray(x)
        require(host.dtype != object, f"{type_of(x)} does not convert to a NumPy array: give the plain array, its data")
        return host
    except TypeError as fault:  # inside jax.jit and jax.grad an array has no values yet
        raise InputError(f"{type_of(x)} has no values for the host: call this outside jax.jit and jax.grad") from fault


def like(host: np.ndarray, x: Array) -> Array:
    """The host array `host` in the module and on the device of `x`: the one crossing from the host to a device."""
    if on_host(x):
        return host
    xp, host = namespace(x), np.array(host, host.dtype.newbyteorder("="))  # some refuse strides, or share the memory
    options = {"dtype": getattr(xp, host.dtype.name, None)} if library(x) == "mlx" else _device(x)
    there = xp.asarray(host, **options)
    if kind(there).bits < kind(host).bits:
        remedy = "convert to float32 first, or, if this is JAX, set JAX_ENABLE_X64=1"
        raise InputError(f"{xp.__name__} would make {there.dtype} of {host.dtype}: {remedy}")
    return there


def zeros(shape: tuple[int, ...], x: Array) -> Array:
    """Zeros of the given shape, with the module, device and dtype of `x`."""
    return namespace(x).zeros(shape, dtype=x.dtype, **_device(x))


def add_at(x: Array, place: Any, values: Array) -> Array:
    """`x` with `values` added at a slice or slices: `x` itself, changed, but in JAX, which never writes to an array."""
    if hasattr(x, "at"):
        return x.at[place].add(values)
    x[place] += values
    return x


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


@cache  # because every layer and tile asks, and NumPy's answer takes longer than many a calculation
def _kind(xp: ModuleType, dtype: Any) -> Kind:
    if not xp.isdtype(dtype, ("real floating", "complex floating")):
        return Kind(0, False, 0.0)
    info = xp.finfo(dtype)
    return Kind(info.bits, xp.isdtype(dtype, "complex floating"), float(info.smallest_normal) ** 0.5)


def _device(x: Array) -> dict[str, Any]:
    """The keyword that creates an array on the device of `x`, where there is one: CuPy and MLX have none."""
    return {} if library(x) == "cupy" or not hasattr(x, "device") else {"device": x.device}
