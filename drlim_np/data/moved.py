"""Images moved by any part of a pixel, and turned: by what the training set of Figs. 5 to 7 does not hold."""

from itertools import product

import numpy as np

from drlim_np.errors import InputError


def moved(images: np.ndarray, right: float = 0.0, down: float = 0.0, turn: float = 0.0) -> np.ndarray:
    """Images (samples, maps, height, width) of a floating dtype, turned about their middle and then moved.

    right, down: in pixels; turn: in degrees, anticlockwise. Each pixel takes what lies at the place it comes from,
    between the four pixels around it (bilinear); beyond the border lie zeros. Raises InputError for pixels that are not
    floating numbers, or an amount that is not finite.
    """
    if not np.issubdtype(images.dtype, np.floating) or not np.isfinite([right, down, turn]).all():
        raise InputError(
            f"right, down, turn are {right}, {down}, {turn} and pixels {images.dtype}: give finite numbers and floats"
        )
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
