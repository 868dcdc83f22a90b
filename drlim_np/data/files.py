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
from drlim_np.files.npz import HEAD, mistaken_for


@dataclass(frozen=True)
class DataSet:
    """A published data set, or the half of it that is needed.

    name:     that of its folder inside a data folder, and after --download.
    title:    its name for a reader. stand_in: the images that are used if it is not found.
    files:    the names of the files needed, without .gz.
    others:   names of its further files, which are not enough by themselves.
    mirrors:  https addresses that hold NAME.gz.
    limit:    bytes that a mirror may send for one file.
    verify:   verify(path, name) reads a file and says in a word what is known of its content; raises OSError, and
              DataError if a file of that name must hold something else.
    """

    name: str
    title: str
    stand_in: str
    files: tuple[str, ...]
    mirrors: tuple[str, ...]
    limit: int
    verify: Callable[[Path, str], str]
    others: tuple[str, ...] = ()


def locate(directory: str | os.PathLike, name: str) -> Path | None:
    """The file NAME.gz in a directory, or else NAME."""
    paths = Path(directory, f"{name}.gz"), Path(directory, name)
    return next((path for path in paths if is_file(path)), None)


def is_file(path: str | os.PathLike) -> bool:
    """As os.path.isfile, but a folder that may not be read is a DataError, because nobody knows what it holds."""
    seen = [folder for folder in Path(os.path.abspath(path)).parents if os.path.lexists(folder)]
    with blaming(seen[0], ""), suppress(FileNotFoundError, NotADirectoryError, ValueError):
        return S_ISREG(os.stat(path).st_mode)
    return False


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
        head = raw.read(HEAD)
        if found := mistaken_for(head):
            raise DataError(f"expected the data, found {found}")
        raw.seek(0)
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
