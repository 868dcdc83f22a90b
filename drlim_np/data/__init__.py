"""Where the images come from: the published MNIST files, or handwriting drawn by a small model of a pen."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Split:
    """The training or the test half of a set of digits.

    images: (samples, 28, 28) uint8, 0 the background, 255 full ink.
    labels: (samples,) uint8, the digit shown.
    truth:  for generated images, what each was drawn with: name -> (samples,) float64. Empty for scanned digits.
    """

    images: np.ndarray
    labels: np.ndarray
    truth: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Digits:
    """A set of digits with the name that every figure and record made from it carries.

    name:   short, fit for a file name: "mnist", "handwriting", "idx-1a2b3c4d".
    title:  the name as a reader wants to see it on a figure.
    sha256: what identifies the data: file or array name -> hex digest.
    """

    name: str
    title: str
    train: Split
    test: Split
    sha256: dict[str, str]
