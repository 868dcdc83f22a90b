"""Images shifted, moved and turned: against pixels moved one by one, quarter turns, and ink that may not change."""

import numpy as np
import pytest

from drlim_np.data import SHIFTS, ink_lost, moved, on_canvas, shifted, wide
from drlim_np.data.handwriting import generate
from tests.help.comparing import bits
from tests.help.refusals import refuses


@pytest.fixture
def images():
    return np.random.default_rng(0).random((3, 2, 6, 9)).astype(np.float32)


@pytest.fixture(scope="module")
def digits():
    return on_canvas(generate(train=(100, 100), test=(1, 1)).train.images)


@pytest.mark.line("sec-3-3-shifts")
def test_the_shifts_are_those_of_the_paper_and_none():
    assert sorted(SHIFTS) == [-6, -3, 0, 3, 6]


@pytest.mark.parametrize("shifts", [SHIFTS, (0,), (1, -6, 2), np.array([3, 0, 6], np.uint64)])
def test_each_copy_is_its_image_moved_to_the_right_and_copies_of_one_image_follow_one_another(images, shifts):
    before = images.copy()
    copies = shifted(images, shifts)
    expected = np.zeros((len(images), len(shifts), *images.shape[1:]), images.dtype)
    for i, c, m, y, x in np.ndindex(expected.shape):
        if 0 <= x + int(shifts[c]) < images.shape[3]:
            expected[i, c, m, y, x + int(shifts[c])] = images[i, m, y, x]
    np.testing.assert_array_equal(copies, expected.reshape(-1, *images.shape[1:]), strict=True)
    assert (images == before).all()


@pytest.mark.line("sec-3-3-windows")
def test_the_copies_are_windows_of_the_wide_picture_from_left_to_right(images):
    picture, copies = wide(images), shifted(images)
    assert picture.dtype == images.dtype and picture.shape == (3, 2, 6, 21)
    for i, c in np.ndindex(len(images), len(SHIFTS)):
        assert (copies[i * len(SHIFTS) + c] == picture[i, :, :, 3 * c : 3 * c + 9]).all()


def test_ink_lost_is_the_share_that_leaves_the_image():
    images = np.zeros((2, 1, 2, 5))
    images[0, 0, 0, 4], images[1, 0, 1, 0], images[1, 0, 1, 2] = 1, 2, 5
    assert ink_lost(images, (-1, 0, 1, 3)).tolist() == [2 / 8, 0, 1 / 8, 6 / 8]


@pytest.mark.parametrize("shift", [9, -9, 40, 1.0, "3", True, np.int8(-128)])
def test_a_shift_that_leaves_nothing_is_refused(images, shift):
    refuses(lambda: shifted(images, (0, shift)), f"shift is {shift!r}: it must be a whole number from -8 to 8")


@pytest.mark.parametrize("samples", [2, 0])
def test_of_blank_images_no_ink_can_be_lost(samples):
    refuses(lambda: ink_lost(np.zeros((samples, 1, 4, 7))), "the images hold no ink")


# ---- moved by any part of a pixel, and turned ----


def middles(images):
    """The centre of mass of each image: (samples, 2), down and right."""
    ink = images[:, 0].astype(float)
    places = np.indices(ink.shape[1:])
    return np.stack([(ink * place).sum(axis=(1, 2)) / ink.sum(axis=(1, 2)) for place in places], axis=1)


@pytest.mark.parametrize("shift", [-8, -3, 0, 1, 6, 8])
def test_a_move_by_whole_pixels_is_a_shift(images, shift):
    assert bits(moved(images, right=shift)) == bits(shifted(images, [shift]))
    upright = images.swapaxes(2, 3)
    assert bits(moved(upright, down=shift)) == bits(shifted(images, [shift]).swapaxes(2, 3).copy())
    assert (moved(images, right=9.5) == 0).all() and (moved(images, down=-6) == 0).all()


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
def test_a_quarter_turn_is_anticlockwise(images, quarters):
    square = images[:, :, :, :6].astype(float)
    np.testing.assert_allclose(moved(square, turn=90 * quarters), np.rot90(square, quarters, axes=(2, 3)), atol=1e-14)


@pytest.mark.parametrize("move", [{"right": 1.5}, {"right": -2.25}, {"down": 2.5}, {"right": 0.3, "down": -0.7}])
def test_ink_that_stays_inside_is_kept_and_moves_as_far_as_it_is_told(digits, move):
    after = moved(digits, **move)
    np.testing.assert_allclose(after.sum(axis=(1, 2, 3)), digits.sum(axis=(1, 2, 3)), rtol=1e-5)
    by = [move.get("down", 0), move.get("right", 0)]
    np.testing.assert_allclose(middles(after) - middles(digits), np.tile(by, (len(digits), 1)), atol=1e-4)


def test_half_a_pixel_is_the_mean_of_two_neighbours_and_beyond_the_border_are_zeros(images):
    half = moved(images, right=0.5)
    np.testing.assert_allclose(half[..., 1:], (images[..., :-1] + images[..., 1:]) / 2, rtol=1e-6)
    np.testing.assert_allclose(half[..., 0], images[..., 0] / 2, rtol=1e-6)


@pytest.mark.parametrize("degrees", [-15, -7.5, 5, 15])
def test_a_turn_keeps_the_ink_and_turns_it_about_the_middle(digits, degrees):
    after = moved(digits, turn=degrees)
    np.testing.assert_allclose(after.sum(axis=(1, 2, 3)), digits.sum(axis=(1, 2, 3)), rtol=0.02)
    (down, right), (there_down, there_right) = (middles(images).T - 15.5 for images in (digits, after))
    a = np.radians(degrees)
    np.testing.assert_allclose(there_right, np.cos(a) * right + np.sin(a) * down, atol=0.1)
    np.testing.assert_allclose(there_down, np.cos(a) * down - np.sin(a) * right, atol=0.1)


def test_a_turn_comes_before_a_move(images):
    one, other = moved(images, turn=20, right=2), moved(moved(images, turn=20), right=2)
    np.testing.assert_allclose(one[..., 2:], other[..., 2:], rtol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "move", "message"),
    [
        (np.float32, {"right": np.nan}, "give finite numbers"),
        (np.float32, {"down": np.inf}, "give finite numbers"),
        (np.float32, {"turn": -np.inf}, "give finite numbers"),
        (np.uint8, {"right": 0.5}, "pixels uint8"),
    ],
)
def test_an_amount_that_is_not_finite_and_whole_number_pixels_are_refused(images, dtype, move, message):
    refuses(lambda: moved(images.astype(dtype), **move), message)
