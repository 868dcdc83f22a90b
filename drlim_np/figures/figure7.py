"""Figure 7: shifted digits with the prior knowledge that a shift changes nothing: the map does not show it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.data import SHIFTS, Digits
from drlim_np.drawing import thumbnails
from drlim_np.drawing.panels import by_slant, corners, height_of, horizontal, legend, map_panel, scatter_by, sheet
from drlim_np.drawing.style import LOOKS, WIDTH
from drlim_np.figures import Result, Train, figure
from drlim_np.figures.digits import NEIGHBOURS, Training, Unseen, nearest
from drlim_np.figures.figure5 import SHIFT_LOOKS, Story, magnify, shift_name, tell
from drlim_np.graph import SimilarityGraph, alike_in_any_copy

CLAIM = "Told that a shift changes nothing: copies together,\ndigits apart, slant along"
CHARACTERS = 6  # shown with all their copies
STRIP, SIDE = 12, 0.3  # samples in a magnifier's strip, and inches: a thumbnail's side
INNER = (4.6, 3.6)  # inches: the most the large map takes of its panel, and
SMALL = (2.5, 1.75)  # the small ones of theirs


def near_whatever_the_shift(characters: np.ndarray, train: Train) -> SimilarityGraph:
    """Every copy with all copies of its character and of that one's 5 nearest, found among the unshifted."""
    return alike_in_any_copy(nearest(characters, train), len(SHIFTS))


def draw(z: np.ndarray, unseen: Unseen, words: str) -> Figure:
    """The map by digit with four magnifiers and six characters' copies; smaller, by shift and by slant."""
    z = horizontal(z)
    if z[unseen.label == 9, 1].mean() < z[unseen.label == 4, 1].mean():
        z[:, 1] *= -1
    tall, low = height_of(z, INNER) + 1.5, height_of(z, SMALL) + 0.35
    drawing, top = sheet(CLAIM, words, tall + 0.1 + low)
    axes, unit = map_panel(drawing, (0, top, WIDTH, tall), z, INNER)
    scatter_by(axes, z, unseen.label, LOOKS, s=5, alpha=0.75)
    side = SIDE * unit
    taken = np.concatenate([magnifiers(axes, z, unseen, side, unit), copies(axes, z, unseen, side)])
    lines = np.concatenate([np.linspace(*line.get_xydata()[[0, -1]], 60) for line in axes.get_lines()])
    shown, middles = thumbnails.place(z, side, *corners(axes), apart=1.4, taken=taken, lines=lines)
    thumbnails.draw(axes, *unseen.shown(shown), z[shown], middles, side)

    below = top + tall + 0.1
    shifts, _ = map_panel(drawing, (0.1, below, SMALL[0] + 0.1, low), z, SMALL)
    scatter_by(shifts, z, unseen.shift, SHIFT_LOOKS, s=1.5)
    legend(shifts, SHIFT_LOOKS, (1.02, 1), map(shift_name, SHIFT_LOOKS), loc="upper left", labelspacing=0.2)
    slants, _ = map_panel(drawing, (4.0, below, SMALL[0] + 0.1, low), z, SMALL)
    by_slant(slants, (6.75, below + 0.55), z, unseen.label, unseen.slant, 1.5)
    legend(slants, LOOKS, (1.53, 0), loc="lower right", ncols=2)
    for axes, name in ((shifts, "by shift"), (slants, "by slant")):
        axes.text(0, 1, name, transform=axes.transAxes, va="top", weight="bold")
    return drawing


def magnifiers(axes: Axes, z: np.ndarray, unseen: Unseen, side: float, unit: float) -> np.ndarray:
    """Four look at the means of each digit's most and least slanted sixth; the middles of their images (images, 2)."""
    places, taken, (low, high) = [], [], corners(axes)
    for digit in LOOKS:
        of = np.flatnonzero(unseen.label == digit)
        ranked = of[np.argsort(unseen.slant[of], kind="stable")]
        sixth = max(1, len(of) // 6)
        places += [z[ranked[:sixth]].mean(axis=0), z[ranked[-sixth:]].mean(axis=0)]
    places.sort(key=lambda place: -place[1])
    starts = low[0] + 0.12 * unit, high[0] - 0.12 * unit - 1.04 * side * STRIP
    for line, pair in ((high[1] - 1.1 * side, places[:2]), (low[1] + 0.1 * side, places[2:])):
        for start, middle in zip(starts, sorted(pair, key=lambda place: place[0]), strict=True):
            taken.append(magnify(axes, z, unseen, middle, unit, np.array([start, line]), side, STRIP, STRIP))
    return np.concatenate(taken)


def copies(axes: Axes, z: np.ndarray, unseen: Unseen, side: float) -> np.ndarray:
    """Characters with their copies left and right of the map, joined to their points; the middles of the images."""
    plain = np.flatnonzero(unseen.shift == 0)
    chosen = plain[thumbnails.farthest_first(z[plain], CHARACTERS)]
    left, right = np.split(chosen[np.argsort(z[chosen, 0], kind="stable")], 2)
    taken, (low, high) = [], corners(axes)
    for group, edge in ((left, low[0] + 0.75 * side), (right, high[0] - 0.75 * side - 4 * 1.04 * side)):
        heights = np.linspace(high[1] - 3.2 * side, low[1] + 3.2 * side, len(group))
        for height, sample in zip(heights, group[np.argsort(-z[group, 1], kind="stable")], strict=True):
            of = np.flatnonzero(unseen.character == unseen.character[sample])
            of = of[np.argsort(unseen.shift[of])]
            middles = np.stack([edge + 1.04 * side * np.arange(len(of)), np.full(len(of), height)], axis=1)
            thumbnails.draw(axes, *unseen.shown(of), z[of], middles, side)
            taken.append(middles)
    return np.concatenate(taken)


CLAIMS = (
    ("the shifts of a character packed together: shift ratio", "shift_ratio", "≤"),
    ("no organisation by shift: neighbours of the same shift", "same_shift_neighbours", "≤"),
    ("organised by slant: R² of its regression on the map", "slant_r2", "≥"),
    ("classes side by side: 5-NN accuracy", "accuracy", "≥"),
)
BOUNDS = dict.fromkeys(("mnist", "handwriting"), (0.06, 0.22, 0.87, 0.76)) | {"quick": (0.25, 0.30, 0.4, 0.6)}
LISTED = len(SHIFTS) - 1 + NEIGHBOURS * len(SHIFTS)
STORY = Story("figure 7", near_whatever_the_shift, LISTED, Training(steps=3000), 300, CLAIMS, BOUNDS, draw)


@figure("figure7", needs="digits", seconds=26)
def make(digits: Digits, train: Train) -> Result:
    """Digits and their shifts, similar whatever the shift: copies packed together, one coherent map."""
    return tell(STORY, digits, train)


@figure("figure7-exact", needs="digits", on_request=True, seconds=35)
def make_exact(digits: Digits, train: Train) -> Result:
    """The same from the paper's own sum over all pairs ("exact"); drawn on request."""
    return tell(STORY, digits, train, "exact")
