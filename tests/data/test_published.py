"""Both published formats: a file that is not exactly what its header says is refused, and says why in one line."""

import gzip
import os
import sys

import numpy as np
import pytest

from drlim_np.data import files, mnist, norb
from drlim_np.data.files import blaming, locate
from drlim_np.data.mnist import FILES, LIMIT, read_idx
from drlim_np.errors import DataError
from tests.help.peaks import peak_of_memory
from tests.help.published import CAT, DAT, INFO, TESTING, idx, matrix, norb_files, store, toys
from tests.help.refusals import refuses

SOUND = {
    "images": idx(np.arange(40).reshape(2, 4, 5)),
    "labels": idx(np.arange(7)),
    **norb_files(toys()[:3]),
}
KINDS = pytest.mark.parametrize("kind", SOUND, ids=["images", "labels", "dat", "cat", "info"])
PACKS = pytest.mark.parametrize("pack", [bytes, gzip.compress])


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
@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (lambda sound, packed: sound + b"\0", ", found more:"),
        (lambda sound, packed: gzip.compress(sound + b"\0"), ", found more:"),
        (lambda sound, packed: packed + b"surplus", "expected a whole gzip stream, found damage"),
        (lambda sound, packed: packed[:-1], "expected a whole gzip stream, found damage"),
        (lambda sound, packed: packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:], "CRC check failed"),
        *[
            (lambda sound, packed, content=content: content, f"expected the data, found {what}")
            for content, what in [
                (b"<html>", "a web page"),
                (b"\xef\xbb\xbf\n<!DOCTYPE HTML><p>Sign in", "a web page"),
                (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "a pointer of Git LFS: git lfs pull"),
            ]
        ],
    ],
)
def test_surplus_damage_to_gzip_and_common_wrong_downloads_are_refused(tmp_path, kind, damaged, message):
    refused(tmp_path / "file", kind, damaged(SOUND[kind], gzip.compress(SOUND[kind])), message)


MAGIC = "the magic number 1e3d4c5"
HEADERS = [
    # kind, content, what is said of it
    ("images", SOUND["images"][:-1], "expected 40 bytes of images, 2x4x5, found 39:"),
    ("images", SOUND["images"][:15], "expected 12 bytes of 3 sizes, found 11:"),
    ("images", b"", "expected 4 bytes of its magic number, found 0:"),
    ("images", b"<htmX>", "IDX magic 00000803 (images) or 00000801 (labels), found 3c68746d:"),
    *[
        ("images", idx(np.zeros(99), sizes), f"found sizes {'x'.join(map(str, sizes))} declared:")
        for sizes in [(0, 28, 28), (0,), (LIMIT + 1,), (2**20, 2**20, 1), (2**32 - 1,) * 3]
    ],
    ("labels", SOUND["labels"] + b"\0", "expected 7 bytes of labels, 7, found more:"),
    (DAT, SOUND[DAT][:-1], "expected 18432 bytes of row 3 of 3, found 18431:"),
    (DAT, SOUND[DAT][:23], "expected 20 bytes of 5 sizes, found 19:"),
    (CAT, SOUND[CAT][:-4], "expected 4 bytes of row 3 of 3, found 0:"),
    (CAT, b"", "expected 4 bytes of its magic number, found 0:"),
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
        (kind, matrix("byte" if kind == DAT else "integer", sizes, bytes(99)), said)
        for kind, said, wrong in [
            (DAT, "sizes Nx2x96x96 with N from 1 to 24300, found ", [(-1, 2, 96, 96), (0, 2, 96, 96)]),
            (DAT, "found 24301x2x96x96:", [(24301, 2, 96, 96)]),
            (DAT, "expected sizes Nx2x96x96 ", [(975, 1, 96, 96), (975, 2, 96, 95)]),
            (DAT, "expected 4 as the number of dimensions of a dat file, found 3:", [(975, 2, 96)]),
            (CAT, "expected sizes Nx1x1 with N from 1 to 24300", [(0,), (-975,), (24301,), (2**31 - 1,)]),
            (CAT, "expected 1 as the number of dimensions of a cat file", [(975, 1), (975, 1, 1)]),
            (INFO, "expected sizes Nx4x1 with N ", [(24301, 4), (975, 5), (975, 2**30)]),
            (INFO, "expected 2 as the number of dimensions of a info file", [(975, 4, 1), (975,)]),
        ]
        for sizes in wrong
    ],
    (CAT, SOUND[CAT][:16] + b"\2" + SOUND[CAT][17:], "with N from 1 to 24300, found 3x1x2:"),  # an unused size
    ("labels", idx(np.zeros(2**23, np.uint8), (10,)), ", found more:"),  # the last two are bombs once gzipped
    (CAT, matrix("integer", (10,), bytes(2**23)), ", found more:"),
]


BUFFERS = 2**18 if sys.version_info >= (3, 14) else 0  # gzip's own: from 3.14 on 128 KiB before and after unpacking


@pytest.mark.parametrize(("kind", "content", "message"), HEADERS, ids=map(str, range(len(HEADERS))))
@PACKS
def test_a_header_or_length_that_is_wrong_is_refused_before_anything_large_is_allocated(
    tmp_path, kind, content, message, pack
):
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


@KINDS
def test_a_file_that_may_not_be_read_is_reported(tmp_path, monkeypatch, kind):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a").touch()
    monkeypatch.setattr(files, "open", refuse, raising=False)
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a", kind)
    assert str(caught.value) == f"{tmp_path / 'a'}: cannot be read (Permission denied): check permissions and disk"


@pytest.mark.parametrize("name", ["nothing", "folder", "pipe", "nul\0byte", "two\nlines"])
def test_an_idx_file_that_is_no_file_is_reported(tmp_path, name):
    (tmp_path / "folder").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    refuses(lambda: read_idx(f"{tmp_path}/{name}"), f"/{name[:3]}", DataError)
    refuses(lambda: read_idx(f"{tmp_path}/{name}"), ": put it there or pass --download", DataError)


@pytest.mark.parametrize("name", [*FILES, DAT])
def test_a_gzipped_file_is_found_before_a_plain_one_and_a_folder_is_no_file(tmp_path, name):
    assert locate(tmp_path, name) is None
    (tmp_path / f"{name}.gz").mkdir()
    assert locate(tmp_path, name) is None
    (tmp_path / name).touch()
    assert locate(tmp_path, name) == tmp_path / name
    (tmp_path / f"{name}.gz").rmdir()
    (tmp_path / f"{name}.gz").touch()
    assert locate(tmp_path, name) == tmp_path / f"{name}.gz"


@pytest.mark.parametrize(
    ("load", "present", "missing", "remedy"),
    [
        (mnist.load, [*FILES][::3], [*FILES][1:3], "--download"),
        (norb.load, [CAT, f"{TESTING}-info.mat"], [DAT, INFO], "--download norb"),  # the other half's is not enough
    ],
)
def test_missing_files_are_named_and_those_present_are_not(tmp_path, load, present, missing, remedy):
    folder = store(tmp_path, dict.fromkeys(present, b""))
    message = f"{folder}: {', '.join(missing)} not found: put it there or pass {remedy}"
    refuses(lambda: load(folder), message, DataError)
    refuses(lambda: load(folder / "two\nlines"), "two\\nlines", DataError)


def test_no_flipped_bit_in_a_gzipped_file_changes_what_is_read(tmp_path):
    array = np.arange(20) % 10
    sound, path = gzip.compress(idx(array)), tmp_path / "labels"
    refusals = 0
    for place in range(8 * len(sound)):
        damaged = bytearray(sound)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            np.testing.assert_array_equal(read_idx(path), array)
        except DataError:
            refusals += 1
    assert refusals > 8 * (len(sound) - 10), "only flips in gzip's 10 byte header may go unnoticed"
