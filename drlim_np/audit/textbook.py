"""The convolution of C1 and C3 as its formula reads, loop by loop: the definition, for reading and for changing.

`layers.Conv2d` computes the same by matrix products, a thousand times faster; tests/test_layers.py holds them equal.
"""

import numpy as np

from drlim_np.tree import Gradient, Pullback, Tree


def convolution(weight: np.ndarray, bias: np.ndarray, x: np.ndarray) -> np.ndarray:
    """y_m[i, j] = b_m + Σ_c Σ_uv W_mc[u, v] x_c[i + u, j + v] for every sample and position: valid, stride 1.

    weight (maps, channels, kernel, kernel), bias (maps,), x (samples, channels, rows, columns)
    → (samples, maps, rows - kernel + 1, columns - kernel + 1).
    """
    samples, _, rows, columns = x.shape
    maps, _, kernel, _ = weight.shape
    y = np.empty((samples, maps, rows - kernel + 1, columns - kernel + 1), np.result_type(weight, bias, x))
    for n, m, i, j in np.ndindex(y.shape):
        y[n, m, i, j] = bias[m]
        for c, u, v in np.ndindex(weight.shape[1:]):
            y[n, m, i, j] += weight[m, c, u, v] * x[n, c, i + u, j + v]
    return y


def convolution_pullback(weight: np.ndarray, x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, ...]:
    """dL/dW, dL/db and dL/dx from dy = dL/dy: of each product W x in y, either factor gets dy times the other."""
    dweight, dbias, dx = np.zeros_like(weight), np.zeros_like(weight[:, 0, 0, 0]), np.zeros_like(x)
    for n, m, i, j in np.ndindex(dy.shape):
        dbias[m] += dy[n, m, i, j]
        for c, u, v in np.ndindex(weight.shape[1:]):
            dweight[m, c, u, v] += dy[n, m, i, j] * x[n, c, i + u, j + v]
            dx[n, c, i + u, j + v] += dy[n, m, i, j] * weight[m, c, u, v]
    return dweight, dbias, dx


def loop_by_loop(params: Tree, x: np.ndarray) -> tuple[np.ndarray, Pullback]:
    """The textbook's convolution as a layer, so that the definition is audited as its fast form is."""

    def pullback(dy: np.ndarray, wrt_input: bool = False) -> Gradient:
        dweight, dbias, dx = convolution_pullback(params["weight"], x, dy)
        return Gradient({"weight": dweight, "bias": dbias}, dx)

    return convolution(params["weight"], params["bias"], x), pullback
