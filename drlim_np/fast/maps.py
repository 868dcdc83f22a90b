"""Maps of images by row, (height, maps, width · samples): each row of all images one matrix, one line of it per map.

Memory has the same order, so that products and sums run over long contiguous rows: C1 is 27 products for 64 images.
"""

from functools import reduce
from operator import add

import numpy as np

from drlim_np.backend import Array, is_complex, namespace, on_host


def by_row(images: Array) -> Array:
    """(samples, maps, height, width) → (height, maps, width · samples), copied if memory has another order."""
    xp, (samples, maps, height, width) = namespace(images), images.shape  # samples may be unknown, as in ONNX: hence -1
    if on_host(images) and images.strides[0] != images.itemsize:
        # Rows of memory a power of two apart evict each other from the cache: 16 numbers between them save 5/6 of it.
        apart = np.empty((samples, maps * height * width + 16), images.dtype)[:, :-16].reshape(images.shape)
        apart[...] = images
        images = apart
    return xp.reshape(xp.permute_dims(images, (2, 1, 3, 0)), (height, maps, -1))


def as_images(x: Array, width: int) -> Array:
    """(height, maps, width · samples) → (samples, maps, height, width): undoes `by_row`; memory stays as it is."""
    xp, (height, maps, _) = namespace(x), x.shape
    return xp.permute_dims(xp.reshape(x, (height, maps, width, -1)), (3, 1, 0, 2))


def window_sums(x: Array, size: int, width: int) -> Array:
    """Σ over windows of `size`² pixels, rows first: (height, maps, width · samples) → (height / size, maps, …)."""
    xp, (height, maps, _) = namespace(x), x.shape
    rows = xp.reshape(x, (height // size, size, maps, -1))
    x = reduce(add, (rows[:, k, ...] for k in range(size)))
    columns = xp.reshape(x, (height // size, maps, width // size, size, -1))
    x = reduce(add, (columns[..., k, :] for k in range(size)))
    return xp.reshape(x, (height // size, maps, -1))


def over_windows(dsums: Array, size: int, width: int) -> Array:
    """The adjoint of `window_sums`: (height, maps, …) → (size · height, maps, width · samples), each its window's."""
    xp, (height, maps, windows) = namespace(dsums), dsums.shape
    samples = windows * size // width
    dsums = xp.reshape(dsums, (height, 1, maps, width // size, 1, samples))
    pixels = xp.broadcast_to(dsums, (height, size, maps, width // size, size, samples))
    return xp.reshape(pixels, (height * size, maps, width * samples))


def spread(values: Array, x: Array) -> Array:
    """(maps,) repeated along the rows of `x`, as (maps, width · samples): NumPy adds two such matrices faster."""
    if x.shape[2] is None:
        return values[:, None]
    return namespace(x).reshape(namespace(x).repeat(values, x.shape[2]), x.shape[1:])


def sum_by_map(x: Array) -> Array:
    """Σ over pixels and samples: (height, maps, width · samples) → (maps,); over the height first, in long runs."""
    return namespace(x).sum(namespace(x).sum(x, axis=0), axis=1)


def plus(y: Array, b: Array) -> Array:
    """y + b; overwrites y if y can hold the sum, so only for a y that nobody else has."""
    if is_complex(b):
        return y + b
    y += b
    return y


def one_minus_square(y: Array) -> Array:
    """1 - y², on the host in one array and two passes: a step takes 2 % less time than with three passes."""
    square = y * y
    return np.subtract(1, square, out=square) if on_host(square) else 1 - square
