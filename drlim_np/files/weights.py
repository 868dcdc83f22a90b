"""A trained W on disk: an .npz file, each array under its dotted name, such as "C1.weight" (tree.leaves).

A layer without parameters, such as Tanh, has an empty dict in the tree; its entry is an empty array by the name of
"squash1.", so that what is loaded has a place for every layer. The same W gives the same bytes.
"""

import os

from drlim_np.backend import Array
from drlim_np.checks.arrays import require_floating
from drlim_np.errors import InputError
from drlim_np.files import npz
from drlim_np.files.npz import flat, grown, read, refusing, write
from drlim_np.tree import Tree

OF = "drlim_np W"


def save(path: str | os.PathLike, params: Tree) -> None:
    """Writes W, a dict of dicts or floating arrays as `network.init` draws it, to the file `path`.

    A file of that name is replaced at once and as a whole: one that breaks off leaves the old one as it was. Raises
    InputError for a tree that holds anything else or has a dot in a name, DrlimError where the file cannot be written.
    """
    write(path, OF, _arrays(params), "choose another place")


def to_bytes(params: Tree) -> bytes:
    """The content of such a file. Raises InputError as `save` does."""
    return npz.to_bytes(OF, _arrays(params))


def load(path: str | os.PathLike) -> Tree:
    """W as it was saved: a dict of dicts or NumPy arrays, names, order, shapes, dtypes and every bit.

    Nothing in the file is ever executed, and each array's checksum is compared. Raises DataError for a file that is
    missing, damaged, or was not written by `save`.
    """
    with refusing(path, "is damaged or no file of weights", "choose another file, or save W anew"):
        arrays = read(path, OF)
        for name, array in arrays.items():
            require_floating(**{name: array})
        return grown(arrays)


def _arrays(params: Tree) -> dict[str, Array]:
    if not isinstance(params, dict):
        raise InputError(f"params is {type(params).__name__}: it must be a dict, as network.init returns it")
    arrays = dict(flat(params))
    for name, array in arrays.items():
        require_floating(**{name: array})
    return arrays
