#!/usr/bin/env bash
# NumPy 2.4.6 with pandas 3.1.1: numpy.ma.is_masked is True of pandas' own arrays, which are no masked arrays.
#
# Guess: is_masked asks for instances of numpy.ma.MaskedArray, so of a nullable array of pandas it is False.
# Seen:  it reads the private attribute _mask, which pandas' nullable arrays have too, so it is True of Int64 and boolean
#        arrays with a missing entry, False without one, and False of the same values in a Series.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" - <<'END'
import numpy as np
import pandas as pd

seen = {}
for dtype, values in (("Int64", [1, None]), ("boolean", [True, None]), ("Int64", [1, 2])):
    array = pd.array(values, dtype=dtype)
    series = pd.Series(array)
    seen[dtype, str(values)] = np.ma.is_masked(array), isinstance(array, np.ma.MaskedArray), np.ma.is_masked(series)
    print(dtype, values, *seen[dtype, str(values)])
assert list(seen.values()) == [(True, False, False), (True, False, False), (False, False, False)]
END
