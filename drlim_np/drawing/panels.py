"""One sheet for every figure: its claim above, panels placed in inches from the top left corner, numbers below."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from drlim_np.drawing.style import HEADING, INK, LETTERS, SLANTS, WIDTH
from drlim_np.figures.digits import LOOKS

EDGE = 0.12  # inches that stay free around all
LINE = 0.245  # inches from one line of letters to the next


def sheet(height: float, claim: str, numbers: str) -> Figure:
    """A figure of that height in inches: the claim in bold at the top, the numbers at the bottom, room between."""
    figure = Figure(figsize=(WIDTH, height))
    figure.text(*place(figure, EDGE, 0.1), claim, va="top", fontsize=HEADING, weight="bold")
    figure.text(*place(figure, EDGE, height - 0.1), numbers, va="bottom", fontsize=LETTERS)
    return figure


def room_for(claim: str, numbers: str) -> tuple[float, float]:
    """The inches that a sheet's claim takes at the top and its numbers at the bottom."""
    return 0.22 + 0.27 * (claim.count("\n") + 1), 0.16 + LINE * (numbers.count("\n") + 1)


def box(figure: Figure, left: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
    """Left, bottom, width and height in the fractions of the figure that Matplotlib asks for."""
    across, up = figure.get_size_inches()
    return left / across, 1 - (top + height) / up, width / across, height / up


def place(figure: Figure, left: float, top: float) -> tuple[float, float]:
    """A point, from inches to the fractions of the figure."""
    return box(figure, left, top, 0, 0)[:2]


def fitted(points: np.ndarray, width: float, height: float) -> float:
    """How many units of a map (samples, 2) go to an inch so that it fits into width and height in inches."""
    return float((np.ptp(points, axis=0) / (width, height)).max()) or 1.0


def map_panel(
    figure: Figure, area: tuple[float, float, float, float], points: np.ndarray, inner: tuple[float, float]
) -> tuple[Axes, float]:
    """Axes without a frame over `area` (left, top, width, height in inches), the map (samples, 2) in its middle.

    The map is drawn to scale in the `inner` width and height; around it is room. Returns the units that make an inch.
    """
    unit = fitted(points, *inner)
    middle, reach = (points.max(axis=0) + points.min(axis=0)) / 2, unit * np.array(area[2:]) / 2
    axes = figure.add_axes(box(figure, *area))
    axes.axis("off")
    axes.set(xlim=(middle[0] - reach[0], middle[0] + reach[0]), ylim=(middle[1] - reach[1], middle[1] + reach[1]))
    axes.set_autoscale_on(False)
    return axes, unit


def corners(axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """The lower left and the upper right end of a panel, (2,) each, in the unit of its map."""
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    return low, high


def lying(z: np.ndarray) -> np.ndarray:
    """The map z (samples, 2) turned about its middle such that its longest direction lies across."""
    z = np.asarray(z, float) - np.mean(z, axis=0, dtype=float)
    along, up = np.linalg.svd(z, full_matrices=False)[2]
    return z @ np.stack([along * np.sign(along[0] or 1), up * np.sign(up[1] or 1)], axis=1)


def by_slant(axes: Axes, bar: Axes, z: np.ndarray, label: np.ndarray, slant: np.ndarray, size: float) -> ScalarMappable:
    """The map coloured by slant, each digit in its marker, and the scale of the colours in `bar`."""
    ends = np.quantile(slant, [0.02, 0.98])
    for digit, (_, marker) in LOOKS.items():
        of = label == digit
        colours = axes.scatter(
            *z[of].T, c=slant[of], marker=marker, s=size, linewidths=0, cmap=SLANTS, vmin=ends[0], vmax=ends[1]
        )
    scale = axes.figure.colorbar(colours, cax=bar, orientation="horizontal", extend="both")
    scale.outline.set_visible(False)
    bar.set_xticks([])
    for x, words, side in ((-0.1, "left", "left"), (1.1, "right", "right")):
        bar.text(x, -0.5, words, transform=bar.transAxes, ha=side, va="top", color=INK)
    return colours
