#!/usr/bin/env bash
# Optax 0.2.8: triplet_margin_loss(norm_degree=1) adds signed differences, so opposite coordinates cancel.
#
# Guess: norm_degree=1 gives the Manhattan distance and 3 the 3-norm, as `p` of PyTorch's TripletMarginLoss does.
# Seen:  the powers are taken of the differences themselves. With degree 1 the anchor (0, 0) is at distance 0 from
#        (10, −10) and at −7 from (3, 4), so the loss is 13 instead of 7; with 3 it is NaN. Even degrees are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q optax==0.2.8 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import jax.numpy as jnp
import numpy as np
import optax

anchor, positive, negative = (np.array([p], np.float32) for p in ([0, 0], [3, 4], [10, -10]))
for degree in (1, 2, 3, 4):
    found = optax.losses.triplet_margin_loss(*map(jnp.asarray, (anchor, positive, negative)), norm_degree=degree, margin=20.0)
    near, far = (np.linalg.norm((anchor - other)[0], ord=degree) for other in (positive, negative))
    print(degree, "optax", float(found[0]), "by the norm", near - far + 20)
    right = abs(float(found[0]) - (near - far + 20)) < 1e-3
    assert right == (degree % 2 == 0)
    if degree == 1:
        assert abs(float(found[0]) - 13) < 1e-3, "-7 - 0 + 20"
END
