#!/usr/bin/env bash
# umap-learn 0.5.12: with n_neighbors=5 a point is tied to four others.
#
# Guess: n_neighbors=5 ties each point to its five nearest others, as in scikit-learn's LLE, Isomap and kneighbors().
# Seen:  the point is the first of its own five neighbours, at distance 0, and no edge leads from it to itself. So a
#        graph of five neighbours is UMAP's n_neighbors=6.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q umap-learn==0.5.12 numpy==2.4.6 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'END'
import numpy as np
from sklearn.neighbors import kneighbors_graph
from umap.umap_ import fuzzy_simplicial_set

x = np.random.default_rng(0).standard_normal((200, 5)).astype(np.float32)

def out_degrees(neighbours):
    """How many others each point is tied to, before UMAP joins the two directions of an edge."""
    state = np.random.RandomState(0)
    graph = fuzzy_simplicial_set(x, neighbours, state, "euclidean", apply_set_operations=False)[0]
    graph.eliminate_zeros()
    return np.diff(graph.tocsr().indptr)

five, six = out_degrees(5), out_degrees(6)
print(set(five.tolist()), set(six.tolist()), set(np.diff(kneighbors_graph(x, 5).indptr).tolist()))
assert set(five.tolist()) == {4} and set(six.tolist()) == {5}
assert set(np.diff(kneighbors_graph(x, 5).indptr).tolist()) == {5}
END
