"""MNIST from the four published files, believed only once their content has been verified.

Format and files: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", http://yann.lecun.com/exdb/mnist.
IDX is big-endian: a magic number, one 32-bit size a dimension, then unsigned bytes, the last dimension fastest.
"""

import gzip
import hashlib
import math
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from drlim_np.data import Digits, Split
from drlim_np.errors import DataError

# name -> bytes and SHA-256 of the whole decompressed file; mirrors compress anew, so only the content is comparable.
FILES = {
    "train-images-idx3-ubyte": (47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "train-labels-idx1-ubyte": (60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte": (7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "t10k-labels-idx1-ubyte": (10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}
LIMIT = 2**28  # bytes of pixels or labels a file may declare: five times MNIST; EMNIST's 240,000 digits still fit
KINDS = {0x803: ("images", 3), 0x801: ("labels", 1)}  # magic -> what it announces, and how many sizes follow
GZIP_MAGIC = b"\x1f\x8b"
GZIP_RATIO = 1032  # deflate cannot shrink anything further than this (RFC 1951: 258 bytes in two bits)
CHUNK = 2**20  # bytes decompressed at once
ANEW = "delete it and download it anew"


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """The array in an IDX file, gzipped or plain: (count, rows, columns) images or (count,) labels, uint8.

    Takes no more memory than the header declares, and believes no header that declares more than LIMIT bytes or more
    than a file of this size can hold. Raises DataError with the file, what was expected, what was found and the remedy.
    """
    return _read(path)[0]


def load(directory: str | os.PathLike, accept_unknown: bool = False, files: Mapping = FILES) -> Digits:
    """MNIST from the four files in a directory, each under any spelling that `locate` knows.

    accept_unknown: take other IDX data of the same shape too, such as Fashion-MNIST. It is then named after its hashes.
    files:          name -> (bytes, SHA-256) of the four files, in the order of FILES.

    Returns Digits: images (samples, 28, 28) uint8, labels (samples,) uint8 in 0 … 9, sha256 of the four contents.
    Raises DataError for a file missing, damaged, unknown or misnamed, and where image and label counts differ.
    """
    directory = Path(directory)
    paths = {name: locate(directory, name) for name in files}
    if absent := [name for name, path in paths.items() if path is None]:
        raise DataError(f"{shown(directory)}: expected {', '.join(absent)}, found none: put it there or download it")
    arrays, sha256 = {}, {}
    for name, path in paths.items():
        arrays[name], sha256[name] = _read(path)
        _check_content(path, name, arrays[name], sha256[name], accept_unknown, files)
    train_images, train_labels, test_images, test_labels = files
    splits = []
    for images, labels in ((train_images, train_labels), (test_images, test_labels)):
        splits.append(Split(arrays[images], arrays[labels]))
        if (count := len(splits[-1].images)) != (found := len(splits[-1].labels)):
            raise DataError(f"{shown(paths[labels])}: expected {count} labels, one an image, found {found}: {ANEW}")
    if all(sha256[name] == known for name, (_, known) in files.items()):
        return Digits("mnist", "MNIST", *splits, sha256)
    digest = hashlib.sha256("".join(sha256.values()).encode()).hexdigest()[:8]
    return Digits(f"idx-{digest}", f"IDX data {digest}", *splits, sha256)


def locate(directory: str | os.PathLike, name: str) -> Path | None:
    """The file of that published name in a directory: with .gz first, then without, then with a dot for the dash."""
    dotted = name.replace("-idx", ".idx")
    candidates = (Path(directory, spelling) for spelling in (f"{name}.gz", name, f"{dotted}.gz", dotted))
    return next((path for path in candidates if os.path.isfile(path)), None)


def shown(path: str | os.PathLike) -> str:
    """A path fit for a one-line message: one with line breaks or other control characters is escaped."""
    return str(path) if str(path).isprintable() else ascii(str(path))


def read_content(path: str | os.PathLike) -> tuple[np.ndarray, str]:
    """The array that `read_idx` returns, and the SHA-256 of the whole decompressed file, in hex digits.

    Raises OSError, and DataError that says what was expected and found but leaves name and remedy to the caller.
    """
    stored = os.stat(path).st_size
    if not os.path.isfile(path):  # opening a pipe would wait for ever
        raise DataError("expected a file, found a folder or device")
    with open(path, "rb") as raw:
        zipped = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        try:
            return _parse(gzip.GzipFile(fileobj=raw) if zipped else raw, stored, zipped)
        except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
            raise DataError(f"expected a whole gzip stream, found damage ({fault})") from fault


def _read(path) -> tuple[np.ndarray, str]:
    try:
        return read_content(path)
    except DataError as fault:
        raise DataError(f"{shown(path)}: {fault}: {ANEW}") from fault
    except FileNotFoundError as fault:
        raise DataError(f"{shown(path)}: expected an IDX file, found none: put it there or download it") from fault
    except OSError as fault:
        raise DataError(
            f"{shown(path)}: expected a readable file, found {fault.strerror}: mend its permissions"
        ) from fault


def _parse(stream, stored: int, zipped: bool) -> tuple[np.ndarray, str]:
    header = stream.read(4)
    magic = int.from_bytes(header, "big")
    if len(header) < 4 or magic not in KINDS:
        raise DataError(f"expected IDX magic 0x00000803 (images) or 0x00000801 (labels), found 0x{header.hex()}")
    kind, dimensions = KINDS[magic]
    header += stream.read(4 * dimensions)
    if len(header) < 4 + 4 * dimensions:
        raise DataError(f"expected {dimensions} sizes for {kind}, found the end of the file")
    shape = np.frombuffer(header[4:], ">u4").tolist()
    sizes, declared = "x".join(map(str, shape)), math.prod(shape)
    if not 0 < declared <= LIMIT:
        raise DataError(f"expected 1 to {LIMIT} bytes of {kind}, found sizes {sizes} declared")
    if zipped and declared > GZIP_RATIO * stored or not zipped and len(header) + declared != stored:
        raise DataError(f"expected {len(header) + declared} bytes for {kind} of {sizes}, found a file of {stored}")
    array = np.empty(declared, np.uint8)
    filled = 0
    while filled < declared and (more := stream.readinto(array[filled : filled + CHUNK])):
        filled += more
    if filled < declared or stream.read(1):  # reading on to the end also makes gzip compare its checksum
        raise DataError(
            f"expected {declared} bytes for {kind} of {sizes}, found {filled if filled < declared else 'more'}"
        )
    digest = hashlib.sha256(header)
    digest.update(array)
    return array.reshape(shape), digest.hexdigest()


def _check_content(path, name, array, digest, accept_unknown, files) -> None:
    size, known = files[name]
    kind, found = ("images" if "images" in name else "labels"), ("images" if array.ndim == 3 else "labels")
    owner = name if digest == known else next((other for other in files if files[other][1] == digest), None)
    if kind != found or owner not in (None, name):
        expected, found, remedy = name, owner or found, "give each file its own name back"
    elif owner is None and not accept_unknown:
        expected, found = f"{size} bytes with SHA-256 {known}", f"{array.size + 4 + 4 * array.ndim} with {digest}"
        remedy = f"{ANEW}, or pass --accept-unknown-data for other IDX data of the same shape, such as Fashion-MNIST"
    elif kind == "images" and array.shape[1:] != (28, 28):
        expected, found, remedy = "images of 28x28", f"{array.shape[1]}x{array.shape[2]}", ANEW
    elif kind == "labels" and array.max() > 9:
        expected, found, remedy = "labels 0 to 9", array.max(), ANEW
    else:
        return
    raise DataError(f"{shown(path)}: expected {expected}, found {found}: {remedy}")
