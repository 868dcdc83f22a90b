"""Exercise 10. S2's pullback.

LeNet's subsampling takes the mean over each window of a map, times one coefficient a map, plus one bias a map:

    y_c[i, j] = a_c S_c[i, j] / window² + b_c        S_c[i, j] = the sum of x_c over the window at (i, j)

The forward pass is right, and so is dL/db. dL/da and dL/dx have still to be written.
Run this file, write them. Then: python -m drlim_np.teaching.exercises check 10
"""

import numpy as np


def loss_and_gradient(a, b, x, target, window):
    """½ Σ (y - target)² and its gradients. a, b (maps,), x (samples, maps, …), y smaller by window each way."""
    samples, maps, rows, columns = x.shape
    cells = x.reshape(samples, maps, rows // window, window, columns // window, window)
    total = cells.sum(axis=(3, 5))
    y = a[:, None, None] * total / window**2 + b[:, None, None]
    dy = y - target  # from here on, the pullback
    da = np.zeros_like(a)  # still to be written
    db = dy.sum(axis=(0, 2, 3))
    dx = np.zeros_like(x)  # still to be written
    return (dy**2).sum() / 2, {"a": da, "b": db, "x": dx}


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    a, b, x, target = np.ones(2), np.zeros(2), rng.normal(size=(2, 2, 6, 6)), rng.normal(size=(2, 2, 2, 2))
    for step in range(31):
        loss, gradient = loss_and_gradient(a, b, x, target, window=3)
        a, b, x = (w - 0.1 * gradient[name] for name, w in (("a", a), ("b", b), ("x", x)))
        print(f"step {step:2}  loss {loss:.4f}")
