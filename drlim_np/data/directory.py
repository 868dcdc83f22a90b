"""Which folder the data lie in: the one the caller names, else the one DRLIM_DATA names, else the user's cache folder.

A folder that someone named must hold data, or that is an error. The cache folder may be empty: then there is no MNIST,
and the caller goes on with generated handwriting.
"""

import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from drlim_np.data.mnist import FILES, locate
from drlim_np.errors import DataError, shown

VARIABLE = "DRLIM_DATA"
REMEDY = "put them there, or pass --download to fetch them, or --generated for generated handwriting"


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


def mnist_folder(directory: str | os.PathLike, files: Collection[str] = FILES) -> Path:
    """Where MNIST lies, or should be put: DIR/mnist, unless DIR itself holds more of the files."""
    return max(Path(directory, "mnist"), Path(directory), key=lambda folder: len(_held(folder, files)))


def find_mnist(directory: DataDirectory, files: Collection[str] = FILES) -> Path | None:
    """The folder that holds all of MNIST's files, DIR/mnist or DIR itself; None where the cache folder holds none.

    Only looks for the names: `mnist.load` judges the content. Raises DataError for a folder that holds some of the
    files but not all, and for a folder that someone named but that does not exist, is no folder or holds none.
    """
    folder = mnist_folder(directory.path, files)
    held = _held(folder, files)
    if missing := [name for name in files if name not in held]:
        if held:
            raise DataError(f"{shown(folder)}: holds part of MNIST, but not {', '.join(missing)}: {REMEDY}")
        if directory.named_by:
            raise DataError(_without_mnist(directory, missing))
        return None
    return folder


def _held(folder: Path, files) -> list[str]:
    return [name for name in files if locate(folder, name)]


def _without_mnist(directory: DataDirectory, wanted) -> str:
    if os.path.isdir(directory.path):
        fault = "holds none of MNIST's files"
    else:
        fault = "is not a folder" if os.path.lexists(directory.path) else "does not exist"
    where = f"{shown(directory.path)}, named by {directory.named_by}, {fault}"
    return f"{where}; looked there and in its folder mnist for {', '.join(wanted)}, with or without .gz: {REMEDY}"


def _cache(environ, platform) -> Path:
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
        remedy = f"name a folder by --data or {VARIABLE}, or pass --generated for generated handwriting"
        raise DataError(f"no home folder is known, so there is no cache folder for data: {remedy}") from fault
