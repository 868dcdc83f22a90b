"""Views split and written in few coordinates: exact, and the same to gradient descent as their pixels."""

from dataclasses import replace

import numpy as np
import pytest

from drlim_np.data.split import TRAIN, in_their_span, split
from drlim_np.networks import two_layer
from drlim_np.siamese import two_towers
from drlim_np.training import SGD
from drlim_np.tree import leaves
from tests.help.comparing import assert_close
from tests.help.small_views import blobs


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
