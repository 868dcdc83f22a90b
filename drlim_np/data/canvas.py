"""Digits as G_W sees them: on a canvas of 32×32, which leaves C3 of Fig. 3 exactly one position."""

import numpy as np

from drlim_np.checks.numbers import plain_array
from drlim_np.errors import require

SIDE = 32


def on_canvas(images: np.ndarray) -> np.ndarray:
    """(samples, height, width) uint8 pixels → (samples, 1, 32, 32) float32: ink from 0 to 1, centred, zeros around."""
    images = plain_array("images", images, "samples", "height", "width")
    fits = images.dtype == np.uint8 and max(images.shape[1:]) <= SIDE
    require(fits, f"images must be uint8, (samples, up to {SIDE}, up to {SIDE}), got {images.dtype} {images.shape}")
    samples, height, width = images.shape
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    canvas = np.zeros((samples, 1, SIDE, SIDE), np.float32)
    canvas[:, 0, top : top + height, left : left + width] = images / np.float32(255)
    return canvas
