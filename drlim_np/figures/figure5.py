"""Figure 5: shifted digits, similar if near in pixels: only equal shifts are, and the map falls apart by shift."""

import numpy as np
from matplotlib.figure import Figure

from drlim_np.data import Digits, shifted
from drlim_np.drawing.panels import height_of, horizontal, legend, map_panel, scatter_by, sheet
from drlim_np.drawing.style import LOOKS, WIDTH
from drlim_np.drawing.thumbnails import APART, picture
from drlim_np.figures import Result, Train, figure
from drlim_np.figures.digits import NEIGHBOURS, Training, Unseen, nearest
from drlim_np.figures.shifted_maps import SHIFT_LOOKS, Story, shift_name, tell
from drlim_np.graph import SimilarityGraph

CLAIM = "Told of near pixels alone, the map falls apart\ninto five clusters, one per shift"
INNER = (7.6, 4.0)  # inches: the most the map takes of its panel
QUICK_STEPS = 200


def near_in_pixels(characters: np.ndarray, train: Train) -> SimilarityGraph:
    """Every copy with its 5 nearest among all copies."""
    return nearest(shifted(characters), train)


def draw(z: np.ndarray, unseen: Unseen, words: str) -> Figure:
    """The map by digit, its longest direction across, each cluster named by its shift, with thumbnails along it."""
    z = horizontal(z)
    tall = height_of(z, INNER) + 1.1
    drawing, top = sheet(CLAIM, words, tall)
    axes, unit = map_panel(drawing, (0, top, WIDTH, tall), z, INNER)
    scatter_by(axes, z, unseen.label, LOOKS, s=5, alpha=0.8)
    side = 0.33 * unit
    shown: list[int] = []
    for sample in np.concatenate([ridge(z, np.flatnonzero(unseen.shift == shift), side) for shift in SHIFT_LOOKS]):
        if all(np.abs(z[sample] - z[other]).max() >= APART * side for other in shown):  # or it would cover it
            shown.append(sample)
    for image, colour, point in zip(*unseen.shown(shown), z[shown], strict=True):
        picture(axes, image, colour, point, side)
    for shift in SHIFT_LOOKS:
        across, up = z[unseen.shift == shift].T
        at = across.mean(), up.max() + side / 2 + 0.06 * unit
        axes.text(*at, shift_name(shift), ha="center", va="bottom", weight="bold")
    legend(axes, LOOKS, (0.99, 0.01), loc="lower right", ncols=2)
    axes.text(0.015, 0.02, "−6 to +6: pixels shifted to the right", transform=axes.transAxes, va="bottom")
    return drawing


def ridge(z: np.ndarray, samples: np.ndarray, side: float) -> np.ndarray:
    """Those of the samples that follow the middle of their cluster from one end to the other.

    They are the nearest to the medians of its pieces, cut across its longest direction, each a fifth of `side` long.
    """
    of = z[samples] - z[samples].mean(axis=0)
    along = of @ np.linalg.svd(of, full_matrices=False)[2][0]
    pieces = np.floor((along - along.min()) / (side / 5)).astype(int)
    inside = [samples[pieces == piece] for piece in np.unique(pieces)]
    return np.array([some[np.linalg.norm(z[some] - np.median(z[some], axis=0), axis=1).argmin()] for some in inside])


CLAIMS = (
    ("the shifts of a character lie apart: shift ratio", "shift_ratio", "≥"),
    ("neighbours of the same shift", "same_shift_neighbours", "≥"),
    ("five clusters: silhouette by shift", "silhouette_by_shift", "≥"),
)
BOUNDS = {"mnist": (1.1, 0.98, 0.40), "handwriting": (1.0, 0.95, 0.30), "quick": (1.0, 0.80, 0.20)}
STORY = Story("figure 5", near_in_pixels, NEIGHBOURS, Training(steps=1200), QUICK_STEPS, CLAIMS, BOUNDS, draw)


@figure("figure5", needs="digits", seconds=25)  # before Figure 4, so not with Figure 6: both take much memory
def make(digits: Digits, train: Train) -> Result:
    """Digits and their shifts, similar if near in pixels: five clusters by shift."""
    return tell(STORY, digits, train)


@figure("figure5-exact", needs="digits", on_request=True, seconds=15)
def make_exact(digits: Digits, train: Train) -> Result:
    """The same from the paper's own sum over all pairs ("exact"); drawn on request."""
    return tell(STORY, digits, train, "exact")
