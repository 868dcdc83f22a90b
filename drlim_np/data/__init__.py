"""Digits, of MNIST or a model of a pen, and views of an airplane, of small NORB or rendered; both as G_W sees them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from drlim_np.checks.numbers import indices, native, plain_array, whole_number
from drlim_np.errors import require

SIDE = 32  # pixels of the canvas, which leaves C3 of Fig. 3 exactly one position
# Pixels to the right: each digit itself, and the four copies that the paper names, in the order of windows in `wide`.
SHIFTS = (6, 3, 0, -3, -6)
AZIMUTHS, ELEVATIONS, LIGHTINGS = 18, 9, 6  # camera positions every 20° around and every 5° from 30° up, and lights
VIEW_SIDE = 96  # pixels
TRAIN = 660  # of the 972 views are trained on; the others are unseen


@dataclass(frozen=True)
class Split:
    """The training or the test half of a set of digits."""

    images: np.ndarray  # (samples, 28, 28) uint8, 0 the background, 255 full ink
    labels: np.ndarray  # (samples,) uint8, the digit shown
    truth: dict[str, np.ndarray] = field(default_factory=dict)  # generated images' style: name -> (samples,) float64


@dataclass(frozen=True)
class Digits:
    """A set of digits with the name that every figure and record made from it carries."""

    name: str  # short, fit for a file name: "mnist", "handwriting", "idx-1a2b3c4d"
    title: str  # the name as a reader wants to see it on a figure
    train: Split
    test: Split
    sha256: dict[str, str]  # identifies the data: file or array name -> hex digest


@dataclass(frozen=True)
class Views:
    """One object seen from every camera position under every lighting, as small NORB shows it (Sec. 3.4)."""

    name: str  # name, title, sha256: as those of `Digits`
    title: str
    images: np.ndarray  # (972, 96, 96) uint8, lighting changing fastest, then elevation, then azimuth
    sha256: dict[str, str]

    # (972,) each: the camera's place on the circle around the object, 0 … 17 in steps of 20°; its height, 0 … 8 in
    # steps of 5° from 30° above the ground; which lights are on, 0 … 5.
    azimuth, elevation, lighting = np.indices((AZIMUTHS, ELEVATIONS, LIGHTINGS)).reshape(3, -1)


def on_canvas(images: np.ndarray) -> np.ndarray:
    """(samples, height, width) uint8 pixels → (samples, 1, 32, 32) float32: ink from 0 to 1, centred, zeros around."""
    images = plain_array("images", images, "samples", "height", "width")
    fits = images.dtype == np.uint8 and max(images.shape[1:]) <= SIDE
    require(fits, f"images must be uint8, (samples, up to {SIDE}, up to {SIDE}), got {images.dtype} {images.shape}")
    samples, height, width = images.shape
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    canvas = np.zeros((samples, 1, SIDE, SIDE), np.float32)
    canvas[:, 0, top : top + height, left : left + width] = images / np.float32(255)
    return canvas


def shifted(images: np.ndarray, shifts: Sequence[int] = SHIFTS) -> np.ndarray:
    """Every image once for each shift: (samples, maps, height, width) → (samples · shifts, maps, height, width).

    Row i · len(shifts) + c is image i moved by shifts[c] pixels to the right; zeros come in from the border.
    """
    images = plain_array("images", images, "samples", "maps", "height", "width")
    samples, maps, height, width = images.shape
    shifts = [whole_number("shift", shift, 1 - width, width - 1) for shift in shifts]
    copies = np.zeros((samples, len(shifts), maps, height, width), images.dtype)
    for copy, shift in enumerate(shifts):
        start, end = max(shift, 0), width + min(shift, 0)
        copies[:, copy, :, :, start:end] = images[:, :, :, start - shift : end - shift]
    return copies.reshape(-1, maps, height, width)


def wide(images: np.ndarray) -> np.ndarray:
    """Every image between 6 empty columns on either side, (…, width + 12): `shifted` gives its windows, 3 apart."""
    images = plain_array("images", images, "samples", "maps", "height", "width")
    return np.pad(images, [(0, 0), (0, 0), (0, 0), (max(SHIFTS), max(SHIFTS))])


def ink_lost(images: np.ndarray, shifts: Sequence[int] = SHIFTS) -> np.ndarray:
    """The share of the images' ink that each shift moves over the border, (shifts,) float64."""
    together = images.sum(axis=0, keepdims=True, dtype=np.float64)
    require(together.sum() > 0, "the images hold no ink: there is none to be lost")
    left = shifted(together, shifts).reshape(len(shifts), -1).sum(axis=1)
    return 1 - left / together.sum()


def moved(images: np.ndarray, right: float = 0.0, down: float = 0.0, turn: float = 0.0) -> np.ndarray:
    """Floating images (samples, maps, height, width) turned about the middle by degrees, anticlockwise, then moved."""
    fault = f"right, down, turn are {right}, {down}, {turn} and pixels {images.dtype}: give finite numbers and floats"
    require(images.dtype.kind == "f" and bool(np.isfinite([right, down, turn]).all()), fault)
    images = native(images)
    height, width = images.shape[2:]
    middle = np.array([[[(height - 1) / 2]], [[(width - 1) / 2]]])
    y, x = np.indices((height, width)) - middle - np.reshape([down, right], (2, 1, 1))
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    source = np.stack([cos * y + sin * x, cos * x - sin * y]) + middle
    result, padded = np.zeros_like(images), np.pad(images, [(0, 0), (0, 0), (1, 1), (1, 1)])
    for corner in product((0, 1), repeat=2):  # bilinear, from the four pixels around each place; outside are zeros
        place = np.floor(source).astype(int) + np.reshape(corner, (2, 1, 1))
        share = (1 - np.abs(source - place)).prod(axis=0).astype(images.dtype)
        rows, columns = place + 1
        result += share * padded[:, :, rows.clip(0, height + 1), columns.clip(0, width + 1)]
    return result


def split(views: Views, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, rows to train on, unseen rows: (972, 9216) float32; (660,) drawn at random and (312,), both ascending.

    Pixels run from 0 to 1, less the background, which is their median over the training views.
    """
    shuffled = rng.permutation(len(views.images))
    train, test = np.sort(shuffled[:TRAIN]), np.sort(shuffled[TRAIN:])
    pixels = views.images.reshape(len(views.images), -1).astype(np.float32)
    return (pixels - np.median(pixels[train])) / 255, train, test


def in_their_span(inputs: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inputs in an orthonormal basis of the space that the training inputs span: coordinates and basis.

    inputs (samples, features), train (N,) rows of it → (samples, N) of the same dtype, and (N, features) float64.
    Every gradient of a first layer's weights A is a sum of training inputs, so descent never leaves their span, and an
    orthonormal change of coordinates changes no step. With weights C on the coordinates, A = C · basis.
    """
    inputs = plain_array("inputs", inputs, "samples", "features")
    train = indices("train", train, len(inputs), "rows")
    basis = np.linalg.qr(inputs[train].T.astype(np.float64))[0].T
    return (inputs @ basis.T).astype(inputs.dtype), basis
