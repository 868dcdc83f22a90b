"""How maps in space are drawn: flat pictures of them from several sides, far points first."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, NoNorm, Normalize, to_hex
from matplotlib.figure import Figure

from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS, Views
from drlim_np.drawing import thumbnails
from drlim_np.drawing.panels import box, colour_bar, corners, legend, place
from drlim_np.drawing.style import AROUND, INK, SIX_LIGHTS

MARKERS = "os^DvP"  # one per lighting

SCALES = {  # the colour map of each label of a view, its range, and the ticks of its bar
    "azimuth": (AROUND, Normalize(0, AZIMUTHS), {0: "0°", 9: "180°", 18: "360°"}),
    "elevation": (colormaps["viridis"], Normalize(0, ELEVATIONS - 1), {0: "30°", 4: "50°", 8: "70°"}),
    "lighting": (ListedColormap(SIX_LIGHTS), NoNorm(), {}),
}

# The numbers that describe a map of views, in two lines and one order for all figures of the airplane.
caption = """elevation R² {elevation_r2:.3f}, azimuth resultant {azimuth_resultant:.3f}, \
azimuth error {azimuth_error_degrees:.1f}°,
lighting's share {share_of_lighting:.3f}, near in the graph {similar_neighbours:.3f}, \
lit alike {same_lighting_neighbours:.3f}, second loop {second_loop:.3f}""".format_map


class Side(NamedTuple):
    """From where a map is looked at: turned about its axis, then tilted, to 90° if one looks down along it."""

    words: str
    turn: float
    tilt: float


def project(points: np.ndarray, side: Side) -> tuple[np.ndarray, np.ndarray]:
    """Points (samples, 3), axis upright, as seen: places in the picture (samples, 2), and how far away (samples,)."""
    turn, tilt = np.radians(side.turn), np.radians(side.tilt)
    x, y, height = points.T
    across, away = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    up = height * np.cos(tilt) + away * np.sin(tilt)
    return np.stack([across, up], axis=1), away * np.cos(tilt) - height * np.sin(tilt)


def colours(views: Views, rows: np.ndarray, by: str) -> np.ndarray:
    """The colours of the views `rows`, (rows, 4), by "azimuth", in a circle of colours, "elevation" or "lighting"."""
    scale, norm, _ = SCALES[by]
    return scale(norm(getattr(views, by)[rows]))


def bar(figure: Figure, left: float, top: float, width: float, by: str) -> None:
    """The scale of the colours, in inches from the figure's top left corner."""
    scale, norm, ticks = SCALES[by]
    drawn = colour_bar(figure, ScalarMappable(norm, scale), left, top, width)
    drawn.set_ticks(list(ticks), labels=list(ticks.values()))
    drawn.ax.set_title(by)


def space_panel(figure: Figure, corner: tuple, width: float, reach: float, heading="", middle=(0.0, 0.0)) -> Axes:
    """A square without a frame for points up to `reach` from the middle."""
    axes = figure.add_axes(box(figure, *corner, width, width))
    axes.set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach))
    axes.text(0.5, 0.99, heading, transform=axes.transAxes, ha="center", va="top")
    axes.axis("off")
    return axes


def scatter(axes: Axes, points: np.ndarray, side: Side, views: Views, rows: np.ndarray, by: str, size=1.0) -> None:
    """The views `rows` at points (rows, 3), seen from one side, near ones larger; each lighting in its marker."""
    at, away = project(points, side)
    near = (away.max() - away) / np.ptp(away) if np.ptp(away) else np.full(len(away), 0.7)
    edge = "white" if by == "lighting" else INK
    for light, marker in enumerate(MARKERS):
        shown = np.flatnonzero(views.lighting[rows] == light)
        shown = shown[np.argsort(-away[shown])]
        colour = colours(views, rows[shown], by)
        looks = {"marker": marker, "c": colour, "edgecolors": edge, "linewidths": 0.6 * near[shown]}
        axes.scatter(*at[shown].T, s=size * (5 + 25 * near[shown]), zorder=2, **looks)


def images_beside(axes: Axes, at: np.ndarray, views: Views, rows: np.ndarray, by: str, part: float, **rules) -> None:
    """Images of some of the views `rows` beside their places `at` (rows, 2); `part`: their side in the panel's."""
    side = part * np.ptp(axes.get_xlim())
    shown, middles = thumbnails.place(at, side, *corners(axes), **rules)
    frames = [to_hex(colour) for colour in colours(views, rows[shown], by)]
    thumbnails.draw(axes, views.images[rows[shown]], frames, at[shown], middles, side)


def lighting_key(figure: Figure, middle: float, top: float, colours: Sequence[str] = SIX_LIGHTS) -> None:
    """The marker of each lighting, and its number, in inches from the figure's top left corner."""
    looks = {light + 1: look for light, look in enumerate(zip(colours, MARKERS, strict=True))}
    room = {"ncols": LIGHTINGS, "columnspacing": 0.6, "borderpad": 0, "borderaxespad": None}
    legend(figure, looks, place(figure, middle, top), size=10, title="lighting", loc="upper center", **room)
