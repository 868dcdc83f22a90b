"""Trees of arrays on disk as .npz files, checked when they are read: a trained W, and what the cache keeps.

Each array has its dotted name, such as "C1.weight". The file's comment says what the arrays belong to, and how many
there are. Files are read entry by entry, because `numpy.load` would allocate as much as a header claims, and compare no
checksum of an entry longer than its array.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import numpy as np

from drlim_np.backend import Array, to_host
from drlim_np.checks.arrays import require_floating
from drlim_np.checks.numbers import native
from drlim_np.checks.terminal import printable
from drlim_np.errors import DataError, InputError, require
from drlim_np.files import atomic
from drlim_np.tree import Tree

OF = "drlim_np W"
HEAD = 256  # bytes that are enough to tell a wrong download


def save(path: str | os.PathLike, params: Tree) -> None:
    """Writes W, a dict of dicts or floating arrays as `network.init` draws it; a fault leaves an earlier file."""
    atomic.replace({Path(path): to_bytes(params)}, "choose another place")


def to_bytes(params: Tree) -> bytes:
    """The content of such a file: the same W gives the same bytes."""
    require(isinstance(params, dict), f"params is {type(params).__name__}: it must be a dict, as network.init draws it")
    return archived(OF, _floating(params))


def load(path: str | os.PathLike) -> Tree:
    """W as it was saved, to the last bit: a dict of dicts or NumPy arrays. Nothing in the file is executed."""
    with refusing(path, "is damaged or no file of weights", "choose another file, or save W again"):
        return _floating(read(path, OF))


def _floating(params: Tree) -> Tree:
    for name, array in flat(params):
        require_floating(**{name: array})
    return params


def mistaken_for(head: bytes) -> str | None:
    """What a file with these first bytes is, for a message: a web page, or a Git LFS pointer. None if it is neither."""
    start = head[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS: git lfs pull fetches the file"
    return "a web page" if start.startswith((b"<!doctype", b"<html", b"<?xml")) else None


def archived(of: str, tree: Tree) -> bytes:
    """The arrays under their names, and a comment that they are `of` that. The same numbers give the same bytes."""
    content, arrays = BytesIO(), dict(flat(tree))
    with ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, portable(array), version=(1, 0), allow_pickle=False)
        archive.comment = _comment(of, len(arrays))
    return content.getvalue()


def portable(array: Array) -> np.ndarray:
    """`array` little-endian and in C order, on every machine: some readers in other languages know nothing else."""
    array = to_host(array)
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def read(path: str | os.PathLike, of: str) -> Tree:
    """What `archived` got, to the last bit, in no more memory than the file is long. Call it inside `refusing`."""
    with open(path, "rb") as file:
        if found := mistaken_for(file.read(HEAD)):
            raise ValueError(f"found {found}")
        with ZipFile(file) as archive:
            members = archive.infolist()
            if archive.comment != (expected := _comment(of, len(members))):
                raise ValueError(f"its comment is not {expected.decode()!r}: it is of something else, or not whole")
            length = os.fstat(file.fileno()).st_size
            if sum(member.file_size for member in members) > length or any(member.compress_type for member in members):
                raise ValueError("it claims more than it holds")
            parts = {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    if len(parts) < len(members):
        raise ValueError("two arrays have the same name")
    return grown(parts)


@contextmanager
def refusing(path: str | os.PathLike, verdict: str, remedy: str) -> Iterator[None]:
    """Turns every exception inside into a DataError of one line: parsers of zip files promise no particular one."""
    try:
        yield
    except OSError as fault:
        reason = fault.strerror or printable(str(fault))
        raise DataError(f"{printable(path)}: cannot be read ({reason}): {remedy}") from fault
    except Exception as fault:
        reason = printable(str(fault))[:140] or type(fault).__name__
        raise DataError(f"{printable(path)}: {verdict} ({reason}): {remedy}") from fault


def flat(tree: Tree, path: str = "") -> Iterator[tuple[str, Array]]:
    """As `tree.leaves`, but an empty dict keeps its place in the tree: it gives an empty array, such as "squash1."."""
    if not isinstance(tree, dict):
        yield path, tree
    elif path and not tree:
        yield f"{path}.", np.empty(0, np.float32)
    else:
        for name, branch in tree.items():
            if not isinstance(name, str) or not name or "." in name or not name.isprintable():
                raise InputError(f"params holds the name {name!r}: names must be printable text without dots")
            yield from flat(branch, f"{path}.{name}" if path else name)


def grown(parts: Mapping[str, np.ndarray]) -> Tree:
    """The tree that `flat` took apart. Names that no tree has, such as "a" next to "a.b", are a ValueError."""
    tree: Tree = {}
    for dotted, array in parts.items():
        *branches, name = dotted.split(".")
        branch = tree
        for part in branches:
            branch = branch.setdefault(part, {}) if part and isinstance(branch, dict) else None
        if not isinstance(branch, dict) or name in branch:
            raise ValueError(f"no tree has the name {dotted!r} next to the others")
        if name:
            branch[name] = array
    return tree


def _comment(of: str, entries: int) -> bytes:
    return f"{of} in {entries} entries".encode()


def _array(archive: ZipFile, member: ZipInfo) -> np.ndarray:
    content = BytesIO()
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("unknown format of an array")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.kind not in "biuf" or min(shape, default=0) < 0:
            raise ValueError(f"{member.filename} has dtype {dtype}, shape {shape}: only numbers are read, no pickles")
        shutil.copyfileobj(file, content)  # to its end, where the checksum is compared
    return native(np.frombuffer(content.getbuffer(), dtype).reshape(shape, order="F" if fortran else "C"))
