"""The images: digits, of MNIST or from a small model of a pen, and views of an airplane, of small NORB or rendered."""

from dataclasses import dataclass, field

import numpy as np


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


AZIMUTHS, ELEVATIONS, LIGHTINGS = 18, 9, 6  # camera positions every 20° around and every 5° from 30° up, and lights
VIEW_SIDE = 96  # pixels


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
