"""MNIST from its four files: what they become, and which four are refused. test_published is about each file."""

import gzip
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from drlim_np.data import mnist
from drlim_np.data.files import folder_of, locate
from drlim_np.data.mnist import AGAIN, FILES, MNIST, load, read_idx
from drlim_np.errors import DataError
from tests.help.published import digits, hashes, idx, store
from tests.help.refusals import refuses

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES
SOUND = digits()
KNOWN = hashes(SOUND)


@pytest.fixture
def known(monkeypatch):
    """These four files are MNIST's."""
    monkeypatch.setattr(mnist, "FILES", KNOWN)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_four_files_become_two_splits_and_their_hashes(tmp_path, known, pack):
    found = load(store(tmp_path, SOUND, pack))
    assert (found.name, found.title, found.sha256) == ("mnist", "MNIST", KNOWN)
    arrays = found.train.images, found.train.labels, found.test.images, found.test.labels
    for array, content, shape in zip(arrays, SOUND.values(), ((5, 28, 28), (5,), (3, 28, 28), (3,)), strict=True):
        assert (array.dtype, array.shape) == (np.uint8, shape)
        assert content.endswith(array.tobytes())
        assert not array.flags.writeable
    assert found.train.truth == found.test.truth == {}


def test_the_last_dimension_runs_fastest_and_sizes_are_big_endian(tmp_path):
    array = np.arange(2 * 3 * 259).reshape(2, 3, 259) % 251
    header = b"\0\0\x08\x03" + b"\0\0\0\x02\0\0\0\x03\0\0\x01\x03"
    (tmp_path / "file").write_bytes(header + bytes(array.ravel().tolist()))
    np.testing.assert_array_equal(read_idx(tmp_path / "file"), array)


FLIPPED = SOUND[TEST_IMAGES][:100] + bytes([SOUND[TEST_IMAGES][100] ^ 16]) + SOUND[TEST_IMAGES][101:]
HASH = f"expected SHA-256 {KNOWN[TEST_IMAGES]}, found {hashlib.sha256(FLIPPED).hexdigest()}"
OTHERWISE = ", or pass --accept-unknown-data for other IDX data of the same shape, such as Fashion-MNIST"
FOUR, TEN, SQUARES = idx(np.arange(4)), idx(np.array([0, 9, 10, 3, 4])), idx(np.zeros((5, 28, 28)))
SWAPPED = {TRAIN_IMAGES: SOUND[TEST_IMAGES], TEST_IMAGES: SOUND[TRAIN_IMAGES]}


@pytest.mark.parametrize(
    ("instead", "accept", "name", "message", "otherwise"),
    [
        ({TEST_IMAGES: FLIPPED}, False, TEST_IMAGES, HASH, OTHERWISE),
        ({TEST_IMAGES: idx(np.zeros((3, 28, 29)))}, False, TEST_IMAGES, "found (3, 28, 29)", ""),
        ({TRAIN_LABELS: SQUARES}, True, TRAIN_LABELS, "expected shape ('samples',), found (5, 28, 28)", ""),
        ({TEST_LABELS: FOUR}, True, TEST_LABELS, "expected 3 labels, one an image, found 4", ""),
        ({TRAIN_LABELS: TEN}, True, TRAIN_LABELS, "expected labels 0 to 9, found 10", ""),
        (SWAPPED, True, TRAIN_LABELS, "expected 3 labels, one an image, found 5", ""),
    ],
)
def test_four_files_that_do_not_fit_are_refused_with_the_culprit_and_the_remedy(
    tmp_path, known, instead, accept, name, message, otherwise
):
    store(tmp_path, SOUND | instead)
    for part in (f"{tmp_path / name}: expected ", f"{message}: {AGAIN}{otherwise}"):
        refuses(lambda: load(tmp_path, True) if accept else load(tmp_path), part, DataError)


def test_accepted_unknown_data_are_named_after_their_hashes_even_if_one_file_of_the_four_is_unknown(tmp_path, known):
    for contents in (digits(1), digits(2), SOUND | {TRAIN_LABELS: idx(np.zeros(5))}):
        found = load(store(tmp_path, contents), True)
        digest = hashlib.sha256("".join(hashes(contents).values()).encode()).hexdigest()[:8]
        assert (found.name, found.title) == (f"idx-{digest}", f"IDX data {digest}")
        assert found.sha256 == hashes(contents)
    assert load(store(tmp_path, SOUND), True).name == "mnist"


def test_the_published_files_are_mnist():
    folder = folder_of(Path(os.environ.get("DRLIM_DATA", "")), MNIST)
    if not os.environ.get("DRLIM_DATA") or not all(locate(folder, name) for name in FILES):
        pytest.skip("DRLIM_DATA names no folder with the published files")
    digits = load(folder)
    assert digits.name == "mnist"
    assert (digits.train.images.shape, digits.test.images.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert np.bincount(digits.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
