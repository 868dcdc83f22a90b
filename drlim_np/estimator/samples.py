"""The check of what an estimator is given: rows or images in whatever a caller keeps them, such as a table or lists."""

from typing import Any

import numpy as np

from drlim_np.checks.numbers import finite
from drlim_np.errors import InputError


def samples(name: str, x: Any, least: int = 1) -> np.ndarray:
    """`x` as float32 if it is that, else as float64: (samples, features), (samples, height, width) or with maps.

    Raises InputError for sparse, masked or complex arrays, fewer than `least` samples, samples without features, other
    shapes, and values that are not finite; TypeError or ValueError, as NumPy does, for what is no number.
    """
    if hasattr(x, "toarray"):
        raise InputError(f"{name} is sparse: give a dense array, such as {name}.toarray()")
    if np.ma.is_masked(x):
        raise InputError(f"{name} has masked entries: leave them out, or fill them in")
    x = np.asarray(x)
    if x.dtype.kind == "c":
        raise InputError(
            f"Complex data not supported: {name} is {x.dtype}, give its real and imaginary parts as features"
        )
    x = x.astype(np.float32 if x.dtype == np.float32 else np.float64)
    if x.ndim not in (2, 3, 4):
        raise InputError(
            f"{name} has shape {x.shape}: it must be (samples, features) or (samples, height, width). Reshape your"
            f" data: {name}.reshape(-1, 1) is one feature, {name}.reshape(1, -1) one sample"
        )
    if len(x) < least:
        raise InputError(f"{name} has n_samples={len(x)}: at least {least} are needed")
    if not x[:1].size and len(x):
        raise InputError(f"0 feature(s) (shape={x.shape}) while a minimum of 1 is required: {name} is empty")
    finite(name, x)
    return x
