"""Exercise 12. A layer of your own.

Many later embeddings lie on a sphere: their last layer is y = x / ‖x‖, sample by sample. Its pullback below divides dy
by the length, as if the length were a constant. The loss falls nicely. Write the pullback that is right:

    y_k = x_k / r,  r = ‖x‖        so dy_k/dx_l = ?        and dL/dx_l = Σ_k dL/dy_k dy_k/dx_l

Run this file, write it. Then: python -m drlim_np.teaching.exercises check 12
"""

import numpy as np


def loss_and_gradient(x, target):
    """½ Σ (y - target)² and its gradient. x, target (samples, dims); each row of y has length 1."""
    length = np.sqrt((x * x).sum(axis=1, keepdims=True))
    y = x / length
    dy = y - target
    dx = dy / length  # the pullback
    return (dy**2).sum() / 2, {"x": dx}


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    x, target = 2 * rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    target /= np.linalg.norm(target, axis=1, keepdims=True)
    for step in range(31):
        loss, gradient = loss_and_gradient(x, target)
        x = x - 0.2 * gradient["x"]
        print(f"step {step:2}  loss {loss:.4f}  length of the first row {np.linalg.norm(x[0]):.3f}")
