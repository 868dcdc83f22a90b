"""The images: digits from the published MNIST files or from a small model of a pen, and views of an airplane from the
published small NORB files or from a small renderer.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Split:
    """The training or the test half of a set of digits.

    images: (samples, 28, 28) uint8, 0 the background, 255 full ink.
    labels: (samples,) uint8, the digit shown.
    truth:  for generated images, the style of each: name -> (samples,) float64. Empty for scanned digits.
    """

    images: np.ndarray
    labels: np.ndarray
    truth: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Digits:
    """A set of digits with the name that every figure and record made from it carries.

    name:   short, fit for a file name: "mnist", "handwriting", "idx-1a2b3c4d".
    title:  the name as a reader wants to see it on a figure.
    sha256: identifies the data: file or array name -> hex digest.
    """

    name: str
    title: str
    train: Split
    test: Split
    sha256: dict[str, str]


AZIMUTHS, ELEVATIONS, LIGHTINGS = 18, 9, 6  # camera positions every 20° around and every 5° from 30° up, and lights
VIEW_SIDE = 96  # pixels


@dataclass(frozen=True)
class Views:
    """One object seen from every camera position under every lighting, as small NORB shows it (Sec. 3.4).

    name, title, sha256: as those of `Digits`.
    images: (972, 96, 96) uint8, lighting changing fastest, then elevation, then azimuth.
    """

    name: str
    title: str
    images: np.ndarray
    sha256: dict[str, str]

    @property
    def azimuth(self) -> np.ndarray:
        """(972,) 0 … 17: the camera's place on the circle around the object, in steps of 20°."""
        return np.arange(len(self.images)) // (ELEVATIONS * LIGHTINGS)

    @property
    def elevation(self) -> np.ndarray:
        """(972,) 0 … 8: the camera's height, in steps of 5° from 30° above the ground."""
        return np.arange(len(self.images)) // LIGHTINGS % ELEVATIONS

    @property
    def lighting(self) -> np.ndarray:
        """(972,) 0 … 5: which lights are on."""
        return np.arange(len(self.images)) % LIGHTINGS
