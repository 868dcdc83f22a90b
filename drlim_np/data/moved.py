"""Images moved by any part of a pixel, and turned: moves that are not in the training set of Figs. 5 to 7."""

from itertools import product

import numpy as np

from drlim_np.checks.numbers import native
from drlim_np.errors import require


def moved(images: np.ndarray, right: float = 0.0, down: float = 0.0, turn: float = 0.0) -> np.ndarray:
    """Images (samples, maps, height, width) of a floating dtype, turned about their middle and then moved.

    right, down: in pixels; turn: in degrees, anticlockwise. Each pixel is interpolated from the four pixels around the
    place that it comes from (bilinear); beyond the border are zeros.
    """
    require(
        images.dtype.kind == "f" and bool(np.isfinite([right, down, turn]).all()),
        f"right, down, turn are {right}, {down}, {turn} and pixels {images.dtype}: give finite numbers and floats",
    )
    images = native(images)
    height, width = images.shape[2:]
    middle = np.array([[[(height - 1) / 2]], [[(width - 1) / 2]]])
    y, x = np.indices((height, width)) - middle - np.reshape([down, right], (2, 1, 1))
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    source = np.stack([cos * y + sin * x, cos * x - sin * y]) + middle
    result = np.zeros_like(images)
    for corner in product((0, 1), repeat=2):
        place = np.floor(source).astype(int) + np.reshape(corner, (2, 1, 1))
        share = (1 - np.abs(source - place)).prod(axis=0)
        rows, columns = place
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        taken = images[:, :, rows.clip(0, height - 1), columns.clip(0, width - 1)]
        result += np.where(inside, share, 0).astype(images.dtype) * taken
    return result
