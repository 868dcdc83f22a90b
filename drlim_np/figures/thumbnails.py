"""Images of some samples beside their points, none over another."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.patches import Rectangle

# Where a thumbnail may lie as seen from its point: the eight directions, in which its frame just clears the point.
DIRECTIONS = [(1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1)]
APART = (
    1.9  # between the middles of two thumbnails, along one axis at least, in sides: the points between stay in sight
)
REACH = 0.75  # from a point to the middle of its thumbnail, along either axis, in parts of the thumbnail's side


def place(points: np.ndarray, side: float, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which samples get a thumbnail, and where: indices (shown,), middles (shown, 2).

    points (samples, 2); side: a thumbnail's, in the map's unit; low, high (2,): the corners of the room there is.

    Samples come in farthest-first order, which covers the map evenly. Each takes, of the eight places around its point
    that lie inside the room and APART from the thumbnails already placed, the one that hides the fewest points.
    """
    shown, middles = [], []
    for sample in farthest_first(points):
        candidates = points[sample] + REACH * side * np.array(DIRECTIONS)
        inside = ((candidates - side / 2 >= low) & (candidates + side / 2 <= high)).all(axis=1)
        gaps = np.abs(candidates[:, None] - np.reshape(middles, (1, -1, 2))).max(axis=2)
        free = candidates[inside & (gaps >= APART * side).all(axis=1)]
        if len(free):
            hidden = (np.abs(points[None] - free[:, None]).max(axis=2) < side / 2).sum(axis=1)
            shown.append(sample)
            middles.append(free[hidden.argmin()])
    return np.array(shown, dtype=int), np.reshape(middles, (-1, 2))


def farthest_first(points: np.ndarray) -> np.ndarray:
    """All samples, each next one the farthest from those before it; the first lies farthest from the mean."""
    order = np.empty(len(points), dtype=int)
    across, up = np.ascontiguousarray(points.T)
    nearest = np.linalg.norm(points - points.mean(axis=0), axis=1)
    for k in range(len(points)):
        order[k] = nearest.argmax()
        distance = np.sqrt((across - across[order[k]]) ** 2 + (up - up[order[k]]) ** 2)
        nearest = distance if k == 0 else np.minimum(nearest, distance)
        nearest[order[k]] = -1  # and stays so, for no distance is less
    return order


def draw(
    axes: Axes,
    images: np.ndarray,
    colours: list[str],
    points: np.ndarray,
    middles: np.ndarray,
    side: float,
    tinted: bool = True,
) -> None:
    """Each image, (shown, height, width) uint8, at its middle, with a frame and a line to its point in its colour.

    tinted: the image is ink, drawn in that colour too; else a photograph, drawn in grey as it is.
    """
    for image, colour, point, middle in zip(images, colours, points, middles, strict=True):
        axes.plot(*zip(point, middle, strict=True), color=colour, linewidth=0.8, zorder=3)
        axes.plot(*point, "o", markersize=3.2, color=colour, markeredgecolor="black", markeredgewidth=0.5, zorder=6)
        left, bottom = middle - side / 2
        axes.imshow(
            image,
            cmap=LinearSegmentedColormap.from_list("ink", ["white", to_rgba(colour)]) if tinted else "gray",
            vmin=0,
            vmax=255,
            extent=(left, left + side, bottom, bottom + side),
            interpolation="bilinear" if tinted else "antialiased",
            zorder=4,
            clip_on=False,
        )
        axes.add_patch(Rectangle((left, bottom), side, side, fill=False, edgecolor=colour, linewidth=0.7, zorder=5))
