"""Exercise 7. One tower.

A Siamese network: one layer z = tanh(W x), called on both inputs of every pair. Here z2 is treated as "the target" that
z1 is drawn to. The loss falls nicely.

    L = Σ (1 - Y) ½ D² + Y ½ max(0, m - D)²        D = ‖z1 - z2‖, Y = 0 similar, Y = 1 dissimilar

Run this file, find the mistake, mend it. Then: python -m drlim_np.teaching.exercises check 7
"""

import numpy as np


def layer(w, x):
    """z (samples, outputs), and its pullback. w (outputs, inputs), x (samples, inputs)."""
    z = np.tanh(x @ w.T)
    return z, lambda dz: (dz * (1 - z * z)).T @ x


def loss_and_gradient(w, x1, x2, y, margin):
    """L and its gradient with respect to the shared W."""
    z1, pullback1 = layer(w, x1)
    z2, _ = layer(w, x2)
    d = np.sqrt(((z1 - z2) ** 2).sum(axis=1))
    gap = np.maximum(0, margin - d)
    loss = np.where(y == 0, d * d, gap * gap).sum() / 2
    dz1 = np.where(y == 0, 1, -gap / d)[:, None] * (z1 - z2)  # this is right, and dz2 is the opposite
    return loss, {"w": pullback1(dz1)}


if __name__ == "__main__":
    rng = np.random.default_rng(5)
    w, x1, x2 = 0.5 * rng.normal(size=(2, 3)), rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    y = np.array([0, 1, 0, 1, 0, 1])
    for step in range(31):
        loss, gradient = loss_and_gradient(w, x1, x2, y, margin=1.0)
        w = w - 0.05 * gradient["w"]
        print(f"step {step:2}  loss {loss:.4f}")
