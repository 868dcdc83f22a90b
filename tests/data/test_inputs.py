"""Images as inputs: digits on a canvas, shifted, moved and turned; views split, and in few coordinates the same."""

from dataclasses import replace

import numpy as np
import pytest

from drlim_np.data import SHIFTS, TRAIN, in_their_span, ink_lost, moved, on_canvas, shifted, split, wide
from drlim_np.data.handwriting import generate
from drlim_np.networks import two_layer
from drlim_np.siamese import two_towers
from drlim_np.training import SGD
from drlim_np.tree import leaves
from tests.help.comparing import assert_close, bits
from tests.help.refusals import refuses
from tests.help.small_views import blobs


@pytest.mark.parametrize("shape", [(3, 28, 28), (1, 16, 16), (2, 32, 32), (2, 5, 31), (1, 1, 32), (0, 28, 28)])
def test_an_image_of_any_size_is_centred_among_zeros_with_ink_from_0_to_1_and_stays_as_it_was(rng, shape):
    images = rng.integers(0, 256, shape, dtype=np.uint8)
    images.flags.writeable = False
    canvas = on_canvas(images)
    high, wide = (32 - size for size in shape[1:])
    padded = np.pad(images / 255, ((0, 0), (high // 2, high - high // 2), (wide // 2, wide - wide // 2)))
    np.testing.assert_array_equal(canvas, padded[:, None].astype(np.float32), strict=True)
    if len(images):  # a list of images is an array of them
        np.testing.assert_array_equal(on_canvas(list(images)), canvas)


@pytest.mark.parametrize("shape", [(2, 33, 28), (2, 28, 33), (28, 28), (2, 1, 28, 28), (2, 28, 28)])
def test_other_axes_sizes_and_dtypes_are_refused(shape):
    for dtype in (np.uint8, np.float32, bool)[shape == (2, 28, 28) :]:
        found = (
            f"up to 32), got {np.dtype(dtype)} {shape}" if len(shape) == 3 else f"images has shape {shape}: it must be"
        )
        refuses(lambda dtype=dtype: on_canvas(np.zeros(shape, dtype)), found)


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
    images.flags.writeable = False
    copies = shifted(images, shifts)
    expected = np.zeros((len(images), len(shifts), *images.shape[1:]), images.dtype)
    for i, c, m, y, x in np.ndindex(expected.shape):
        if 0 <= x + int(shifts[c]) < images.shape[3]:
            expected[i, c, m, y, x + int(shifts[c])] = images[i, m, y, x]
    np.testing.assert_array_equal(copies, expected.reshape(-1, *images.shape[1:]), strict=True)


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


def test_of_blank_images_no_ink_can_be_lost():
    refuses(lambda: ink_lost(np.zeros((2, 1, 4, 7))), "the images hold no ink")


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


def test_an_amount_that_is_not_finite_and_whole_number_pixels_are_refused(images):
    for move in ({"right": np.nan}, {"down": np.inf}, {"turn": -np.inf}):
        refuses(lambda move=move: moved(images, **move), "give finite numbers")
    refuses(lambda: moved(images.astype(np.uint8), right=0.5), "pixels uint8")


@pytest.fixture(scope="module")
def views():
    """Blobs on a grey ground of 100, which neither black nor white pixels may move."""
    plain = blobs()
    images = plain.images[:, ::3, ::3]  # more pixels than views to train on, and few
    return replace(plain, images=np.where(images > 0, images, 100).astype(np.uint8))


def test_660_rows_drawn_at_random_are_trained_on_and_the_others_are_unseen(views):
    _, train, test = split(views, np.random.default_rng(0))
    assert (len(train), len(test)) == (TRAIN, 312) == (660, 312)
    assert sorted([*train, *test]) == list(range(972))
    assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()
    other, same = (split(views, np.random.default_rng(seed))[1] for seed in (1, 0))
    assert (other != train).any() and (same == train).all()


def test_the_background_counts_as_0_and_is_that_of_the_views_trained_on(views):
    inputs, _, test = split(views, np.random.default_rng(0))
    pixels = views.images.reshape(972, -1)
    assert inputs.shape == (972, 32 * 32) and inputs.dtype == np.float32
    assert (inputs[pixels == 100] == 0).all()
    np.testing.assert_allclose(inputs, (pixels - 100.0) / 255, rtol=0, atol=1e-7)
    images = np.full_like(views.images, 100)
    images[:, :, 18:] = 200
    images[test] = 200  # most pixels of all views, but not of those trained on
    inputs, *_ = split(replace(views, images=images), np.random.default_rng(0))
    assert (inputs.reshape(images.shape) == np.where(images == 200, np.float32(100 / 255), 0)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_coordinates_are_orthonormal_and_give_back_what_is_trained_on(dtype):
    inputs = np.random.default_rng(3).standard_normal((9, 40)).astype(dtype)
    train = np.array([0, 2, 3, 5, 8])
    x, basis = in_their_span(inputs, train)
    assert x.shape == (9, 5) and x.dtype == dtype
    assert basis.shape == (5, 40) and basis.dtype == np.float64
    np.testing.assert_allclose(basis @ basis.T, np.eye(5), atol=1e-14)
    assert_close(x[train] @ basis, inputs[train], 4 * np.finfo(dtype).eps)
    # An unseen input loses only its part outside the span, which no training input sees.
    left = inputs[1] - x[1] @ basis
    assert np.abs(inputs[train] @ left).max() < 100 * np.finfo(dtype).eps and np.linalg.norm(left) > 1


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_descent_on_coordinates_is_descent_on_pixels_step_by_step(momentum):
    rng = np.random.default_rng(4)
    inputs, train = rng.standard_normal((8, 30)), np.arange(6)
    x, basis = in_their_span(inputs, train)
    descent, on_x, on_pixels = SGD(0.03, momentum), two_layer(6, 4, 3), two_layer(30, 4, 3)
    ours = on_x.init(rng, np.float64)
    pixels = {**ours, "hidden": {**ours["hidden"], "weight": ours["hidden"]["weight"] @ basis}}
    start, state, states = ours, descent.init(ours), descent.init(pixels)
    for _ in range(40):
        i, j = rng.choice(6, 2, replace=False)
        y = rng.integers(2, size=1)
        _, gradient = two_towers(on_x, ours, x[[i]], x[[j]], y, 3.0)
        ours, state = descent.update(ours, gradient, state, 1.0)
        _, gradient = two_towers(on_pixels, pixels, inputs[[i]], inputs[[j]], y, 3.0)
        pixels, states = descent.update(pixels, gradient, states, 1.0)
        back = {**ours, "hidden": {**ours["hidden"], "weight": ours["hidden"]["weight"] @ basis}}
        for (name, one), (_, other) in zip(leaves(back), leaves(pixels), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-10, err_msg=name)
    assert np.abs(ours["hidden"]["weight"] - start["hidden"]["weight"]).max() > 0.1
