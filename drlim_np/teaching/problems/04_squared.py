"""Exercise 4. A margin for D².

This loss is found in many repositories. Its gradient belongs to it, exactly, so a check against its own loss passes.
Only it is not the paper's loss: how hard does a dissimilar pair push when it is almost in one place, and where does
the push end when m = 2?

    L = Σ (1 - Y) ½ D² + Y ½ max(0, m - D)²        D = ‖z1 - z2‖, Y = 0 similar, Y = 1 dissimilar

Run this file, make it Eq. 4 and its gradient. Then: python -m drlim_np.teaching.exercises check 4
"""

import numpy as np


def loss_and_gradient(z1, z2, y, margin):
    """L and its gradients. z1, z2 (pairs, dims), y (pairs,)."""
    squared = ((z1 - z2) ** 2).sum(axis=1)
    gap = np.maximum(0, margin - squared)
    loss = np.where(y == 0, squared, gap).sum() / 2
    dz1 = np.where(y == 0, 1, np.where(gap > 0, -1, 0))[:, None] * (z1 - z2)
    return loss, {"z1": dz1, "z2": -dz1}


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    z1, z2, y = rng.normal(size=(6, 2)), rng.normal(size=(6, 2)), np.array([0, 1, 0, 1, 0, 1])
    for step in range(31):
        loss, gradient = loss_and_gradient(z1, z2, y, margin=2.0)
        nearest = np.sqrt(((z1 - z2) ** 2).sum(axis=1))[y == 1].min()
        print(f"step {step:2}  loss {loss:.4f}  nearest dissimilar pair {nearest:.3f}")
        z1, z2 = z1 - 0.05 * gradient["z1"], z2 - 0.05 * gradient["z2"]
