"""The images: digits, of MNIST or from a small model of a pen, and views of an airplane, of small NORB or rendered.

And both as G_W sees them: digits on a canvas, views less their background, or few numbers instead of their pixels.
"""

from dataclasses import dataclass, field

import numpy as np

from drlim_np.checks.numbers import indices, plain_array
from drlim_np.errors import require

SIDE = 32  # pixels of the canvas, which leaves C3 of Fig. 3 exactly one position
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
