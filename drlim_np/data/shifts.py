"""Copies of digits moved sideways: the data of Figs. 5 to 7 (Sec. 3.3)."""

from collections.abc import Sequence

import numpy as np

from drlim_np.checks.numbers import plain_array, whole_number
from drlim_np.errors import require

# Pixels to the right: each digit itself, and the four copies that the paper names, in the order of windows in `wide`.
SHIFTS = (6, 3, 0, -3, -6)


def shifted(images: np.ndarray, shifts: Sequence[int] = SHIFTS) -> np.ndarray:
    """Every image once for each shift: (samples, maps, height, width) → (samples · shifts, maps, height, width).

    Copies of one image follow one another: row i · len(shifts) + c is image i moved by shifts[c] pixels to the right.
    Pixels that move over the border are lost, zeros come in.
    """
    images = plain_array("images", images, "samples", "maps", "height", "width")
    samples, maps, height, width = images.shape
    shifts = [whole_number("shift", shift, 1 - width, width - 1) for shift in shifts]
    copies = np.zeros((samples, len(shifts), maps, height, width), images.dtype)
    for copy, shift in enumerate(shifts):
        kept = width - abs(shift)
        start, source = max(shift, 0), max(-shift, 0)
        copies[:, copy, :, :, start : start + kept] = images[:, :, :, source : source + kept]
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
