#!/usr/bin/env bash
# NumPy 2.1.0 and 2.1.1: in every thread but the first, a float32 scalar times a Python float is float64.
#
# Guess: the promotion of NumPy 2 (NEP 50) holds in all threads: numpy.float32(3) * 0.1 is float32.
# Seen:  in NumPy 2.1.0 and 2.1.1 it is float32 in the main thread and float64 in a new one, as before NumPy 2; in 2.0.2
#        and 2.1.2 it is float32 in both. So sums that threads share can come out in another dtype than on one thread.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for package in numpy==2.0.2 numpy==2.1.0 numpy==2.1.1 numpy==2.1.2; do
    python3 -m venv --clear "$folder/venv"
    "$folder/venv/bin/python" -m pip install -q "$package"
    "$folder/venv/bin/python" - <<'END'
from threading import Thread

import numpy as np

found = []
multiply = lambda: found.append((np.float32(3) * 0.1).dtype.name)
multiply()
thread = Thread(target=multiply)
thread.start()
thread.join()
print(np.__version__, *found)
assert found == ["float32", "float64" if np.__version__ in ("2.1.0", "2.1.1") else "float32"]
END
done
