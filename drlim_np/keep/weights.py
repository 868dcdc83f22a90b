"""A trained W on disk: an .npz file, each array under its dotted name, such as "C1.weight" (tree.leaves).

A layer without parameters, such as Tanh, has an empty dict in the tree; its entry is an empty array by the name of
"squash1.", so that what is loaded has a place for every layer. The file's comment counts the entries: a zip file has a
checksum of each, but nothing that says whether all are there. The same W gives the same bytes.
"""

import os
import zlib
from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from drlim_np.backend import Array, require_floating, to_host
from drlim_np.errors import DataError, InputError, shown
from drlim_np.keep import atomic
from drlim_np.tree import Tree

DAMAGE = (BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError, OverflowError)


def save(path: str | os.PathLike, params: Tree) -> None:
    """Writes W, a dict of dicts or floating arrays as `network.init` draws it, to the file `path`.

    A file of that name is replaced at once and as a whole: one that breaks off leaves the old one as it was. Raises
    InputError for a tree that holds anything else or has a dot in a name, DrlimError where the file cannot be written.
    """
    if not isinstance(params, dict):
        raise InputError(f"params is {type(params).__name__}: it must be a dict, as network.init returns it")
    arrays, content = dict(_entries(params)), BytesIO()
    with ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
        archive.comment = _comment(arrays)
    atomic.replace({Path(path): content.getvalue()}, "choose another place")


def load(path: str | os.PathLike) -> Tree:
    """W as it was saved: a dict of dicts or NumPy arrays, names, order, shapes, dtypes and every bit.

    Nothing in the file is ever executed (allow_pickle=False), and each array's checksum is compared. Raises DataError
    for a file that is missing, damaged, or was not written by `save`.
    """
    try:
        with ZipFile(path) as archive:
            if archive.comment != _comment(archive.namelist()):
                raise DataError(f"its comment is not {_comment(archive.namelist()).decode()!r}")
            # read() goes to an entry's end, where zipfile compares its checksum
            arrays = {
                name.removesuffix(".npy"): np.lib.format.read_array(BytesIO(archive.read(name)), allow_pickle=False)
                for name in archive.namelist()
            }
        return _grown(arrays)
    except OSError as fault:
        raise DataError(f"{shown(path)}: cannot be read ({fault.strerror}): check the name and the disk") from fault
    except DAMAGE as fault:
        reason = shown(str(fault))
        raise DataError(f"{shown(path)}: is damaged or no file of weights ({reason}): save W anew") from fault


def _comment(names: Collection[str]) -> bytes:
    return f"drlim_np W in {len(names)} entries".encode()


def _entries(tree: dict, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """What the file holds: tree.leaves on the host, and an empty array for each empty dict within."""
    for name, branch in tree.items():
        if not isinstance(name, str) or not name or "." in name:
            raise InputError(f"params holds the name {name!r}: names must be text without dots to be saved")
        here = path + name
        if not isinstance(branch, dict):
            yield here, _host(here, branch)
        elif branch:
            yield from _entries(branch, f"{here}.")
        else:
            yield f"{here}.", np.empty(0, np.float32)


def _host(name: str, leaf: Array) -> np.ndarray:
    require_floating(**{name: leaf})
    return to_host(leaf)


def _grown(arrays: dict[str, np.ndarray]) -> Tree:
    """The tree whose leaves have these dotted names."""
    tree: Tree = {}
    for dotted, array in arrays.items():
        *branches, name = dotted.split(".")
        branch = tree
        for part in branches:
            branch = branch.setdefault(part, {})
        if name:
            branch[name] = array
    return tree
