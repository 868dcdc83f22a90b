"""The cache of a run: finished trainings and other results that take long.

Each result is one .npz file. Its name ends in a digest of everything that the result follows from: the inputs, the
settings, and the source of this package. So a result of something else is never found; its file stays in the folder.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from drlim_np import __version__
from drlim_np.files import atomic, weights
from drlim_np.tree import Tree


@dataclass(frozen=True)
class Cache:
    """A folder of finished results; without a folder nothing is kept."""

    folder: Path | None = None

    def tree(self, label: str, follows_from: Sequence[Any], make: Callable[[], Tree]) -> Tree:
        """The tree of host arrays that `make()` returns: made once, then found in the file that `label` names."""
        found = self.find(label, follows_from)
        if found is None:
            return self.keep(label, follows_from, make())
        print(f"{label}: trained before; --fresh trains again")
        return found

    def call(self, function: Callable, *inputs: Any, **others: Any) -> Any:
        """function(*inputs, **others), an array or a number, with its warnings; computed only once for the same inputs.

        The result must not depend on `others`, such as a number of threads. `function` is one of this package.
        """
        name = f"{function.__module__}.{function.__qualname__}".removeprefix("drlim_np.")
        found = self.find(name, inputs)
        if found is None:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                value = np.array(function(*inputs, **others), order="C")
            messages = json.dumps([str(warning.message) for warning in caught]).encode()
            found = self.keep(name, inputs, {"value": value, "warnings": np.frombuffer(messages, np.uint8)})
        for message in json.loads(found["warnings"].tobytes()):
            warnings.warn(message, stacklevel=2)
        return found["value"] if found["value"].ndim else found["value"].item()

    def find(self, label: str, follows_from: Sequence[Any]) -> Tree | None:
        """The tree that was kept; None if there is none."""
        path, digest = self._place(label, follows_from)
        if path is not None:
            absent = suppress(FileNotFoundError, NotADirectoryError)
            with weights.refusing(path, "is damaged or not of this cache", "delete it, or pass --fresh"), absent:
                return weights.read(path, digest)
        return None

    def keep(self, label: str, follows_from: Sequence[Any], tree: Tree) -> Tree:
        """Keeps the tree, and returns it just as it will be found: the same layout in memory gives the same bits."""
        path, digest = self._place(label, follows_from)
        if path is None:
            return tree
        content = weights.archived(digest, tree)
        atomic.replace({path: content}, "free space there and run again: earlier results are kept")
        return weights.read(path, digest)

    def clear(self) -> None:
        """Deletes every file that a cache has written into the folder, and no other."""
        for path in self.folder.glob(f"*-{'[0-9a-f]' * 16}.npz") if self.folder else ():
            path.unlink()

    def _place(self, label: str, follows_from: Sequence[Any]) -> tuple[Path | None, str]:
        """The file of a result, and the whole digest, which the file repeats."""
        if self.folder is None:
            return None, ""
        digest = digest_of(label, *follows_from)
        return Path(self.folder, f"{label.replace(' ', '-').replace(',', '')}-{digest[:16]}.npz"), digest


NOTHING_CACHED = Cache()


def digest_of(*parts: Any) -> str:
    """SHA-256 over arrays, everything else that JSON can write, lists of these, and the source of this package."""

    def described(x: np.ndarray) -> list:
        return [x.dtype.str, x.shape, hashlib.sha256(np.ascontiguousarray(x).data).hexdigest()]

    text = json.dumps([source_digest(), parts], sort_keys=True, default=described)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def source_digest() -> str:
    """The versions of this package and of NumPy, and a digest of this package's source, edited or not."""
    folder = Path(__file__).parents[1]
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        total.update(path.relative_to(folder).as_posix().encode() + b"\n" + path.read_bytes())
    return f"{__version__} {total.hexdigest()} numpy {np.__version__}"
