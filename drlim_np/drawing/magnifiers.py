"""Magnifiers: a ring on the map, joined by lines to a strip of samples inside it, in one line or more."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from drlim_np.drawing.style import INK
from drlim_np.drawing.thumbnails import picture


class Magnifier(NamedTuple):
    """A ring at `middle` (2,) of `radius`, in the map's unit, and the samples of its strip as one reads them."""

    middle: np.ndarray
    radius: float
    samples: np.ndarray


def magnifier(z: np.ndarray, middle: np.ndarray, radius: float, group: np.ndarray, most: int) -> Magnifier:
    """The magnifier at a place of the map z (samples, 2), by rule: all samples within the radius, spread by group.

    Of each group (samples,), such as a shift, it takes the sample nearest to the middle, then of each the second, and
    so on, until it has `most` or all; of two equally near the first.
    """
    away = np.linalg.norm(z - middle, axis=1)
    inside = np.argsort(away, kind="stable")[: np.count_nonzero(away <= radius)]
    turn = [np.count_nonzero(group[inside[:k]] == group[sample]) for k, sample in enumerate(inside)]
    return Magnifier(np.asarray(middle, float), radius, inside[np.lexsort((group[inside], turn))][:most])


def draw(
    axes: Axes, found: Magnifier, images: np.ndarray, colours: list, start: np.ndarray, side: float, columns: int = 0
) -> np.ndarray:
    """The ring, two lines, and the strip: images (samples, height, width) from 0 to 255, `columns` in a row or all.

    start (2,): the strip's lower left corner; side: an image's, in the map's unit. Returns the middles (samples, 2).
    """
    row, column = np.divmod(np.arange(len(images)), columns or len(images))
    middles = start + side * (0.5 + 1.04 * np.stack([column, row[-1] - row], axis=1))
    axes.add_patch(Ellipse(found.middle, 2 * found.radius, 2 * found.radius, fill=False, ec=INK, lw=1.8, zorder=7))
    low, high = middles.min(axis=0) - side / 2, middles.max(axis=0) + side / 2
    # Two lines to the corners of the strip's near side; of one to the left or right, its near end: none runs along it.
    axis = int(low[0] <= found.middle[0] <= high[0])
    near, towards = (low, 1.0) if low[axis] > found.middle[axis] else (high, -1.0)
    for end, way in ((low, np.full(2, -1.0)), (high, np.full(2, 1.0))):
        corner = np.where(np.arange(2) == axis, near, end)
        way[axis] = towards
        at = found.middle + found.radius * way / np.sqrt(2)
        axes.plot([at[0], corner[0]], [at[1], corner[1]], color=INK, linewidth=1.0, zorder=3)
    for image, colour, middle in zip(images, colours, middles, strict=True):
        picture(axes, image, colour, middle, side)
    return middles
