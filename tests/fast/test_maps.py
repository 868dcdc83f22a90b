"""Images by row and back, and the sums over windows with their adjoint: whole numbers leave nothing to round."""

import array_api_strict
import numpy as np
import pytest

from drlim_np.backend import to_host
from drlim_np.fast.maps import as_images, by_row, one_minus_square, over_windows, plus, spread, sum_by_map, window_sums

MODULES = pytest.mark.parametrize("xp", [np, array_api_strict])


def whole(shape, xp=np, seed=0):
    return xp.asarray(np.random.default_rng(seed).integers(-1000, 1000, shape).astype(float))


@MODULES
def test_images_by_row_have_a_matrix_for_each_row_with_a_line_for_each_map(xp):
    images = whole((5, 2, 3, 4), xp)
    x = by_row(images)
    assert x.shape == (3, 2, 4 * 5)
    for n, c, i, j in np.ndindex(images.shape):
        assert x[i, c, j * 5 + n] == images[n, c, i, j]
    assert to_host(as_images(x, 4)).tolist() == to_host(images).tolist()


@MODULES
def test_no_images_are_by_row_too(xp):
    x = by_row(whole((0, 2, 3, 4), xp))
    assert x.shape == (3, 2, 0) and as_images(x, 4).shape == (0, 2, 3, 4)


def test_memory_is_copied_into_that_order_only_if_it_has_another():
    images = whole((5, 2, 3, 4))
    x = by_row(images)
    assert x.flags.c_contiguous and not np.shares_memory(x, images)
    assert np.shares_memory(by_row(as_images(x, 4)), x)


@MODULES
@pytest.mark.parametrize(("size", "height", "width"), [(1, 2, 3), (2, 1, 3), (3, 2, 1)])
def test_over_windows_is_the_adjoint_of_window_sums(xp, size, height, width):
    x, d = whole((height * size, 2, width * size * 4), xp), whole((height, 2, width * 4), xp, seed=1)
    sums, pixels = to_host(window_sums(x, size, width * size)), to_host(over_windows(d, size, width * size))
    assert sums.shape == d.shape and pixels.shape == x.shape
    assert np.vdot(sums, to_host(d)) == np.vdot(to_host(x), pixels)


def test_a_window_is_a_square_of_pixels_side_by_side():
    x = by_row(np.arange(24.0).reshape(1, 1, 4, 6))
    assert window_sums(x, 2, 6)[:, 0, :].tolist() == [[14, 22, 30], [62, 70, 78]]


@MODULES
def test_the_sum_by_map_is_the_adjoint_of_one_value_per_map(xp):
    images, values = whole((5, 2, 3, 4), xp), whole((2,), xp, seed=1)
    x = by_row(images)
    spread_out = np.broadcast_to(to_host(spread(values, x)), x.shape)
    assert np.vdot(to_host(sum_by_map(x)), to_host(values)) == np.vdot(to_host(x), spread_out)


# ---- arithmetic in place ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_one_minus_the_square_is_the_same_to_the_last_bit_and_leaves_its_argument_as_it_was(dtype):
    y = np.random.default_rng(0).uniform(-1, 1, (7, 3)).astype(dtype)
    before = y.copy()
    assert np.array_equal(one_minus_square(y), 1 - y * y)
    assert np.array_equal(y, before)


@pytest.mark.parametrize(("of_y", "of_b"), [("f4", "f4"), ("f8", "f8"), ("f8", "c16"), ("c16", "f8"), ("c16", "c16")])
def test_a_sum_in_place_keeps_the_imaginary_part_of_either_term(of_y, of_b):
    y, b = np.arange(6).reshape(2, 3).astype(of_y), np.array([1, 2, 3]).astype(of_b)
    b = b * 1j if of_b == "c16" else b
    expected = y + b
    found = plus(y, b)
    assert found.dtype == expected.dtype and np.array_equal(found, expected)
