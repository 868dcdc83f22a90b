"""The paper on one page: Steps 1 and 2, pair by pair (Sec. 2.1), for the two-layer G_W (Sec. 3.4)."""

import numpy as np

MARGIN, RATE, EPOCHS = 1.0, 2e-2, 8  # not given in the paper


def similar_views(azimuth, elevation, around):
    """Step 1 (a). For each X_i find the set S_i of those similar to it, here by prior knowledge: one step apart."""
    turn = np.abs(azimuth[:, None].astype(int) - azimuth)
    rise = np.abs(elevation[:, None].astype(int) - elevation)
    return (np.minimum(turn, around - turn) <= 1) & (rise <= 1)


def pair_up(similar):
    """Step 1 (b). Pair X_i with all the others, so that Y_ij = 0 if X_j is in S_i, else 1: (3, pairs), rows i, j, Y."""
    i, j = np.triu_indices(len(similar), k=1)
    return np.stack([i, j, 1 - similar[i, j]])


def first_weights(rng, inputs, hidden=20, outputs=3):
    """W at first. A starts tiny, so that the filters in Fig. 10 are learned structure and not initial noise."""
    A = 1e-3 * rng.standard_normal((hidden, inputs))
    B = rng.standard_normal((outputs, hidden)) / np.sqrt(hidden)
    return A, np.zeros(hidden), B, np.zeros(outputs)


def G(W, x):
    """The map G_W: two layers with tanh between them. Returns the point and the hidden units."""
    A, a, B, b = W
    h = np.tanh(A.dot(x) + a)
    return B.dot(h) + b, h


def loss(W, x1, x2, Y, m):
    """L = (1 - Y) ½ D² + Y ½ max(0, m - D)², with D = ‖G_W(X1) - G_W(X2)‖ (Eqs. 1 to 4): `update` descends on this."""
    D = np.sqrt(np.sum((G(W, x1)[0] - G(W, x2)[0]) ** 2))
    return (1 - Y) * D**2 / 2 + Y * np.maximum(0, m - D) ** 2 / 2


def update(W, x1, x2, Y, m, rate):
    """Step 2 (a). Move W, in place, against the gradient of one pair's L."""
    A, a, B, _ = W
    (z1, h1), (z2, h2) = G(W, x1), G(W, x2)  # two copies of G share one W
    D = np.sqrt(((z1 - z2) ** 2).sum())
    if Y == 1 and not 0 < D < m:
        return  # no force: far enough apart, or at D = 0, where the push has no direction
    if Y == 0:
        dz = z1 - z2  # i. similar: decrease D (Eq. 6)
    if Y == 1:
        dz = -(m - D) * (z1 - z2) / D  # ii. dissimilar: increase D (Eq. 7)
    da1, da2 = dz @ B * (1 - h1**2), -dz @ B * (1 - h2**2)  # dL/dz1 = dz = -dL/dz2; the slope of tanh is 1 - h²
    A -= rate * (np.outer(da1, x1) + np.outer(da2, x2))  # the sum of what the two copies contribute
    a -= rate * (da1 + da2)
    B -= rate * np.outer(dz, h1 - h2)  # b's two contributions, dz and -dz, cancel: b never moves


def sweep(W, x, pairs, m, rates):
    """Step 2. For each pair in the training set, update W."""
    for i, j, Y, rate in zip(*pairs.tolist(), rates.tolist(), strict=True):  # Python's numbers: faster than NumPy's
        update(W, x[i], x[j], Y, m, rate)


def falling(epoch, epochs, count):
    """Learning rates of one epoch's updates: linear from RATE at the first update of training to 0 at the last."""
    return RATE * (1 - (epoch + np.arange(count) / count) / epochs)


if __name__ == "__main__":  # maps rendered views of an airplane, and prints the numbers of Figure 8 after each epoch
    from drlim_np.data import AZIMUTHS, in_their_span, rendering, split
    from drlim_np.measure.cylinder import in_words

    rng, views = np.random.default_rng(0), rendering.generate()
    inputs, train, test = split(views, rng)
    x, _ = in_their_span(inputs, train)  # the same descent, and faster
    pairs = pair_up(similar_views(views.azimuth[train], views.elevation[train], AZIMUTHS))
    W = [w.astype(x.dtype) for w in first_weights(rng, len(x[0]))]
    for epoch in range(EPOCHS):
        sweep(W, x[train], rng.permutation(pairs, axis=1), MARGIN, falling(epoch, EPOCHS, len(pairs[0])))
        print(f"epoch {epoch + 1}:", in_words(np.array([G(W, view)[0] for view in x]), views, train, test))
