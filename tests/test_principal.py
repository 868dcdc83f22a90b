"""Weights on few coordinates do the work of weights on all pixels."""

import numpy as np
import pytest

from drlim_np.layers import Linear
from drlim_np.principal import principal_images


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((12, 40))


def test_rows_are_orthogonal_and_their_lengths_are_the_singular_values_over_the_largest(x):
    principal = principal_images(x)
    lengths = np.linalg.svd(x, compute_uv=False)
    np.testing.assert_allclose(principal @ principal.T, np.diag((lengths / lengths[0]) ** 2), atol=1e-12)


def test_rows_are_sums_of_the_inputs(x):
    principal = principal_images(x)
    sums = np.linalg.lstsq(x.T, principal.T, rcond=None)[0]
    np.testing.assert_allclose(x.T @ sums, principal.T, atol=1e-12)


def test_a_layer_on_the_coordinates_equals_one_on_the_pixels(x):
    principal, rng = principal_images(x), np.random.default_rng(1)
    params = Linear(12, 5).init(rng, np.float64)
    unseen = rng.standard_normal((3, 40))
    on_pixels = {"weight": params["weight"] @ principal, "bias": params["bias"]}
    for inputs in (x, unseen):
        few, _ = Linear(12, 5)(params, inputs @ principal.T)
        all_of_them, _ = Linear(40, 5)(on_pixels, inputs)
        np.testing.assert_allclose(few, all_of_them, atol=1e-12)


def test_the_gradient_of_weights_on_pixels_is_a_sum_of_inputs_and_so_nothing_is_missed(x):
    dy = np.random.default_rng(2).standard_normal((12, 5))
    _, pullback = Linear(40, 5)(Linear(40, 5).init(np.random.default_rng(3), np.float64), x)
    gradient, principal = pullback(dy).params["weight"], principal_images(x)
    back = np.linalg.lstsq(principal.T, gradient.T, rcond=None)[0]
    np.testing.assert_allclose(principal.T @ back, gradient.T, atol=1e-9)


def test_repeated_inputs_and_float32_are_taken_as_they_are(x):
    principal = principal_images(np.repeat(x, 2, axis=0).astype(np.float32))
    assert principal.dtype == np.float32
    assert principal.shape == (24, 40)
    assert np.linalg.norm(principal[12:]) < 1e-6
