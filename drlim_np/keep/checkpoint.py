"""What a run keeps so that a later one need not find it again: half-trained and trained networks, and costly results.

Each is one .npz file whose name ends in a digest of all that it follows from: the inputs, the settings, and the source
of this package. So what was found from other data, by other settings or by another version never has the name of what
is looked for; it stays in the folder unused, which may be deleted at any time.
"""

import hashlib
import io
import json
import os
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from drlim_np import __version__
from drlim_np.backend import like, to_host
from drlim_np.errors import DataError, shown
from drlim_np.keep import atomic
from drlim_np.training import Step
from drlim_np.tree import Tree, leaves, tree_map

EVERY = 100  # steps between two checkpoints, about two seconds of training
REMEDY = "delete it, or pass --fresh"
Parts = dict[str, np.ndarray]


@dataclass(frozen=True)
class Checkpoint:
    """The file that one training keeps its state in, and the digest of all that the training follows from."""

    path: Path
    digest: str
    every: int = EVERY

    def save(self, step: Step, losses: list[float], rng: np.random.Generator) -> None:
        """Writes where training stands, with the objective before each step so far, in place of what was there.

        Raises DrlimError where that is not possible.
        """
        parts = {"losses": np.array(losses), "generator": _text(rng.bit_generator.state)}
        parts |= {f"params.{name}": to_host(leaf) for name, leaf in leaves(step.params)}
        parts |= {f"state.{name}": to_host(leaf) for name, leaf in leaves(step.state)}
        write(self.path, self.digest, parts)

    def load(self, params: Tree, state: Tree, steps: int, rng: np.random.Generator) -> tuple[Step, list[float]] | None:
        """What `save` wrote last, in the shape of `params` and `state`; `rng` then goes on as it did. None if nothing.

        Raises DataError for a file that is damaged or that holds something else.
        """
        parts = read(self.path, self.digest)
        if parts is None:
            return None
        with _damage(self.path):
            losses = parts.pop("losses")
            if not 1 <= len(losses) <= steps or losses.shape != (len(losses),) or losses.dtype != np.float64:
                raise ValueError("the steps do not match")
            generator = json.loads(parts.pop("generator").tobytes())
            found = [_filled(tree, kind, parts) for tree, kind in ((params, "params"), (state, "state"))]
            if parts or not np.isfinite(losses).all():
                raise ValueError("it holds what does not belong there")
            rng.bit_generator.state = generator
        return Step(len(losses), found[0], float(losses[-1]), found[1]), losses.tolist()


@dataclass(frozen=True)
class Memory:
    """The folder of all that is kept; without a folder nothing is.

    fresh: nothing from before this run is used: a file found there is deleted.
    """

    folder: Path | None = None
    fresh: bool = False

    def checkpoint(self, name: str, *follows_from: Any) -> Checkpoint | None:
        """The checkpoint of a training with that name, which follows from these arrays and settings."""
        if self.folder is None:
            return None
        digest = digest_of(*follows_from)
        return Checkpoint(self._path(name, digest), digest)

    def remembered(self, function: Callable, *inputs: Any, **others: Any) -> Any:
        """function(*inputs, **others), an array or a number; computed once only for the same inputs.

        `function` is one of this package, for its source is part of the digest. `others` are what the result does not
        depend on, such as the number of threads. Warnings that it gave are given again.
        """
        if self.folder is None:
            return _plain(np.array(function(*inputs, **others), order="C"))
        name = f"{function.__module__}.{function.__qualname__}"
        digest = digest_of(name, *inputs)
        path = self._path(name.removeprefix("drlim_np."), digest)
        parts = read(path, digest)
        if parts is None:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                value = np.array(function(*inputs, **others), order="C")
            parts = {"value": value, "warnings": _text([str(warning.message) for warning in said])}
            write(path, digest, parts)
        with _damage(path):
            value, messages = parts["value"], json.loads(parts["warnings"].tobytes())
        for message in messages:
            warnings.warn(message, stacklevel=2)
        return _plain(value)

    def _path(self, name: str, digest: str) -> Path:
        path = self.folder / f"{name.replace(' ', '-').replace(',', '')}-{digest[:16]}.npz"
        if self.fresh:
            path.unlink(missing_ok=True)
        return path


NOTHING_KEPT = Memory()


def digest_of(*parts: Any) -> str:
    """SHA-256 over arrays, lists of arrays and whatever JSON can write, and over the source of this package."""
    total = hashlib.sha256(_sources().encode())
    _add(total, parts)
    return total.hexdigest()


def _add(total, part: Any) -> None:
    if isinstance(part, np.ndarray):
        total.update(f"array {part.dtype.str} {part.shape}\n".encode())
        total.update(np.ascontiguousarray(part))
    elif isinstance(part, list | tuple):
        total.update(f"{len(part)} parts\n".encode())
        for inner in part:
            _add(total, inner)
    else:
        total.update(f"{json.dumps(part, sort_keys=True)}\n".encode())


def write(path: Path, digest: str, parts: Mapping[str, np.ndarray]) -> None:
    """The arrays as one .npz, which is there whole or not at all. Raises DrlimError where it cannot be written."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        digest=_text(_marked(digest, parts)),
        **{name: np.array(part, order="C") for name, part in parts.items()},
    )
    atomic.replace({path: buffer.getvalue()}, "free space there and run again: what was kept before is kept")


def read(path: Path, digest: str) -> Parts | None:
    """The arrays written under that digest; None where there is no file.

    Raises DataError for a file that is damaged or has another digest. Nothing in it is ever executed, and it takes no
    more memory than the file is long.
    """
    with _damage(path):
        try:
            with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
                parts = _arrays(archive, os.fstat(file.fileno()).st_size)
        except FileNotFoundError:
            return None
        if json.loads(parts.pop("digest").tobytes()) != _marked(digest, parts):
            raise ValueError("it is of other data, settings or version, or not whole")
        return parts


def _marked(digest: str, parts: Mapping[str, np.ndarray]) -> str:
    """What a file says of itself: a zip file has a checksum of each entry, but does not notice that one is gone."""
    return f"{digest} of {len(parts)} arrays"


def _arrays(archive: zipfile.ZipFile, length: int) -> Parts:
    members = archive.infolist()
    if sum(member.file_size for member in members) > length or any(member.compress_type for member in members):
        raise ValueError("it claims more than it holds")
    parts = {}
    for member in members:
        with archive.open(member) as file:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("unknown format of an array")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
            content = file.read()  # to its end, where the checksum is compared
        if fortran or dtype.kind not in "biuf" or min(shape, default=0) < 0:
            raise ValueError("an array of an unknown kind")
        parts[member.filename.removesuffix(".npy")] = np.frombuffer(content, dtype).reshape(shape).copy()
    return parts


def _filled(tree: Tree, kind: str, parts: Parts) -> Tree:
    """The tree with the arrays that the file holds in place of its own; each must have the shape and dtype of its."""
    found = iter([(leaf, parts.pop(f"{kind}.{name}")) for name, leaf in leaves(tree)])

    def next_one(leaf):
        _, array = next(found)
        if array.shape != tuple(leaf.shape) or array.dtype != to_host(leaf).dtype or not np.isfinite(array).all():
            raise ValueError("its arrays do not fit the network")
        return like(array, leaf)

    return tree_map(next_one, tree)


class _damage:
    """Whatever goes wrong inside becomes a DataError that names the file and the remedy.

    Whatever: the parsers of zip, of .npy headers and of generator states promise no exception for foreign bytes.
    """

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, kind, fault, trace):
        if isinstance(fault, OSError):
            raise DataError(f"{shown(self.path)}: cannot be read ({fault.strerror}): {REMEDY}") from fault
        if isinstance(fault, Exception):
            told = shown(str(fault))[:120] or kind.__name__
            raise DataError(f"{shown(self.path)}: not a checkpoint to go on from ({told}): {REMEDY}") from fault


@cache
def _sources() -> str:
    """The version, and the digest of this package's source: edited, it is another version."""
    folder = Path(__file__).parents[1]
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix()):
        total.update(path.relative_to(folder).as_posix().encode() + b"\n" + path.read_bytes())
    return f"{__version__} {total.hexdigest()} numpy {np.__version__}"


def _text(value: Any) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def _plain(value: np.ndarray) -> Any:
    return value if value.ndim else value.item()
