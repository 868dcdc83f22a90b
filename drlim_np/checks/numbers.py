"""The checks that public functions share: each returns its argument in a form to work on."""

from collections.abc import Sized
from math import inf
from numbers import Real
from typing import Any

import numpy as np

from drlim_np.backend import Array, on_host
from drlim_np.errors import InputError, require


def told(value: Any) -> str:
    """A value for a message: of an array the shape, not its lines of numbers."""
    return f"an array of shape {tuple(value.shape)}" if hasattr(value, "shape") and value.shape != () else repr(value)


def whole_number(name: str, value: Any, least: int, most: float = inf) -> int:
    """`value` as an int, from `least` to `most`: NumPy's integers count, booleans do not."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    allowed = f"of at least {least}" if most == inf else f"from {least} to {most}"
    fits = whole and least <= value <= most
    require(fits, f"{name} is {told(value)}: it must be a whole number {allowed}")
    return int(value)


def real_number(name: str, value: float) -> float:
    """`value` as a float, NaN included. What is no real number, such as "3", is refused."""
    require(isinstance(value, Real) and not isinstance(value, bool), f"{name} is {told(value)}: it must be a number")
    return float(value)


def positive_number(name: str, value: float) -> float:
    """`value`, finite and greater than 0, as Python's own float: NumPy's would promote float32."""
    fits = isinstance(value, Real) and not isinstance(value, bool) and 0 < value < inf
    require(fits, f"{name} is {told(value)}: it must be a finite number greater than 0")
    return float(value)


def native(x: Array) -> Array:
    """`x` in the byte order of this machine: dtypes compare only in that, and products are fast only in that."""
    return x.astype(x.dtype.newbyteorder("="), copy=False) if on_host(x) and not x.dtype.isnative else x


def plain_array(name: str, x: Any, *axes: str) -> np.ndarray:
    """`x`, not masked, as an array in native byte order; if axes are given, with just these, "3" of length 3."""
    require(not np.ma.is_masked(x), f"{name} has masked entries: leave them out, or fill them in")
    try:
        array = native(np.asarray(x))
    except ValueError:
        raise InputError(f"{name} has rows of unlike lengths: give each as many entries") from None
    kind, wanted = type(x).__name__, f"({', '.join(axes)}{',' * (len(axes) == 1)})"
    require(array.dtype != object or array.ndim > 0, f"{name} is a {kind}: give an array, or a list as list() makes")
    fixed = all(str(length) == axis for length, axis in zip(array.shape, axes, strict=False) if axis.isdigit())
    fits = not axes or (fixed and array.ndim == len(axes))
    require(fits, f"{name} has shape {array.shape}: it must be {wanted}")
    return array


def whole_numbers(name: str, x: Any, *axes: str) -> np.ndarray:
    """`x`, of any integer dtype, as int64, so that no difference of unsigned or narrow integers wraps."""
    x = plain_array(name, x, *axes)
    fit = x.dtype.kind in "iu" and x.max(initial=0) <= np.iinfo(np.int64).max
    require(fit, f"{name} is {x.dtype}: it must hold whole numbers that fit int64")
    return x.astype(np.int64)


def indices(name: str, x: Any, size: int, *axes: str) -> np.ndarray:
    """`x` as int64, from 0 to size - 1: on a machine of 32 bits NumPy cuts an index to these, and says nothing."""
    x = whole_numbers(name, x, *axes)
    for outside in x[(x < 0) | (x >= size)][:1]:
        raise InputError(f"{name} holds {outside}: samples count from 0 to {size - 1}")
    return x


def pairs_of_samples(name: str, x: Any, size: int) -> np.ndarray:
    """`x` as int64, (pairs, 2): each row two different samples of `size`."""
    pairs = whole_numbers(name, x, "pairs", "2")
    for row in np.flatnonzero(((pairs < 0) | (pairs >= size)).any(axis=1))[:1]:
        raise InputError(f"pair {row} is {tuple(pairs[row].tolist())}: samples count from 0 to {size - 1}")
    for row in np.flatnonzero(pairs[:, 0] == pairs[:, 1])[:1]:
        raise InputError(f"pair {row} joins sample {pairs[row, 0]} with itself: leave such pairs out")
    return pairs


def real_array(name: str, x: Any, *axes: str) -> np.ndarray:
    """`x` as float64, if it holds finite real numbers that float64 has exactly."""
    x = plain_array(name, x, *axes)
    require(x.dtype.kind in "fiub", f"{name} has dtype {x.dtype}: it must hold real numbers")
    finite(name, x)
    with np.errstate(over="ignore"):
        exact = x.astype(np.float64)
    lost = x.dtype in (np.int64, np.uint64) and np.abs(exact).max(initial=0) >= 2**53
    lost = lost or (x.dtype == np.longdouble and (exact != x).any())
    require(not lost, f"{name} is {x.dtype} and holds numbers that float64 does not: round or scale them first")
    return exact


def labels_of(name: str, labels: Any, **samples: Sized) -> np.ndarray:
    """One label for each of the samples, (samples,). In a list of texts NaN stays NaN, and is not the text "nan"."""
    labels = np.array(labels, dtype=object) if isinstance(labels, list | tuple) else labels
    labels = plain_array(name, labels, "samples")
    same_length(**samples, **{name: labels})
    return labels


def coded_labels(name: str, labels: Any, **samples: Sized) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The different labels in their order; of each sample the place of its label among them; and their counts."""
    labels = labels_of(name, labels, **samples)
    finite(name, labels)
    try:
        return np.unique(labels, return_inverse=True, return_counts=True)
    except TypeError:
        raise InputError(f"{name} mixes labels of unlike kinds: give numbers only, or texts only") from None


def finite(name: str, x: np.ndarray) -> None:
    """Every entry is `present`; the first sample with one that is not is named."""
    for first in np.argwhere(~present(x))[:1, 0]:
        raise InputError(f"sample {first} of {name} holds NaN, infinite or missing values: remove it")


def present(x: np.ndarray) -> np.ndarray:
    """Where x, of any dtype, is not NaN, infinite, NaT, None or pandas' NA: truth values of its shape."""
    if x.dtype != object:
        return np.isfinite(x) if x.dtype.kind in "fc" else x == x
    there = [entry is not None and str(entry == entry) == "True" for entry in x.ravel()]  # NA is neither equal nor not
    return np.array(there, bool).reshape(x.shape)


def same_length(**arrays: Sized) -> None:
    """All have the same number of samples."""
    counts = ", ".join(f"{name} {len(x)}" for name, x in arrays.items())
    equal = len({len(x) for x in arrays.values()}) == 1
    require(equal, f"the numbers of samples differ ({counts}): give each sample one of each")


def require_generator(rng: Any) -> None:
    """`rng` is a generator, not a seed."""
    remedy = "give a generator, such as numpy.random.default_rng(0)"
    require(isinstance(rng, np.random.Generator), f"rng is {told(rng)}: {remedy}")
