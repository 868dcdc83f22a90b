"""One airplane of small NORB, from the three published files of the half that holds it.

Format and files: Huang, LeCun, "The small NORB dataset, v1.0", https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/; LeCun,
Huang, Bottou, "Learning methods for generic object recognition with invariance to pose and lighting", CVPR 2004.
Each half is three little-endian matrices: a magic number for the type of the elements, the number of dimensions,
one int32 size a dimension (never fewer than three, the unused ones 1), then the elements, the last dimension fastest.
A row of each describes one stereo pair: "dat" its two images, "cat" its category, "info" its instance, elevation,
azimuth and lighting. No checksums are published: the "dat" file of one half under the name of the other is not noticed.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from drlim_np.checks.numbers import whole_number
from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS, VIEW_SIDE, Views
from drlim_np.data.files import DataSet, blaming, locate_all, unpacked
from drlim_np.errors import DataError

HALVES = {  # how the names of each half's files begin -> the instances of every category that the half holds
    "smallnorb-5x46789x9x18x6x2x96x96-training": (4, 6, 7, 8, 9),
    "smallnorb-5x01235x9x18x6x2x96x96-testing": (0, 1, 2, 3, 5),
}
PARTS: dict[str, tuple[str, int, list[int]]] = {  # how the names end -> magic number, bytes of one row, its sizes
    "dat": ("1e3d4c55", 2 * VIEW_SIDE**2, [2, VIEW_SIDE, VIEW_SIDE]),
    "cat": ("1e3d4c54", 4, []),
    "info": ("1e3d4c54", 16, [4]),
}
MIRROR = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"
INSTANCE = 4  # the airplane used unless another is asked for: the first of the training half
CATEGORIES, AIRPLANE = range(5), 2  # animals, humans, airplanes, trucks, cars
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
    sha256 = dict.fromkeys(names, "")
    with blaming(cat, AGAIN):
        categories = np.frombuffer(b"".join(_rows(cat, "cat", sha256)), "<i4")
        _require("category", categories, CATEGORIES)
    with blaming(info, AGAIN):
        facts = np.frombuffer(b"".join(_rows(info, "info", sha256, len(categories))), "<i4")
        number, elevation, azimuth, lighting = facts.reshape(-1, 4).T
        _require("elevation", elevation, range(ELEVATIONS))
        _require("azimuth", azimuth, range(0, 2 * AZIMUTHS, 2))
        _require("lighting", lighting, range(LIGHTINGS))
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
    with blaming(dat, AGAIN):
        for view, pair in zip(view_of_row, _rows(dat, "dat", sha256, len(mine)), strict=True):
            if view >= 0:
                images[view] = np.frombuffer(pair, np.uint8, VIEW_SIDE**2).reshape(VIEW_SIDE, VIEW_SIDE)
    return Views(f"norb-airplane{instance}", f"airplane {instance} of small NORB", images, sha256)


def verify(path: Path, name: str) -> str:
    """Says "complete" if a file holds as much as its header declares, and its header is as its name says."""
    for _ in _rows(path, name.removesuffix(".mat").rpartition("-")[2], {}):
        pass
    return "complete"


def _rows(path: Path, part: str, sha256: dict[str, str], expected: int | None = None) -> Iterator[bytes]:
    """The rows of a matrix, one after the other, and at the end its hash; its header must be as the part's must be."""
    magic, size, row = PARTS[part]
    with unpacked(path) as content:
        found = content.take(4, "its magic number")[::-1].hex()
        if found != magic:
            raise DataError(f"expected the magic number {magic} of a {part} file, found {found}")
        rest = [*row, 1, 1][: max(len(row), 2)]
        count = 2 + len(rest)
        dimensions, rows, *others = np.frombuffer(content.take(4 * count, f"{count} sizes"), "<i4").tolist()
        if (dimensions, others) != (1 + len(row), rest) or not 1 <= rows <= LIMIT:
            wanted, sizes = "x".join(map(str, rest)), "x".join(map(str, (rows, *others)))
            fault = f"expected {1 + len(row)} dimensions and sizes Nx{wanted} with N from 1 to {LIMIT}"
            raise DataError(f"{fault}, found {dimensions} and {sizes}")
        if expected not in (None, rows):
            raise DataError(f"expected {expected} rows, as many as the cat file has, found {rows}")
        for number in range(rows):
            yield content.take(size, f"row {number + 1} of {rows}")
        sha256[path.name.removesuffix(".gz")] = content.digest(f"{rows} rows of {size} bytes")


def _require(name: str, values: np.ndarray, allowed: Collection[int]) -> None:
    if len(wrong := values[~np.isin(values, list(allowed))]):
        raise DataError(f"expected each {name} to be one of {', '.join(map(str, allowed))}, found {wrong[0]}")
