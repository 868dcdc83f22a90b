"""The exceptions this package raises on purpose, and the checks that its doors share.

Each message is one line that names the culprit and the remedy, so that the command line can print it as it stands.
"""

import os
from typing import Any

import numpy as np


class DrlimError(Exception):
    """Anything that the caller can mend; the command line prints it and exits with status 2."""


class InputError(DrlimError, ValueError):
    """An argument that the mathematics has no meaning for: a shape, a dtype, a margin, a label, a pair."""


class DataError(DrlimError, ValueError):
    """A data file that is missing, damaged, or not what its name says."""


class DivergedError(DrlimError, ArithmeticError):
    """A loss or gradient that is no longer a finite number."""


class CollapsedError(DrlimError, ArithmeticError):
    """A map that has collapsed: all its points together.

    z: the map, (samples, dims). spread: the largest standard deviation of a coordinate, in margins.
    """

    def __init__(self, message: str, z, spread: float):
        super().__init__(message)
        self.z, self.spread = z, spread


def shown(text: str | os.PathLike) -> str:
    """A path or a stranger's text, fit for a one-line message: with line breaks or control characters it is escaped."""
    return str(text) if str(text).isprintable() else ascii(str(text))


def whole_number(name: str, value: Any, least: int, most: int | None = None) -> int:
    """`value` as an int: NumPy's integers count, booleans do not. Raises InputError unless least ≤ value ≤ most."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(f"{name} is {value!r}: it must be a whole number {allowed}")
    return int(value)


def plain_array(name: str, x: Any, *axes: str) -> np.ndarray:
    """`x` as a NumPy array with the axes named. Raises InputError for another shape, and where entries are masked."""
    if np.ma.is_masked(x):
        raise InputError(f"{name} has masked entries: leave them out, or fill them in")
    x = np.asarray(x)
    if x.ndim != len(axes):
        raise InputError(f"{name} has shape {x.shape}: it must be ({', '.join(axes)}{',' * (len(axes) == 1)})")
    return x


def whole_numbers(name: str, x: Any, *axes: str) -> np.ndarray:
    """`x` as int64, so that no difference of unsigned or narrow integers wraps. Raises InputError for other dtypes."""
    x = plain_array(name, x, *axes)
    if x.dtype.kind not in "iu" or x.max(initial=0) > np.iinfo(np.int64).max:
        raise InputError(f"{name} is {x.dtype}: it must hold whole numbers that fit int64")
    return x.astype(np.int64)


def real_array(name: str, x: Any, *axes: str) -> np.ndarray:
    """`x` as float64. Raises InputError for another shape, and for what is no finite real number that float64 holds."""
    x = plain_array(name, x, *axes)
    if x.dtype.kind not in "fiub":
        raise InputError(f"{name} has dtype {x.dtype}: it must hold real numbers")
    finite(name, x)
    with np.errstate(over="ignore"):
        exact = x.astype(np.float64)
    if (x.dtype in (np.int64, np.uint64) and np.abs(exact).max(initial=0) >= 2**53) or (
        x.dtype == np.longdouble and (exact != x).any()
    ):
        raise InputError(f"{name} is {x.dtype} and holds numbers that float64 does not: round or scale them first")
    return exact


def finite(name: str, x: np.ndarray) -> None:
    """Raises InputError, which names the first sample, for NaN and infinite values."""
    if not (fine := np.isfinite(x)).all():
        raise InputError(f"sample {np.argwhere(~fine)[0, 0]} of {name} holds NaN or infinite values: remove it")


def same_length(**arrays: np.ndarray) -> None:
    """Raises InputError unless all have as many samples."""
    if len({len(x) for x in arrays.values()}) > 1:
        counts = ", ".join(f"{name} {len(x)}" for name, x in arrays.items())
        raise InputError(f"the numbers of samples differ ({counts}): give each sample one of each")


def require_generator(rng: Any) -> None:
    """Raises InputError for a seed in place of a generator."""
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"rng is {rng!r}: give a generator, such as numpy.random.default_rng(0)")
