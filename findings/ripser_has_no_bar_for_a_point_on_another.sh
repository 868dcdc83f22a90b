#!/usr/bin/env bash
# ripser.py 0.6.15: equal points have no bars in H0, and lengths are single precision in a float64 array.
#
# Guess: the diagram of H0 has a bar for each point, as many as there are points, and its deaths are the lengths of
#        the minimum spanning tree to the last digits of float64.
# Seen:  bars of length 0 are left out, so of 30 points given twice 30 bars are left. The deaths are float32 numbers
#        in an array of float64: they equal the tree's lengths to 1e-7 only.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q ripser==0.6.15 numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'END'
import numpy as np
from ripser import ripser
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform

x = np.random.default_rng(0).random((30, 3))

def deaths(points):
    """The ends of H0's bars, by distances that are exactly 0 for equal points."""
    return np.sort(ripser(squareform(pdist(points)), distance_matrix=True, maxdim=0)["dgms"][0][:, 1])

once, twice = deaths(x), deaths(np.concatenate([x, x]))
tree = np.sort(minimum_spanning_tree(squareform(pdist(x))).data)
print(len(once), len(twice), once.dtype, np.abs(once[:-1] - tree).max())
assert len(once) == 30 and len(twice) == 30
assert once.dtype == np.float64 and np.array_equal(once, once.astype(np.float32))
assert 1e-10 < np.abs(once[:-1] - tree).max() < 1e-6
END
