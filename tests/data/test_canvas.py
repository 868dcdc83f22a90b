"""Digits on the canvas: centred, ink from 0 to 1, and everything else refused."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drlim_np.data.canvas import on_canvas
from tests.help.refusals import refuses


@st.composite
def images(draw):
    """Up to three images of random pixels, of any size that fits."""
    shape = draw(st.tuples(st.integers(0, 3), st.integers(1, 32), st.integers(1, 32)))
    return np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, shape, dtype=np.uint8)


@settings(deadline=None, max_examples=100)
@given(images())
@example(np.full((3, 28, 28), 255, np.uint8))
@example(np.arange(256, dtype=np.uint8).reshape(1, 16, 16))
def test_an_image_of_any_size_is_centred_among_zeros_with_ink_from_0_to_1_and_stays_as_it_was(drawn):
    before = drawn.copy()
    canvas = on_canvas(drawn)
    np.testing.assert_array_equal(drawn, before)
    high, wide = (32 - size for size in drawn.shape[1:])
    padded = np.pad(drawn / 255, ((0, 0), (high // 2, high - high // 2), (wide // 2, wide - wide // 2)))
    np.testing.assert_array_equal(canvas, padded[:, None].astype(np.float32), strict=True)
    if len(drawn):  # a list of images is an array of them
        np.testing.assert_array_equal(on_canvas(list(drawn)), canvas)


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
