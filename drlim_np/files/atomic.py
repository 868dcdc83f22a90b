"""Files that are either the old ones or the new ones, after a kill, a full disk or a second run."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from errno import ENOENT
from pathlib import Path

from drlim_np.checks.terminal import printable
from drlim_np.errors import DrlimError

try:
    import fcntl
except ImportError:  # Windows, where nothing is locked
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


def replace(files: Mapping[Path, bytes], remedy: str = "free the place or choose another by --out") -> None:
    """Writes each file next to its place, then renames all in order: a fault before leaves the earlier ones."""
    partial = {path: path.with_name(f".{path.name}.{os.getpid()}.partial") for path in files}
    try:
        try:
            for path, content in files.items():
                make_folder(path.parent)
                with open(partial[path], "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())  # before the rename, so that a power cut leaves no empty file
            for path in files:
                os.replace(partial[path], path)
        finally:
            for leftover in partial.values():
                leftover.unlink(missing_ok=True)
    except OSError as fault:
        raise DrlimError(f"{printable(path)}: cannot be written ({fault.strerror}): {remedy}") from fault


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, where it is missing. A link that leads nowhere is an OSError that says so."""
    for path in (folder, *folder.parents):
        if os.path.islink(path) and not os.path.exists(path):
            raise FileNotFoundError(ENOENT, f"{printable(path)} is a link that leads nowhere")
    folder.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Makes a folder, and locks it until this process ends, however it does."""
    try:
        make_folder(folder)
        file = open(folder / LOCK, "ab")  # noqa: SIM115
    except OSError as fault:
        message = f"{printable(folder / LOCK)}: cannot be made ({fault.strerror}): choose another folder by --out"
        raise DrlimError(message) from fault
    with file:
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            if isinstance(fault, BlockingIOError | PermissionError):  # others come from a file system without locks
                remedy = "wait until it ends, or choose another folder by --out"
                raise DrlimError(f"{printable(folder)}: another run is at work there: {remedy}") from fault
        yield
