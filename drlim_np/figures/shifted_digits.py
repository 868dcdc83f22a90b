"""What Figures 5, 6 and 7 show: shifted 4s and 9s, the numbers that describe a map of them, and how they look."""

from dataclasses import dataclass

import numpy as np

from drlim_np.data import Digits
from drlim_np.data.canvas import on_canvas
from drlim_np.data.shifts import SHIFTS, shifted
from drlim_np.drawing.magnifiers import Magnifier, magnifier
from drlim_np.drawing.panels import in_lines
from drlim_np.drawing.style import FIVE_SHIFTS, LOOKS, signed
from drlim_np.figures import Train
from drlim_np.figures import digits as of_digits
from drlim_np.figures.digits import TRAIN_PER_CLASS, draw_at_random, draw_unseen, slant_of
from drlim_np.measure import metrics

QUICK_TRAIN, QUICK_TEST = 300, 60  # of each class
SHIFT_LOOKS = dict(zip(SHIFTS, zip(FIVE_SHIFTS, "vsoD^", strict=True), strict=True))


@dataclass(frozen=True, eq=False)
class ShiftedDigits:
    """Characters and their copies, those of one character one after another, as in `drlim_np.data.shifts`.

    inputs: (samples, 1, 32, 32) float32; rows: of the characters in the source's file; label, slant, shift,
    character: (samples,), of each copy.
    """

    inputs: np.ndarray
    rows: np.ndarray
    label: np.ndarray
    slant: np.ndarray
    shift: np.ndarray
    character: np.ndarray

    @property
    def pixels(self) -> np.ndarray:
        """The inputs as (samples, 1024)."""
        return self.inputs.reshape(len(self.inputs), -1)

    def images(self, samples: np.ndarray) -> np.ndarray:
        """The images of samples (shown,) from 0, black, to 255, white: (shown, 32, 32)."""
        return np.rint(255 * self.inputs[samples, 0])

    def colours(self, samples: np.ndarray) -> list[str]:
        """The colour of each sample's digit."""
        return [LOOKS[digit][0] for digit in self.label[samples]]

    def arrays(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """What the .npz of a map z holds: the map itself, and what colours its panels."""
        return {"embedding": z, "index": self.rows, "label": self.label, "slant": self.slant, "shift": self.shift}


def train_characters(digits: Digits, train: Train) -> np.ndarray:
    """The inputs that Figures 5 and 7 train on, before shifting: (characters, 1, 32, 32), the same for both."""
    rows = draw_at_random(digits, digits.train, QUICK_TRAIN if train.quick else TRAIN_PER_CLASS, train.rng(5))
    return on_canvas(digits.train.images[rows])


def unseen_digits(digits: Digits, train: Train, per_class: int | None = None) -> ShiftedDigits:
    """The unseen digits with their shifts: `per_class` characters of each class at random, or all."""
    rows = draw_unseen(digits, QUICK_TEST if train.quick else per_class, train.rng(6))
    copies = len(SHIFTS)
    return ShiftedDigits(
        inputs=shifted(on_canvas(digits.test.images[rows])),
        rows=np.repeat(rows, copies),
        label=np.repeat(digits.test.labels[rows], copies),
        slant=np.repeat(slant_of(digits, rows), copies),
        shift=np.tile(SHIFTS, len(rows)),
        character=np.repeat(np.arange(len(rows)), copies),
    )


def organisation(z: np.ndarray, unseen: ShiftedDigits, train: Train) -> dict[str, float]:
    """The numbers that describe a map of shifted digits; see `drlim_np.measure.metrics`."""
    return of_digits.organisation(unseen.pixels, z, unseen.label, unseen.slant, train) | {
        "shift_ratio": train.once(metrics.shift_ratio, z, unseen.character),
        "same_shift_neighbours": train.once(metrics.same_label_neighbours, z, unseen.shift),
        "silhouette_by_shift": train.once(metrics.silhouette, z, unseen.shift),
        "continuity": train.once(metrics.continuity, unseen.pixels, z, threads=train.threads),
    }


def caption(title: str, unseen: ShiftedDigits, numbers: dict[str, float]) -> str:
    """The numbers under a map, in one order for Figures 5, 6 and 7."""
    words = {
        "shift_ratio": "shift ratio",
        "same_shift_neighbours": "same shift",
        "silhouette_by_shift": "silhouette by shift",
        "slant_r2": "slant R²",
        "accuracy": "accuracy",
    }
    parts = [f"{text} {signed(numbers[name])}" for name, text in words.items() if name in numbers]
    return f"{len(unseen.label):,} unseen shifted digits, {title}:\n{in_lines(parts, 3)}"


def shift_name(shift: int) -> str:
    """A shift with its sign, and 0 without."""
    return signed(shift, "+d") if shift else "0"


def focus(z: np.ndarray, middle: np.ndarray, unit: float, shift: np.ndarray, most: int) -> Magnifier:
    """A magnifier of 0.1 inches, or wider where fewer than `most` samples are so near; unit: the map's in an inch."""
    away = np.sort(np.linalg.norm(z - middle, axis=1))
    return magnifier(z, middle, max(0.1 * unit, float(away[min(most, len(z)) - 1])), shift, most)
