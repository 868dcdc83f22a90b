"""A trained W on disk: an .npz file, each array under its dotted name, such as "C1.weight"."""

import os
from pathlib import Path

from drlim_np.backend import Array
from drlim_np.checks.arrays import require_floating
from drlim_np.errors import require
from drlim_np.files import atomic, npz
from drlim_np.tree import Tree

OF = "drlim_np W"


def save(path: str | os.PathLike, params: Tree) -> None:
    """Writes W, a dict of dicts or floating arrays as `network.init` draws it; a fault leaves an earlier file."""
    atomic.replace({Path(path): to_bytes(params)}, "choose another place")


def to_bytes(params: Tree) -> bytes:
    """The content of such a file: the same W gives the same bytes."""
    kind = type(params).__name__
    require(isinstance(params, dict), f"params is {kind}: it must be a dict, as network.init returns it")
    return npz.to_bytes(OF, _floating(dict(npz.flat(params))))


def load(path: str | os.PathLike) -> Tree:
    """W as it was saved, to the last bit: a dict of dicts or NumPy arrays. Nothing in the file is executed."""
    with npz.refusing(path, "is damaged or no file of weights", "choose another file, or save W again"):
        return npz.grown(_floating(npz.read(path, OF)))


def _floating(arrays: dict[str, Array]) -> dict[str, Array]:
    for name, array in arrays.items():
        require_floating(**{name: array})
    return arrays
