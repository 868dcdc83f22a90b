#!/usr/bin/env bash
# NumPy 2.4.6: of two arrays saved in an .npz as "z" and "z.npy", one cannot be read by its name.
#
# Guess: each name in `files` gives the array that was saved under it.
# Seen:  savez appends .npy to every name, and a name that is a member of the archive is taken as one first. So
#        loaded["z.npy"] is the array "z", without a warning; the one saved as "z.npy" is had by "z.npy.npy", which is
#        not in `files`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import tempfile
from pathlib import Path

import numpy as np

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "map.npz")
    np.savez(path, **{"z": np.zeros(2), "z.npy": np.ones(2)})
    with np.load(path) as loaded:
        print(loaded.files, loaded["z"], loaded["z.npy"], loaded["z.npy.npy"])
        assert loaded.files == ["z", "z.npy"]
        assert np.array_equal(loaded["z.npy"], np.zeros(2)), "not the ones that were saved"
        assert np.array_equal(loaded["z.npy.npy"], np.ones(2))
END
