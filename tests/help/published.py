"""The published formats, written byte for byte: IDX files, as of MNIST, and the matrices of small NORB."""

import hashlib
import random
import struct

import numpy as np

from drlim_np.data.mnist import FILES

TRAINING = "smallnorb-5x46789x9x18x6x2x96x96-training"
TESTING = "smallnorb-5x01235x9x18x6x2x96x96-testing"
DAT, CAT, INFO = (f"{TRAINING}-{part}.mat" for part in ("dat", "cat", "info"))
POSES = [(elevation, azimuth, light) for azimuth in range(0, 36, 2) for elevation in range(9) for light in range(6)]
PATTERN = bytes(pixel % 251 for pixel in range(251 + 9212))


def store(folder, contents, pack=bytes):
    """name -> content, each in a file of that name, NAME.gz if it is packed by gzip."""
    for name, content in contents.items():
        (folder / (name + ".gz" * (pack is not bytes))).write_bytes(pack(content))
    return folder


def hashes(contents):
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def idx(array, sizes=None):
    """The bytes of an IDX file, with other sizes in its header if asked for."""
    sizes = array.shape if sizes is None else sizes
    return bytes([0, 0, 8, len(sizes)]) + np.array(sizes, ">u4").tobytes() + array.astype(np.uint8).tobytes()


def digits(seed=0, train=5, test=3):
    """The contents of four small files: name -> bytes."""
    rng = np.random.default_rng(seed)
    sizes = zip(FILES, ((train, 28, 28), (train,), (test, 28, 28), (test,)), strict=True)
    return {name: idx(rng.integers(0, 10 if "labels" in name else 256, size)) for name, size in sizes}


def matrix(element, sizes, content):
    """A file of the matrix format: at least three sizes are stored, the unused ones 1."""
    magic = {"byte": b"\x55\x4c\x3d\x1e", "integer": b"\x54\x4c\x3d\x1e"}[element]
    stored = (*sizes, 1, 1)[: max(3, len(sizes))]
    return magic + struct.pack(f"<i{len(stored)}i", len(sizes), *stored) + content


def left(row):
    """An image, (96 * 96) bytes, unlike that of any other row, unlike itself if turned or mirrored."""
    return struct.pack("<I", row) + PATTERN[row % 251 :][:9212]


def toys(instance=4, seed=0):
    """Rows (category, instance, elevation, azimuth, lighting): all views of one airplane, among them other toys."""
    rows = [(2, instance, *pose) for pose in POSES]
    rows += [(0, instance, 0, 0, 0), (4, instance, 8, 34, 5), (2, {4: 6, 7: 8, 3: 5}[instance], 0, 0, 0)]
    random.Random(seed).shuffle(rows)
    return rows


def norb_files(rows, half=TRAINING, dat=None):
    """The contents of the three files of a half, with other content in the first if given: name -> bytes."""
    if dat is None:
        pairs = (left(row) + left(row)[::-1] for row in range(len(rows)))
        dat = matrix("byte", (len(rows), 2, 96, 96), b"".join(pairs))
    cat = matrix("integer", (len(rows),), b"".join(struct.pack("<i", category) for category, *_ in rows))
    info = matrix("integer", (len(rows), 4), b"".join(struct.pack("<4i", *facts) for _, *facts in rows))
    return {f"{half}-dat.mat": dat, f"{half}-cat.mat": cat, f"{half}-info.mat": info}
