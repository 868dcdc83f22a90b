"""Images of samples beside their points; and magnifiers: a ring, joined by lines to a strip of samples inside it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, Rectangle

from drlim_np.drawing.style import INK

# Around a point: eight directions, and how far a thumbnail's middle is along an axis, in sides; the least clears it.
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
    In farthest-first order each sample takes the free place over the fewest points, of those the nearest. No line to a
    point runs under another thumbnail.
    """
    shown, middles = [], [np.asarray(middle) for middle in taken]
    ways = np.empty((0, 2))  # points along the lines from thumbnails to their samples
    across, up = np.concatenate([points, np.reshape(lines, (-1, 2))]).T.copy()
    steps = np.concatenate([reach * DIRECTIONS for reach in REACHES])
    for sample in farthest_first(points, TRIED):
        candidates = points[sample] + side * steps
        inside = ((candidates - side / 2 >= low) & (candidates + side / 2 <= high)).all(axis=1)
        others = np.reshape(middles, (1, -1, 2))
        free = candidates[inside & (np.abs(candidates[:, None] - others).max(axis=2) >= apart * side).all(axis=1)]
        hidden = [np.count_nonzero((abs(across - x) < side / 2) & (abs(up - y) < side / 2)) for x, y in free]
        for k in np.argsort(hidden, kind="stable")[: np.count_nonzero(np.less_equal(hidden, hides))]:
            way = np.linspace(points[sample], free[k], 17)
            under = np.abs(way[:, None] - others).max(axis=2) < side / 2
            over = np.abs(ways - free[k]).max(axis=1) < side / 2
            if not under.any() and not over.any():
                shown.append(sample)
                middles.append(free[k])
                ways = np.concatenate([ways, way])
                break
    return np.array(shown, dtype=int), np.reshape(middles[len(taken) :], (-1, 2))


def farthest_first(points: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the points (samples, 2), each the farthest from those before it, the first from the mean."""
    order = np.empty(min(len(points), most), dtype=int)
    nearest = np.linalg.norm(points - points.mean(axis=0), axis=1)
    for k in range(len(order)):
        order[k] = nearest.argmax()
        distance = np.linalg.norm(points - points[order[k]], axis=1)
        nearest = distance if k == 0 else np.minimum(nearest, distance)
        nearest[order[k]] = -1  # and stays so, because no distance is less
    return order


def draw(axes: Axes, images: np.ndarray, colours: list[str], points: np.ndarray, middles: np.ndarray, side) -> None:
    """Each image, (shown, height, width) from 0 to 255, at its middle, framed, with a line to its point."""
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


def in_ring(z: np.ndarray, middle: np.ndarray, radius: float, group: np.ndarray, most: int) -> np.ndarray:
    """Of z (samples, 2) at most so many within the radius: of each group the nearest to `middle`, then the seconds …"""
    away = np.linalg.norm(z - middle, axis=1)
    inside = np.argsort(away, kind="stable")[: np.count_nonzero(away <= radius)]
    turn = [np.count_nonzero(group[inside[:k]] == group[sample]) for k, sample in enumerate(inside)]
    return inside[np.lexsort((group[inside], turn))][:most]


def draw_magnifier(
    axes: Axes, ring: tuple, images: np.ndarray, colours: list[str], start: np.ndarray, side: float, columns: int
) -> np.ndarray:
    """The ring, (middle, radius), two lines, and a strip of images from its lower left corner `start`: their middles.

    images (samples, height, width) from 0 to 255; side: an image's, in the map's unit; columns: in a row.
    """
    middle, radius = ring
    row, column = np.divmod(np.arange(len(images)), columns)
    middles = start + side * (0.5 + 1.04 * np.stack([column, row[-1] - row], axis=1))
    axes.add_patch(Ellipse(middle, 2 * radius, 2 * radius, fill=False, ec=INK, lw=1.8, zorder=7))
    low, high = middles.min(axis=0) - side / 2, middles.max(axis=0) + side / 2
    # Two lines to the corners of the strip's near side; of one to the left or right, its near end: none runs along it.
    axis = int(low[0] <= middle[0] <= high[0])
    near, towards = (low, 1.0) if low[axis] > middle[axis] else (high, -1.0)
    for end, way in ((low, np.full(2, -1.0)), (high, np.full(2, 1.0))):
        corner = np.where(np.arange(2) == axis, near, end)
        way[axis] = towards
        at = middle + radius * way / np.sqrt(2)
        axes.plot([at[0], corner[0]], [at[1], corner[1]], color=INK, linewidth=1.0, zorder=3)
    for image, colour, place_of_it in zip(images, colours, middles, strict=True):
        picture(axes, image, colour, place_of_it, side)
    return middles
