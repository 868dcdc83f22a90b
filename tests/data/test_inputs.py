"""Images as inputs: digits centred on a canvas; views split, and in few coordinates the same to gradient descent."""

from dataclasses import replace

import numpy as np
import pytest

from drlim_np.data import TRAIN, in_their_span, on_canvas, split
from drlim_np.networks import two_layer
from drlim_np.siamese import two_towers
from drlim_np.training import SGD
from drlim_np.tree import leaves
from tests.help.comparing import assert_close
from tests.help.refusals import refuses
from tests.help.small_views import blobs


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
