"""The files of data sets: where they are, how they are fetched from their mirrors, and how their content is read."""

import gzip
import hashlib
import os
import sys
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from stat import S_ISREG
from typing import IO, Any
from urllib import request
from urllib.error import HTTPError

from drlim_np.checks.terminal import ProgressLine, printable
from drlim_np.errors import DataError
from drlim_np.files.atomic import make_folder
from drlim_np.files.weights import HEAD, mistaken_for

TIMEOUT = 30  # seconds a mirror may stay silent


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


def data_directory(flag: str | None = None) -> tuple[Path, str | None]:
    """The folder of --data, else of the variable DRLIM_DATA, else the user's cache; and which of the two named it."""
    if flag == "":
        raise DataError("--data is empty: name a folder after it, or leave it out")
    for named, by in ((flag, "--data"), (os.environ.get("DRLIM_DATA"), "DRLIM_DATA")):
        if named:
            return Path(os.path.expanduser(named)), by
    places = {"win32": ("LOCALAPPDATA", "AppData/Local"), "darwin": ("", "Library/Caches")}
    variable, inside_home = places.get(sys.platform, ("XDG_CACHE_HOME", ".cache"))
    if os.path.isabs(cache := os.environ.get(variable, "")):  # by the XDG specification a relative one is ignored
        return Path(cache, "drlim_np"), None
    try:
        return Path.home() / inside_home / "drlim_np", None
    except RuntimeError as fault:
        remedy = "name a folder by --data or DRLIM_DATA, or pass --generated for generated images"
        raise DataError(f"no home folder is known, so there is no cache folder for data: {remedy}") from fault


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


def folder_of(directory: Path, wanted: DataSet) -> Path:
    """Where a data set is, or should be put: DIR/NAME, unless DIR itself holds more of the files."""
    return max(directory / wanted.name, directory, key=lambda folder: _held(folder, wanted))


def find(directory: Path, named_by: str | None, name: str, known: Mapping[str, DataSet]) -> Path | None:
    """The folder, DIR or DIR/NAME, with all the files needed of the data set of that name, or None. Reads none of them.

    A folder with only part of them is refused. So is one that someone named, but that holds no known data set at all.
    """
    wanted = known[name]
    folder = folder_of(directory, wanted)
    missing = [name for name in wanted.files if not locate(folder, name)]
    if not missing:
        return folder
    half = f", or choose by --airplane one of the other half of {wanted.title}" if wanted.others else ""
    remedy = f"pass --download {wanted.name} to fetch them{half}, or pass --generated for {wanted.stand_in}"
    if any(_held(folder, wanted)):
        fault = f"holds part of {wanted.title}, but not {', '.join(missing)}"
        raise DataError(f"{printable(folder)}: {fault}: put them there, or {remedy}")
    if named_by is None or any(any(_held(folder_of(directory, one), one)) for one in known.values()):
        return None
    fault = "is not a folder" if os.path.lexists(directory) else "does not exist"
    if os.path.isdir(directory):
        fault = f"holds no file of {' or '.join(one.title for one in known.values())}"
    where = f"{printable(directory)}, named by {named_by}, {fault}"
    looked = f"looked there and in its folder {wanted.name} for {', '.join(wanted.files)}, with or without .gz"
    raise DataError(f"{where}; {looked}: put them there, or {remedy}")


def fetch(folder: Path, wanted: DataSet) -> None:
    """Download the files that a folder lacks, over https, each from the first mirror that sends it whole.

    The folder is made if need be. Its files are never overwritten. A file gets its name only once it is verified.
    """
    for name in wanted.files:
        target = folder / f"{name}.gz"
        try:
            make_folder(folder)
            if present := locate(folder, name):
                with blaming(present, f"delete it or move it away, then pass --download {wanted.name} again"):
                    known = wanted.verify(present, name)
                print(f"{target.name}: already there, {known}", file=sys.stderr)
            else:
                _from_first_mirror(target, name, wanted)
        except OSError as fault:
            remedy = "check the folder, its permissions and free space, or name another by --data"
            raise DataError(f"{printable(target)}: cannot be read or stored ({fault.strerror}): {remedy}") from fault


def _held(folder: Path, wanted: DataSet) -> list[int]:
    """How many of the files needed, and of the others, a folder holds."""
    return [sum(locate(folder, name) is not None for name in names) for names in (wanted.files, wanted.others)]


def _from_first_mirror(target: Path, name: str, wanted: DataSet) -> None:
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    reasons, line = [], ProgressLine()
    try:
        for mirror in wanted.mirrors:
            try:
                print(f"{target.name}: from {mirror}", file=sys.stderr)
                with open(part, "wb") as file:
                    for chunk in _chunks(mirror + target.name, wanted.limit):
                        file.write(chunk)
                        line.show(f"{target.name}: {file.tell() / 1e6:.1f} MB")
                known = wanted.verify(part, name)
                line.clear()
                print(f"{target.name}: {part.stat().st_size / 1e6:.1f} MB, {known}", file=sys.stderr)
                os.replace(part, target)
                return
            except DataError as fault:
                reasons.append(f"{mirror}: {fault}")
                line.clear()
                print(f"{target.name}: not from {reasons[-1]}", file=sys.stderr)
    finally:
        part.unlink(missing_ok=True)
    remedy = f"check the network, or put it into {printable(target.parent)} by hand, or run without --download"
    raise DataError(f"{target.name}: no mirror sent it ({'; '.join(reasons)}): {remedy} on {wanted.stand_in}")


def urlopen(address: str, timeout: float, *handlers: request.BaseHandler) -> Any:
    """The response of an opener that knows no scheme but https, on every hop of a redirect."""
    opener = request.OpenerDirector()
    known = (request.ProxyHandler(), request.HTTPSHandler(), request.HTTPRedirectHandler(), request.UnknownHandler())
    for handler in (*known, request.HTTPErrorProcessor(), request.HTTPDefaultErrorHandler(), *handlers):
        opener.add_handler(handler)
    return opener.open(address, timeout=timeout)


def _chunks(address: str, limit: int) -> Iterator[bytes]:
    """The chunks that a mirror sends. Its faults become DataErrors: an OSError is always the fault of our own disk."""
    sent = 0
    try:
        with urlopen(address, timeout=TIMEOUT) as response:
            while chunk := response.read(2**16):
                sent += len(chunk)
                if sent > limit:
                    raise DataError(f"sent more than {limit} bytes")
                yield chunk
    except (OSError, ValueError, HTTPException) as fault:
        if isinstance(fault, HTTPError):
            fault.close()  # it is the response too
        raise DataError(printable(str(fault).strip("<>") or type(fault).__name__)) from fault


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
