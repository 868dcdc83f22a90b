"""Data sets as files: what a published one is called, under which spelling a file lies there, and how it is opened."""

import gzip
import os
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

from drlim_np.checks.terminal import printable
from drlim_np.errors import DataError
from drlim_np.files.mistaken import HEAD, mistaken_for


@dataclass(frozen=True)
class DataSet:
    """A published data set, or the half of it that is needed.

    name:     that of its folder inside a data folder, and after --download.
    title:    what a reader calls it. stand_in: what is used where it is not found.
    files:    the names of the files needed, without .gz.
    others:   names of its further files, which are not enough by themselves.
    mirrors:  https addresses that hold NAME.gz.
    limit:    bytes that a mirror may send for one file.
    verify:   verify(path, name) says in a word or two what is known of a file's content once it has been read; raises
              OSError, and DataError where it is not what a file of that name must hold.
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
    """The file of that published name in a directory: with .gz first, then without, then with .idx for -idx."""
    dotted = name.replace("-idx", ".idx")
    candidates = (Path(directory, spelling) for spelling in (f"{name}.gz", name, f"{dotted}.gz", dotted))
    return next((path for path in candidates if os.path.isfile(path)), None)


def locate_all(directory: str | os.PathLike, names: Collection[str], remedy: str) -> dict[str, Path]:
    """name -> file, as `locate` finds them. Raises DataError, which names those missing and the remedy."""
    found = {name: locate(directory, name) for name in names}
    paths = {name: path for name, path in found.items() if path}
    if absent := [name for name in names if name not in paths]:
        raise DataError(f"{printable(directory)}: {', '.join(absent)} not found: put it there or {remedy}")
    return paths


@contextmanager
def unpacked(path: str | os.PathLike) -> Iterator[BufferedIOBase]:
    """A file's content as a stream, gunzipped where it is gzipped. Damage to gzip, and a web page, become DataError.

    Of a gzipped file the checksum is compared when its end is reached: read one byte more than expected.
    """
    with open(path, "rb") as raw:
        head = raw.read(HEAD)
        if found := mistaken_for(head):
            raise DataError(f"expected the data, found {found}")
        zipped = head.startswith(b"\x1f\x8b")
        raw.seek(0)
        try:
            yield gzip.GzipFile(fileobj=raw) if zipped else raw
        except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
            raise DataError(f"expected a whole gzip stream, found damage ({fault})") from fault


@contextmanager
def blaming(path: str | os.PathLike, remedy: str) -> Iterator[None]:
    """Whatever goes wrong inside becomes a DataError that names the file and the remedy."""
    try:
        yield
    except DataError as fault:
        raise DataError(f"{printable(path)}: {fault}: {remedy}") from fault
    except OSError as fault:
        raise DataError(f"{printable(path)}: cannot be read ({fault.strerror}): check permissions and disk") from fault
