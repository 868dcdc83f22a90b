"""Figure 5: shifted digits, similar if near in pixels: only equal shifts are, and the map falls apart by shift."""

import numpy as np
from matplotlib.figure import Figure

from drlim_np.data.shifts import SHIFTS, shifted
from drlim_np.drawing.panels import fitted, lying, map_panel, room_for, sheet
from drlim_np.drawing.style import WIDTH
from drlim_np.drawing.thumbnails import APART, picture
from drlim_np.figures.digits import Training, nearest, scatter_by_class
from drlim_np.figures.shifted_digits import NEIGHBOURS, ShiftedDigits, by_digit, frames, name_of, pictures, said
from drlim_np.figures.shifted_maps import Story, tell
from drlim_np.graph import SimilarityGraph
from drlim_np.runs.record import Result, Run


def near_in_pixels(run: Run, characters: np.ndarray) -> SimilarityGraph:
    """Every copy with its 5 nearest among all copies."""
    return nearest(run, shifted(characters), NEIGHBOURS)


CLAIM = "Told of near pixels alone, the map falls apart\ninto five clusters, one per shift"


def draw(z: np.ndarray, unseen: ShiftedDigits, title: str, numbers: dict[str, float]) -> Figure:
    """The map by digit, lying, each cluster named by its shift, and in it a strip of thumbnails that follows it."""
    z, words = lying(z), said(title, unseen, numbers)
    inner = (7.6, 4.0)
    tall = np.ptp(z, axis=0)[1] / fitted(z, *inner) + 1.1
    top, foot = room_for(CLAIM, words)
    figure = sheet(top + tall + foot, CLAIM, words)
    axes, unit = map_panel(figure, (0, top, WIDTH, tall), z, inner)
    scatter_by_class(axes, z, unseen.label, s=5, alpha=0.8)
    side = 0.33 * unit
    shown = np.concatenate([ridge(z, np.flatnonzero(unseen.shift == shift), side) for shift in SHIFTS])
    shown = apart(z, shown, side)
    for image, colour, point in zip(pictures(unseen, shown), frames(unseen, shown), z[shown], strict=True):
        picture(axes, image, colour, point, side)
    for shift in SHIFTS:
        of = z[unseen.shift == shift]
        above = of[:, 1].max() + side / 2 + 0.06 * unit
        axes.text(of[:, 0].mean(), above, name_of(shift), ha="center", va="bottom", weight="bold")
    by_digit(axes, (0.99, 0.01), loc="lower right", ncols=2)
    axes.text(0.015, 0.02, "−6 to +6: pixels shifted to the right", transform=axes.transAxes, va="bottom")
    return figure


def ridge(z: np.ndarray, samples: np.ndarray, side: float) -> np.ndarray:
    """Those of the samples that follow the middle of their cluster from one end to the other.

    The cluster is cut across its longest direction into pieces a fifth of `side` long; of each piece with samples in
    it the one nearest to the piece's median is taken.
    """
    of = z[samples] - z[samples].mean(axis=0)
    along = of @ np.linalg.svd(of, full_matrices=False)[2][0]
    pieces = np.floor((along - along.min()) / (side / 5)).astype(int)
    inside = [samples[pieces == piece] for piece in np.unique(pieces)]
    return np.array([some[np.linalg.norm(z[some] - np.median(z[some], axis=0), axis=1).argmin()] for some in inside])


def apart(z: np.ndarray, samples: np.ndarray, side: float) -> np.ndarray:
    """Of the samples, in their order, each whose thumbnail lies over none before it."""
    kept = []
    for sample in samples:
        if all(np.abs(z[sample] - z[other]).max() >= APART * side for other in kept):
            kept.append(sample)
    return np.array(kept)


STORY = Story(
    name="figure 5",
    similar=near_in_pixels,
    listed=NEIGHBOURS,
    training=Training(steps=800),
    quick_steps=200,
    claims=(
        ("the shifts of a character lie apart: shift ratio", "shift_ratio", "≥"),
        ("neighbours of the same shift", "same_shift_neighbours", "≥"),
        ("five clusters: silhouette by shift", "silhouette_by_shift", "≥"),
    ),
    bounds={
        ("mnist", False): (1.1, 0.98, 0.40),
        ("handwriting", False): (1.0, 0.95, 0.30),
        ("mnist", True): (1.0, 0.80, 0.20),
        ("handwriting", True): (1.0, 0.80, 0.20),
    },
    draw=draw,
)


def make(run: Run) -> Result:
    """Digits and their shifts, similar if near in pixels: five clusters by shift."""
    return tell(STORY, run)


def make_exact(run: Run) -> Result:
    """The same from the paper's own sum over all pairs ("exact"); drawn on request."""
    return tell(STORY, run, "exact")
