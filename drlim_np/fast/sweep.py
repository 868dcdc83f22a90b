"""Step 2 of `verbatim`, pair by pair, in less than half the time: the same updates, rounded otherwise.

Training needs only the views' inner products. An update adds multiples of x_i and x_j to the rows of A, so it adds the
same multiples of x_i · x and x_j · x to A x, for every view x. A itself is computed once, at the end. Most pairs are
beyond the margin and move nothing, so the next few are computed together, up to the first that moves W.
"""

import numpy as np

AHEAD = 24  # pairs computed together


def sweep(W: tuple[np.ndarray, ...], x: np.ndarray, pairs: np.ndarray, margin: float, rates: np.ndarray) -> None:
    """Updates W in place for each pair in turn, as `verbatim.sweep` does.

    W: A (hidden, features), a, B (dims, hidden), b. x (views, features), of the dtype of W. pairs (3, pairs): rows i,
    j, Y. rates (pairs,): the learning rate of each update.
    """
    A, a, B, _ = W
    inner, Ax, start = x @ x.T, x @ A.T, 0  # (views, views), (views, hidden)
    shares = np.zeros_like(Ax)  # what A has gained is Σ_i shares[i] ⊗ x_i
    while start < len(rates):
        ahead = pairs[:, start : start + AHEAD]
        h = np.tanh(Ax[ahead[:2]] + a)  # (2, ahead, hidden): of both copies of G
        apart = (h[0] - h[1]) @ B.T  # z1 - z2, in which b cancels
        d = np.sqrt((apart**2).sum(axis=1))
        moving = np.flatnonzero((ahead[2] == 0) | (d > 0) & (d < margin))
        if not len(moving):
            start += AHEAD
            continue
        k = moving[0]
        i, j, Y = ahead[:, k].tolist()
        rate, dz = rates.item(start + k), apart[k] if Y == 0 else -(margin - d[k]) / d[k] * apart[k]
        steps = rate * (dz @ B) * (1 - h[:, k] ** 2)  # (2, hidden): dL/dz1 = dz, and
        steps[1] *= -1  # dL/dz2 = -dz
        Ax -= inner[[i, j]].T @ steps
        shares[[i, j]] -= steps
        a -= steps[0] + steps[1]
        B -= (rate * dz)[:, None] * (h[0, k] - h[1, k])
        start += k + 1
    A += shares.T @ x
