"""Patches are what lies under the kernel, and folding is their adjoint: exact, as whole numbers do not round."""

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drlim_np.backend import to_host
from drlim_np.fast.maps import as_images, by_row
from drlim_np.fast.patches import as_kernels, as_rows, fold, patches

MODULES = pytest.mark.parametrize("xp", [np, array_api_strict])
sizes = st.integers(1, 4)


def whole(rng, shape, xp=np):
    """Whole numbers, of which every product and sum here is exact."""
    return xp.asarray(rng.integers(-1000, 1000, shape).astype(float))


@MODULES
@settings(deadline=None, max_examples=30)
@given(sizes, sizes, sizes, sizes, sizes, st.integers(0, 2**32 - 1))
def test_fold_is_the_adjoint_of_patches(xp, size, height, width, channels, samples, seed):
    rng = np.random.default_rng(seed)
    columns = width + size - 1
    x = whole(rng, (height + size - 1, channels, columns * samples), xp)
    gathered = patches(x, size, columns)
    assert gathered.shape == (height, size**2 * channels, width * samples)
    p = whole(rng, gathered.shape, xp)
    folded = fold(p, size, columns)
    assert folded.shape == x.shape
    assert np.vdot(to_host(gathered), to_host(p)) == np.vdot(to_host(x), to_host(folded))


@MODULES
@pytest.mark.parametrize(("size", "height", "width"), [(1, 2, 3), (2, 1, 3), (2, 3, 1), (3, 2, 2), (3, 4, 5)])
def test_a_kernel_in_a_row_times_a_patch_is_the_kernel_laid_upon_the_image(xp, size, height, width):
    rng = np.random.default_rng(0)
    images = whole(rng, (3, 2, height + size - 1, width + size - 1))
    kernels = whole(rng, (4, 2, size, size))
    y = as_rows(xp.asarray(kernels)) @ patches(by_row(xp.asarray(images)), size, images.shape[3])
    y = to_host(as_images(y, width))
    for n, m, i, j in np.ndindex(3, 4, height, width):
        assert y[n, m, i, j] == np.sum(kernels[m] * images[n, :, i : i + size, j : j + size])


@MODULES
def test_kernels_come_back_from_their_rows(xp):
    kernels = xp.reshape(xp.arange(54.0), (3, 2, 3, 3))
    rows = as_rows(kernels)
    assert rows.shape == (3, 18)
    assert to_host(as_kernels(rows, kernels.shape)).tolist() == to_host(kernels).tolist()


@pytest.mark.parametrize("channels", [1, 2])
def test_patches_share_the_memory_of_their_strip_and_cannot_be_written_to(channels):
    gathered = patches(np.zeros((6, channels, 6 * 2)), 3, 6)
    assert np.shares_memory(gathered[0], gathered[1])
    with pytest.raises(ValueError, match="read-only"):
        gathered[...] = 1


def test_each_pixel_of_a_fold_counts_the_patches_it_stands_in():
    folded = fold(np.ones((3, 4, 2)), 2, 3)
    assert folded[:, 0, :].tolist() == [[1, 2, 1], [2, 4, 2], [2, 4, 2], [1, 2, 1]]
