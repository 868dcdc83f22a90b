#!/usr/bin/env bash
# PaCMAP 0.9.1: a quarter of the neighbours it attracts are not among the nearest.
#
# Guess: with n_neighbors=5, pair_neighbors lists each point's five nearest others.
# Seen:  distances are divided by the local scales of both points first, and the five are chosen by these. Of
#        isotropic normal points in ten dimensions about .75 of them are among the five nearest. A point in a sparse
#        region is chosen by others more often.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q pacmap==0.9.1 numpy==2.4.6 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'END'
import numpy as np
from pacmap import PaCMAP
from sklearn.neighbors import NearestNeighbors

x = np.random.default_rng(0).standard_normal((300, 10)).astype(np.float32)
model = PaCMAP(n_neighbors=5, random_state=0, num_iters=1)
model.fit(x)
chosen = model.pair_neighbors.reshape(300, 5, 2)
assert (chosen[:, :, 0] == np.arange(300)[:, None]).all()
nearest = NearestNeighbors(n_neighbors=5).fit(x).kneighbors(return_distance=False)
shared = np.mean([len(set(mine) & set(near)) / 5 for mine, near in zip(chosen[:, :, 1].tolist(), nearest.tolist())])
print("share of the pairs that are among the five nearest:", shared)
assert 0.65 < shared < 0.85
END
