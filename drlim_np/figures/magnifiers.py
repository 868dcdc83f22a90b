"""Magnifiers: a ring on the map, joined by lines to a strip of samples inside it."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from drlim_np.figures.style import INK
from drlim_np.figures.thumbnails import picture


class Magnifier(NamedTuple):
    """A ring at `middle` (2,) of `radius`, in the map's unit, and the samples of its strip, left to right."""

    middle: np.ndarray
    radius: float
    samples: np.ndarray


def magnifier(z: np.ndarray, middle: np.ndarray, radius: float, group: np.ndarray, most: int) -> Magnifier:
    """The magnifier at a place of the map z (samples, 2), by rule: all samples within the radius, spread by group.

    Of each group (samples,), such as a shift, it takes the sample nearest to the middle, then of each the second, and
    so on, until it has `most` or all; of two equally near the first.
    """
    away = np.linalg.norm(z - middle, axis=1)
    inside = np.flatnonzero(away <= radius)
    inside = inside[np.argsort(away[inside], kind="stable")]
    turn = np.array([np.sum(group[inside[:k]] == group[sample]) for k, sample in enumerate(inside)], dtype=int)
    by_turn = inside[np.lexsort((group[inside], turn))]
    return Magnifier(np.asarray(middle, float), radius, by_turn[:most])


def draw(
    axes: Axes, found: Magnifier, images: np.ndarray, colours: list[str], start: np.ndarray, side: float
) -> np.ndarray:
    """The ring, two lines, and the strip: images (samples, height, width) from 0 to 255 in a row.

    start (2,): the strip's lower left corner; side: an image's, in the map's unit. Returns the images' middles
    (samples, 2).
    """
    middles = start + side * (np.array([[0.5, 0.5]]) + np.array([[1.04, 0.0]]) * np.arange(len(images))[:, None])
    axes.add_patch(Ellipse(found.middle, 2 * found.radius, 2 * found.radius, fill=False, ec=INK, lw=1.8, zorder=7))
    up = 1 if start[1] > found.middle[1] else -1
    foot = start[1] + (0 if up > 0 else side)
    for end, across in ((middles[0, 0] - side / 2, -1), (middles[-1, 0] + side / 2, 1)):
        at = found.middle + found.radius * np.array([across, up]) / np.sqrt(2)
        axes.plot([at[0], end], [at[1], foot], color=INK, linewidth=1.0, zorder=3)
    for image, colour, middle in zip(images, colours, middles, strict=True):
        picture(axes, image, colour, middle, side)
    return middles
