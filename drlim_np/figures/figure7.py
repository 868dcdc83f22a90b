"""Figure 7: shifted digits with the prior knowledge that a shift changes nothing: the map does not show it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.data.shifts import SHIFTS
from drlim_np.drawing import thumbnails
from drlim_np.drawing.magnifiers import draw as draw_magnifier
from drlim_np.drawing.panels import box, by_slant, corners, fitted, lying, map_panel, room_for, sheet
from drlim_np.drawing.style import WIDTH
from drlim_np.figures.digits import LOOKS, Training, nearest, scatter_by_class
from drlim_np.figures.shifted_digits import (
    NEIGHBOURS,
    ShiftedDigits,
    by_digit,
    by_shift,
    focus,
    frames,
    pictures,
    said,
    scatter_by_shift,
)
from drlim_np.figures.shifted_maps import Story, tell
from drlim_np.graph import SimilarityGraph
from drlim_np.neighbours import alike_in_any_copy
from drlim_np.runs.record import Result, Run


def near_whatever_the_shift(run: Run, characters: np.ndarray) -> SimilarityGraph:
    """Every copy with all copies of its character and of that one's 5 nearest, found among the unshifted."""
    return alike_in_any_copy(nearest(run, characters, NEIGHBOURS), len(SHIFTS))


CLAIM = "Told that a shift changes nothing: copies together,\ndigits apart, slant along"
CHARACTERS = 6  # shown with all their copies
STRIP = 12  # samples in a magnifier's strip
SMALL = 0.3  # inches: a thumbnail's side


def draw(z: np.ndarray, unseen: ShiftedDigits, title: str, numbers: dict[str, float]) -> Figure:
    """The map by digit, lying: four magnifiers, six characters with their copies; small, by shift and by slant."""
    z, words = lying(z), said(title, unseen, numbers)
    if z[unseen.label == 9, 1].mean() < z[unseen.label == 4, 1].mean():
        z[:, 1] *= -1
    inner, small = (4.6, 3.6), (2.5, 1.75)
    tall = np.ptp(z, axis=0)[1] / fitted(z, *inner) + 1.5
    low = np.ptp(z, axis=0)[1] / fitted(z, *small) + 0.35
    top, foot = room_for(CLAIM, words)
    figure = sheet(top + tall + 0.1 + low + foot, CLAIM, words)
    axes, unit = map_panel(figure, (0, top, WIDTH, tall), z, inner)
    scatter_by_class(axes, z, unseen.label, s=5, alpha=0.75)
    side = SMALL * unit
    taken = np.concatenate([magnifiers(axes, z, unseen, side, unit), copies(axes, z, unseen, side)])
    lines = np.concatenate([np.linspace(*line.get_xydata()[[0, -1]], 60) for line in axes.get_lines()])
    shown, middles = thumbnails.place(z, side, *corners(axes), apart=1.4, taken=taken, lines=lines)
    thumbnails.draw(axes, pictures(unseen, shown), frames(unseen, shown), z[shown], middles, side)

    top += tall + 0.1
    shifts, _ = map_panel(figure, (0.1, top, small[0] + 0.1, low), z, small)
    shifts.text(0, 1, "by shift", transform=shifts.transAxes, va="top", weight="bold")
    scatter_by_shift(shifts, z, unseen.shift, s=1.5)
    by_shift(shifts, (1.02, 1), loc="upper left", labelspacing=0.2)
    slants, _ = map_panel(figure, (4.0, top, small[0] + 0.1, low), z, small)
    slants.text(0, 1, "by slant", transform=slants.transAxes, va="top", weight="bold")
    bar = figure.add_axes(box(figure, 6.75, top + 0.55, 1.0, 0.14))
    by_slant(slants, bar, z, unseen.label, unseen.slant, 1.5)
    by_digit(slants, (1.53, 0), loc="lower right", ncols=2)
    return figure


def magnifiers(axes: Axes, z: np.ndarray, unseen: ShiftedDigits, side: float, unit: float) -> np.ndarray:
    """Four of them with their strips above and below the map; the middles of the strips' images, (images, 2).

    They look at the mean of the most and of the least slanted sixth of each digit.
    """
    places = []
    for digit in LOOKS:
        of = np.flatnonzero(unseen.label == digit)
        ranked = of[np.argsort(unseen.slant[of], kind="stable")]
        sixth = max(1, len(of) // 6)
        places += [z[ranked[:sixth]].mean(axis=0), z[ranked[-sixth:]].mean(axis=0)]
    places = np.array(places)[np.argsort([-place[1] for place in places], kind="stable")]
    (low, high), taken = corners(axes), []
    for line, pair in ((high[1] - 1.1 * side, places[:2]), (low[1] + 0.1 * side, places[2:])):
        for number, middle in enumerate(pair[np.argsort(pair[:, 0], kind="stable")]):
            found = focus(z, middle, unit, unseen.shift, STRIP)
            length = 1.04 * side * len(found.samples)
            start = low[0] + 0.12 * unit if number == 0 else high[0] - 0.12 * unit - length
            images, colours = pictures(unseen, found.samples), frames(unseen, found.samples)
            taken.append(draw_magnifier(axes, found, images, colours, np.array([start, line]), side))
    return np.concatenate(taken)


def copies(axes: Axes, z: np.ndarray, unseen: ShiftedDigits, side: float) -> np.ndarray:
    """Characters with their copies, each joined to its point, beside the map; the middles of the images (images, 2).

    The characters are those whose unshifted copies come first in a farthest-first order.
    """
    plain = np.flatnonzero(unseen.shift == 0)
    chosen = plain[thumbnails.farthest_first(z[plain], CHARACTERS)]
    (low, high), taken = corners(axes), []
    left_first = chosen[np.argsort(z[chosen, 0], kind="stable")]
    for group, edge in (
        (left_first[: CHARACTERS // 2], low[0] + 0.75 * side),
        (left_first[CHARACTERS // 2 :], high[0] - 0.75 * side - 4 * 1.04 * side),
    ):
        heights = np.linspace(high[1] - 3.2 * side, low[1] + 3.2 * side, len(group))
        for height, sample in zip(heights, group[np.argsort(-z[group, 1], kind="stable")], strict=True):
            of = np.flatnonzero(unseen.character == unseen.character[sample])
            middles = np.stack([edge + 1.04 * side * np.arange(len(of)), np.full(len(of), height)], axis=1)
            thumbnails.draw(axes, pictures(unseen, of), frames(unseen, of), z[of], middles, side)
            taken.append(middles)
    return np.concatenate(taken)


STORY = Story(
    name="figure 7",
    similar=near_whatever_the_shift,
    listed=len(SHIFTS) - 1 + NEIGHBOURS * len(SHIFTS),
    training=Training(steps=3000),
    quick_steps=300,
    claims=(
        ("the shifts of a character packed together: shift ratio", "shift_ratio", "≤"),
        ("no organisation by shift: neighbours of the same shift", "same_shift_neighbours", "≤"),
        ("organised by slant: R² of its regression on the map", "slant_r2", "≥"),
        ("classes side by side: 5-NN accuracy", "accuracy", "≥"),
    ),
    bounds={
        ("mnist", False): (0.06, 0.22, 0.87, 0.76),
        ("handwriting", False): (0.06, 0.22, 0.87, 0.76),
        ("mnist", True): (0.25, 0.30, 0.4, 0.6),
        ("handwriting", True): (0.25, 0.30, 0.4, 0.6),
    },
    draw=draw,
)


def make(run: Run) -> Result:
    """Digits and their shifts, similar whatever the shift: copies packed together, one coherent map."""
    return tell(STORY, run)


def make_exact(run: Run) -> Result:
    """The same from the paper's own sum over all pairs ("exact"); drawn on request."""
    return tell(STORY, run, "exact")
