"""The checks of arrays on any device: the arguments of layers and losses, before any arithmetic."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from drlim_np.backend import Array, is_array, kind, like, namespace, on_host, to_host, type_of
from drlim_np.checks.numbers import native, positive_number, whole_number
from drlim_np.errors import DivergedError, InputError, require
from drlim_np.tree import Tree, leaves


def require_floating(**arrays: Array) -> None:
    """All the arrays are float32, or all float64, and plain: nothing here ever promotes silently."""
    seen, plain = set(), True  # NumPy's own plain arrays need no more checks
    for name, x in arrays.items():
        seen.add(bits := kind(x).bits)  # 64 of complex128 too: a complex step perturbs only some of the arrays
        if bits not in (32, 64):  # float16 does not hold a squared distance
            raise InputError(f"{name} has dtype {x.dtype}: convert it to a floating dtype, float32 or float64")
        plain = plain and type(x) is np.ndarray
        if not plain and (isinstance(x, np.matrix) or hasattr(x, "mask")):  # their * is not that of each entry
            raise InputError(f"{name} is a {type_of(x)}: convert it to a plain array, such as by numpy.array")
    if not plain:
        require_together(**arrays)
    if len(seen) > 1:
        listed = ", ".join(f"{name} {x.dtype}" for name, x in arrays.items())
        raise InputError(f"mismatched dtypes ({listed}): convert them to one dtype")


def require_together(**arrays: Array) -> None:
    """All the arrays are of one module, and on one device where they say it: nothing here ever moves silently."""
    modules = {name: namespace(x).__name__ for name, x in arrays.items()}
    devices = {name: f"{modules[name]} on {x.device}" for name, x in arrays.items() if hasattr(x, "device")}
    if len({*modules.values()}) > 1 or len({*devices.values()}) > 1:
        listed = ", ".join(f"{name} {(modules | devices)[name]}" for name in modules)
        raise InputError(f"mixed modules or devices ({listed}): move them to one, such as by backend.like")


def checked(layer: Any, params: Any, x: Array, **shapes: tuple[int, ...]) -> tuple[dict[str, Array], Array]:
    """The layer's parameters and x in native byte order, if they have these names and shapes, and the dtype of x."""
    require_names(layer, params, shapes)
    require_floating(x=x, **params)
    if x.ndim == 0:
        raise InputError(f"{layer} takes an array of samples, got a single number")
    for name, shape in shapes.items():
        if (got := params[name].shape) != shape:
            raise InputError(f"{layer} takes a {name} of shape {shape}, got {got}: is it another network's?")
    return {name: native(w) for name, w in params.items()}, native(x)


def require_names(taker: Any, params: Any, names: Any) -> None:
    """`params` is a dict with just these names."""
    if not isinstance(params, dict) or params.keys() != set(names):
        got = sorted(params, key=str) if isinstance(params, dict) else type(params).__name__
        raise InputError(f"{taker} takes parameters named {sorted(names)}, got {got}: is it another network's?")


def guarded(y: Array, pullback: Callable) -> tuple[Array, Callable]:
    """A layer's output, and its pullback, which then refuses a dy of another shape or dtype than y's."""
    shape, dtype, bits, xp = y.shape, y.dtype, kind(y).bits, namespace(y)

    def guard(dy: Array, wrt_input: bool = False) -> Any:
        if kind(dy).bits != bits or dy.shape != shape:
            raise InputError(f"dy has shape {dy.shape} and dtype {dy.dtype}: the output has {shape} and {dtype}")
        if namespace(dy) is not xp:
            raise InputError(f"dy is of {namespace(dy).__name__}, the output of {xp.__name__}: move dy there by like")
        return pullback(native(dy), wrt_input)

    return y, guard


def whole_sizes(layer: Any) -> None:
    """Makes a layer's sizes Python's own integers, of at least 1: NumPy's would promote float32."""
    for field in fields(layer):
        size = whole_number(field.name, getattr(layer, field.name), 1)
        object.__setattr__(layer, field.name, size)  # the dataclass is frozen


def require_features(x: Array, taker: Any, features: int) -> None:
    """`x`, which the layer `taker` takes, is (samples, features)."""
    if x.shape[1:] not in ((features,), (None,)):  # ndonnx does not know all of a product's shape
        raise InputError(f"{taker} takes (samples, {features}), got {x.shape}")


def require_images(x: Array, taker: Any, maps: int, least: int = 0, unit: int = 1) -> None:
    """`x` is (samples, maps, height, width), with height and width of at least `least`, multiples of `unit`."""
    fits = x.ndim == 4 and x.shape[1] == maps
    if not (fits and min(x.shape[2:]) >= least and x.shape[2] % unit == x.shape[3] % unit == 0):
        sides = f"of at least {least}" if least else f"multiples of {unit}"
        raise InputError(f"{taker} takes (samples, {maps}, height, width) with height and width {sides}, got {x.shape}")


def require_margin(margin: float, z: Array) -> float:
    """m as a Python float, if the dtype of z holds m²: float32 does from 1e-19 to 1e19."""
    m = positive_number("margin", margin)
    least = kind(z).least_root
    require(least < m < 1 / least, f"margin is {margin!r}: {z.dtype} does not hold its square: choose one nearer to 1")
    return m


def embeddings(z: Array, size: int) -> Array:
    """z in native byte order, if it is floating, (samples, dims), with as many samples as the graph, `size`."""
    require_floating(z=z)
    fits = z.ndim == 2 and z.shape[0] == size
    require(fits, f"z has shape {z.shape}: the graph has {size} samples, so it must be ({size}, dims)")
    return native(z)


def similar_by_label(y: Any, z: Array) -> Array:
    """Where Y = 0, (pairs,) bool on the device of z (pairs, dims); y holds 0, 1 or truth values, one for each pair."""
    y = y if is_array(y) else np.asarray(y)
    if not on_host(y):
        require_together(y=y, z=z)
    pairs, xp = z.shape[0], namespace(y)
    require(y.shape == (pairs,), f"y has shape {y.shape}: one label for each of the {pairs} pairs is needed")
    truths = xp.isdtype(y.dtype, "bool")
    try:
        labelled = truths or bool(xp.all((y == 0) | (y == 1)))
    except TypeError as fault:  # jax.jit gives them no values yet
        raise InputError("y has no values inside jax.jit: pass booleans, True for dissimilar pairs") from fault
    require(labelled, "y holds labels other than 0 and 1: use 0 for similar and 1 for dissimilar pairs")
    similar = ~y if truths else y == 0
    return like(similar, z) if on_host(y) else similar


def require_finite_step(number: int, loss: Array, gradient: Tree, params: Tree) -> None:
    """The objective and the new W are finite, which they cannot be if the gradient is not, or else DivergedError."""
    if _finite([loss, *(w for _, w in leaves(params))]):
        return
    trees = {"objective": loss, "gradient": gradient, "new value": params}
    name, path = next((name, path) for name, tree in trees.items() for path, x in leaves(tree) if not _finite([x]))
    culprit = f"the {name} of {path}" if path else f"the {name}"
    remedy = "lower the learning rate, or look for NaN in the data"
    raise DivergedError(f"{culprit} is not finite at step {number}: {remedy}")


def _finite(arrays: list[Array]) -> bool:
    xp = namespace(arrays[0])
    return bool(to_host(xp.all(xp.stack([xp.all(xp.isfinite(x)) for x in arrays]))))  # one copy from the device
