"""Exercise 2. Beyond the margin.

A dissimilar pair costs ½ max(0, m - D)²: from D = m on, nothing. The loss below says so, and it falls. But look at the
largest distance of a dissimilar pair while it does.

    L = Σ (1 - Y) ½ D² + Y ½ max(0, m - D)²        D = ‖z1 - z2‖, Y = 0 similar, Y = 1 dissimilar

Run this file, find the mistake, mend it. Then: python -m drlim_np.teaching.exercises check 2
"""

import numpy as np


def loss_and_gradient(z1, z2, y, margin):
    """L and its gradients. z1, z2 (pairs, dims), y (pairs,)."""
    d = np.sqrt(((z1 - z2) ** 2).sum(axis=1))
    gap = np.maximum(0, margin - d)
    loss = np.where(y == 0, d * d, gap * gap).sum() / 2
    dz1 = np.where(y == 0, 1, -(margin - d) / d)[:, None] * (z1 - z2)
    return loss, {"z1": dz1, "z2": -dz1}


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    z1, z2, y = rng.normal(size=(6, 2)), 2 * rng.normal(size=(6, 2)), np.array([0, 1, 0, 1, 0, 1])
    for step in range(21):
        loss, gradient = loss_and_gradient(z1, z2, y, margin=1.0)
        farthest = np.sqrt(((z1 - z2) ** 2).sum(axis=1))[y == 1].max()
        print(f"step {step:2}  loss {loss:.4f}  farthest dissimilar pair {farthest:.3f}")
        z1, z2 = z1 - 0.1 * gradient["z1"], z2 - 0.1 * gradient["z2"]
