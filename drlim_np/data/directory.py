"""Which folder the data lie in: the one the caller names, else the one DRLIM_DATA names, else the user's cache folder.

A folder that someone named must hold at least one data set, or that is an error. The cache folder may be empty. Where a
data set is not found, the caller goes on with what is generated in its place.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from drlim_np.checks.terminal import printable
from drlim_np.data import norb
from drlim_np.data.files import DataSet, locate
from drlim_np.data.mnist import MNIST
from drlim_np.errors import DataError

VARIABLE = "DRLIM_DATA"
KNOWN = (MNIST, norb.published())


@dataclass(frozen=True)
class DataDirectory:
    """A folder for data sets, which need not exist, and what named it.

    named_by: "--data" or "DRLIM_DATA", or None for the user's cache folder, which nobody named.
    """

    path: Path
    named_by: str | None = None


def data_directory(
    flag: str | None = None, environ: Mapping[str, str] = os.environ, platform: str = sys.platform
) -> DataDirectory:
    """The folder for data sets: that of the flag --data, else of the variable DRLIM_DATA, else the user's cache folder.

    An empty variable counts as unset. Raises DataError for an empty flag, and where no home folder is known to hold
    the cache.
    """
    if flag is not None:
        if not flag:
            raise DataError("--data is empty: name a folder after it, or leave it out")
        return DataDirectory(Path(os.path.expanduser(flag)), "--data")
    if named := environ.get(VARIABLE):
        return DataDirectory(Path(os.path.expanduser(named)), VARIABLE)
    return DataDirectory(_cache(environ, platform) / "drlim_np")


def folder_of(directory: str | os.PathLike, wanted: DataSet) -> Path:
    """Where a data set lies, or should be put: DIR/NAME, unless DIR itself holds more of the files needed."""
    return max(Path(directory, wanted.name), Path(directory), key=lambda folder: len(_held(folder, wanted.files)))


def find(directory: DataDirectory, wanted: DataSet) -> Path | None:
    """The folder that holds all the files needed of a data set, DIR or the folder of its name inside, or None.

    Only looks for the names: the content is judged when it is loaded. Raises DataError for a folder that holds some of
    the data set's files but not all those needed, and for a folder that someone named but that does not exist, is no
    folder, or holds no data set at all.
    """
    folder = folder_of(directory.path, wanted)
    held = _held(folder, wanted.files)
    missing = [name for name in wanted.files if name not in held]
    if not missing:
        return folder
    if partly := folder if held else _with_any(directory.path, wanted):
        fault = f"holds part of {wanted.title}, but not {', '.join(missing)}"
        raise DataError(f"{printable(partly)}: {fault}: {_remedy(wanted)}")
    if directory.named_by and not any(_with_any(directory.path, other) for other in KNOWN):
        raise DataError(_without_data(directory, wanted))
    return None


def _held(folder: Path, files: Iterable[str]) -> list[str]:
    return [name for name in files if locate(folder, name)]


def _with_any(directory: Path, data_set: DataSet) -> Path | None:
    """Where some file of a data set lies, be it one of those needed or not."""
    folders = (directory / data_set.name, directory)
    return next((folder for folder in folders if _held(folder, data_set.files + data_set.others)), None)


def _without_data(directory: DataDirectory, wanted: DataSet) -> str:
    if os.path.isdir(directory.path):
        fault = f"holds no file of {' or '.join(known.title for known in KNOWN)}"
    else:
        fault = "is not a folder" if os.path.lexists(directory.path) else "does not exist"
    where = f"{printable(directory.path)}, named by {directory.named_by}, {fault}"
    files = f"{', '.join(wanted.files)}, with or without .gz"
    return f"{where}; looked there and in its folder {wanted.name} for {files}: {_remedy(wanted)}"


def _remedy(wanted: DataSet) -> str:
    half = f", or choose by --airplane one of the other half of {wanted.title}" if wanted.others else ""
    fetch = f"pass --download {wanted.name} to fetch them"
    return f"put them there, or {fetch}{half}, or pass --generated for {wanted.stand_in}"


def _cache(environ: Mapping[str, str], platform: str) -> Path:
    inside_home: tuple[str, ...]
    if platform == "win32":
        folder, inside_home = environ.get("LOCALAPPDATA", ""), ("AppData", "Local")
    elif platform == "darwin":
        folder, inside_home = "", ("Library", "Caches")
    else:
        folder, inside_home = environ.get("XDG_CACHE_HOME", ""), (".cache",)
    if os.path.isabs(folder):  # the XDG specification has relative folders ignored
        return Path(folder)
    try:
        return Path.home().joinpath(*inside_home)
    except RuntimeError as fault:
        remedy = f"name a folder by --data or {VARIABLE}, or pass --generated for generated images"
        raise DataError(f"no home folder is known, so there is no cache folder for data: {remedy}") from fault
