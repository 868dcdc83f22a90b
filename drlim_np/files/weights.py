"""A trained W on disk: an .npz file, each array under its dotted name, such as "C1.weight".

A layer without parameters, such as Tanh, has an empty dict in the tree and an empty array "squash1." in the file, so
that what is loaded has a place for every layer. The same W gives the same bytes.
"""

import os
from pathlib import Path

from drlim_np.backend import Array
from drlim_np.checks.arrays import require_floating
from drlim_np.errors import InputError
from drlim_np.files import atomic, npz
from drlim_np.tree import Tree

OF = "drlim_np W"


def save(path: str | os.PathLike, params: Tree) -> None:
    """Writes W, a dict of dicts or floating arrays as `network.init` draws it, to the file `path`.

    An earlier file of that name is replaced as a whole: if writing fails, it stays as it was.
    """
    atomic.replace({Path(path): to_bytes(params)}, "choose another place")


def to_bytes(params: Tree) -> bytes:
    """The content of such a file."""
    if not isinstance(params, dict):
        raise InputError(f"params is {type(params).__name__}: it must be a dict, as network.init returns it")
    arrays = dict(npz.flat(params))
    _require_weights(arrays)
    return npz.to_bytes(OF, arrays)


def load(path: str | os.PathLike) -> Tree:
    """W as it was saved: a dict of dicts or NumPy arrays, names, order, shapes, dtypes and every bit.

    Nothing in the file is executed, and each array's checksum is compared.
    """
    with npz.refusing(path, "is damaged or no file of weights", "choose another file, or save W again"):
        arrays = npz.read(path, OF)
        _require_weights(arrays)
        return npz.grown(arrays)


def _require_weights(arrays: dict[str, Array]) -> None:
    for name, array in arrays.items():
        require_floating(**{name: array})
