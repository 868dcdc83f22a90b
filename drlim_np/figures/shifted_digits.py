"""What Figures 5, 6 and 7 show: shifted 4s and 9s, the numbers that describe a map of them, and its drawing."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.data.canvas import on_canvas
from drlim_np.data.shifts import SHIFTS, ink_lost, shifted
from drlim_np.errors import DataError
from drlim_np.figures import thumbnails
from drlim_np.figures.digits import draw_at_random, scatter_by_class, slant_of
from drlim_np.figures.panels import box, by_slant, map_panel, room_around
from drlim_np.figures.record import Run
from drlim_np.figures.style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION
from drlim_np.graph import SimilarityGraph
from drlim_np.keep.checkpoint import NOTHING_KEPT, Memory
from drlim_np.measure import metrics
from drlim_np.objective import dissimilar_weight

NEIGHBOURS = 5
TRAIN_PER_CLASS = 3000
QUICK_TRAIN, QUICK_TEST = 300, 60  # of each class
BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, 0)}
SHIFT_LOOKS = dict(zip(SHIFTS, zip((BLUE, GREEN, VERMILLION, ORANGE, PURPLE), "vsoD^", strict=True), strict=True))


@dataclass(frozen=True, eq=False)
class ShiftedDigits:
    """Characters and their copies, those of one character after one another, as in `drlim_np.data.shifts`.

    inputs: (samples, 1, 32, 32) float32; rows: of the characters in the source's file; label, slant, shift,
    character: (samples,), of each copy.
    """

    inputs: np.ndarray
    rows: np.ndarray
    label: np.ndarray
    slant: np.ndarray
    shift: np.ndarray
    character: np.ndarray


def train_characters(run: Run) -> np.ndarray:
    """The inputs that Figures 5 and 7 train on, before shifting: (characters, 1, 32, 32), the same for both."""
    digits = run.digits()
    rows = draw_at_random(digits, digits.train, QUICK_TRAIN if run.quick else TRAIN_PER_CLASS, run.rng(5))
    return on_canvas(digits.train.images[rows])


def unseen_digits(run: Run, per_class: int | None = None) -> ShiftedDigits:
    """The unseen digits with their shifts: `per_class` characters of each class at random, or all."""
    digits, rng = run.digits(), run.rng(6)
    rows = draw_at_random(digits, digits.test, QUICK_TEST if run.quick else per_class, rng)
    if len(rows) < 25:
        raise DataError(f"{digits.title} has {len(rows)} test images labelled 4 or 9, 25 needed: use MNIST")
    copies = len(SHIFTS)
    return ShiftedDigits(
        inputs=shifted(on_canvas(digits.test.images[rows])),
        rows=np.repeat(rows, copies),
        label=np.repeat(digits.test.labels[rows], copies),
        slant=np.repeat(slant_of(digits, rows), copies),
        shift=np.tile(SHIFTS, len(rows)),
        character=np.repeat(np.arange(len(rows)), copies),
    )


def organisation(
    z: np.ndarray, unseen: ShiftedDigits, memory: Memory = NOTHING_KEPT, threads: int = 1
) -> dict[str, float]:
    """The numbers that describe a map of shifted digits; see `drlim_np.measure.metrics`."""
    pixels, found = unseen.inputs.reshape(len(z), -1), memory.remembered
    return {
        "shift_ratio": found(metrics.shift_ratio, z, unseen.character),
        "same_shift_neighbours": found(metrics.same_label_neighbours, z, unseen.shift),
        "silhouette_by_shift": found(metrics.silhouette, z, unseen.shift),
        "slant_r2": found(metrics.regression_r2, z, unseen.slant),
        "accuracy": found(metrics.accuracy, z, unseen.label),
        "unevenness": found(metrics.unevenness, z),
        "trustworthiness": found(metrics.trustworthiness, pixels, z, threads=threads),
        "continuity": found(metrics.continuity, pixels, z, threads=threads),
    }


def saved_with(z: np.ndarray, unseen: ShiftedDigits) -> dict[str, np.ndarray]:
    """What the .npz of a map holds: the map itself, and what colours its panels."""
    return {
        "embedding": z,
        "index": unseen.rows,
        "label": unseen.label,
        "slant": unseen.slant,
        "shift": unseen.shift,
    }


def counts(similar: SimilarityGraph, x: np.ndarray) -> dict:
    """The pairs of the training set, their weight, and the ink that the shifts lose."""
    return {
        "similar_pairs_listed": similar.listed_count,
        "similar_pairs_distinct": len(similar.edges),
        "dissimilar_pairs": similar.dissimilar_count,
        "dissimilar_weight_exact": dissimilar_weight(similar, "exact"),
        "ink_lost": dict(zip(map(str, SHIFTS), ink_lost(x).tolist(), strict=True)),
    }


def draw(z: np.ndarray, unseen: ShiftedDigits, title: str, numbers: dict, joined: int = 0) -> Figure:
    """The map by shift with thumbnails, by class and by slant; `joined` characters with their copies tied by lines."""
    side = np.ptp(z, axis=0).max() / 20
    low, high = room_around(z, side)
    tall = (high - low)[1] / (high - low)[0]
    wide, narrow, top, between = 8.4, 4.4, 0.5, 0.6  # inches: the panels' widths, and the room for their titles
    right, second = wide + 0.4, top + narrow * tall + between
    lowest = second + narrow * tall
    figure = Figure(figsize=(right + narrow + 0.2, max(top + wide * tall + 0.8, lowest + 0.85) + 0.3))

    by_shift = map_panel(figure, (0.15, top), wide, low, high, title)
    for shift, (colour, marker) in SHIFT_LOOKS.items():
        shown = unseen.shift == shift
        by_shift.scatter(
            *z[shown].T, c=colour, marker=marker, s=7, linewidths=0, alpha=0.6, label=f"{shift:+d}" if shift else "0"
        )
    by_shift.legend(**BELOW, markerscale=2.5, title="shift, pixels to the right", ncols=len(SHIFTS))
    _thumbnails(by_shift, z, unseen, side, low, high)
    for character in thumbnails.farthest_first(z[unseen.shift == 0])[:joined]:
        copies = z[unseen.character == character]
        by_shift.plot(*copies.T, "-", color="black", linewidth=1.6, zorder=7)
        by_shift.plot(*copies.T, "o", color="white", markeredgecolor="black", markersize=3.5, zorder=8)

    by_class = map_panel(figure, (right, top), narrow, low, high, "the same map by digit")
    scatter_by_class(by_class, z, unseen.label, s=4, alpha=0.7)
    by_class.legend(loc="lower right", bbox_to_anchor=(1, 1), markerscale=3, ncols=2, borderaxespad=0)
    coloured = map_panel(figure, (right, second), narrow, low, high, "by slant")
    bar = figure.add_axes(box(figure, right + 0.2, lowest + 0.1, narrow - 0.4, 0.14))
    by_slant(coloured, bar, z, unseen.label, unseen.slant, size=4)
    for axes in (by_shift, by_class, coloured):  # images drawn in an axes reset its limits
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    words = [
        ("shift ratio", "shift_ratio"),
        ("neighbours of the same shift", "same_shift_neighbours"),
        ("silhouette by shift", "silhouette_by_shift"),
        ("slant R²", "slant_r2"),
        ("5-NN accuracy", "accuracy"),
    ]
    given = [f"{text} {numbers[name]:.3f}" for text, name in words if name in numbers]
    figure.supxlabel("     ".join(given), fontsize=11)
    return figure


def _thumbnails(
    axes: Axes, z: np.ndarray, unseen: ShiftedDigits, side: float, low: np.ndarray, high: np.ndarray
) -> None:
    shown, middles = thumbnails.place(z, side, low, high)
    images = np.rint(255 * unseen.inputs[shown, 0])
    colours = [SHIFT_LOOKS[shift][0] for shift in unseen.shift[shown]]
    thumbnails.draw(axes, images, colours, z[shown], middles, side)
