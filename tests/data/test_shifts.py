"""Shifted copies against moving the pixels one by one."""

import numpy as np
import pytest

from drlim_np.data.canvas import on_canvas
from drlim_np.data.handwriting import generate
from drlim_np.data.shifts import SHIFTS, ink_lost, shifted, wide
from tests.help.refusals import refuses


@pytest.fixture
def images():
    return np.random.default_rng(0).random((3, 2, 4, 7)).astype(np.float32)


def moved(image, shift):
    """One image, pixel by pixel."""
    result = np.zeros_like(image)
    for m, y, x in np.ndindex(image.shape):
        if 0 <= x + shift < image.shape[2]:
            result[m, y, x + shift] = image[m, y, x]
    return result


@pytest.mark.line("sec-3-3-shifts")
def test_the_shifts_are_those_of_the_paper_and_none():
    assert sorted(SHIFTS) == [-6, -3, 0, 3, 6]


@pytest.mark.parametrize("shifts", [SHIFTS, (0,), (1, -6, 2)])
def test_each_copy_is_its_image_moved_to_the_right_and_copies_of_one_image_follow_one_another(images, shifts):
    before = images.copy()
    copies = shifted(images, shifts)
    assert copies.dtype == images.dtype
    assert copies.shape == (len(images) * len(shifts), *images.shape[1:])
    for i, image in enumerate(images):
        for c, shift in enumerate(shifts):
            assert (copies[i * len(shifts) + c] == moved(image, shift)).all()
    assert (images == before).all()


@pytest.mark.line("sec-3-3-windows")
def test_the_copies_are_windows_of_the_wide_picture_from_left_to_right(images):
    picture, copies = wide(images), shifted(images)
    assert picture.dtype == images.dtype and picture.shape == (3, 2, 4, 19)
    for i, c in np.ndindex(len(images), len(SHIFTS)):
        assert (copies[i * len(SHIFTS) + c] == picture[i, :, :, 3 * c : 3 * c + 7]).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64])
def test_shifts_of_any_whole_dtype_are_the_same_shifts(images, dtype):
    assert (shifted(images, np.array([3, 0, 6], dtype)) == shifted(images, (3, 0, 6))).all()


def test_ink_lost_is_the_share_that_leaves_the_image():
    images = np.zeros((2, 1, 2, 5))
    images[0, 0, 0, 4], images[1, 0, 1, 0], images[1, 0, 1, 2] = 1, 2, 5
    assert ink_lost(images, (-1, 0, 1, 3)).tolist() == [2 / 8, 0, 1 / 8, 6 / 8]


def test_digits_on_the_canvas_lose_little_ink_and_only_to_the_shifts_by_6():
    lost = dict(zip(SHIFTS, ink_lost(on_canvas(generate(train=(100, 100), test=(1, 1)).train.images)), strict=True))
    assert lost[0] == lost[-3] == lost[3] == 0
    assert max(lost[-6], lost[6]) < 0.02


@pytest.mark.parametrize("shift", [7, -7, 40, 1.0, "3", True, np.int8(-128)])
def test_a_shift_that_leaves_nothing_is_refused(images, shift):
    refuses(lambda: shifted(images, (0, shift)), f"shift is {shift!r}: it must be a whole number from -6 to 6")


@pytest.mark.parametrize("samples", [2, 0])
def test_of_blank_images_no_ink_can_be_lost(samples):
    refuses(lambda: ink_lost(np.zeros((samples, 1, 4, 7))), "the images hold no ink")
