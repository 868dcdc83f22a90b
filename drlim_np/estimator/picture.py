"""A map as a picture: a Matplotlib figure in one line, with the images themselves where there is room for them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from drlim_np.checks.numbers import plain_array, real_array, same_length

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 6.0  # inches
THUMBNAIL = 0.075  # of a thumbnail's side, in parts of the map's


def plot(z: Any, images: Any = None, labels: Any = None) -> "Figure":
    """The map z (samples, 2) as a figure of Matplotlib's: `plot(z, images).savefig("map.png")`.

    images: (samples, height, width) of any scale; some of them are drawn next to their points, none over another.
    labels: (samples,) colour the points: numbers along a scale, or up to ten different ones by a legend.

    Matplotlib is imported here and not before.
    """
    from matplotlib.figure import Figure

    z = real_array("z", z, "samples", "2")
    figure = Figure(figsize=(SIDE, SIDE), layout="constrained")
    axes = figure.add_subplot(aspect="equal", xticks=[], yticks=[])
    centre, reach = (z.min(axis=0) + z.max(axis=0)) / 2, (float(np.ptp(z, axis=0).max()) or 1.0) * (0.5 + THUMBNAIL)
    low, high = centre - reach, centre + reach
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    if labels is None:
        axes.scatter(z[:, 0], z[:, 1], s=12, color="tab:blue", linewidths=0)
    else:
        _coloured(axes, z, labels)
    if images is not None:
        _thumbnails(axes, z, real_array("images", images, "samples", "height", "width"), low, high)
    return figure


def _coloured(axes: Any, z: np.ndarray, labels: Any) -> None:
    labels = plain_array("labels", labels, "samples")
    same_length(z=z, labels=labels)
    names = np.unique(labels)
    if len(names) <= 10:
        for number, name in enumerate(names):
            axes.scatter(*z[labels == name].T, s=12, color=f"C{number}", linewidths=0, label=str(name))
        axes.legend(loc="best", frameon=False)
    else:
        points = axes.scatter(*z.T, s=12, c=real_array("labels", labels, "samples"), linewidths=0)
        axes.figure.colorbar(points, ax=axes, shrink=0.8)


def _thumbnails(axes: Any, z: np.ndarray, images: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    from drlim_np.drawing import thumbnails

    same_length(z=z, images=images)
    side, least, range_ = THUMBNAIL * float(high[0] - low[0]), images.min(), np.ptp(images)
    shown, middles = thumbnails.place(z, side, low, high, hides=max(1, len(z) // 100))
    grey = 255 * (images[shown] - least) / (range_ or 1.0)
    thumbnails.draw(axes, grey, ["0.35"] * len(shown), z[shown], middles, side)
