"""Exercise 9. A batch that stands for all pairs.

𝓛 is a sum over all pairs, too many for each step. So a batch is drawn: as many similar as dissimilar pairs, each kind
uniformly from all of its kind. What the batch gives must stand for the whole: its mean over many draws is to be

    𝓛 = Σ_pairs (1 - Y) ½ D² + Y ½ max(0, m - D)²

This batch multiplies what it finds by (pairs in all / pairs drawn). The loss falls; the mean over draws is another 𝓛.
Run this file, find the mistake, mend it. Then: python -m drlim_np.teaching.exercises check 9
"""

import numpy as np


def loss_and_gradient(z, pairs, y, drawn, margin):
    """The batch's estimate of 𝓛, and its gradient.

    z (points, dims), pairs (pairs, 2) all pairs, y (pairs,) their labels, drawn (batch,) which of them were drawn.
    """
    i, j = pairs[drawn].T
    label = y[drawn]
    weight = np.full(len(drawn), len(pairs) / len(drawn))  # pairs that each stands for
    difference = z[i] - z[j]
    d = np.sqrt((difference * difference).sum(axis=1))
    gap = np.maximum(0, margin - d)
    loss = (weight * np.where(label == 0, d * d, gap * gap)).sum() / 2
    force = (weight * np.where(label == 0, 1, -gap / d))[:, None] * difference
    dz = np.zeros_like(z)
    np.add.at(dz, i, force)
    np.add.at(dz, j, -force)
    return loss, {"z": dz}


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    z, pairs = rng.normal(size=(12, 2)), np.stack(np.triu_indices(12, k=1), axis=1)
    y = np.where(pairs[:, 1] - pairs[:, 0] == 1, 0, 1)  # 11 similar pairs, a chain, and 55 dissimilar ones
    kinds = [np.flatnonzero(y == kind) for kind in (0, 1)]
    batches = [np.concatenate([rng.choice(kind, 4) for kind in kinds]) for _ in range(2000)]  # four pairs of each
    whole, _ = loss_and_gradient(z, pairs, y, np.arange(len(pairs)), 1.0)
    mean = np.mean([loss_and_gradient(z, pairs, y, drawn, 1.0)[0] for drawn in batches])
    print(f"over all pairs {whole:.2f}, mean over 2000 batches {mean:.2f}")
    for step in range(61):
        loss, gradient = loss_and_gradient(z, pairs, y, batches[step], margin=1.0)
        z = z - 0.005 * gradient["z"]
        if step % 20 == 0:
            print(f"step {step:2}  loss of this batch {loss:.4f}")
