"""One airplane of small NORB, from the three published files of the half that holds it.

Format and files: Huang, LeCun, "The small NORB dataset, v1.0", https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/; LeCun,
Huang, Bottou, "Learning methods for generic object recognition with invariance to pose and lighting", CVPR 2004.
Each half is three little-endian matrices: a magic number for the type of the elements, the number of dimensions,
one int32 size a dimension (never fewer than three, the unused ones 1), then the elements, the last dimension fastest.
A row of each describes one stereo pair: "dat" its two images, "cat" its category, "info" its instance, elevation,
azimuth and lighting. No checksums are published: the "dat" file of one half under the name of the other is not noticed.
"""

import math
import os
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from drlim_np.checks.numbers import whole_number
from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS, VIEW_SIDE, Views
from drlim_np.data.files import Content, DataSet, blaming, locate_all, unpacked
from drlim_np.errors import DataError

HALVES = {  # how the names of each half's files begin -> the instances of every category that the half holds
    "smallnorb-5x46789x9x18x6x2x96x96-training": (4, 6, 7, 8, 9),
    "smallnorb-5x01235x9x18x6x2x96x96-testing": (0, 1, 2, 3, 5),
}
PARTS = {  # how the names end -> magic number, type of the elements, sizes of one row
    "dat": (0x1E3D4C55, "u1", (2, VIEW_SIDE, VIEW_SIDE)),
    "cat": (0x1E3D4C54, "<i4", ()),
    "info": (0x1E3D4C54, "<i4", (4,)),
}
MIRROR = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"
INSTANCE = 4  # the airplane used unless another is asked for: the first of the training half
CATEGORIES, AIRPLANE = range(5), 2  # animals, humans, airplanes, trucks, cars
VALUES = {"elevation": range(ELEVATIONS), "azimuth": range(0, 2 * AZIMUTHS, 2), "lighting": range(LIGHTINGS)}
DOWNLOAD = 2**29  # bytes: more than the largest file, 447,897,624, even if gzip did not make it smaller
LIMIT = 24_300  # rows a file may declare: as many as each published one has
AGAIN = "delete it and pass --download norb"
SAME_HALF = "take cat and info from the same half, or delete both and pass --download norb"


def published(instance: int = INSTANCE) -> DataSet:
    """The half of small NORB that holds an instance, 0 … 9."""
    instance = whole_number("airplane", instance, 0, 9)
    halves = sorted(HALVES, key=lambda half: instance not in HALVES[half])
    files, others = (tuple(f"{half}-{part}.mat" for part in PARTS) for half in halves)
    return DataSet("norb", "small NORB", "the rendered airplane", files, (MIRROR,), DOWNLOAD, verify, others)


def load(directory: str | os.PathLike, instance: int = INSTANCE) -> Views:
    """The 972 views of airplane 0 … 9: the left image of each stereo pair, whatever their order in the three files."""
    names = published(instance).files
    dat, cat, info = locate_all(directory, names, "pass --download norb").values()
    with blaming(cat, AGAIN):
        categories, cat_hash = _table(cat, "cat")
        _require("category", categories, CATEGORIES)
    with blaming(info, AGAIN):
        facts, info_hash = _table(info, "info", len(categories))
        for column, (name, allowed) in enumerate(VALUES.items(), start=1):
            _require(name, facts[:, column], allowed)
    number, elevation, azimuth, lighting = facts.T
    mine = (categories == AIRPLANE) & (number == instance)
    view_of_row = np.where(mine, (azimuth // 2 * ELEVATIONS + elevation) * LIGHTINGS + lighting, -1)
    times = np.bincount(view_of_row[mine], minlength=len(Views.azimuth))
    with blaming(info, SAME_HALF):
        _require("instance of this half", number, next(held for held in HALVES.values() if instance in held))
        for view in np.flatnonzero(times != 1)[:1]:
            place = f"azimuth {2 * Views.azimuth[view]}, elevation {Views.elevation[view]}"
            pose = f"airplane {instance} at {place}, lighting {Views.lighting[view]}"
            raise DataError(f"expected one image of {pose}, found {times[view]}")
    images = np.empty((len(times), VIEW_SIDE, VIEW_SIDE), np.uint8)
    with blaming(dat, AGAIN), unpacked(dat) as content:
        for view, pair in zip(view_of_row, _rows(content, "dat", len(mine)), strict=True):
            if view >= 0:
                images[view] = np.frombuffer(pair, np.uint8, VIEW_SIDE**2).reshape(VIEW_SIDE, VIEW_SIDE)
    sha256 = dict(zip(names, (content.hash.hexdigest(), cat_hash, info_hash), strict=True))
    return Views(f"norb-airplane{instance}", f"airplane {instance} of small NORB", images, sha256)


def verify(path: Path, name: str) -> str:
    """Says "complete" if a file holds as much as its header declares, and its header is as its name says."""
    with unpacked(path) as content:
        for _ in _rows(content, name.removesuffix(".mat").rpartition("-")[2]):
            pass
    return "complete"


def _table(path: Path, part: str, expected: int | None = None) -> tuple[np.ndarray, str]:
    """A matrix of integers, (rows, …), and the SHA-256 of the file's content."""
    _, dtype, sizes = PARTS[part]
    with unpacked(path) as content:
        elements = b"".join(_rows(content, part, expected))
    return np.frombuffer(elements, dtype).reshape(-1, *sizes), content.hash.hexdigest()


def _rows(content: Content, part: str, expected: int | None = None) -> Iterator[bytes]:
    """The rows of a matrix, one after the other; its header must be as the part's must be."""
    magic, dtype, row = PARTS[part]
    size = math.prod(row) * np.dtype(dtype).itemsize
    (found,) = np.frombuffer(content.take(4, "its magic number"), "<u4")
    if found != magic:
        raise DataError(f"expected the magic number {magic:08x} of a {part} file, found {found:08x}")
    rest = [*row, 1, 1][: max(len(row), 2)]
    dimensions, rows, *others = content.sizes("<i4", 2 + len(rest))
    if (dimensions, others) != (1 + len(row), rest) or not 1 <= rows <= LIMIT:
        wanted, sizes = "x".join(map(str, rest)), "x".join(map(str, (rows, *others)))
        fault = f"expected {1 + len(row)} dimensions and sizes Nx{wanted} with N from 1 to {LIMIT}"
        raise DataError(f"{fault}, found {dimensions} and {sizes}")
    if expected not in (None, rows):
        raise DataError(f"expected {expected} rows, as many as the cat file has, found {rows}")
    for number in range(rows):
        yield content.take(size, f"row {number + 1} of {rows}")
    content.digest(f"{rows} rows of {size} bytes")


def _require(name: str, values: np.ndarray, allowed: Collection[int]) -> None:
    if len(wrong := values[~np.isin(values, list(allowed))]):
        raise DataError(f"expected each {name} to be one of {', '.join(map(str, allowed))}, found {wrong[0]}")
