#!/usr/bin/env bash
# scikit-learn 1.9.1: the trustworthiness of a map that is the data itself is less than 1.
#
# Guess: trustworthiness(x, x) is 1 for any x, because every neighbour on the map is a neighbour in the data.
# Seen:  neighbours on the map are found by a search, ranks in the data by sorting all distances. Among equal
#        distances the two choose differently, and each such choice costs. On a lattice of 100 points it is .998, and
#        on the digits it is a little below 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import numpy as np
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

lattice = np.indices((10, 10)).reshape(2, 100).T.astype(float)
found = {"lattice": lattice, "digits": load_digits().data, "random": np.random.default_rng(0).random((100, 2))}
found = {name: trustworthiness(x, x, n_neighbors=5) for name, x in found.items()}
print(found)
assert 0.99 < found["lattice"] < 0.9995
assert 0.9999 < found["digits"] < 1
assert found["random"] == 1
END
