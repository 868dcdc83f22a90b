"""Figure 10: the first-layer weights of the 20 hidden units as images, on one scale (Sec. 3.4)."""

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from drlim_np.data import VIEW_SIDE
from drlim_np.figures.airplane_map import mapped, setting, settings
from drlim_np.figures.record import Claim, Result, Run
from drlim_np.figures.style import RULES

ACROSS = 5

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
    return Result(_draw(images, given.views.title), claims, settings(run), given.views, measured)


def adjoining(image: np.ndarray, inside: np.ndarray) -> float:
    """How alike the weights of pixels side by side are: their correlation, over pairs with both ends inside."""
    pairs = [
        (image[1:], image[:-1], inside[1:] & inside[:-1]),
        (image.T[1:], image.T[:-1], (inside.T[1:] & inside.T[:-1])),
    ]
    one, other = (np.concatenate([pair[end][pair[2]] for pair in pairs]) for end in (0, 1))
    return float(np.corrcoef(one, other)[0, 1])


def _draw(images: np.ndarray, title: str) -> Figure:
    figure = Figure(figsize=(11, 8.2), layout="constrained")
    figure.suptitle(f"Weights of the {len(images)} hidden units on the pixels ({title})", x=0.02, ha="left")
    ends = np.quantile(np.abs(images), 0.998)
    panels = figure.subplots(len(images) // ACROSS, ACROSS)
    for image, axes in zip(images, panels.flat, strict=True):
        shown = axes.imshow(image, cmap="gray", vmin=-ends, vmax=ends, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    figure.colorbar(shown, ax=panels, shrink=0.5, label="weight", extend="both")
    return figure
