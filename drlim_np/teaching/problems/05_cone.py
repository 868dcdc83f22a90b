"""Exercise 5. Two points in one place.

Everything is right here as long as no two points of a dissimilar pair coincide. The last pair below does, and one step
later it is lost, and the loss is no number. At D = 0 the push has no direction: the loss has a cone point there, and 0
is one of its subgradients. Take that one. An epsilon added to the distance is no cure: it changes L everywhere.

    L = Σ (1 - Y) ½ D² + Y ½ max(0, m - D)²        D = ‖z1 - z2‖, Y = 0 similar, Y = 1 dissimilar

Run this file, find the line, mend it. Then: python -m drlim_np.teaching.exercises check 5
"""

import numpy as np


def loss_and_gradient(z1, z2, y, margin):
    """L and its gradients. z1, z2 (pairs, dims), y (pairs,)."""
    d = np.sqrt(((z1 - z2) ** 2).sum(axis=1))
    gap = np.maximum(0, margin - d)
    loss = np.where(y == 0, d * d, gap * gap).sum() / 2
    dz1 = np.where(y == 0, 1, -gap / d)[:, None] * (z1 - z2)
    return loss, {"z1": dz1, "z2": -dz1}


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    z1, z2, y = rng.normal(size=(6, 2)), rng.normal(size=(6, 2)), np.array([0, 1, 0, 1, 0, 1])
    z2[5] = z1[5]
    for step in range(3):
        loss, gradient = loss_and_gradient(z1, z2, y, margin=2.0)
        z1, z2 = z1 - 0.1 * gradient["z1"], z2 - 0.1 * gradient["z2"]
        print(f"step {step}  loss {loss:.4f}  {np.isnan(z1).sum()} of {z1.size} coordinates are not numbers")
