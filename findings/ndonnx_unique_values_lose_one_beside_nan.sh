#!/usr/bin/env bash
# ndonnx 0.23.0: unique_values of an array with NaN loses numbers that are in it.
#
# Guess: unique_values([nan, 1, nan, 1]) is [1, nan, nan], as the array API standard says, or [1, nan] as NumPy's.
# Seen:  it is [nan]: the 1 is gone. Without NaN the result is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q ndonnx==0.23.0 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import ndonnx as nd
import numpy as np

def unique(values):
    return nd.unique_values(nd.asarray(np.array(values))).unwrap_numpy()

print(unique([np.nan, 1, np.nan, 1]), np.unique([np.nan, 1, np.nan, 1]), unique([2.0, 1, 2, 1]))
assert np.array_equal(unique([2.0, 1, 2, 1]), [1, 2])
assert np.array_equal(np.unique([np.nan, 1, np.nan, 1]), [1, np.nan], equal_nan=True)
found = unique([np.nan, 1, np.nan, 1])
assert len(found) == 1 and np.isnan(found[0])
END
