"""MNIST from the four published files; their content is verified.

Format and files: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", http://yann.lecun.com/exdb/mnist.
IDX is big-endian: a magic number, one 32-bit size a dimension, then unsigned bytes, the last dimension fastest.
"""

import hashlib
import math
import os
from pathlib import Path

import numpy as np

from drlim_np.checks.terminal import printable
from drlim_np.data import Digits, Split
from drlim_np.data.files import DataSet, blaming, locate_all, unpacked
from drlim_np.errors import DataError

# name -> SHA-256 of the unpacked file, because each mirror packs it differently.
FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
KINDS = {b"\0\0\x08\x03": ("images", 3), b"\0\0\x08\x01": ("labels", 1)}  # magic -> content, number of sizes
LIMIT = 2**28  # bytes of pixels or labels a file may declare: five times MNIST; EMNIST's 240,000 digits still fit
AGAIN = "delete it and pass --download"
UNKNOWN = "pass --accept-unknown-data for other IDX data of the same shape, such as Fashion-MNIST"


def load(directory: str | os.PathLike, accept_unknown: bool = False) -> Digits:
    """MNIST from the four files in a directory, each gzipped or plain; labels are 0 … 9.

    accept_unknown: take other IDX data of the same shape too, such as Fashion-MNIST. It is then named after its hashes.
    """
    arrays: list[np.ndarray] = []
    sha256 = {}
    for name, path in locate_all(directory, FILES, "pass --download").items():
        with blaming(path, AGAIN):
            array, sha256[name] = _content(path)
            shape = (28, 28) if "images" in name else ()
            if array.shape[1:] != shape:
                raise DataError(f"expected shape {('samples', *shape)}, found {array.shape}")
            if not shape and array.max() > 9:
                raise DataError(f"expected labels 0 to 9, found {array.max()}")
            if not shape and len(array) != len(arrays[-1]):
                raise DataError(f"expected {len(arrays[-1])} labels, one an image, found {len(array)}")
        if not accept_unknown and sha256[name] != FILES[name]:
            fault = f"expected SHA-256 {FILES[name]}, found {sha256[name]}"
            raise DataError(f"{printable(path)}: {fault}: {AGAIN}, or {UNKNOWN}")
        arrays.append(array)
    digest = hashlib.sha256("".join(sha256.values()).encode()).hexdigest()[:8]
    named = ("mnist", "MNIST") if sha256 == FILES else (f"idx-{digest}", f"IDX data {digest}")
    return Digits(*named, Split(arrays[0], arrays[1]), Split(arrays[2], arrays[3]), sha256)


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """The array in an IDX file, gzipped or plain: (count, rows, columns) images or (count,) labels, read-only uint8."""
    if not os.path.isfile(path):  # to open a pipe would wait for ever
        raise DataError(f"{printable(path)}: expected an IDX file, found none: put it there or pass --download")
    with blaming(path, AGAIN):
        return _content(path)[0]


def verify(path: Path, name: str) -> str:
    """Says "verified" if the file holds content of the SHA-256 that FILES has for that name."""
    found = _content(path)[1]
    if found != FILES[name]:
        raise DataError(f"expected SHA-256 {FILES[name]}, found {found}")
    return "verified"


MNIST = DataSet("mnist", "MNIST", "generated handwriting", tuple(FILES), MIRRORS, limit=2**26, verify=verify)


def _content(path: str | os.PathLike) -> tuple[np.ndarray, str]:
    """The array in an IDX file, and the SHA-256 of its unpacked content."""
    with unpacked(path) as content:
        magic = content.take(4, "its magic number")
        if magic not in KINDS:
            raise DataError(f"expected IDX magic 00000803 (images) or 00000801 (labels), found {magic.hex()}")
        kind, dimensions = KINDS[magic]
        shape = np.frombuffer(content.take(4 * dimensions, f"{dimensions} sizes"), ">u4").tolist()
        declared, sizes = math.prod(shape), "x".join(map(str, shape))
        if not 0 < declared <= LIMIT:
            raise DataError(f"expected 1 to {LIMIT} bytes of {kind}, found sizes {sizes} declared")
        array = np.frombuffer(content.take(declared, f"{kind}, {sizes}"), np.uint8).reshape(shape)
        return array, content.digest(f"{declared} bytes of {kind}, {sizes}")
