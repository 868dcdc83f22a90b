"""Panels placed in inches from the figure's top left corner: a map keeps its shape, and no room is lost around it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.figures.digits import LOOKS


def box(figure: Figure, left: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
    """Left, bottom, width and height in the fractions of the figure that Matplotlib asks for."""
    across, up = figure.get_size_inches()
    return left / across, 1 - (top + height) / up, width / across, height / up


def map_panel(
    figure: Figure, corner: tuple[float, float], width: float, low: np.ndarray, high: np.ndarray, heading: str
) -> Axes:
    """Axes without a frame for the part of the plane from `low` to `high` (2,), to scale, `width` inches wide."""
    tall = (high - low)[1] / (high - low)[0]
    axes = figure.add_axes(box(figure, *corner, width, width * tall))
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set_title(heading, loc="left")
    axes.axis("off")
    return axes


def room_around(z: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
    """Two corners (2,) with room between for a map z (samples, 2) and its thumbnails, 0.45 to 1 as high as wide."""
    low, high = z.min(axis=0) - 1.5 * side, z.max(axis=0) + 1.5 * side
    width, height = high - low
    missing = np.array([max(0.0, height - width), max(0.0, 0.45 * width - height)])
    return low - missing / 2, high + missing / 2


def by_slant(axes: Axes, bar: Axes, z: np.ndarray, label: np.ndarray, slant: np.ndarray, size: float) -> None:
    """The map coloured by slant, each digit in its marker, and the scale of the colours in `bar`."""
    ends = np.quantile(slant, [0.02, 0.98])
    for digit, (_, marker) in LOOKS.items():
        of = label == digit
        colours = axes.scatter(
            *z[of].T, c=slant[of], marker=marker, s=size, linewidths=0, cmap="viridis", vmin=ends[0], vmax=ends[1]
        )
    scale = axes.figure.colorbar(colours, cax=bar, orientation="horizontal", extend="both")
    scale.set_label("slant of the ink, pixels to the right per pixel of height")
