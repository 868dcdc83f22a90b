"""Copies of digits moved sideways: the data of Figs. 5 to 7 (Sec. 3.3); and other moves, not in their training set."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from drlim_np.checks.numbers import native, plain_array, whole_number
from drlim_np.errors import require

# Pixels to the right: each digit itself, and the four copies that the paper names, in the order of windows in `wide`.
SHIFTS = (6, 3, 0, -3, -6)


def shifted(images: np.ndarray, shifts: Sequence[int] = SHIFTS) -> np.ndarray:
    """Every image once for each shift: (samples, maps, height, width) → (samples · shifts, maps, height, width).

    Row i · len(shifts) + c is image i moved by shifts[c] pixels to the right; zeros come in from the border.
    """
    images = plain_array("images", images, "samples", "maps", "height", "width")
    samples, maps, height, width = images.shape
    shifts = [whole_number("shift", shift, 1 - width, width - 1) for shift in shifts]
    copies = np.zeros((samples, len(shifts), maps, height, width), images.dtype)
    for copy, shift in enumerate(shifts):
        start, end = max(shift, 0), width + min(shift, 0)
        copies[:, copy, :, :, start:end] = images[:, :, :, start - shift : end - shift]
    return copies.reshape(-1, maps, height, width)


def wide(images: np.ndarray) -> np.ndarray:
    """Every image between 6 empty columns on either side: (samples, maps, height, width) → (…, height, width + 12).

    The five copies of `shifted` are its windows that begin at columns 0, 3, 6, 9 and 12.
    """
    images = plain_array("images", images, "samples", "maps", "height", "width")
    return np.pad(images, [(0, 0), (0, 0), (0, 0), (max(SHIFTS), max(SHIFTS))])


def ink_lost(images: np.ndarray, shifts: Sequence[int] = SHIFTS) -> np.ndarray:
    """The share of the images' ink that each shift moves over the border, (shifts,) float64."""
    images = plain_array("images", images, "samples", "maps", "height", "width")
    ink = float(images.sum(dtype=np.float64))
    require(ink > 0, "the images hold no ink: there is none to be lost")
    left = shifted(images, shifts).reshape(len(images), len(shifts), -1).sum(axis=(0, 2), dtype=np.float64)
    return 1 - left / ink


def moved(images: np.ndarray, right: float = 0.0, down: float = 0.0, turn: float = 0.0) -> np.ndarray:
    """Floating images (samples, maps, height, width) turned about their middle by degrees, anticlockwise, then moved.

    Each pixel is interpolated from the four around the place that it comes from (bilinear); outside are zeros.
    """
    fault = f"right, down, turn are {right}, {down}, {turn} and pixels {images.dtype}: give finite numbers and floats"
    require(images.dtype.kind == "f" and bool(np.isfinite([right, down, turn]).all()), fault)
    images = native(images)
    height, width = images.shape[2:]
    middle = np.array([[[(height - 1) / 2]], [[(width - 1) / 2]]])
    y, x = np.indices((height, width)) - middle - np.reshape([down, right], (2, 1, 1))
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    source = np.stack([cos * y + sin * x, cos * x - sin * y]) + middle
    result, padded = np.zeros_like(images), np.pad(images, [(0, 0), (0, 0), (1, 1), (1, 1)])
    for corner in product((0, 1), repeat=2):
        place = np.floor(source).astype(int) + np.reshape(corner, (2, 1, 1))
        share = (1 - np.abs(source - place)).prod(axis=0).astype(images.dtype)
        rows, columns = place + 1
        result += share * padded[:, :, rows.clip(0, height + 1), columns.clip(0, width + 1)]
    return result
