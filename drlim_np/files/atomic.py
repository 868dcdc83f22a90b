"""Files that are either the old ones or the new ones, whatever happens: a kill, a full disk, a second run."""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from drlim_np.checks.terminal import printable
from drlim_np.errors import DrlimError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
PARTIAL = ".*.[0-9]*.partial"


def replace(files: Mapping[Path, bytes], remedy: str = "free the place or choose another by --out") -> None:
    """Writes all the files beside their places, then puts each in its own, in the order given.

    Raises DrlimError, which names the file and the remedy, where the disk is full or a file cannot be written: those
    not yet in their places are then what they were.
    """
    partial = {path: path.with_name(f".{path.name}.{os.getpid()}.partial") for path in files}
    try:
        try:
            for path, content in files.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                partial[path].write_bytes(content)
                _flush(partial[path])
            for path in files:
                os.replace(partial[path], path)
        finally:
            for leftover in partial.values():
                leftover.unlink(missing_ok=True)
    except OSError as fault:
        raise DrlimError(f"{printable(path)}: cannot be written ({fault.strerror}): {remedy}") from fault


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Locks a folder for this process: raises DrlimError where another one has. What a killed one left is removed.

    The system gives a lock back when its holder ends, however it ends: none is ever stale.
    """
    path = folder / LOCK
    with _opened(path) as file:
        if not _locked(file):
            file.seek(0)
            holder = file.read(200).decode(errors="replace").strip()
            raise DrlimError(
                f"{printable(folder)}: {printable(holder) or 'another run'} is at work there:"
                " wait until it ends, or choose another folder by --out"
            )
        with contextlib.suppress(OSError):  # on a full disk it is locked too, without a name
            file.truncate(0)
            file.write(f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S')},".encode())
        for leftover in [*folder.glob(PARTIAL), *folder.glob(f"*/{PARTIAL}")]:
            leftover.unlink(missing_ok=True)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                path.unlink()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator:
    try:
        file = open(path, "a+b", buffering=0)  # noqa: SIM115
    except OSError as fault:
        raise DrlimError(f"{printable(path)}: cannot be opened ({fault.strerror}): choose another by --out") from fault
    with file:
        yield file


def _locked(file: IO) -> bool:
    """Whether the lock is ours: not if another process has it, or removed the file in the meantime."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return os.path.samestat(os.stat(file.name), os.fstat(file.fileno()))
        import msvcrt

        file.seek(1 << 20)  # beyond the text, which others may then read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except (BlockingIOError, FileNotFoundError, PermissionError):
        return False
    except OSError:  # a file system without locks: nothing can be known there, and nothing is refused
        return True
    return True


def _flush(path: Path) -> None:
    """Has the content on the disk before the name points at it, so that a power cut leaves no empty file."""
    with open(path, "r+b") as file:
        os.fsync(file.fileno())
