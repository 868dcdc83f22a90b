"""Images moved and turned, against whole-pixel moves, quarter turns, and what a move may not change."""

import numpy as np
import pytest

from drlim_np.data.canvas import on_canvas
from drlim_np.data.handwriting import generate
from drlim_np.data.moved import moved
from drlim_np.data.shifts import shifted
from tests.help.comparing import bits
from tests.help.refusals import refuses


@pytest.fixture
def noise():
    return np.random.default_rng(0).random((3, 2, 6, 9)).astype(np.float32)


@pytest.fixture(scope="module")
def digits():
    return on_canvas(generate(train=(20, 20), test=(1, 1)).train.images)


def middles(images):
    """The centre of mass of each image: (samples, 2), down and right."""
    ink = images[:, 0].astype(float)
    places = np.indices(ink.shape[1:])
    return np.stack([(ink * place).sum(axis=(1, 2)) / ink.sum(axis=(1, 2)) for place in places], axis=1)


@pytest.mark.parametrize("shift", [-8, -3, 0, 1, 6, 8])
def test_a_move_by_whole_pixels_is_a_shift(noise, shift):
    assert bits(moved(noise, right=shift)) == bits(shifted(noise, [shift]))
    upright = noise.swapaxes(2, 3)
    if abs(shift) < upright.shape[2]:
        assert bits(moved(upright, down=shift)) == bits(shifted(noise, [shift]).swapaxes(2, 3).copy())


def test_no_move_and_a_turn_by_0_change_no_bit(noise):
    assert bits(moved(noise)) == bits(moved(noise, turn=0.0)) == bits(noise)


def test_half_a_pixel_is_the_mean_of_two_neighbours(noise):
    half = moved(noise, right=0.5)
    np.testing.assert_allclose(half[..., 1:], (noise[..., :-1] + noise[..., 1:]) / 2, rtol=1e-6)
    np.testing.assert_allclose(half[..., 0], noise[..., 0] / 2, rtol=1e-6)


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
def test_a_quarter_turn_is_anticlockwise(noise, quarters):
    square = noise[:, :, :, :6].astype(float)
    np.testing.assert_allclose(moved(square, turn=90 * quarters), np.rot90(square, quarters, axes=(2, 3)), atol=1e-14)


@pytest.mark.parametrize("move", [{"right": 1.5}, {"right": -2.25}, {"down": 2.5}, {"right": 0.3, "down": -0.7}])
def test_ink_that_stays_inside_is_kept_and_moves_as_far_as_it_is_told(digits, move):
    after = moved(digits, **move)
    np.testing.assert_allclose(after.sum(axis=(1, 2, 3)), digits.sum(axis=(1, 2, 3)), rtol=1e-5)
    by = [move.get("down", 0), move.get("right", 0)]
    np.testing.assert_allclose(middles(after) - middles(digits), np.tile(by, (len(digits), 1)), atol=1e-4)


def test_beyond_the_border_are_zeros(noise):
    assert (moved(noise, right=9.5) == 0).all()
    assert (moved(noise, down=-6) == 0).all()


@pytest.mark.parametrize("degrees", [-15, -7.5, 5, 15])
def test_a_turn_keeps_the_ink_and_turns_it_about_the_middle(digits, degrees):
    after = moved(digits, turn=degrees)
    np.testing.assert_allclose(after.sum(axis=(1, 2, 3)), digits.sum(axis=(1, 2, 3)), rtol=0.02)
    (down, right), (there_down, there_right) = (middles(images).T - 15.5 for images in (digits, after))
    a = np.radians(degrees)
    np.testing.assert_allclose(there_right, np.cos(a) * right + np.sin(a) * down, atol=0.1)
    np.testing.assert_allclose(there_down, np.cos(a) * down - np.sin(a) * right, atol=0.1)


def test_a_turn_comes_before_a_move(noise):
    one, other = moved(noise, turn=20, right=2), moved(moved(noise, turn=20), right=2)
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
def test_an_amount_that_is_not_finite_and_whole_number_pixels_are_refused(noise, dtype, move, message):
    refuses(lambda: moved(noise.astype(dtype), **move), message)
