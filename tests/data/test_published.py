"""Both published formats: a file that is not exactly as its header says is refused; what MNIST's four files become."""

import gzip
import hashlib
import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drlim_np.data import mnist, norb
from drlim_np.data.files import blaming, folder_of, locate
from drlim_np.data.mnist import AGAIN, FILES, LIMIT, MNIST, load, read_idx
from drlim_np.errors import DataError
from tests.help.peaks import peak_of_memory
from tests.help.published import CAT, DAT, INFO, TESTING, digits, hashes, idx, matrix, norb_files, store, toys
from tests.help.refusals import refuses

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES
FOUR = digits()
KNOWN = hashes(FOUR)
FLIPPED = FOUR[TEST_IMAGES][:100] + bytes([FOUR[TEST_IMAGES][100] ^ 16]) + FOUR[TEST_IMAGES][101:]
HASH = f"expected SHA-256 {KNOWN[TEST_IMAGES]}, found {hashlib.sha256(FLIPPED).hexdigest()}"
OTHERWISE = ", or pass --accept-unknown-data for other IDX data of the same shape, such as Fashion-MNIST"
OTHERS, TEN, SQUARES = idx(np.arange(4)), idx(np.array([0, 9, 10, 3, 4])), idx(np.zeros((5, 28, 28)))
SWAPPED = {TRAIN_IMAGES: FOUR[TEST_IMAGES], TEST_IMAGES: FOUR[TRAIN_IMAGES]}
MATRICES = {DAT: ("byte", (2, 96, 96), 24, 18432), CAT: ("integer", (), 20, 4), INFO: ("integer", (4,), 20, 16)}
SMALL = norb_files(toys()[:3])
SOUND = {"images": idx(np.arange(40).reshape(2, 4, 5)), "labels": idx(np.arange(7)), **SMALL}
KINDS = pytest.mark.parametrize("kind", SOUND, ids=["images", "labels", "dat", "cat", "info"])
PACKS = pytest.mark.parametrize("pack", [bytes, gzip.compress])


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("published") / "file"


def read(path, kind):
    """Reads a file of that kind as `load` does."""
    if kind in ("images", "labels"):
        return read_idx(path)
    with blaming(path, norb.AGAIN):
        return norb.verify(path, kind)


def refused(path, kind, content, message="expected "):
    """The file is refused in one line with its path, what was expected, what was found, and the remedy."""
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(path, kind)
    said = str(caught.value)
    assert said.startswith(f"{path}: expected ") and said.isprintable() and message in said
    assert said.endswith(": delete it and pass --download" + " norb" * kind.endswith(".mat"))


@KINDS
@PACKS
def test_a_whole_file_is_read_and_one_cut_short_anywhere_is_refused(tmp_path, kind, pack):
    whole = pack(SOUND[kind])
    (tmp_path / "file").write_bytes(whole)
    read(tmp_path / "file", kind)
    for length in {*range(min(len(whole), 150)), len(whole) // 2, len(whole) - 1}:
        refused(tmp_path / "file", kind, whole[:length])


@KINDS
def test_surplus_damage_to_gzip_and_common_wrong_downloads_are_refused(tmp_path, kind):
    sound, packed = SOUND[kind], gzip.compress(SOUND[kind])
    for content, message in [
        (sound + b"\0", ", found more:"),
        (gzip.compress(sound + b"\0"), ", found more:"),
        (packed + b"surplus", "expected a whole gzip stream, found damage"),
        (packed[:-1], "expected a whole gzip stream, found damage"),
        (packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:], "CRC check failed"),
        (b"<html>", "expected the data, found a web page"),
        (b"\xef\xbb\xbf\n<!DOCTYPE HTML><p>Sign in", "expected the data, found a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "found a pointer of Git LFS: git lfs pull"),
    ]:
        refused(tmp_path / "file", kind, content, message)


BUFFERS = 2**18 if sys.version_info >= (3, 14) else 0  # gzip's own: from 3.14 on 128 KiB before and after unpacking
MAGIC = "the magic number 1e3d4c5"
HEADERS = [  # kind, content, what is said of it
    ("images", SOUND["images"][:-1], "expected 40 bytes of images, 2x4x5, found 39:"),
    ("images", SOUND["images"][:15], "expected 12 bytes of 3 sizes, found 11:"),
    ("images", b"", "expected 4 bytes of its magic number, found 0:"),
    ("images", b"<htmX>", "IDX magic 00000803 (images) or 00000801 (labels), found 3c68746d:"),
    *[
        ("images", idx(np.zeros(99), sizes), f"found sizes {'x'.join(map(str, sizes))} declared:")
        for sizes in [(0, 28, 28), (0,), (LIMIT + 1,), (2**20, 2**20, 1), (2**32 - 1,) * 3]
    ],
    (DAT, SOUND[DAT][:-1], "expected 18432 bytes of row 3 of 3, found 18431:"),
    (INFO, SOUND[INFO][:19], "expected 16 bytes of 4 sizes, found 15:"),
    *[
        (kind, content, f"{MAGIC}{magic} of a {part} file, found {found}:")
        for kind, magic, part in [(DAT, 5, "dat"), (CAT, 4, "cat"), (INFO, 4, "info")]
        for content, found in [
            (b"\x51" + SOUND[kind][1:], "1e3d4c51"),
            (SOUND[kind][3::-1] + SOUND[kind][4:], f"5{magic}4c3d1e"),  # big-endian
            (b"<htm, no page", "6d74683c"),
        ]
    ],
    *[
        (kind, matrix(element, sizes, bytes(99)), f"{said} with N from 1 to 24300, found {len(sizes)} and {sizes[0]}x")
        for kind, element, said, wrong in [
            (DAT, "byte", "4 dimensions and sizes Nx2x96x96", [(N, 2, 96, 96) for N in (-1, 0, 24301)]),
            (DAT, "byte", "4 dimensions and sizes Nx2x96x96", [(9, 1, 96, 96), (9, 2, 96, 95), (9, 2, 96)]),
            (CAT, "integer", "1 dimensions and sizes Nx1x1", [(0,), (-1,), (24301,), (9, 1), (9, 1, 1)]),
            (INFO, "integer", "2 dimensions and sizes Nx4x1", [(24301, 4), (9, 5), (9, 2**30), (9, 4, 1), (9,)]),
        ]
        for sizes in wrong
    ],
    (CAT, SOUND[CAT][:16] + b"\2" + SOUND[CAT][17:], "with N from 1 to 24300, found 1 and 3x1x2:"),  # an unused size
    ("labels", idx(np.zeros(2**23, np.uint8), (10,)), ", found more:"),  # the last two are bombs once gzipped
    (CAT, matrix("integer", (10,), bytes(2**23)), ", found more:"),
]


@pytest.mark.parametrize(("kind", "content", "message"), HEADERS, ids=map(str, range(len(HEADERS))))
@PACKS
def test_a_wrong_header_or_length_is_refused_before_anything_large_is_allocated(tmp_path, kind, content, message, pack):
    content = pack(content)
    with peak_of_memory() as peak:
        refused(tmp_path / "file", kind, content, message)
        assert peak() < 2**18 + BUFFERS


def test_a_file_of_just_the_limit_is_read(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(idx(np.zeros(100)))
    monkeypatch.setattr(mnist, "LIMIT", 100)
    assert len(read_idx(tmp_path / "a")) == 100
    (tmp_path / CAT).write_bytes(matrix("integer", (24300,), bytes(4 * 24300)))
    assert norb.verify(tmp_path / CAT, CAT) == "complete"


def test_an_idx_file_that_is_no_file_is_reported(tmp_path):
    (tmp_path / "folder").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    for name in ("nothing", "folder", "pipe", "nul\0byte", "two\nlines"):
        for message in (f"/{name[:3]}", ": put it there or pass --download"):
            refuses(lambda name=name: read_idx(f"{tmp_path}/{name}"), message, DataError)


def test_a_gzipped_file_is_found_before_a_plain_one_and_a_folder_is_no_file(tmp_path):
    (tmp_path / f"{DAT}.gz").mkdir()
    assert locate(tmp_path, DAT) is None
    (tmp_path / DAT).touch()
    assert locate(tmp_path, DAT) == tmp_path / DAT
    (tmp_path / f"{DAT}.gz").rmdir()
    (tmp_path / f"{DAT}.gz").touch()
    assert locate(tmp_path, DAT) == tmp_path / f"{DAT}.gz"


def test_missing_files_are_named_and_those_present_are_not(tmp_path):
    folder = store(tmp_path, dict.fromkeys([*FILES][::3] + [CAT, f"{TESTING}-info.mat"], b""))  # of the other half
    for read, missing, of in ((load, [*FILES][1:3], ""), (norb.load, [DAT, INFO], " norb")):
        message = f"{folder}: {', '.join(missing)} not found: put it there or pass --download{of}"
        refuses(lambda read=read: read(folder), message, DataError)
        refuses(lambda read=read: read(folder / "two\nlines"), "two\\nlines", DataError)


@pytest.fixture
def known(monkeypatch):
    """These four files are MNIST's."""
    monkeypatch.setattr(mnist, "FILES", KNOWN)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_four_files_become_two_splits_and_their_hashes(tmp_path, known, pack):
    found = load(store(tmp_path, FOUR, pack))
    assert (found.name, found.title, found.sha256) == ("mnist", "MNIST", KNOWN)
    arrays = found.train.images, found.train.labels, found.test.images, found.test.labels
    for array, content, shape in zip(arrays, FOUR.values(), ((5, 28, 28), (5,), (3, 28, 28), (3,)), strict=True):
        assert (array.dtype, array.shape, array.flags.writeable) == (np.uint8, shape, False)
        assert content.endswith(array.tobytes())
    assert found.train.truth == found.test.truth == {}


def test_the_last_dimension_runs_fastest_and_sizes_are_big_endian(tmp_path):
    array = np.arange(2 * 3 * 259).reshape(2, 3, 259) % 251
    header = b"\0\0\x08\x03" + b"\0\0\0\x02\0\0\0\x03\0\0\x01\x03"
    (tmp_path / "file").write_bytes(header + bytes(array.ravel().tolist()))
    np.testing.assert_array_equal(read_idx(tmp_path / "file"), array)


@pytest.mark.parametrize(
    ("instead", "accept", "name", "message", "otherwise"),
    [
        ({TEST_IMAGES: FLIPPED}, False, TEST_IMAGES, HASH, OTHERWISE),
        ({TEST_IMAGES: idx(np.zeros((3, 28, 29)))}, False, TEST_IMAGES, "found (3, 28, 29)", ""),
        ({TRAIN_LABELS: SQUARES}, True, TRAIN_LABELS, "expected shape ('samples',), found (5, 28, 28)", ""),
        ({TEST_LABELS: OTHERS}, True, TEST_LABELS, "expected 3 labels, one an image, found 4", ""),
        ({TRAIN_LABELS: TEN}, True, TRAIN_LABELS, "expected labels 0 to 9, found 10", ""),
        (SWAPPED, True, TRAIN_LABELS, "expected 3 labels, one an image, found 5", ""),
    ],
)
def test_four_files_that_do_not_fit_are_refused(tmp_path, known, instead, accept, name, message, otherwise):
    store(tmp_path, FOUR | instead)
    for part in (f"{tmp_path / name}: expected ", f"{message}: {AGAIN}{otherwise}"):
        refuses(lambda: load(tmp_path, True) if accept else load(tmp_path), part, DataError)


def test_accepted_unknown_data_are_named_after_their_hashes_even_if_one_file_of_the_four_is_unknown(tmp_path, known):
    for contents in (digits(1), digits(2), FOUR | {TRAIN_LABELS: idx(np.zeros(5))}):
        found = load(store(tmp_path, contents), True)
        digest = hashlib.sha256("".join(hashes(contents).values()).encode()).hexdigest()[:8]
        assert (found.name, found.title) == (f"idx-{digest}", f"IDX data {digest}")
        assert found.sha256 == hashes(contents)
    assert load(store(tmp_path, FOUR), True).name == "mnist"


def test_the_published_files_are_mnist():
    folder = folder_of(Path(os.environ.get("DRLIM_DATA", "")), MNIST)
    if not os.environ.get("DRLIM_DATA") or not all(locate(folder, name) for name in FILES):
        pytest.skip("DRLIM_DATA names no folder with the published files")
    digits = load(folder)
    assert digits.name == "mnist"
    assert (digits.train.images.shape, digits.test.images.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert np.bincount(digits.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@st.composite
def mutated(draw, contents):
    """A file with bytes changed, cut out and put in, before it is gzipped and after; or mere bytes."""
    content = draw(contents)
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08", content[:4], content[:8]])) + draw(st.binary())
    for pack in (draw(st.sampled_from([bytes, gzip.compress])), bytes):
        for _ in range(draw(st.integers(0, 2))):
            start = draw(st.integers(0, min(30, len(content))) | st.integers(0, len(content)))
            end = draw(st.sampled_from([start, start + 1, start + 4, len(content)]))
            content = content[:start] + draw(st.binary(max_size=4)) + content[end:]
        content = pack(content)
    return content


@st.composite
def idx_files(draw):
    """An IDX file; its header declares its own sizes or others."""
    sizes = draw(st.sampled_from([(3, 4, 5), (60,), (2, 28, 28), (1,), (1, 1, 1)]))
    declared = draw(st.lists(st.integers(0, 9) | st.integers(0, 2**32 - 1), min_size=len(sizes), max_size=3))
    return idx(np.arange(math.prod(sizes)) % 256, draw(st.sampled_from([sizes, declared or (0,)])))


def plain(file):
    return gzip.decompress(file) if file.startswith(b"\x1f\x8b") else file


@given(file=mutated(idx_files()))
def test_a_hostile_idx_file_holds_what_is_read_and_nothing_else_or_is_refused(scratch, file):
    scratch.write_bytes(file)
    try:
        array = read_idx(scratch)
    except DataError:
        refused(scratch, "images", file)
        return
    assert plain(file) == idx(array) and array.size > 0


@given(name=st.sampled_from([DAT, CAT, INFO]), file=mutated(st.sampled_from([*SMALL.values()])))
def test_a_hostile_matrix_is_complete_if_it_is_rows_with_the_header_of_that_many_or_refused(scratch, name, file):
    scratch.write_bytes(file)
    element, row, start, size = MATRICES[name]
    try:
        norb.verify(scratch, name)
    except DataError:
        refused(scratch, name, file)
    else:
        rows, left_over = divmod(len(plain(file)) - start, size)
        assert plain(file) == matrix(element, (rows, *row), plain(file)[start:]) and rows > left_over == 0
