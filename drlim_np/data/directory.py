"""The folder with the data: the one the caller names, else the one DRLIM_DATA names, else the user's cache folder.

A folder that someone named must hold at least one data set; the cache folder may be empty. If a data set is not found,
the caller generates images instead.
"""

import os
import sys
from pathlib import Path

from drlim_np.checks.terminal import printable
from drlim_np.data import norb
from drlim_np.data.files import DataSet, locate
from drlim_np.data.mnist import MNIST
from drlim_np.errors import DataError

VARIABLE = "DRLIM_DATA"
KNOWN = (MNIST, norb.published())


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


def _held(folder: Path, wanted: DataSet) -> list[int]:
    """How many of the files needed, and of the others, a folder holds."""
    return [sum(locate(folder, name) is not None for name in names) for names in (wanted.files, wanted.others)]
