"""A first layer trained on few coordinates in place of many pixels: its weights are sums of training images anyway.

The gradient of a Linear layer's weights is dyᵀ x: every step adds a sum of the inputs trained on, so with N of them the
weights need no more than N numbers a unit, W = A x. With x xᵀ = U S² Uᵀ the sums P = Uᵀ x are orthogonal to each other
and as long as the singular values S; in terms of these W = W' P. Since x Wᵀ = (x Pᵀ) W'ᵀ, a layer W' on the N
coordinates x Pᵀ does the same as W on all the pixels, for a fraction of the arithmetic.

It descends otherwise, though: a step on W' goes far along what varies much and hardly at all along details, and so the
weights stay smooth, and do better on views not seen.
"""

import numpy as np


def principal_images(x: np.ndarray) -> np.ndarray:
    """P / S₁: (N, features) for N inputs x (N, features), of x's dtype; orthogonal rows, lengths falling from 1."""
    wide = np.asarray(x, dtype=np.float64)
    _, left = np.linalg.eigh(wide @ wide.T)
    principal = left[:, ::-1].T @ wide
    return (principal / np.linalg.norm(principal[0])).astype(x.dtype)
