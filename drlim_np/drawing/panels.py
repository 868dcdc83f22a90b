"""One sheet for every figure: its claim above, panels placed in inches from the top left corner, numbers below."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from drlim_np.drawing.style import HEADING, INK, LETTERS, LOOKS, WIDTH

EDGE, LINE = 0.12, 0.245  # inches that stay free around all; from one line of letters to the next


def sheet(claim: str, numbers: str, tall: float) -> tuple[Figure, float]:
    """A figure with the claim in bold above `tall` inches for panels, the numbers below; and where the panels begin."""
    top = 0.22 + 0.27 * (claim.count("\n") + 1)
    height = top + tall + (0.16 + LINE * (numbers.count("\n") + 1))
    figure = Figure(figsize=(WIDTH, height))
    figure.text(*place(figure, EDGE, 0.1), claim, va="top", fontsize=HEADING, weight="bold")
    figure.text(*place(figure, EDGE, height - 0.1), numbers, va="bottom", fontsize=LETTERS)
    return figure, top


def in_lines(parts: Sequence[str], first: int) -> str:
    """Parts of a sentence, with commas between them: the `first` ones in one line, the others in a second."""
    return ",\n".join(", ".join(line) for line in (parts[:first], parts[first:]) if line)


def box(figure: Figure, left: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
    """Left, bottom, width and height in the fractions of the figure that Matplotlib asks for."""
    across, up = figure.get_size_inches()
    return left / across, 1 - (top + height) / up, width / across, height / up


def place(figure: Figure, left: float, top: float) -> tuple[float, float]:
    """A point, from inches to the fractions of the figure."""
    return box(figure, left, top, 0, 0)[:2]


def fitted(points: np.ndarray, width: float, height: float) -> float:
    """The units of a map (samples, 2) in an inch, if it is to fit into width and height in inches."""
    return float((np.ptp(points, axis=0) / (width, height)).max()) or 1.0


def height_of(points: np.ndarray, inner: tuple[float, float]) -> float:
    """The height in inches of a map (samples, 2) that fits into the `inner` width and height in inches."""
    return np.ptp(points, axis=0)[1] / fitted(points, *inner)


def map_panel(figure: Figure, area: tuple, points: np.ndarray, inner: tuple[float, float]) -> tuple[Axes, float]:
    """Axes without a frame over `area` (left, top, width, height in inches), and the map's units in an inch.

    The map (samples, 2) is in the middle, to scale, within the `inner` width and height.
    """
    unit = fitted(points, *inner)
    middle, reach = (points.max(axis=0) + points.min(axis=0)) / 2, unit * np.array(area[2:]) / 2
    axes = figure.add_axes(box(figure, *area))
    axes.axis("off")
    axes.set(xlim=(middle[0] - reach[0], middle[0] + reach[0]), ylim=(middle[1] - reach[1], middle[1] + reach[1]))
    return axes, unit


def corners(axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """The lower left and the upper right corner of a panel, (2,) each, in the unit of its map."""
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    return low, high


def horizontal(z: np.ndarray) -> np.ndarray:
    """The map z (samples, 2) turned about its middle such that its longest direction is horizontal."""
    z = np.asarray(z, float) - np.mean(z, axis=0, dtype=float)
    along, up = np.linalg.svd(z, full_matrices=False)[2]
    return z @ np.stack([along * np.sign(along[0] or 1), up * np.sign(up[1] or 1)], axis=1)


def scatter_by(axes: Axes, z: np.ndarray, group: np.ndarray, looks: Mapping, **options) -> None:
    """Each group in its colour and marker, as `looks` has them. z (samples, 2), group (samples,)."""
    for value, (colour, marker) in looks.items():
        axes.scatter(*z[group == value].T, c=colour, marker=marker, linewidths=0, **options)


def legend(of: Axes | Figure, looks: Mapping, where: tuple[float, float], names=(), size=9, **options) -> None:
    """The names of the groups in their colours and markers, at a place in fractions of the axes or the figure."""
    handles = [Line2D([], [], marker=marker, color=colour, ms=size, ls="") for colour, marker in looks.values()]
    options = {"handletextpad": 0, "columnspacing": 0.8, "borderaxespad": 0} | options
    of.legend(handles, list(names) or [str(value) for value in looks], bbox_to_anchor=where, **options).set_zorder(9)


def colour_bar(figure: Figure, shown: ScalarMappable, left: float, top: float, width: float, **options) -> Colorbar:
    """The scale of the colours that are shown: a horizontal bar, in inches from the figure's top left corner."""
    axes = figure.add_axes(box(figure, left, top, width, 0.14))
    bar = figure.colorbar(shown, cax=axes, orientation="horizontal", **options)
    bar.outline.set_visible(False)
    return bar


def by_slant(axes: Axes, bar: tuple, z: np.ndarray, label: np.ndarray, slant: np.ndarray, size) -> ScalarMappable:
    """The map coloured by slant, each digit in its marker, and the scale of the colours at (left, top) in inches."""
    low, high = np.quantile(slant, [0.02, 0.98])
    looks = {"s": size, "linewidths": 0, "cmap": "viridis", "vmin": low, "vmax": high}
    for digit, (_, marker) in LOOKS.items():
        colours = axes.scatter(*z[label == digit].T, c=slant[label == digit], marker=marker, **looks)
    scale = colour_bar(axes.figure, colours, *bar, 1.0, extend="both").ax
    scale.set_xticks([])
    for x, way in ((-0.1, "left"), (1.1, "right")):
        scale.text(x, -0.5, way, transform=scale.transAxes, ha=way, va="top", color=INK)
    return colours
