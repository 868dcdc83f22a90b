"""What a run keeps so that a later one need not find it again: half-trained and trained networks, and costly results.

Each is one .npz file whose name ends in a digest of all that it follows from: the inputs, the settings, and the source
of this package. So what was found from other data, by other settings or by another version never has the name of what
is looked for; it stays in the folder unused, which may be deleted at any time.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from drlim_np import __version__
from drlim_np.backend import Array
from drlim_np.files import npz
from drlim_np.files.npz import Parts, flat, grown
from drlim_np.tree import Tree


@dataclass(frozen=True)
class Cache:
    """A folder of finished trainings and costly results; without a folder nothing is kept."""

    folder: Path | None = None

    def tree(self, label: str, follows_from: Sequence[Any], make: Callable[[], Tree]) -> Tree:
        """The tree of host arrays that `make()` returns: made once for all it follows from, then read from its file.

        label: names the file, and the line on standard output that says that it was found.
        """
        if self.folder is None:
            return make()
        digest = digest_of(label, *follows_from)
        path = self._path(label, digest)
        parts = read(path, digest)
        if parts is None:
            write(path, digest, dict(flat(made := make())))
            return made
        print(f"{label}: trained before; --fresh trains again", flush=True)
        return grown(parts)

    def call(self, function: Callable, *inputs: Any, **others: Any) -> Any:
        """function(*inputs, **others), an array or a number; computed once only for the same inputs.

        `function` is one of this package, because its source is part of the digest. `others` are what the result does
        not depend on, such as the number of threads. Warnings that it gave are given again.
        """
        if self.folder is None:
            return _plain(np.array(function(*inputs, **others), order="C"))
        name = f"{function.__module__}.{function.__qualname__}"
        digest = digest_of(name, *inputs)
        path = self._path(name.removeprefix("drlim_np."), digest)
        parts = read(path, digest)
        if parts is None:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                value = np.array(function(*inputs, **others), order="C")
            parts = {"value": value, "warnings": _text([str(warning.message) for warning in caught])}
            write(path, digest, parts)
        with _refusing(path):
            value, messages = parts["value"], json.loads(parts["warnings"].tobytes())
        for message in messages:
            warnings.warn(message, stacklevel=2)
        return _plain(value)

    def clear(self) -> None:
        """Deletes all that is kept."""
        for path in self.folder.glob("*.npz") if self.folder else ():
            path.unlink(missing_ok=True)

    def _path(self, name: str, digest: str) -> Path:
        return Path(self.folder or ".") / f"{name.replace(' ', '-').replace(',', '')}-{digest[:16]}.npz"


NOTHING_CACHED = Cache()


def digest_of(*parts: Any) -> str:
    """SHA-256 over arrays, lists of arrays and whatever JSON can write, and over the source of this package."""
    total = hashlib.sha256(source_digest().encode())
    _add(total, parts)
    return total.hexdigest()


def _add(total: Any, part: Any) -> None:
    if isinstance(part, np.ndarray):
        total.update(f"array {part.dtype.str} {part.shape}\n".encode())
        total.update(np.ascontiguousarray(part))
    elif isinstance(part, list | tuple):
        total.update(f"{len(part)} parts\n".encode())
        for inner in part:
            _add(total, inner)
    else:
        total.update(f"{json.dumps(part, sort_keys=True)}\n".encode())


def write(path: Path, digest: str, parts: Mapping[str, Array]) -> None:
    """Puts arrays under their names into the file, which then bears the digest. Raises DrlimError where it cannot."""
    npz.write(path, digest, parts, "free space there and run again: what was kept before is kept")


def read(path: Path, digest: str) -> Parts | None:
    """The arrays written under that digest; None where there is no file.

    Raises DataError for a file that is damaged or has another digest; see `npz.read`.
    """
    if not os.path.exists(path):
        return None
    with _refusing(path):
        return npz.read(path, digest)


def _refusing(path: Path) -> AbstractContextManager[None]:
    return npz.refusing(path, "not a checkpoint to go on from", "delete it, or pass --fresh")


@cache
def source_digest() -> str:
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
