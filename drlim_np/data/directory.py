"""The folder with the data: where it is, which data sets are in it, and how they are fetched from their mirrors.

A download goes over https only, and a file gets its name only once it is verified.
"""

import contextlib
import http.client
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib import request
from urllib.error import HTTPError

from drlim_np.checks.terminal import ProgressLine, printable
from drlim_np.data import norb
from drlim_np.data.files import DataSet, blaming, locate
from drlim_np.data.mnist import MNIST
from drlim_np.errors import DataError
from drlim_np.files.atomic import make_folder

VARIABLE = "DRLIM_DATA"
KNOWN = (MNIST, norb.published())
TIMEOUT = 30  # seconds a mirror may stay silent
CHUNK = 2**16  # bytes read at once


def data_directory(flag: str | None = None) -> tuple[Path, str | None]:
    """The folder of the flag --data, else of the variable DRLIM_DATA unless that is empty, else the user's cache.

    With it comes what named it, "--data" or "DRLIM_DATA", or None for the cache folder, which nobody named.
    """
    if flag == "":
        raise DataError("--data is empty: name a folder after it, or leave it out")
    for named, by in ((flag, "--data"), (os.environ.get(VARIABLE), VARIABLE)):
        if named:
            return Path(os.path.expanduser(named)), by
    places = {"win32": ("LOCALAPPDATA", "AppData/Local"), "darwin": ("", "Library/Caches")}
    variable, inside_home = places.get(sys.platform, ("XDG_CACHE_HOME", ".cache"))
    cache = os.environ.get(variable, "")
    if os.path.isabs(cache):  # the XDG specification says that a relative folder is ignored
        return Path(cache, "drlim_np"), None
    try:
        return Path.home() / inside_home / "drlim_np", None
    except RuntimeError as fault:
        remedy = f"name a folder by --data or {VARIABLE}, or pass --generated for generated images"
        raise DataError(f"no home folder is known, so there is no cache folder for data: {remedy}") from fault


def folder_of(directory: Path, wanted: DataSet) -> Path:
    """Where a data set is, or should be put: DIR/NAME, unless DIR itself holds more of the files."""
    return max(directory / wanted.name, directory, key=lambda folder: _held(folder, wanted))


def find(directory: Path, named_by: str | None, wanted: DataSet) -> Path | None:
    """The folder that holds all the files needed of a data set, DIR or the folder of its name inside, or None.

    Only looks for the names: the content is judged when it is loaded. A folder with some of the files but not all those
    needed is refused. So is a folder that someone named, but that does not exist or holds no data set at all.
    """
    folder = folder_of(directory, wanted)
    missing = [name for name in wanted.files if not locate(folder, name)]
    if not missing:
        return folder
    half = f", or choose by --airplane one of the other half of {wanted.title}" if wanted.others else ""
    remedy = f"pass --download {wanted.name} to fetch them{half}, or pass --generated for {wanted.stand_in}"
    if any(_held(folder, wanted)):
        fault = f"holds part of {wanted.title}, but not {', '.join(missing)}"
        raise DataError(f"{printable(folder)}: {fault}: put them there, or {remedy}")
    if named_by is None or any(any(_held(folder_of(directory, known), known)) for known in KNOWN):
        return None
    fault = "is not a folder" if os.path.lexists(directory) else "does not exist"
    if os.path.isdir(directory):
        fault = f"holds no file of {' or '.join(known.title for known in KNOWN)}"
    where = f"{printable(directory)}, named by {named_by}, {fault}"
    looked = f"looked there and in its folder {wanted.name} for {', '.join(wanted.files)}, with or without .gz"
    raise DataError(f"{where}; {looked}: put them there, or {remedy}")


def fetch(folder: Path, wanted: DataSet) -> None:
    """Download the files that a folder lacks, each from the first mirror that sends it whole; progress on stderr.

    The folder is made if need be. Its files are never overwritten, and must be as named. No partial file is left in it.
    """
    line = ProgressLine()
    for name in wanted.files:
        target = folder / f"{name}.gz"
        try:
            make_folder(folder)
            if present := locate(folder, name):
                with blaming(present, f"delete it or move it away, then pass --download {wanted.name} again"):
                    known = wanted.verify(present, name)
                _report(line, f"{target.name}: already there, {known}")
            else:
                _from_first_mirror(target, name, wanted, line)
        except OSError as fault:
            remedy = "check the folder, its permissions and free space, or name another by --data"
            raise DataError(f"{printable(target)}: cannot be read or stored ({fault.strerror}): {remedy}") from fault


def _held(folder: Path, wanted: DataSet) -> list[int]:
    """How many of the files needed, and of the others, a folder holds."""
    return [sum(locate(folder, name) is not None for name in names) for names in (wanted.files, wanted.others)]


def _from_first_mirror(target: Path, name: str, wanted: DataSet, line: ProgressLine) -> None:
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    reasons = []
    try:
        for mirror in wanted.mirrors:
            try:
                with open(part, "wb") as file:
                    for chunk in _chunks(mirror + target.name, wanted.limit):
                        file.write(chunk)
                        with contextlib.suppress(OSError):
                            line.show(f"{target.name}: {file.tell() / 1e6:.1f} MB")
                known = wanted.verify(part, name)
                _report(line, f"{target.name}: {part.stat().st_size / 1e6:.1f} MB, {known}")
                os.replace(part, target)
                return
            except DataError as fault:
                reasons.append(f"{mirror}: {fault}")
                _report(line, f"{target.name}: not from {reasons[-1]}")
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
            while chunk := response.read(CHUNK):
                sent += len(chunk)
                if sent > limit:
                    raise DataError(f"sent more than {limit} bytes")
                yield chunk
    except (OSError, ValueError, http.client.HTTPException) as fault:
        if isinstance(fault, HTTPError):
            fault.close()  # it is the response too
        raise DataError(printable(str(fault).strip("<>") or type(fault).__name__)) from fault


def _report(line: ProgressLine, text: str) -> None:
    """A line that stays, in place of the moving one."""
    with contextlib.suppress(OSError):  # the download goes on if the reader of its progress has gone
        line.clear()
        print(text, file=line.stream, flush=True)
