"""Exercise 11. C1, loop by loop.

Every output map sums a kernel slid over all input maps (valid, stride 1):

    y_m[i, j] = b_m + Σ_c Σ_uv W_mc[u, v] x_c[i + u, j + v]

In each product W x, either factor gets dy times the other. One remembers that "the pullback of a convolution flips the
kernel"; somebody remembered it here. The loss falls nicely.
Run this file, find the mistake, mend it. Then: python -m drlim_np.teaching.exercises check 11
"""

import numpy as np


def loss_and_gradient(w, b, x, target):
    """½ Σ (y - target)² and its gradients. w (maps, channels, kernel, kernel), x (samples, channels, …)."""
    kernel = w.shape[-1]
    y = np.zeros(target.shape)
    for n, m, i, j in np.ndindex(y.shape):
        y[n, m, i, j] = b[m] + (w[m] * x[n, :, i : i + kernel, j : j + kernel]).sum()
    dy = y - target  # from here on, the pullback
    dw, db, dx = np.zeros_like(w), np.zeros_like(b), np.zeros_like(x)
    for n, m, i, j in np.ndindex(dy.shape):
        db[m] += dy[n, m, i, j]
        for c, u, v in np.ndindex(w.shape[1:]):
            dw[m, c, u, v] += dy[n, m, i, j] * x[n, c, i + u, j + v]
            dx[n, c, i + u, j + v] += dy[n, m, i, j] * w[m, c, kernel - 1 - u, kernel - 1 - v]
    return (dy**2).sum() / 2, {"w": dw, "b": db, "x": dx}


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    w, b = rng.normal(size=(2, 1, 3, 3)) / 3, np.zeros(2)
    x, target = rng.normal(size=(2, 1, 5, 5)), rng.normal(size=(2, 2, 3, 3))
    for step in range(31):
        loss, gradient = loss_and_gradient(w, b, x, target)
        w, b, x = (p - 0.02 * gradient[name] for name, p in (("w", w), ("b", b), ("x", x)))
        print(f"step {step:2}  loss {loss:.4f}")
