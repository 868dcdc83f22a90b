"""A first layer trained where its inputs lie: 660 images of 9,216 pixels span 660 dimensions, and it needs no others.

The gradient of a Linear layer's weights is dyᵀ x, a sum of training inputs. What lies outside the span of these never
changes, and answers to none of them. With the rows of V an orthonormal basis of the span, x = (x Vᵀ) V and so
x Wᵀ = (x Vᵀ) (W Vᵀ)ᵀ: a layer on the coordinates x Vᵀ, with weights W' = W Vᵀ, does the same for a fraction of the
arithmetic, and W = W' V are its weights on the pixels.
"""

import numpy as np

RANK = 1e-9  # of the largest eigenvalue of x xᵀ: below that a direction is rounding


def row_space(x: np.ndarray) -> np.ndarray:
    """V: (rank, features), orthonormal rows that span those of x (samples, features), of its dtype.

    In falling order of the variation along them: with x xᵀ = U S² Uᵀ they are S⁻¹ Uᵀ x. Works in float64.
    """
    wide = np.asarray(x, dtype=np.float64)
    squares, left = np.linalg.eigh(wide @ wide.T)
    kept = np.flatnonzero(squares > RANK * squares[-1])[::-1]
    return ((left[:, kept].T @ wide) / np.sqrt(squares[kept])[:, None]).astype(x.dtype)
