"""Digits on the canvas: centred, ink from 0 to 1, and everything else refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drlim_np.data.canvas import on_canvas
from tests.help.refusals import refuses


@st.composite
def images(draw):
    """Up to three images of random pixels, of any size that fits."""
    shape = draw(st.tuples(st.integers(0, 3), st.integers(1, 32), st.integers(1, 32)))
    return np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, shape, dtype=np.uint8)


def test_mnist_images_land_on_a_canvas_of_32_by_32_with_two_pixels_of_border():
    drawn = np.full((3, 28, 28), 255, np.uint8)
    canvas = on_canvas(drawn)
    assert canvas.shape == (3, 1, 32, 32)
    assert canvas.dtype == np.float32
    inked = np.zeros((32, 32))
    inked[2:30, 2:30] = 1
    np.testing.assert_array_equal(canvas, np.broadcast_to(inked, canvas.shape))


def test_ink_is_the_pixel_over_255():
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    ink = on_canvas(ramp)[0, 0, 8:24, 8:24].ravel()
    assert ink[0] == 0
    assert ink[-1] == 1
    np.testing.assert_array_equal(ink, np.array([pixel / 255 for pixel in range(256)], np.float32))


@settings(deadline=None, max_examples=100)
@given(images())
def test_an_image_of_any_size_is_centred_among_zeros_and_stays_as_it_was(drawn):
    before = drawn.copy()
    canvas = on_canvas(drawn)
    np.testing.assert_array_equal(drawn, before)
    high, wide = (32 - size for size in drawn.shape[1:])
    padded = np.pad(drawn, ((0, 0), (high // 2, high - high // 2), (wide // 2, wide - wide // 2)))
    np.testing.assert_array_equal(canvas, padded[:, None] / np.float32(255), strict=True)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        *[
            (np.zeros(shape, dtype), f"up to 32), got {np.dtype(dtype).name} {shape}")
            for shape, dtype in [
                ((2, 33, 28), np.uint8),
                ((2, 28, 33), np.uint8),
                ((2, 28, 28), np.float32),
                ((2, 28, 28), np.int64),
                ((2, 28, 28), bool),
            ]
        ],
        *[
            (np.zeros(shape, np.uint8), f"images has shape {shape}: it must be (samples, height, width)")
            for shape in [(28, 28), (2, 1, 28, 28)]
        ],
        ([[[0, 1]]], "images must be uint8"),
    ],
)
def test_other_axes_sizes_and_dtypes_are_refused(images, message):
    refuses(lambda: on_canvas(images), message)


def test_a_list_of_images_is_what_its_array_is():
    images = [np.full((28, 28), 3, np.uint8)] * 2
    np.testing.assert_array_equal(on_canvas(images), on_canvas(np.array(images)))
