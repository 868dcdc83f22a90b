"""The patches of an image, gathered for the convolution, and their adjoint, which folds them back.

Images are by position, (rows, columns, channels, samples), as `maps.by_position` gives them.
"""

import numpy as np

from drlim_np.backend import Array, namespace, on_host, zeros
from drlim_np.fast.maps import ordered


def patches(x: Array, size: int) -> Array:
    """What lies under a kernel of `size`² pixels, at each of its positions as a column per sample.

    (rows, columns, channels, samples) → (rows - size + 1, columns - size + 1, size² · channels, samples), not to be
    written to. A patch lists its columns, in each its rows, and in each of these its channels: in this order patches
    along a row are pieces of one strip, `size` columns of it each, and on the host they share its memory.

    The pullback gathers them anew: kept, they would drive from the cache what has to stay, and two threads would take
    4 % longer.
    """
    xp, (rows, columns, channels, samples) = namespace(x), x.shape
    strips = ordered(xp.permute_dims(_runs(x, size, axis=0), (0, 2, 1, 3, 4)))
    strips = xp.reshape(strips, (rows - size + 1, columns, size * channels, samples))
    return xp.reshape(_runs(strips, size, axis=1), (rows - size + 1, columns - size + 1, size**2 * channels, samples))


def fold(dpatches: Array, shape: tuple[int, ...]) -> Array:
    """The adjoint of `patches`: each pixel collects from all the patches that it was copied into.

    (height, width, size² · channels, samples) → `shape`, (height + size - 1, width + size - 1, channels, samples).
    """
    xp, (height, width, _, samples) = namespace(dpatches), dpatches.shape
    size, channels = shape[0] - height + 1, shape[2]
    dpatches = xp.reshape(dpatches, (height, width, size, size, channels, samples))
    dstrips = zeros((height, shape[1], size, channels, samples), dpatches)
    dx = zeros(shape, dpatches)
    for j in range(width):
        dstrips[:, j : j + size, ...] += dpatches[:, j, ...]
    for i in range(height):
        dx[i : i + size, ...] += xp.permute_dims(dstrips[i, ...], (1, 0, 2, 3))
    return dx


def as_rows(kernels: Array) -> Array:
    """(maps, channels, size, size) → (maps, size² · channels): each kernel as a row, in the order of a patch."""
    xp = namespace(kernels)
    return xp.reshape(xp.permute_dims(kernels, (0, 3, 2, 1)), (kernels.shape[0], -1))


def as_kernels(rows: Array, shape: tuple[int, ...]) -> Array:
    """(maps, size² · channels) → `shape`, (maps, channels, size, size): undoes `as_rows`, and so is its adjoint."""
    xp, (maps, channels, size, _) = namespace(rows), shape
    return xp.permute_dims(xp.reshape(rows, (maps, size, size, channels)), (0, 3, 2, 1))


def _runs(x: Array, size: int, axis: int) -> Array:
    """All runs of `size` along an axis: runs[…, i, u, …] = x[…, i + u, …], i along `axis`, u along a new one behind.

    Not to be written to: on the host they share the memory of `x`, where a step to the next run is a step along it.
    """
    runs = x.shape[axis] - size + 1
    if on_host(x):
        shape, strides = (*x.shape[:axis], runs, size, *x.shape[axis + 1 :]), x.strides[: axis + 1] + x.strides[axis:]
        return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)
    before = (slice(None),) * axis
    return namespace(x).stack([x[(*before, slice(u, u + runs), ...)] for u in range(size)], axis=axis + 1)
