"""What a run keeps so that a later one need not find it again: half-trained and trained networks, and costly results.

Each is one .npz file whose name ends in a digest of all that it follows from: the inputs, the settings, and the source
of this package. So what was found from other data, by other settings or by another version never has the name of what
is looked for; it stays in the folder unused, which may be deleted at any time.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from drlim_np import __version__
from drlim_np.backend import Array, like, to_host
from drlim_np.files import npz
from drlim_np.files.npz import Parts, flat, grown
from drlim_np.training import Step
from drlim_np.tree import Tree, tree_map

EVERY = 100  # steps between two checkpoints, about two seconds of training


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
        write(self.path, self.digest, parts | dict(flat({"params": step.params, "state": step.state})))

    def load(self, params: Tree, state: Tree, steps: int, rng: np.random.Generator) -> tuple[Step, list[float]] | None:
        """What `save` wrote last, in the shape of `params` and `state`; `rng` then goes on as it did. None if nothing.

        Raises DataError for a file that is damaged or that holds something else.
        """
        parts, wanted = read(self.path, self.digest), {"params": params, "state": state}
        if parts is None:
            return None
        with _refusing(self.path):
            losses, generator = parts.pop("losses"), json.loads(parts.pop("generator").tobytes())
            if not 1 <= len(losses) <= steps or losses.shape != (len(losses),) or losses.dtype != np.float64:
                raise ValueError("the steps do not match")
            if parts.keys() != dict(flat(wanted)).keys() or not np.isfinite(losses).all():
                raise ValueError("it holds what does not belong there")
            found = tree_map(_beside, wanted, grown(parts))
            rng.bit_generator.state = generator
        return Step(len(losses), found["params"], float(losses[-1]), found["state"]), losses.tolist()


@dataclass(frozen=True)
class Memory:
    """The folder of all that is kept; without a folder nothing is.

    fresh: nothing from before this run is used: a file found there is deleted, unless it is one of `anew`.
    anew:  the files that this run has looked for already, so that what is there now was made by it.
    """

    folder: Path | None = None
    fresh: bool = False
    anew: set[Path] = field(default_factory=set, compare=False, repr=False)

    def checkpoint(self, name: str, *follows_from: Any) -> Checkpoint | None:
        """The checkpoint of a training with that name, which follows from these arrays and settings."""
        if self.folder is None:
            return None
        digest = digest_of(*follows_from)
        return Checkpoint(self._path(name, digest), digest)

    def remembered(self, function: Callable, *inputs: Any, **others: Any) -> Any:
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
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                value = np.array(function(*inputs, **others), order="C")
            parts = {"value": value, "warnings": _text([str(warning.message) for warning in said])}
            write(path, digest, parts)
        with _refusing(path):
            value, messages = parts["value"], json.loads(parts["warnings"].tobytes())
        for message in messages:
            warnings.warn(message, stacklevel=2)
        return _plain(value)

    def _path(self, name: str, digest: str) -> Path:
        path = Path(self.folder or ".") / f"{name.replace(' ', '-').replace(',', '')}-{digest[:16]}.npz"
        if self.fresh and path not in self.anew:
            path.unlink(missing_ok=True)
            self.anew.add(path)
        return path


NOTHING_KEPT = Memory()


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


def _beside(model: Array, found: np.ndarray) -> Array:
    """What the file holds, where the model is; it must have its shape and dtype."""
    if found.shape != tuple(model.shape) or found.dtype != to_host(model).dtype or not np.isfinite(found).all():
        raise ValueError("its arrays do not fit the network")
    return like(found, model)


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
