#!/usr/bin/env bash
# scikit-learn 1.9.1: the twelve nearest neighbours of digits depend on the number of threads.
#
# Guess: kneighbors() gives the same neighbours with one thread and with two; only the time differs.
# Seen:  digits of whole grey levels have many equal distances. With one thread the search of 1,797 samples is split
#        by rows of the question, with two by rows of the answer, and among equals another one is kept: other sets of
#        twelve for 1 % of the digits, and so another LLE. algorithm="kd_tree" gives the same with any number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

x = load_digits().data
for algorithm in ("auto", "kd_tree"):
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(np.sort(NearestNeighbors(n_neighbors=12, algorithm=algorithm).fit(x).kneighbors()[1], axis=1))
    other = np.mean((found[0] != found[1]).any(axis=1))
    print(algorithm, "digits with another set of neighbours:", other)
    assert (other > 0.005) == (algorithm == "auto") and (other == 0) == (algorithm == "kd_tree")
END
