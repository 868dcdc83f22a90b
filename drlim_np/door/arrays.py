"""The checks of arrays on whatever device: what layers and losses are given, before any arithmetic."""

from collections.abc import Callable
from typing import Any

from drlim_np.backend import Array, kind
from drlim_np.errors import InputError


def require_floating(**arrays: Array) -> None:
    """Raises InputError unless all the arrays are floating, of one precision: nothing here ever promotes silently.

    complex128 counts as the precision of float64: a complex step perturbs some of the arrays only.
    """
    kinds = {name: kind(x) for name, x in arrays.items()}
    for name, x in arrays.items():
        if not kinds[name].bits:
            raise InputError(f"{name} has dtype {x.dtype}: convert it to a floating dtype, such as float32")
    if len({kind.bits for kind in kinds.values()}) > 1:
        listed = ", ".join(f"{name} {x.dtype}" for name, x in arrays.items())
        raise InputError(f"mismatched dtypes ({listed}): convert them to one dtype")


def require_features(x: Array, taker: Any, features: int) -> None:
    """Raises InputError, naming the layer that takes `x`, unless it is (samples, features)."""
    if x.ndim != 2 or x.shape[1] != features:
        raise InputError(f"{taker} takes (samples, {features}), got {x.shape}")


def require_images(x: Array, taker: Any, maps: int, fits: Callable[[int], bool], sides: str) -> None:
    """The same for (samples, maps, height, width); `fits` is asked of height and width, `sides` says it in words."""
    if not (x.ndim == 4 and x.shape[1] == maps and all(map(fits, x.shape[2:]))):
        raise InputError(f"{taker} takes (samples, {maps}, height, width) with height and width {sides}, got {x.shape}")
