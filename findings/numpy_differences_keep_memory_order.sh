#!/usr/bin/env bash
# NumPy 2.4.6: the differences of all pairs of points keep the memory order of a transposed input.
#
# Guess: a[:, :, None] - a[:, None, :] is a new array in C order, whatever the order of a.
# Seen:  with a = z.T of points z (n, 2), the result (2, n, n) has the coordinate innermost in memory, so the sum over
#        coordinates, the outermost axis, walks through memory two numbers at a time; of a copy of a in C order it does
#        not. The values are the same. Sums over either axis took 0.30 ms instead of 0.02 for n = 160 in float32.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import numpy as np

z = np.random.default_rng(0).standard_normal((160, 2)).astype(np.float32)
found = []
for a in (z.T, np.ascontiguousarray(z.T)):
    difference = a[:, :, None] - a[:, None, :]
    found.append(difference)
    print(difference.shape, difference.strides, "C order" if difference.flags.c_contiguous else "not C order")
assert found[0].strides == (4, 1280, 8) and not found[0].flags.c_contiguous
assert found[1].strides == (102400, 640, 4) and found[1].flags.c_contiguous
assert np.array_equal(*found)
END
