"""The checks of arrays on whatever device: what layers and losses are given, before any arithmetic."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from drlim_np.backend import Array, kind
from drlim_np.checks.numbers import whole_number
from drlim_np.errors import InputError

UNLIKE = (np.matrix, np.ma.MaskedArray)  # arrays whose * is another


def require_floating(**arrays: Array) -> None:
    """Raises InputError unless all the arrays are float32, or all float64: nothing here ever promotes silently.

    complex128 counts as the precision of float64: a complex step perturbs some of the arrays only. Other precisions
    are refused, because float16 squares no distance, and so are matrices and masked arrays.
    """
    seen = set()
    for name, x in arrays.items():
        seen.add(bits := kind(x).bits)
        if bits not in (32, 64):
            raise InputError(f"{name} has dtype {x.dtype}: convert it to a floating dtype, float32 or float64")
        if isinstance(x, UNLIKE):
            raise InputError(f"{name} is a {type(x).__name__}: convert it to a plain array, such as by numpy.array")
    if len(seen) > 1:
        listed = ", ".join(f"{name} {x.dtype}" for name, x in arrays.items())
        raise InputError(f"mismatched dtypes ({listed}): convert them to one dtype")


def require_params(layer: Any, params: Any, x: Array, **shapes: tuple[int, ...]) -> None:
    """Raises InputError, naming the layer, unless its parameters have these names and shapes, and the dtype of x."""
    require_names(layer, params, shapes)
    require_floating(x=x, **params)
    for name, shape in shapes.items():
        if params[name].shape != shape:
            raise InputError(
                f"{layer} takes a {name} of shape {shape}, got {params[name].shape}: is it another network's?"
            )


def require_names(taker: Any, params: Any, names: Any) -> None:
    """Raises InputError unless `params` is a dict with just these names."""
    if not isinstance(params, dict) or params.keys() != set(names):
        got = sorted(params) if isinstance(params, dict) else type(params).__name__
        raise InputError(f"{taker} takes parameters named {sorted(names)}, got {got}: is it another network's?")


def guarded(y: Array, pullback: Callable) -> tuple[Array, Callable]:
    """A layer's output, and its pullback, which then raises InputError for a dy of another shape or dtype than y's."""
    shape, dtype, bits = y.shape, y.dtype, kind(y).bits

    def guard(dy: Array, wrt_input: bool = False) -> Any:
        if kind(dy).bits != bits or dy.shape != shape:
            raise InputError(f"dy has shape {dy.shape} and dtype {dy.dtype}: the output has {shape} and {dtype}")
        return pullback(dy, wrt_input)

    return y, guard


def whole_sizes(layer: Any) -> None:
    """Makes a layer's sizes Python's own integers, because NumPy's promote float32. Raises InputError below 1."""
    for field in fields(layer):
        object.__setattr__(layer, field.name, whole_number(field.name, getattr(layer, field.name), 1))


def require_features(x: Array, taker: Any, features: int) -> None:
    """Raises InputError, naming the layer that takes `x`, unless it is (samples, features)."""
    if x.ndim != 2 or x.shape[1] != features:
        raise InputError(f"{taker} takes (samples, {features}), got {x.shape}")


def require_images(x: Array, taker: Any, maps: int, least: int = 0, unit: int = 1) -> None:
    """The same for (samples, maps, height, width), with height and width of at least `least`, multiples of `unit`."""
    if not (
        x.ndim == 4 and x.shape[1] == maps and min(x.shape[2:]) >= least and x.shape[2] % unit == x.shape[3] % unit == 0
    ):
        sides = f"of at least {least}" if least else f"multiples of {unit}"
        raise InputError(f"{taker} takes (samples, {maps}, height, width) with height and width {sides}, got {x.shape}")
