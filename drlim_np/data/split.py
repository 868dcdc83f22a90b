"""Views of an airplane as inputs: which are trained on, and few numbers instead of many pixels (Sec. 3.4)."""

import numpy as np

from drlim_np.checks.numbers import indices, plain_array
from drlim_np.data import Views

TRAIN = 660  # of the 972 views; the others are unseen


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
