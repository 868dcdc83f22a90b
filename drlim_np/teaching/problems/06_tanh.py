"""Exercise 6. The slope of tanh.

One layer, z = tanh(W x + b), is fitted to targets. Its pullback takes dL/dz and returns dL/dW and dL/db:

    da = dz (1 - tanh² a)      through the tanh, a = W x + b
    dW = Σ da xᵀ               through the product; Σ over the samples
    db = Σ da

The loss falls nicely, the more so as W starts small.
Run this file, find the mistake, mend it. Then: python -m drlim_np.teaching.exercises check 6
"""

import numpy as np


def loss_and_gradient(w, b, x, target):
    """½ Σ (z - target)² and its gradients. w (outputs, inputs), b (outputs,), x (samples, inputs)."""
    a = x @ w.T + b
    z = np.tanh(a)
    dz = z - target  # from here on, the pullback
    da = dz * (1 - a * a)
    return (dz**2).sum() / 2, {"w": da.T @ x, "b": da.sum(axis=0)}


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(8, 3)), rng.uniform(-0.5, 0.5, size=(8, 2))
    w, b = 0.1 * rng.normal(size=(2, 3)), np.zeros(2)
    for step in range(31):
        loss, gradient = loss_and_gradient(w, b, x, target)
        w, b = w - 0.05 * gradient["w"], b - 0.05 * gradient["b"]
        print(f"step {step:2}  loss {loss:.4f}")
