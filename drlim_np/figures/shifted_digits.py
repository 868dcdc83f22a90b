"""What Figures 5, 6 and 7 show: shifted 4s and 9s, the numbers that describe a map of them, and how they look."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from drlim_np.data.canvas import on_canvas
from drlim_np.data.shifts import SHIFTS, ink_lost, shifted
from drlim_np.drawing.magnifiers import Magnifier, magnifier
from drlim_np.drawing.style import FIVE_SHIFTS
from drlim_np.errors import DataError
from drlim_np.figures.digits import LOOKS, draw_at_random, slant_of
from drlim_np.files.cache import NOTHING_KEPT, Memory
from drlim_np.graph import SimilarityGraph
from drlim_np.measure import metrics
from drlim_np.objective import dissimilar_weight
from drlim_np.runs.record import Run

NEIGHBOURS = 5
TRAIN_PER_CLASS = 3000
QUICK_TRAIN, QUICK_TEST = 300, 60  # of each class
SHIFT_LOOKS = dict(zip(SHIFTS, zip(FIVE_SHIFTS, "vsoD^", strict=True), strict=True))


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


def said(title: str, unseen: ShiftedDigits, numbers: dict[str, float]) -> str:
    """The numbers under a map, in one order for Figures 5, 6 and 7."""
    words = [
        ("shift ratio", "shift_ratio"),
        ("same shift", "same_shift_neighbours"),
        ("silhouette by shift", "silhouette_by_shift"),
        ("slant R²", "slant_r2"),
        ("accuracy", "accuracy"),
    ]
    given = [f"{text} {signed(numbers[name])}" for text, name in words if name in numbers]
    return f"{len(unseen.label):,} unseen shifted digits, {title}:\n{', '.join(given[:3])}" + (
        f",\n{', '.join(given[3:])}" if given[3:] else ""
    )


def signed(value: float) -> str:
    """Three decimals, and a minus sign that is one."""
    return f"{value:.3f}".replace("-", "−")


def pictures(unseen: ShiftedDigits, samples: np.ndarray) -> np.ndarray:
    """The images of samples (shown,) from 0, black, to 255, white: (shown, 32, 32)."""
    return np.rint(255 * unseen.inputs[samples, 0])


def frames(unseen: ShiftedDigits, samples: np.ndarray) -> list[str]:
    """The colour of each sample's digit."""
    return [LOOKS[digit][0] for digit in unseen.label[samples]]


def scatter_by_shift(axes: Axes, z: np.ndarray, shift: np.ndarray, **looks) -> None:
    """Each shift in its colour and marker. z (samples, 2), shift (samples,)."""
    for pixels, (colour, marker) in SHIFT_LOOKS.items():
        axes.scatter(*z[shift == pixels].T, c=colour, marker=marker, linewidths=0, **looks)


def by_digit(axes: Axes, where: tuple[float, float], **looks) -> None:
    """The names of the digits in their colours and markers, at a place in fractions of the axes."""
    _key(axes, {str(digit): look for digit, look in LOOKS.items()}, where, **looks)


def by_shift(axes: Axes, where: tuple[float, float], **looks) -> None:
    """The names of the shifts in their colours and markers, at a place in fractions of the axes."""
    _key(axes, {name_of(shift): look for shift, look in SHIFT_LOOKS.items()}, where, **looks)


def name_of(shift: int) -> str:
    """A shift with its sign, and 0 without."""
    return f"{shift:+d}".replace("-", "−") if shift else "0"


def _key(axes: Axes, looks: dict[str, tuple[str, str]], where: tuple[float, float], **layout) -> None:
    handles = [Line2D([], [], marker=marker, color=colour, ms=9, ls="") for colour, marker in looks.values()]
    layout = {"handletextpad": 0, "columnspacing": 0.8, "borderaxespad": 0} | layout
    axes.legend(handles, list(looks), bbox_to_anchor=where, **layout).set_zorder(9)


def focus(z: np.ndarray, middle: np.ndarray, unit: float, shift: np.ndarray, most: int) -> Magnifier:
    """A magnifier of 0.1 inches, or wider where fewer than `most` samples lie so near; unit: the map's in an inch."""
    away = np.sort(np.linalg.norm(z - middle, axis=1))
    return magnifier(z, middle, max(0.1 * unit, float(away[min(most, len(z)) - 1])), shift, most)
