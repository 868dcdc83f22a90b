"""The patches of images by row (see `maps`), gathered for the convolution, and their adjoint, which folds them back."""

import numpy as np

from drlim_np.backend import Array, add_at, namespace, on_host, zeros


def patches(x: Array, size: int, columns: int) -> Array:
    """The pixels under a kernel of `size`² pixels: for each row a matrix, with a column per position and sample.

    (rows, channels, columns · samples) → (height, size² · channels, width · samples), not to be written to. A patch
    lists its rows, in each its columns, and in each of these its channels: so the matrices are pieces of one strip,
    `size` rows each, and on the host share its memory. A pullback gathers them again: to keep them is 4 to 5 % slower.
    """
    xp, (rows, channels, _) = namespace(x), x.shape
    runs = _runs(xp.reshape(x, (rows, channels, columns, -1)), size, axis=2)
    strip = xp.reshape(xp.permute_dims(runs, (0, 3, 1, 2, 4)), (rows, size * channels, -1))
    return xp.reshape(_runs(strip, size, axis=0), (rows - size + 1, size**2 * channels, -1))


def product(w: Array, x: Array) -> Array:
    """w @ x, row by row: (maps, lines) and (height, lines, width · samples) → (height, maps, width · samples)."""
    y = w @ x
    if y.shape[2] is None:  # ndonnx then forgets the rest of the shape too
        y = namespace(y).reshape(y, (x.shape[0], w.shape[0], -1))
    return y


def fold(dpatches: Array, size: int, columns: int) -> Array:
    """The adjoint of `patches`: (height, size² · channels, width · samples) → (rows, channels, columns · samples)."""
    xp, (height, lines, positions) = namespace(dpatches), dpatches.shape
    rows, channels, width = height + size - 1, lines // size**2, columns - size + 1
    samples = positions // width
    dpatches = xp.reshape(dpatches, (height, size, size, channels, width, samples))
    dx = zeros((rows, channels, columns, samples), dpatches)
    # Position by position: in training only C3 needs it, which has a single one.
    for i in range(height):
        for j in range(width):
            place = (slice(i, i + size), slice(None), slice(j, j + size), slice(None))
            dx = add_at(dx, place, xp.permute_dims(dpatches[i, :, :, :, j, :], (0, 2, 1, 3)))
    return xp.reshape(dx, (rows, channels, columns * samples))


def as_rows(kernels: Array) -> Array:
    """(maps, channels, size, size) → (maps, size² · channels): each kernel as a row, in the order of a patch."""
    xp = namespace(kernels)
    return xp.reshape(xp.permute_dims(kernels, (0, 2, 3, 1)), (kernels.shape[0], -1))


def as_kernels(rows: Array, shape: tuple[int, ...]) -> Array:
    """(maps, size² · channels) → `shape`, (maps, channels, size, size): undoes `as_rows`, and so is its adjoint."""
    xp, (maps, channels, size, _) = namespace(rows), shape
    return xp.permute_dims(xp.reshape(rows, (maps, size, size, channels)), (0, 3, 1, 2))


def _runs(x: Array, size: int, axis: int) -> Array:
    """All runs of `size` along an axis: runs[…, i, u, …] = x[…, i + u, …]. On the host they share the memory of `x`."""
    runs = x.shape[axis] - size + 1
    if on_host(x):
        x = np.ascontiguousarray(x)
        shape, strides = (*x.shape[:axis], runs, size, *x.shape[axis + 1 :]), x.strides[: axis + 1] + x.strides[axis:]
        # `as_strided` takes four times as long, and holds the interpreter's lock, for which the other thread waits.
        shared = np.ndarray(shape, x.dtype, x, 0, strides)
        shared.flags.writeable = False
        return shared
    before = (slice(None),) * axis
    return namespace(x).stack([x[(*before, slice(u, u + runs), ...)] for u in range(size)], axis=axis + 1)
