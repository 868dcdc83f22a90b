"""Digits on the canvas: centred, ink from 0 to 1, and everything else refused."""

import numpy as np
import pytest

from drlim_np.data.canvas import on_canvas
from tests.help.refusals import refuses


@pytest.mark.parametrize("shape", [(3, 28, 28), (1, 16, 16), (2, 32, 32), (2, 5, 31), (1, 1, 32), (0, 28, 28)])
def test_an_image_of_any_size_is_centred_among_zeros_with_ink_from_0_to_1_and_stays_as_it_was(rng, shape):
    images = rng.integers(0, 256, shape, dtype=np.uint8)
    before, canvas = images.copy(), on_canvas(images)
    np.testing.assert_array_equal(images, before)
    high, wide = (32 - size for size in shape[1:])
    padded = np.pad(images / 255, ((0, 0), (high // 2, high - high // 2), (wide // 2, wide - wide // 2)))
    np.testing.assert_array_equal(canvas, padded[:, None].astype(np.float32), strict=True)
    if len(images):  # a list of images is an array of them
        np.testing.assert_array_equal(on_canvas(list(images)), canvas)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 33, 28), np.uint8), "up to 32), got uint8 (2, 33, 28)"),
        (np.zeros((2, 28, 33), np.uint8), "up to 32), got uint8 (2, 28, 33)"),
        (np.zeros((2, 28, 28), np.float32), "up to 32), got float32 (2, 28, 28)"),
        (np.zeros((2, 28, 28), bool), "up to 32), got bool (2, 28, 28)"),
        (np.zeros((28, 28), np.uint8), "images has shape (28, 28): it must be (samples, height, width)"),
        (np.zeros((2, 1, 28, 28), np.uint8), "images has shape (2, 1, 28, 28): it must be (samples, height, width)"),
        ([[[0, 1]]], "images must be uint8"),
    ],
)
def test_other_axes_sizes_and_dtypes_are_refused(images, message):
    refuses(lambda: on_canvas(images), message)
