#!/usr/bin/env bash
# MLX 0.32.4 on a CPU: a sum of ten million float32 numbers is 8.8 % too large.
#
# Guess: mx.sum of a contiguous float32 array is as exact as np.sum, which adds in pairs: six digits.
# Seen:  10⁷ times .1 is 1,087,937: the sum of one number after the other, in float32. A mean over millions of pairs
#        is as wrong. The sum over rows of 1,000, and then over these, is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "mlx[cpu]==0.32.4" numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)
x = np.full(10**7, 0.1, dtype=np.float32)
ours, theirs = float(x.sum()), mx.sum(mx.array(x)).item()
in_rows = mx.sum(mx.sum(mx.array(x.reshape(10**4, 10**3)), axis=1)).item()
print("NumPy", ours, "MLX", theirs, "MLX, in rows", in_rows)
assert abs(ours - 1e6) < 1
assert 1.08e6 < theirs < 1.09e6
assert abs(in_rows - 1e6) < 100
END
