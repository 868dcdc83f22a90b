"""Exercise 8. A layer that remembers.

The same Siamese network, written the way that works everywhere but here: a layer notes in `forward` what `backward`
will need. Both towers share W, so they share the layer. No exception, no NaN, the right shapes; look at the loss.

    L = Σ (1 - Y) ½ D² + Y ½ max(0, m - D)²        D = ‖z1 - z2‖, Y = 0 similar, Y = 1 dissimilar

Run this file, find the mistake, mend it. Then: python -m drlim_np.teaching.exercises check 8
"""

import numpy as np


class Layer:
    """z = tanh(W x), and dL/dW from dL/dz. w (outputs, inputs), x (samples, inputs), z (samples, outputs)."""

    def forward(self, w, x):
        self.x, self.z = x, np.tanh(x @ w.T)
        return self.z

    def backward(self, dz):
        return (dz * (1 - self.z * self.z)).T @ self.x


def loss_and_gradient(w, x1, x2, y, margin):
    """L and its gradient with respect to the shared W."""
    tower1 = tower2 = Layer()
    z1 = tower1.forward(w, x1)
    z2 = tower2.forward(w, x2)
    d = np.sqrt(((z1 - z2) ** 2).sum(axis=1))
    gap = np.maximum(0, margin - d)
    loss = np.where(y == 0, d * d, gap * gap).sum() / 2
    dz1 = np.where(y == 0, 1, -gap / d)[:, None] * (z1 - z2)  # this is right, and dz2 is the opposite
    return loss, {"w": tower1.backward(dz1) + tower2.backward(-dz1)}


if __name__ == "__main__":
    rng = np.random.default_rng(5)
    w, x1, x2 = 0.5 * rng.normal(size=(2, 3)), rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    y = np.array([0, 1, 0, 1, 0, 1])
    for step in range(31):
        loss, gradient = loss_and_gradient(w, x1, x2, y, margin=1.0)
        w = w - 0.05 * gradient["w"]
        print(f"step {step:2}  loss {loss:.4f}")
