"""The folder with the data: the one the caller names, else the one DRLIM_DATA names, else the user's cache folder.

A folder that someone named must hold at least one data set; the cache folder may be empty. If a data set is not found,
the caller generates images instead.
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

    An empty variable counts as unset.
    """
    if flag == "":
        raise DataError("--data is empty: name a folder after it, or leave it out")
    for named, by in ((flag, "--data"), (environ.get(VARIABLE), VARIABLE)):
        if named:
            return DataDirectory(Path(os.path.expanduser(named)), by)
    return DataDirectory(_cache(environ, platform) / "drlim_np")


def folder_of(directory: str | os.PathLike, wanted: DataSet) -> Path:
    """Where a data set is, or should be put: DIR/NAME, unless DIR itself holds more of the files needed."""
    return max(Path(directory, wanted.name), Path(directory), key=lambda folder: len(_held(folder, wanted.files)))


def find(directory: DataDirectory, wanted: DataSet) -> Path | None:
    """The folder that holds all the files needed of a data set, DIR or the folder of its name inside, or None.

    Only looks for the names: the content is judged when it is loaded. A folder with some of the files but not all those
    needed is refused. So is a folder that someone named, but that does not exist or holds no data set at all.
    """
    folder = folder_of(directory.path, wanted)
    missing = [name for name in wanted.files if not locate(folder, name)]
    if not missing:
        return folder
    half = f", or choose by --airplane one of the other half of {wanted.title}" if wanted.others else ""
    remedy = f"pass --download {wanted.name} to fetch them{half}, or pass --generated for {wanted.stand_in}"
    if partly := folder if len(missing) < len(wanted.files) else _with_any(directory.path, wanted):
        fault = f"holds part of {wanted.title}, but not {', '.join(missing)}"
        raise DataError(f"{printable(partly)}: {fault}: put them there, or {remedy}")
    if directory.named_by is None or any(_with_any(directory.path, other) for other in KNOWN):
        return None
    if os.path.isdir(directory.path):
        fault = f"holds no file of {' or '.join(known.title for known in KNOWN)}"
    else:
        fault = "is not a folder" if os.path.lexists(directory.path) else "does not exist"
    where = f"{printable(directory.path)}, named by {directory.named_by}, {fault}"
    files = f"{', '.join(wanted.files)}, with or without .gz"
    looked = f"looked there and in its folder {wanted.name} for {files}"
    raise DataError(f"{where}; {looked}: put them there, or {remedy}")


def _held(folder: Path, files: Iterable[str]) -> list[str]:
    return [name for name in files if locate(folder, name)]


def _with_any(directory: Path, data_set: DataSet) -> Path | None:
    """The folder with any file of a data set, needed or not."""
    folders = (directory / data_set.name, directory)
    return next((folder for folder in folders if _held(folder, data_set.files + data_set.others)), None)


def _cache(environ: Mapping[str, str], platform: str) -> Path:
    places = {"win32": ("LOCALAPPDATA", "AppData/Local"), "darwin": ("", "Library/Caches")}
    variable, inside_home = places.get(platform, ("XDG_CACHE_HOME", ".cache"))
    folder = environ.get(variable, "")
    if os.path.isabs(folder):  # the XDG specification says that a relative folder is ignored
        return Path(folder)
    try:
        return Path.home() / inside_home
    except RuntimeError as fault:
        remedy = f"name a folder by --data or {VARIABLE}, or pass --generated for generated images"
        raise DataError(f"no home folder is known, so there is no cache folder for data: {remedy}") from fault
