"""Exercise 3. A loss too good to be true.

Six points; `pairs` lists who is paired with whom. The loss goes to 0, and the map is worthless: watch the spread of the
points. One of the two terms has still to be written, in the loss and in the gradient:

    L = Σ (1 - Y) ½ D² + Y ½ max(0, m - D)²        D = ‖z_i - z_j‖, Y = 0 similar, Y = 1 dissimilar

Run this file, write what is missing. Then: python -m drlim_np.teaching.exercises check 3
"""

import numpy as np


def loss_and_gradient(z, pairs, y, margin):
    """L and its gradient. z (points, dims), pairs (pairs, 2) indices of points, y (pairs,)."""
    i, j = pairs.T
    difference = z[i] - z[j]
    d = np.sqrt((difference * difference).sum(axis=1))
    loss = np.where(y == 0, d * d / 2, 0).sum()  # a dissimilar pair costs: still to be written
    stiffness = np.where(y == 0, 1, 0)  # a dissimilar pair pushes: still to be written
    force = stiffness[:, None] * difference
    dz = np.zeros_like(z)
    np.add.at(dz, i, force)  # a point gathers the forces of all its pairs
    np.add.at(dz, j, -force)
    return loss, {"z": dz}


if __name__ == "__main__":
    z = np.random.default_rng(0).normal(size=(6, 2))
    pairs = np.stack(np.triu_indices(6, k=1), axis=1)
    y = np.where((pairs[:, 1] - pairs[:, 0]) % 4 == 1, 0, 1)  # similar: a ring
    for step in range(41):
        loss, gradient = loss_and_gradient(z, pairs, y, margin=1.0)
        z = z - 0.1 * gradient["z"]
        print(f"step {step:2}  loss {loss:.4f}  spread {z.std(axis=0).max():.4f}")
