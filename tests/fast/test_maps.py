"""Images by row and back, patches, and sums over windows, with adjoints: whole numbers leave nothing to round."""

import array_api_strict
import numpy as np
import pytest

from drlim_np.backend import to_host
from drlim_np.fast.maps import as_images, by_row, one_minus_square, over_windows, plus, window_sums
from drlim_np.fast.patches import as_rows, fold, patches

MODULES = pytest.mark.parametrize("xp", [np, array_api_strict])


def whole(shape, xp=np, seed=0):
    return xp.asarray(np.random.default_rng(seed).integers(-1000, 1000, shape).astype(float))


@MODULES
@pytest.mark.parametrize("samples", [0, 5])
def test_images_by_row_have_a_matrix_for_each_row_with_a_line_for_each_map(xp, samples):
    images = whole((samples, 2, 3, 4), xp)
    x = by_row(images)
    assert x.shape == (3, 2, 4 * samples)
    for n, c, i, j in np.ndindex(images.shape):
        assert x[i, c, j * samples + n] == images[n, c, i, j]
    assert as_images(x, 4).shape == images.shape
    assert to_host(as_images(x, 4)).tolist() == to_host(images).tolist()


def test_memory_is_copied_into_that_order_only_if_it_has_another():
    images = whole((5, 2, 3, 4))
    x = by_row(images)
    assert x.flags.c_contiguous and not np.shares_memory(x, images)
    assert np.shares_memory(by_row(as_images(x, 4)), x)


ADJOINTS = [  # with their sizes, and the shapes of what goes in and comes out
    (window_sums, over_windows, (1, 3), (2, 2, 12), (2, 2, 12)),
    (window_sums, over_windows, (2, 6), (2, 2, 24), (1, 2, 12)),
    (window_sums, over_windows, (3, 3), (6, 2, 12), (2, 2, 4)),
    (patches, fold, (1, 3), (2, 2, 3), (2, 2, 3)),
    (patches, fold, (2, 2), (4, 2, 6), (3, 8, 3)),
    (patches, fold, (3, 6), (4, 3, 12), (2, 27, 8)),
    (patches, fold, (4, 4), (4, 2, 16), (1, 32, 4)),
]


@MODULES
@pytest.mark.parametrize(("forward", "backward", "sizes", "shape", "out"), ADJOINTS)
def test_an_adjoint_gives_the_same_products(xp, forward, backward, sizes, shape, out):
    x, d = whole(shape, xp), whole(out, xp, seed=1)
    y, dx = to_host(forward(x, *sizes)), to_host(backward(d, *sizes))
    assert y.shape == out and dx.shape == shape
    assert np.vdot(y, to_host(d)) == np.vdot(to_host(x), dx)


@MODULES
@pytest.mark.parametrize(("size", "height", "width"), [(1, 2, 3), (2, 1, 3), (2, 3, 1), (3, 2, 2), (3, 4, 5)])
def test_a_kernel_in_a_row_times_a_patch_is_the_kernel_laid_upon_the_image(xp, size, height, width):
    images = whole((3, 2, height + size - 1, width + size - 1))
    kernels = whole((4, 2, size, size), seed=1)
    y = as_rows(xp.asarray(kernels)) @ patches(by_row(xp.asarray(images)), size, images.shape[3])
    y = to_host(as_images(y, width))
    for n, m, i, j in np.ndindex(3, 4, height, width):
        assert y[n, m, i, j] == np.sum(kernels[m] * images[n, :, i : i + size, j : j + size])


def test_patches_share_the_memory_of_their_strip_and_cannot_be_written_to():
    gathered = patches(np.zeros((6, 2, 6 * 2)), 3, 6)
    assert np.shares_memory(gathered[0], gathered[1])
    with pytest.raises(ValueError, match="read-only"):
        gathered[...] = 1


@MODULES
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_one_minus_the_square_is_the_same_to_the_last_bit_and_leaves_its_argument_as_it_was(dtype, xp):
    before = np.random.default_rng(0).uniform(-1, 1, (7, 3)).astype(dtype)
    y = xp.asarray(before.copy())
    assert np.array_equal(to_host(one_minus_square(y)), 1 - before * before)
    assert np.array_equal(to_host(y), before)


@pytest.mark.parametrize(("of_y", "of_b"), [("f4", "f4"), ("f8", "f8"), ("f8", "c16"), ("c16", "f8"), ("c16", "c16")])
def test_a_sum_in_place_keeps_the_imaginary_part_of_either_term(of_y, of_b):
    y, b = np.arange(6).reshape(2, 3).astype(of_y), np.array([1, 2, 3]).astype(of_b)
    b = b * 1j if of_b == "c16" else b
    expected = y + b
    found = plus(y, b)
    assert found.dtype == expected.dtype and np.array_equal(found, expected)
