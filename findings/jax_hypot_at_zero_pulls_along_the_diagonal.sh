#!/usr/bin/env bash
# JAX 0.10.2: the gradient of hypot at (0, 0) is (½, ½), that of the same norm is NaN.
#
# Guess: the gradient of jnp.hypot(x, y) at (0, 0) is NaN, as that of jnp.linalg.norm and of torch.hypot, or 0.
# Seen:  it is (½, ½). So with D = hypot(dx, dy) on a plane, a loss of pairs pushes two equal points apart along (1,
#        1) without a sign that D has no direction there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import jax
import jax.numpy as jnp
import numpy as np

hypot = np.asarray(jax.grad(lambda v: jnp.hypot(v[0], v[1]))(jnp.zeros(2)))
norm = np.asarray(jax.grad(jnp.linalg.norm)(jnp.zeros(2)))
push = np.asarray(jax.grad(lambda v: jnp.maximum(0, 1 - jnp.hypot(v[0], v[1])) ** 2 / 2)(jnp.zeros(2)))
print("hypot", hypot, "norm", norm, "a dissimilar pair's loss", push)
assert np.array_equal(hypot, [0.5, 0.5]) and np.array_equal(push, [-0.5, -0.5])
assert np.isnan(norm).all()
END
