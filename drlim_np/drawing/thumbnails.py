"""Images of some samples next to their points, none over another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

# The places for a thumbnail around its point: eight directions, and how far away its middle is along either axis, in
# parts of its side. At the nearest its frame just clears the point.
DIRECTIONS = np.array([(1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1)])
REACHES = (0.75, 1.25, 1.9)
APART = 1.08  # between the middles of two thumbnails, along one axis at least, in sides
TRIED = 500  # samples, the first of a farthest-first order: they cover a map more densely than thumbnails can


def place(
    points: np.ndarray, side: float, low: np.ndarray, high: np.ndarray, hides=0, apart=APART, taken=(), lines=()
) -> tuple[np.ndarray, np.ndarray]:
    """Which samples get a thumbnail, and where: indices (shown,), middles (shown, 2).

    points (samples, 2); side: a thumbnail's, in the map's unit; low, high (2,): the corners of the room there is.
    hides: the most points that one may cover; apart: sides between two; taken: middles (others, 2) of thumbnails that
    are there already; lines: points (others, 2) along lines that must stay in sight, as the samples must.

    The first TRIED samples in farthest-first order, which covers the map evenly, have their turn. Each takes, of the
    places around its point that are inside the room, apart from the thumbnails already placed, and over no more than
    `hides` points, the one over the fewest, and of those the nearest. No line to a point runs under another thumbnail.
    """
    shown, middles = [], [np.asarray(middle) for middle in taken]
    ways = np.empty((0, 2))  # points along the lines from thumbnails to their samples
    drawn = np.concatenate([points, np.reshape(lines, (-1, 2))])
    drawn = drawn[np.argsort(drawn[:, 0], kind="stable")]
    steps = np.concatenate([reach * DIRECTIONS for reach in REACHES])
    for sample in farthest_first(points, TRIED):
        candidates = points[sample] + side * steps
        inside = ((candidates - side / 2 >= low) & (candidates + side / 2 <= high)).all(axis=1)
        others = np.reshape(middles, (1, -1, 2))
        free = candidates[inside & (np.abs(candidates[:, None] - others).max(axis=2) >= apart * side).all(axis=1)]
        hidden = [_under(drawn, middle, side) for middle in free]
        for k in np.argsort(hidden, kind="stable"):
            way = np.linspace(points[sample], free[k], 17)
            under = np.abs(way[:, None] - others).max(axis=2) < side / 2
            over = np.abs(ways - free[k]).max(axis=1) < side / 2
            if hidden[k] <= hides and not under.any() and not over.any():
                shown.append(sample)
                middles.append(free[k])
                ways = np.concatenate([ways, way])
                break
    return np.array(shown, dtype=int), np.reshape(middles[len(taken) :], (-1, 2))


def _under(points: np.ndarray, middle: np.ndarray, side: float) -> int:
    """How many of the points (samples, 2), in ascending order of their first coordinate, a thumbnail hides."""
    start, end = np.searchsorted(points[:, 0], [middle[0] - side / 2, middle[0] + side / 2])
    return np.count_nonzero(np.abs(points[start:end, 1] - middle[1]) < side / 2)


def farthest_first(points: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the points (samples, 2), each the farthest from those before it, the first from the mean."""
    order = np.empty(min(len(points), most), dtype=int)
    across, up = np.ascontiguousarray(points.T)
    nearest = np.linalg.norm(points - points.mean(axis=0), axis=1)
    for k in range(len(order)):
        order[k] = nearest.argmax()
        distance = np.sqrt((across - across[order[k]]) ** 2 + (up - up[order[k]]) ** 2)
        nearest = distance if k == 0 else np.minimum(nearest, distance)
        nearest[order[k]] = -1  # and stays so, because no distance is less
    return order


def draw(
    axes: Axes, images: np.ndarray, colours: Sequence[str], points: np.ndarray, middles: np.ndarray, side: float
) -> None:
    """Each image, (shown, height, width) from 0, black, to 255, white, at its middle, in a frame of its colour.

    A line of that colour leads to its point, which wears a ring.
    """
    for image, colour, point, middle in zip(images, colours, points, middles, strict=True):
        axes.plot(*zip(point, middle, strict=True), color=colour, linewidth=1.0, zorder=3)
        axes.plot(*point, "o", markersize=4.5, markerfacecolor="white", markeredgecolor=colour, zorder=6)
        picture(axes, image, colour, middle, side)


def picture(axes: Axes, image: np.ndarray, colour: str, middle: np.ndarray, side: float) -> None:
    """One image, (height, width) from 0 to 255, centred at `middle` (2,), its frame in that colour."""
    left, bottom = np.asarray(middle) - side / 2
    looks = {"cmap": "gray", "vmin": 0, "vmax": 255, "interpolation": "antialiased", "aspect": "auto", "zorder": 4}
    axes.imshow(image, extent=(left, left + side, bottom, bottom + side), **looks)
    axes.add_patch(Rectangle((left, bottom), side, side, fill=False, edgecolor=colour, linewidth=1.0, zorder=5))
