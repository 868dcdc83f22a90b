"""Figure 10: the first-layer weights of the 20 hidden units as images, on one scale (Sec. 3.4)."""

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from drlim_np.data import VIEW_SIDE
from drlim_np.drawing.panels import box, place, room_for, sheet
from drlim_np.drawing.style import ORANGE, RULES, WIDTH
from drlim_np.figures.airplane_map import mapped, setting, settings
from drlim_np.runs.record import Claim, Result, Run

CLAIM = "Hidden units see edges where the airplane turns,\nand nothing beyond its footprint"
ACROSS = 7  # panels side by side

INSIDE, SMOOTH = 0.99, 0.5  # bounds: weight over the footprint, correlation of adjoining pixels' weights, at least


@rc_context(RULES)
def make(run: Run) -> Result:
    """The first-layer weights of the 20 hidden units as images."""
    given, found = setting(run), mapped(run)
    images = found.params["hidden"]["weight"].reshape(-1, VIEW_SIDE, VIEW_SIDE)
    varies = np.ptp(given.inputs[given.train], axis=0).reshape(VIEW_SIDE, VIEW_SIDE) > 0
    inside = float(np.sum(images[:, varies] ** 2) / np.sum(images**2))
    smooth = float(np.mean([adjoining(image, varies) for image in images]))
    claims = []
    if given.views.name == "airplane":
        claims = [
            Claim("near zero beyond the airplane's footprint: share of squared weights inside", inside, "≥", INSIDE),
            Claim("structure, not noise: correlation of weights of adjoining pixels inside", smooth, "≥", SMOOTH),
        ]
    measured = {"footprint_share_of_pixels": float(varies.mean())}
    view = given.views.images[given.train[0]]
    figure = _draw(images, view, varies, given.views.title, inside, smooth)
    return Result(figure, claims, settings(run), given.views, measured)


def adjoining(image: np.ndarray, inside: np.ndarray) -> float:
    """How alike the weights of pixels side by side are: their correlation, over pairs with both ends inside."""
    pairs = [
        (image[1:], image[:-1], inside[1:] & inside[:-1]),
        (image.T[1:], image.T[:-1], (inside.T[1:] & inside.T[:-1])),
    ]
    one, other = (np.concatenate([pair[end][pair[2]] for pair in pairs]) for end in (0, 1))
    return float(np.corrcoef(one, other)[0, 1])


def _draw(images: np.ndarray, view: np.ndarray, varies: np.ndarray, title: str, inside: float, smooth: float) -> Figure:
    """One view trained on, and the weights of every hidden unit; on each the contour of the footprint, for scale."""
    words = f"{len(images)} hidden units, {title}: {inside:.3f} of their squared weights\ninside the contour, adjoining"
    words = f"{words} ones correlate by {smooth:.3f}"
    top, foot = room_for(CLAIM, words)
    side, lines = WIDTH / ACROSS, -(-(len(images) + 1) // ACROSS)
    figure = sheet(top + lines * side + 0.5 + foot, CLAIM, words)
    ends = np.quantile(np.abs(images), 0.998)
    for number, image in enumerate([view, *images]):
        line, column = divmod(number, ACROSS)
        corner = (column * side + 0.03, top + line * side + 0.03)
        axes = figure.add_axes(box(figure, *corner, side - 0.06, side - 0.06))
        limits = {"vmin": 0, "vmax": 255} if number == 0 else {"vmin": -ends, "vmax": ends}
        shown = axes.imshow(image, cmap="gray", **limits)
        axes.contour(varies, [0.5], colors=[ORANGE], linewidths=1.0)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        if number == 0:
            axes.spines[:].set(visible=True, color=ORANGE, linewidth=2)
    below = top + lines * side + 0.14
    figure.text(*place(figure, 0.12, below + 0.07), "first: a view; contour: where views differ", va="center")
    scale = figure.colorbar(shown, cax=figure.add_axes(box(figure, 5.6, below, 1.2, 0.14)), orientation="horizontal")
    scale.outline.set_visible(False)
    scale.set_ticks([])
    for x, words, edge in ((5.5, "−", "right"), (6.9, "+ weight", "left")):
        figure.text(*place(figure, x, below + 0.07), words, ha=edge, va="center")
    return figure
