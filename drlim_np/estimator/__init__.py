"""DrLIM as an estimator with the conventions of scikit-learn: `fit`, `transform`, `score`; and a picture of a map."""

from typing import Any

import numpy as np

from drlim_np.checks.numbers import labels_of, present, real_array, same_length
from drlim_np.errors import require
from drlim_np.estimator.drlim import DrLIM

__all__ = ["DrLIM", "plot"]

SIDE = 6.0  # inches
THUMBNAIL = 0.075  # of a thumbnail's side, in parts of the map's


def plot(z: Any, images: Any = None, labels: Any = None) -> Any:
    """The map z (samples, 2) as a figure of Matplotlib's: `plot(z, images).savefig("map.png")`.

    images: (samples, height, width) of any scale; some of them are drawn next to their points, none over another.
    labels: (samples,) colour the points, grey without one: up to ten by a legend, more numbers along a scale.
    In a notebook the figure shows itself. No style that is set changes its colours.
    """
    from matplotlib import rc_context  # no earlier

    from drlim_np.drawing import thumbnails
    from drlim_np.drawing.style import RULES, Sheet

    z = real_array("z", z, "samples", "2")
    require(len(z) > 0, "z has no samples: there is nothing to draw")
    require(np.abs(z).max() < 1e300, "z is too large to be drawn: divide it by its largest value")
    with rc_context(RULES):
        figure = Sheet(figsize=(SIDE, SIDE), layout="constrained")
        axes = figure.add_subplot(aspect="equal", xticks=[], yticks=[], frame_on=False)
        centre = (z.min(axis=0) + z.max(axis=0)) / 2
        reach = (float(np.ptp(z, axis=0).max()) or 1.0) * (0.5 + THUMBNAIL)
        low, high = centre - reach, centre + reach
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        if labels is None:
            axes.scatter(z[:, 0], z[:, 1], s=12, color="tab:blue", linewidths=0)
        else:
            _coloured(axes, z, labels)
        if images is not None:
            images = real_array("images", images, "samples", "height", "width")
            same_length(z=z, images=images)
            require(images.size > 0, f"images has shape {images.shape}: it has no pixels")
            side, darkest = THUMBNAIL * 2 * reach, images.min()
            shown, middles = thumbnails.place(z, side, low, high, hides=max(1, len(z) // 100))
            grey = 255 * (images[shown] - darkest) / (np.ptp(images) or 1.0)
            thumbnails.draw(axes, grey, ["0.35"] * len(shown), z[shown], middles, side)
    return figure


def _coloured(axes: Any, z: np.ndarray, labels: Any) -> None:
    labels = labels_of("labels", labels, z=z)
    there = present(labels)
    known = np.array(labels[there].tolist())
    names, coded = np.unique(known, return_inverse=True)
    fits = known.dtype.kind in "fiub" or len(names) <= 10
    require(fits, f"labels has {len(names)} different names: ten have a colour, so group them")
    looks = {"s": 12, "linewidths": 0}
    shown = [axes.scatter(*z[~there].T, color="0.8", **looks)] if not there.all() else []
    texts = ["no label"] * len(shown)
    if len(names) <= 10:
        shown += [axes.scatter(*z[there][coded == n].T, color=f"C{n}", **looks) for n in range(len(names))]
        texts += [str(name) or '""' for name in names]
    else:
        axes.figure.colorbar(axes.scatter(*z[there].T, c=known, **looks), ax=axes, shrink=0.8)
    if shown:
        legend = axes.legend(shown, ["?"] * len(shown), loc="best", fontsize=10)
        for text, name in zip(legend.get_texts(), texts, strict=True):
            text.set(text=name, parse_math=False)  # only so may a name begin with "_" or hold "$"
