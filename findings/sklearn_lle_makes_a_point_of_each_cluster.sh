#!/usr/bin/env bash
# scikit-learn 1.9.1: LocallyLinearEmbedding maps three distant clusters to three points, without a warning.
#
# Guess: clusters that share no neighbours become three clouds, each unrolled by itself, or a warning says that the
#        graph of neighbours is not connected, as Isomap's does.
# Seen:  any map that is constant on each cluster has cost 0, so the two smallest eigenvectors are such maps, and
#        nothing is left of the inside of a cluster. Isomap warns of the same graph.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import warnings

import numpy as np
from sklearn.manifold import Isomap, LocallyLinearEmbedding

rng = np.random.default_rng(0)
x = np.concatenate([rng.standard_normal((50, 5)) + centre for centre in (0, 100, 200)])
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    z = LocallyLinearEmbedding(n_components=2, n_neighbors=8, random_state=0).fit_transform(x).reshape(3, 50, 2)
assert told == []
inside, between = z.std(axis=1).max(), np.linalg.norm(z.mean(axis=1)[:, None] - z.mean(axis=1), axis=2)
print("spread inside", inside, "between", between[np.triu_indices(3, 1)])
assert inside < 1e-6 * between[np.triu_indices(3, 1)].min()
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    Isomap(n_neighbors=8).fit(x)
assert any("connected components" in str(warning.message) for warning in told)
END
