#!/usr/bin/env bash
# umap-learn 0.5.12: a part of the training data is mapped elsewhere than where the map shows it.
#
# Guess: transform(x[:100]) of the x that was fitted is embedding_[:100], because transform(x) is embedding_ exactly.
# Seen:  x as a whole is recognised by its hash, and its map is returned. A part of it is new data: its points are
#        placed by their neighbours and moved by a new descent, and ended up to .6 standard deviations of the map from
#        their places.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q umap-learn==0.5.12 numpy==2.4.6 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'END'
import warnings

import numpy as np
from umap import UMAP

warnings.simplefilter("ignore")
x = np.random.default_rng(0).standard_normal((300, 10)).astype(np.float32)
fitted = UMAP(n_neighbors=6, random_state=0).fit(x)
width = fitted.embedding_.std()
whole = np.abs(fitted.transform(x) - fitted.embedding_).max() / width
part = np.abs(fitted.transform(x[:100]) - fitted.embedding_[:100]).max() / width
print("off by, in standard deviations of the map: whole", whole, "part", part)
assert whole == 0
assert part > 0.05
END
