#!/usr/bin/env bash
# idx2numpy 1.2.3: an IDX file of floats becomes an array in the file's byte order.
#
# Guess: convert_from_file gives arrays in the machine's byte order, because IDX is big-endian by definition and
#        readers of it convert.
# Seen:  the dtype is >f4, so that what takes native arrays only refuses it: PyTorch, and NumPy's own view as float32
#        reads other numbers. MNIST does not show it, because its pixels are single bytes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q idx2numpy==1.2.3 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import struct
import sys

import idx2numpy
import numpy as np

header = struct.pack(">HBBI", 0, 0x0D, 1, 3)  # float32, one dimension, three numbers
found = idx2numpy.convert_from_string(header + struct.pack(">3f", 1, 2, 3))
print(found.dtype.str, found, found.view(np.float32), sys.byteorder)
assert found.dtype.str == ">f4" and np.array_equal(found, [1, 2, 3])
assert (sys.byteorder == "big") == np.array_equal(found.view(np.float32), [1, 2, 3])
pixels = idx2numpy.convert_from_string(struct.pack(">HBBI", 0, 0x08, 1, 3) + bytes([1, 2, 3]))
assert pixels.dtype.isnative
END
