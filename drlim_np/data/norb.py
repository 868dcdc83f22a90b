"""One airplane of small NORB, from the three published files of the half that holds it.

Format and files: Huang, LeCun, "The small NORB dataset, v1.0", https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/; LeCun,
Huang, Bottou, "Learning methods for generic object recognition with invariance to pose and lighting", CVPR 2004.
Each half is three little-endian matrices: a magic number that tells the type of the elements, the number of dimensions,
one int32 size a dimension (never fewer than three, the unused ones 1), then the elements, the last dimension fastest.
A row of each describes one stereo pair: "dat" its two images, "cat" its category, "info" its instance, elevation,
azimuth and lighting.

No checksums are published, so a file's hash is recorded but proves nothing; what is verified is the format, the ranges
of all values, and that each of the airplane's 972 views is there once. The "dat" file of one half under the name of
the other goes unnoticed: both have the same size, and nothing in an image tells which it is.
"""

import hashlib
import math
import os
from collections.abc import Callable, Collection, Iterable
from functools import partial
from io import BufferedIOBase
from typing import Any

import numpy as np

from drlim_np.checks.numbers import whole_number
from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS, VIEW_SIDE, Views
from drlim_np.data.files import DataSet, blaming, locate_all, unpacked
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
INSTANCE = 4  # the airplane used unless another is asked for: the first of the training half
CATEGORIES = range(5)  # animals, humans, airplanes, trucks, cars
AIRPLANE = 2
VALUES = {"elevation": range(ELEVATIONS), "azimuth": range(0, 2 * AZIMUTHS, 2), "lighting": range(LIGHTINGS)}
LIMIT = 24_300  # rows a file may declare: as many as each published one has
ANEW = "delete it and pass --download norb"
SAME_HALF = "take cat and info from the same half, or delete both and pass --download norb"


def published(instance: int = INSTANCE) -> DataSet:
    """The half of small NORB that holds an instance: the three files needed, those of the other half, where they are.

    Raises InputError for an instance that small NORB does not have.
    """
    instance = whole_number("airplane", instance, 0, 9)
    half, others = sorted(HALVES, key=lambda half: instance not in HALVES[half])
    return DataSet(
        name="norb",
        title="small NORB",
        stand_in="the rendered airplane",
        files=_names(half),
        others=_names(others),
        mirrors=("https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/",),
        limit=2**29,  # more than the largest, 447,897,624 bytes, even if it did not shrink when it was gzipped
        verify=verify,
    )


def load(directory: str | os.PathLike, instance: int = INSTANCE) -> Views:
    """The 972 views of one airplane, the left image of each stereo pair, from the three files in a directory.

    instance: 0 … 9, which of the ten airplanes; 4, 6, 7, 8 and 9 are in the training half, the others in the testing.

    Returns Views: images (972, 96, 96) uint8 whatever the order in the files, sha256 of the contents of the three files
    read. Streams the "dat" file and keeps no other images than these.
    Raises DataError for a file that is missing, damaged or not what its name says, for files that do not fit each
    other, and for a view of the airplane that is missing or there twice; InputError for an instance not in 0 … 9.
    """
    names = published(instance).files
    held = next(instances for instances in HALVES.values() if instance in instances)
    paths = locate_all(directory, names, "pass --download norb")
    dat, cat, info = (paths[name] for name in names)

    with blaming(cat, ANEW):
        categories, cat_hash = _read_table(cat, "cat")
        _require("category", categories, CATEGORIES)
    with blaming(info, ANEW):
        facts, info_hash = _read_table(info, "info")
        for column, (name, allowed) in enumerate(VALUES.items(), start=1):
            _require(name, facts[:, column], allowed)
    with blaming(info, SAME_HALF):
        _require_rows(len(facts), len(categories))
        _require("instance of this half", facts[:, 0], held)
        view_of_row = _views_in_rows(categories, facts, instance)

    images = np.empty((AZIMUTHS * ELEVATIONS * LIGHTINGS, VIEW_SIDE, VIEW_SIDE), np.uint8)

    def keep_left(row: int, pair: bytes) -> None:
        if (view := view_of_row[row]) >= 0:
            images[view] = np.frombuffer(pair, np.uint8, VIEW_SIDE**2).reshape(VIEW_SIDE, VIEW_SIDE)

    with blaming(dat, ANEW):
        dat_hash = _scan(dat, "dat", keep_left, len(categories))
    sha256 = dict(zip(names, (dat_hash, cat_hash, info_hash), strict=True))
    return Views(f"norb-airplane{instance}", f"airplane {instance} of small NORB", images, sha256)


def verify(path: str | os.PathLike, name: str) -> str:
    """Says "complete". Raises DataError unless a file holds as much as its header declares, and what its name says."""
    _scan(path, name.removesuffix(".mat").rpartition("-")[2], lambda *_: None)
    return "complete"


def _names(half: str) -> tuple[str, ...]:
    return tuple(f"{half}-{part}.mat" for part in PARTS)


def _read_table(path: Any, part: str) -> tuple[np.ndarray, str]:
    """A matrix of integers, (rows, …), and the SHA-256 of the file's content."""
    rows: list[bytes] = []
    digest = _scan(path, part, lambda _, content: rows.append(content))
    _, dtype, sizes = PARTS[part]
    return np.frombuffer(b"".join(rows), dtype).reshape(len(rows), *sizes), digest


def _scan(path: Any, part: str, see: Callable[[int, bytes], None], expected: int | None = None) -> str:
    """Shows each row of a matrix to see(row, content) in turn; the SHA-256 of the file's content.

    Memory is bounded by one row. Raises OSError, and DataError that leaves name and remedy to the caller.
    """
    _, dtype, sizes = PARTS[part]
    size = math.prod(sizes) * np.dtype(dtype).itemsize
    digest = hashlib.sha256()
    with unpacked(path) as stream:
        take = partial(_take, stream, digest)
        rows = _rows_declared(take, part)
        if expected is not None:
            _require_rows(rows, expected)
        for row in range(rows):
            content = take(size)
            if len(content) < size:
                raise DataError(f"expected {rows} rows of {size} bytes, found {row * size + len(content)} bytes")
            see(row, content)
        if stream.read(1):  # reaching the end also makes gzip compare its checksum
            raise DataError(f"expected {rows} rows of {size} bytes, found more")
    return digest.hexdigest()


def _take(stream: BufferedIOBase, digest: Any, size: int) -> bytes:
    content = stream.read(size)
    digest.update(content)
    return content


def _rows_declared(take: Callable[[int], bytes], part: str) -> int:
    """The first size in a header. Raises DataError unless all the rest of it is as the part's must be."""
    magic, _, row = PARTS[part]
    if (found := take(4)) != magic.to_bytes(4, "little"):
        number = f"{int.from_bytes(found, 'little'):08x}" if len(found) == 4 else found.hex() or "no bytes"
        raise DataError(f"expected the magic number {magic:08x} of a {part} file, found {number}")
    rest = [*row, 1, 1][: max(len(row), 2)]
    header = take(4 * (2 + len(rest)))
    if len(header) < 4 * (2 + len(rest)):
        raise DataError(f"expected a header with {1 + len(rest)} sizes, found the end of the file")
    dimensions, rows, *others = np.frombuffer(header, "<i4").tolist()
    if dimensions != 1 + len(row):
        raise DataError(f"expected {1 + len(row)} as the number of dimensions of a {part} file, found {dimensions}")
    if others != rest or not 1 <= rows <= LIMIT:
        sizes = "x".join(map(str, (rows, *others)))
        raise DataError(f"expected sizes Nx{'x'.join(map(str, rest))} with N from 1 to {LIMIT}, found {sizes}")
    return rows


def _require_rows(found: int, expected: int) -> None:
    if found != expected:
        raise DataError(f"expected {expected} rows, as many as the cat file has, found {found}")


def _require(name: str, values: np.ndarray, allowed: Collection[int]) -> None:
    if len(wrong := values[~np.isin(values, list(allowed))]):
        raise DataError(f"expected each {name} to be one of {_listed(allowed)}, found {wrong[0]}")


def _views_in_rows(categories: np.ndarray, facts: np.ndarray, instance: int) -> np.ndarray:
    """For each row which view of the airplane it holds, 0 … 971 in the order of `Views`; -1 for another toy."""
    is_airplane = categories == AIRPLANE
    mine = is_airplane & (facts[:, 0] == instance)
    if not mine.any():
        found = _listed(np.unique(facts[is_airplane, 0])) or "none"
        raise DataError(f"expected airplane {instance}, found these airplanes: {found}")
    _, elevation, azimuth, lighting = facts.T
    view_of_row = np.where(mine, (azimuth // 2 * ELEVATIONS + elevation) * LIGHTINGS + lighting, -1)
    times = np.bincount(view_of_row[mine], minlength=AZIMUTHS * ELEVATIONS * LIGHTINGS)
    if len(wrong := np.flatnonzero(times != 1)):
        first = wrong[0]
        pose = (
            f"azimuth {first // (ELEVATIONS * LIGHTINGS) * 2}, elevation {first // LIGHTINGS % ELEVATIONS},"
            f" lighting {first % LIGHTINGS}"
        )
        raise DataError(f"expected one image of airplane {instance} at {pose}, found {times[first]}")
    return view_of_row


def _listed(values: Iterable[int]) -> str:
    return ", ".join(map(str, values))
