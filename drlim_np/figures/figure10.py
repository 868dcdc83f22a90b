"""Figure 10: the first-layer weights of the 20 hidden units as images, on one scale (Sec. 3.4)."""

import numpy as np

from drlim_np.data import VIEW_SIDE, Views
from drlim_np.drawing.panels import box, colour_bar, place, sheet
from drlim_np.drawing.style import ORANGE, WIDTH
from drlim_np.figures import Claim, Result, Train, figure
from drlim_np.figures.figure8 import train_airplane

CLAIM = "Hidden units see edges where the airplane turns,\nand nothing beyond its footprint"
ACROSS = 7  # panels side by side
INSIDE, SMOOTH = 0.99, 0.5  # bounds: weight over the footprint, correlation of adjoining pixels' weights, at least


@figure("figure10", needs="views", after=("figure8",), seconds=3)
def make(views: Views, train: Train) -> Result:
    """The first-layer weights of the 20 hidden units as images."""
    found = train_airplane(views, train)
    images = found.params["hidden"]["weight"].reshape(-1, VIEW_SIDE, VIEW_SIDE)
    varies = np.ptp(found.inputs[found.train], axis=0).reshape(VIEW_SIDE, VIEW_SIDE) > 0
    inside = float(np.sum(images[:, varies] ** 2) / np.sum(images**2))
    smooth = float(np.mean([adjoining(image, varies) for image in images]))
    claims = [
        Claim("near zero beyond the airplane's footprint: share of squared weights inside", inside, "≥", INSIDE),
        Claim("structure, not noise: correlation of weights of adjoining pixels inside", smooth, "≥", SMOOTH),
    ]

    # One view trained on, and the weights of every hidden unit; on each the contour of the footprint, for scale.
    words = f"{len(images)} hidden units, {views.title}: {inside:.3f} of their squared weights\n"
    words += f"inside the contour, adjoining ones correlate by {smooth:.3f}"
    side, lines = WIDTH / ACROSS, -(-(len(images) + 1) // ACROSS)
    drawing, top = sheet(CLAIM, words, lines * side + 0.5)
    ends = np.quantile(np.abs(images), 0.998)
    for number, image in enumerate([views.images[found.train[0]], *images]):
        line, column = divmod(number, ACROSS)
        left, down = column * side + 0.03, top + line * side + 0.03
        axes = drawing.add_axes(box(drawing, left, down, side - 0.06, side - 0.06))
        limits = {"vmin": 0, "vmax": 255} if number == 0 else {"vmin": -ends, "vmax": ends}
        shown = axes.imshow(image, cmap="gray", **limits)
        axes.contour(varies, [0.5], colors=[ORANGE], linewidths=1.0)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=number == 0, color=ORANGE, linewidth=2)
    below = top + lines * side + 0.14
    colour_bar(drawing, shown, 5.6, below, 1.2).set_ticks([])
    key = "first: a view; contour: where views differ"
    for text, x, edge in ((key, 0.12, "left"), ("−", 5.5, "right"), ("+ weight", 6.9, "left")):
        drawing.text(*place(drawing, x, below + 0.07), text, ha=edge, va="center")
    measured = {"footprint_share_of_pixels": float(varies.mean())}
    return Result(drawing, claims if views.name == "airplane" else [], found.settings, views, measured)


def adjoining(image: np.ndarray, inside: np.ndarray) -> float:
    """The correlation of the weights of pixels side by side, over pairs with both ends inside."""
    pairs = []
    for weights, kept in ((image, inside), (image.T, inside.T)):
        both = kept[1:] & kept[:-1]
        pairs.append([weights[1:][both], weights[:-1][both]])
    return float(np.corrcoef(*np.concatenate(pairs, axis=1))[0, 1])
