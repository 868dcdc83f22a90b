"""Data sets as files: their names, the place of each file, and how its content is read."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import IO, Any

import numpy as np

from drlim_np.checks.terminal import printable
from drlim_np.errors import DataError
from drlim_np.files.weights import HEAD, mistaken_for


@dataclass(frozen=True)
class DataSet:
    """A published data set, or the half of it that is needed."""

    name: str  # that of its folder inside a data folder, and after --download
    title: str  # its name for a reader
    stand_in: str  # the images that are used if it is not found
    files: tuple[str, ...]  # the names of the files needed, without .gz
    mirrors: tuple[str, ...]  # https addresses that hold NAME.gz
    limit: int  # bytes that a mirror may send for one file
    verify: Callable[[Path, str], str]  # what is known of a file, in a word; DataError if it is not as its name says
    others: tuple[str, ...] = ()  # names of its further files, which are not enough by themselves


def locate(directory: str | os.PathLike, name: str) -> Path | None:
    """The file NAME.gz in a directory, or else NAME. A folder that may not be read is a DataError."""
    for path in (Path(directory, f"{name}.gz"), Path(directory, name)):
        seen = [folder for folder in path.absolute().parents if os.path.lexists(folder)]
        with blaming(seen[0], ""), suppress(FileNotFoundError, NotADirectoryError):
            if S_ISREG(os.stat(path).st_mode):
                return path
    return None


def locate_all(directory: str | os.PathLike, names: Collection[str], remedy: str) -> dict[str, Path]:
    """name -> file, as `locate` finds them; a DataError names all those missing, and the remedy."""
    paths = {name: path for name in names if (path := locate(directory, name))}
    if absent := [name for name in names if name not in paths]:
        raise DataError(f"{printable(directory)}: {', '.join(absent)} not found: put it there or {remedy}")
    return paths


class Content:
    """The content of a data file, unpacked: read in order, and hashed on the way."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile):
        self.stream, self.hash = stream, hashlib.sha256()

    def take(self, size: int, what: str) -> bytes:
        """The next `size` bytes."""
        content = self.stream.read(size)
        self.hash.update(content)
        if len(content) < size:
            raise DataError(f"expected {size} bytes of {what}, found {len(content)}")
        return content

    def sizes(self, dtype: str, count: int) -> list[int]:
        """The next `count` numbers of a header."""
        return np.frombuffer(self.take(count * np.dtype(dtype).itemsize, f"{count} sizes"), dtype).tolist()

    def digest(self, what: str) -> str:
        """The SHA-256 of the whole content, which must end here. Only at its end does gzip compare its checksum."""
        if self.stream.read(1):
            raise DataError(f"expected {what}, found more")
        return self.hash.hexdigest()


@contextmanager
def unpacked(path: str | os.PathLike) -> Iterator[Content]:
    """A file's content, gunzipped if it is gzipped. Damage to gzip, and a web page, become DataError."""
    with open(path, "rb") as raw:
        head = raw.peek(HEAD)
        if found := mistaken_for(head):
            raise DataError(f"expected the data, found {found}")
        try:
            yield Content(gzip.GzipFile(fileobj=raw) if head.startswith(b"\x1f\x8b") else raw)
        except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
            raise DataError(f"expected a whole gzip stream, found damage ({fault})") from fault


@contextmanager
def blaming(path: Any, remedy: str) -> Iterator[None]:
    """Every DataError and OSError inside becomes a DataError that names the file and the remedy."""
    try:
        yield
    except DataError as fault:
        raise DataError(f"{printable(path)}: {fault}: {remedy}") from fault
    except OSError as fault:
        raise DataError(f"{printable(path)}: cannot be read ({fault.strerror}): check permissions and disk") from fault
