import gzip
import hashlib
import io
import math
import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drlim_np.data import files, mnist
from drlim_np.data.directory import folder_of
from drlim_np.data.files import locate
from drlim_np.data.mnist import FILES, LIMIT, MNIST, load, read_idx
from drlim_np.errors import DataError

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES


def idx(array, sizes=None):
    """The bytes of an IDX file, with other sizes in its header if asked for."""
    sizes = array.shape if sizes is None else sizes
    return bytes([0, 0, 8, len(sizes)]) + np.array(sizes, ">u4").tobytes() + array.astype(np.uint8).tobytes()


def digits(seed=0, train=5, test=3):
    """The contents of four small files: name -> bytes."""
    rng = np.random.default_rng(seed)
    sizes = zip(FILES, ((train, 28, 28), (train,), (test, 28, 28), (test,)), strict=True)
    return {name: idx(rng.integers(0, 10 if "labels" in name else 256, size)) for name, size in sizes}


def hashes(contents):
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def store(folder, contents, suffix=""):
    for name, content in contents.items():
        (folder / (name + suffix)).write_bytes(gzip.compress(content) if suffix else content)
    return folder


def complaint(call, *arguments, **options):
    """The message of the DataError that a call must raise."""
    with pytest.raises(DataError) as caught:
        call(*arguments, **options)
    assert str(caught.value).isprintable(), "more than one line"
    return str(caught.value)


def complaint_about(path, content):
    path.write_bytes(content)
    message = complaint(read_idx, path)
    assert message.startswith(f"{path}: expected ")
    assert message.endswith(": delete it and pass --download")
    return message


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_four_files_become_two_splits_and_their_hashes(tmp_path, suffix):
    contents = digits()
    found = load(store(tmp_path, contents, suffix), files=hashes(contents))
    assert (found.name, found.title, found.sha256) == ("mnist", "MNIST", hashes(contents))
    arrays = found.train.images, found.train.labels, found.test.images, found.test.labels
    for array, content, shape in zip(arrays, contents.values(), ((5, 28, 28), (5,), (3, 28, 28), (3,)), strict=True):
        assert (array.dtype, array.shape) == (np.uint8, shape)
        assert content.endswith(array.tobytes())
        assert not array.flags.writeable
    assert found.train.truth == found.test.truth == {}


def test_the_last_dimension_runs_fastest_and_sizes_are_big_endian(tmp_path):
    array = np.arange(2 * 3 * 259).reshape(2, 3, 259) % 251
    (tmp_path / "file").write_bytes(
        b"\0\0\x08\x03" + b"\0\0\0\x02\0\0\0\x03\0\0\x01\x03" + bytes(array.ravel().tolist())
    )
    np.testing.assert_array_equal(read_idx(tmp_path / "file"), array)


def test_a_gzipped_file_is_found_before_a_plain_one_and_a_dash_before_a_dot(tmp_path):
    dotted = TEST_IMAGES.replace("-idx3", ".idx3")
    for spelling in (dotted, f"{dotted}.gz", TEST_IMAGES, f"{TEST_IMAGES}.gz"):
        (tmp_path / spelling).touch()
        assert locate(tmp_path, TEST_IMAGES) == tmp_path / spelling


def test_a_missing_file_is_not_found_and_a_folder_of_its_name_is_no_file(tmp_path):
    assert locate(tmp_path, TEST_LABELS) is None
    (tmp_path / f"{TEST_LABELS}.gz").mkdir()
    assert locate(tmp_path, TEST_LABELS) is None
    (tmp_path / TEST_LABELS).touch()
    assert locate(tmp_path, TEST_LABELS) == tmp_path / TEST_LABELS


def test_a_flipped_bit_is_reported_with_the_file_and_both_hashes(tmp_path):
    contents = digits()
    files = hashes(contents)
    content = bytearray(contents[TEST_IMAGES])
    content[100] ^= 16
    store(tmp_path, contents | {TEST_IMAGES: content})
    message = complaint(load, tmp_path, files=files)
    found = hashlib.sha256(content).hexdigest()
    assert message.startswith(f"{tmp_path / TEST_IMAGES}: expected SHA-256 {files[TEST_IMAGES]}, found {found}: ")
    assert "delete it and pass --download" in message
    assert "pass --accept-unknown-data" in message


def test_no_flipped_bit_in_a_gzipped_file_changes_what_is_read(tmp_path):
    array = np.arange(60) % 10
    sound, path = gzip.compress(idx(array)), tmp_path / "labels"
    refused = 0
    for place in range(8 * len(sound)):
        damaged = bytearray(sound)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            np.testing.assert_array_equal(read_idx(path), array)
        except DataError:
            refused += 1
    assert refused > 8 * (len(sound) - 10), "only flips in gzip's 10 byte header may go unnoticed"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_cut_short_anywhere_is_reported(tmp_path, pack):
    whole = pack(idx(np.arange(20).reshape(1, 4, 5)))
    for length in range(len(whole)):
        complaint_about(tmp_path / "images", whole[:length])


def test_a_file_cut_short_is_reported_with_what_it_should_hold(tmp_path):
    content = idx(np.zeros((2, 28, 28)))
    assert "expected 1568 bytes for images of 2x28x28, found 1567:" in complaint_about(tmp_path / "a", content[:-1])
    assert "expected 3 sizes for images, found the end of the file:" in complaint_about(tmp_path / "a", content[:15])
    assert "found no bytes:" in complaint_about(tmp_path / "a", b"")
    assert "expected a whole gzip" in complaint_about(tmp_path / "a", gzip.compress(content)[:-1])


def test_surplus_bytes_are_reported(tmp_path):
    content = idx(np.zeros(7))
    assert "expected 7 bytes for labels of 7, found more:" in complaint_about(tmp_path / "a", content + b"\0")
    assert "expected 7 bytes for labels of 7, found more:" in complaint_about(
        tmp_path / "a", gzip.compress(content + b"\0")
    )
    assert "expected a whole gzip" in complaint_about(tmp_path / "a", gzip.compress(content) + b"surplus")


def test_a_wrong_gzip_checksum_is_reported(tmp_path):
    content = bytearray(gzip.compress(idx(np.zeros(7))))
    content[-8] ^= 1
    assert "CRC check failed" in complaint_about(tmp_path / "a", content)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<html>", "3c68746d, as a web page begins"),
        (b"\r\n<!DOCTYPE html>", "0d0a3c21, as a web page begins"),
        (b"version https://git-lfs.github.com/spec/v1\n", "76657273, as a Git LFS pointer begins"),
        (b"PK34", "504b3334"),
    ],
)
def test_a_page_or_a_pointer_in_place_of_a_file_is_told_with_its_first_bytes(tmp_path, content, found):
    expected = f"IDX magic 00000803 (images) or 00000801 (labels), found {found}:"
    assert expected in complaint_about(tmp_path / "a", content)


@pytest.mark.parametrize("sizes", [(0, 28, 28), (0,), (LIMIT + 1,), (2**20, 2**20, 1), (2**32 - 1,) * 3])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_header_that_declares_nothing_or_too_much_is_refused(tmp_path, sizes, pack):
    message = complaint_about(tmp_path / "a", pack(idx(np.zeros(99), sizes)))
    assert f"found sizes {'x'.join(map(str, sizes))} declared:" in message


def test_a_file_of_just_the_limit_is_read(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(idx(np.zeros(100)))
    monkeypatch.setattr(mnist, "LIMIT", 100)
    assert len(read_idx(tmp_path / "a")) == 100


def test_a_gzip_bomb_is_not_inflated(tmp_path):
    bomb = gzip.compress(idx(np.zeros(2**25, np.uint8), (10,)), compresslevel=1)
    tracemalloc.start()
    try:
        assert "expected 10 bytes for labels of 10, found more:" in complaint_about(tmp_path / "a", bomb)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_missing_files_are_named_and_those_present_are_not(tmp_path):
    contents = digits()
    del contents[TRAIN_LABELS], contents[TEST_IMAGES]
    message = complaint(load, store(tmp_path, contents))
    assert message == (f"{tmp_path}: {TRAIN_LABELS}, {TEST_IMAGES} not found: put it there or pass --download")


@pytest.mark.parametrize("name", ["nothing", "folder", "pipe", "nul\0byte"])
def test_what_is_no_file_is_reported(tmp_path, name):
    (tmp_path / "folder").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    message = complaint(read_idx, f"{tmp_path}/{name}")
    assert name[:3] in message
    assert "expected an IDX file, found none: put it there or pass --download" in message


def test_a_file_that_may_not_be_read_is_reported(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a").touch()
    monkeypatch.setattr(files, "open", refuse, raising=False)
    message = complaint(read_idx, tmp_path / "a")
    assert message == f"{tmp_path / 'a'}: cannot be read (Permission denied): check permissions and disk"


def test_a_line_break_in_a_path_does_not_break_the_message(tmp_path):
    assert "two\\nlines" in complaint(read_idx, tmp_path / "two\nlines")
    assert "two\\nlines" in complaint(load, tmp_path / "two\nlines")


@pytest.mark.parametrize(("one", "other"), [(TRAIN_IMAGES, TEST_IMAGES), (TRAIN_LABELS, TRAIN_IMAGES)])
@pytest.mark.parametrize("accept_unknown", [False, True])
def test_swapped_files_are_reported_by_name(tmp_path, one, other, accept_unknown):
    contents = digits()
    swapped = contents | {one: contents[other], other: contents[one]}
    message = complaint(load, store(tmp_path, swapped), accept_unknown, hashes(contents))
    first, second = (name for name in FILES if name in (one, other))
    assert message == f"{tmp_path / first}: expected {first}, found {second}: give each file its own name back"


def test_unknown_images_under_the_name_of_labels_are_reported(tmp_path):
    contents = digits()
    contents |= {TRAIN_LABELS: contents[TRAIN_IMAGES]}
    message = complaint(load, store(tmp_path, contents), accept_unknown=True)
    assert message.startswith(f"{tmp_path / TRAIN_LABELS}: expected shape ('samples',), found (5, 28, 28): ")
    assert "give it its own name back, or delete it and pass --download" in message


@pytest.mark.parametrize("accept_unknown", [False, True])
def test_images_of_another_size_are_refused_even_if_unknown_data_are_accepted(tmp_path, accept_unknown):
    contents = digits() | {TEST_IMAGES: idx(np.zeros((3, 28, 29)))}
    message = complaint(load, store(tmp_path, contents), accept_unknown, hashes(digits()))
    assert message.startswith(f"{tmp_path / TEST_IMAGES}: expected shape ('samples', 28, 28), found (3, 28, 29): ")
    assert "--download" in message


@pytest.mark.parametrize("known", [False, True])
def test_image_and_label_counts_that_differ_are_reported(tmp_path, known):
    contents = digits() | {TEST_LABELS: idx(np.arange(4))}
    message = complaint(load, store(tmp_path, contents), True, hashes(contents) if known else FILES)
    expected = "expected 3 labels, one an image, found 4: delete it and pass --download"
    assert message == f"{tmp_path / TEST_LABELS}: {expected}"


def test_accepted_unknown_data_are_named_after_their_hashes(tmp_path):
    names = set()
    for seed in range(2):
        contents = digits(seed)
        found = load(store(tmp_path, contents), accept_unknown=True)
        digest = hashlib.sha256("".join(hashes(contents).values()).encode()).hexdigest()[:8]
        assert (found.name, found.title) == (f"idx-{digest}", f"IDX data {digest}")
        assert found.sha256 == hashes(contents)
        names.add(found.name)
    assert len(names) == 2


def test_one_unknown_file_among_four_takes_the_name_of_mnist_away(tmp_path):
    contents = digits()
    mixed = contents | {TRAIN_LABELS: idx(np.zeros(5))}
    assert load(store(tmp_path, mixed), True, hashes(contents)).name.startswith("idx-")
    assert load(store(tmp_path, contents), True, hashes(contents)).name == "mnist"


def test_a_label_above_nine_is_refused_even_if_unknown_data_are_accepted(tmp_path):
    contents = digits() | {TRAIN_LABELS: idx(np.array([0, 9, 10, 3, 4]))}
    message = complaint(load, store(tmp_path, contents), accept_unknown=True)
    expected = "expected labels 0 to 9, found 10: delete it and pass --download"
    assert message == f"{tmp_path / TRAIN_LABELS}: {expected}"


def test_the_published_files_are_mnist():
    folder = folder_of(os.environ.get("DRLIM_DATA", ""), MNIST)
    if not os.environ.get("DRLIM_DATA") or not all(locate(folder, name) for name in FILES):
        pytest.skip("DRLIM_DATA names no folder with the published files")
    digits = load(folder)
    assert digits.name == "mnist"
    assert (digits.train.images.shape, digits.test.images.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert np.bincount(digits.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@st.composite
def hostile_files(draw):
    """A small IDX file, gzipped or plain, with header and bytes changed, cut out and put in; or mere bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08", b"\0\0\x08\x03"])) + draw(st.binary())
    sizes = draw(st.sampled_from([(3, 4, 5), (60,), (2, 28, 28), (1,), (1, 1, 1)]))
    content = idx(np.arange(math.prod(sizes)) % 256, sizes)
    if draw(st.booleans()):
        declared = draw(st.lists(st.integers(0, 9) | st.integers(0, 2**32 - 1), min_size=len(sizes), max_size=3))
        content = idx(np.arange(math.prod(sizes)) % 256, declared or (0,))
    passes = [draw(st.integers(0, 2)), draw(st.integers(0, 2))]
    for changes, pack in zip(passes, (draw(st.sampled_from([bytes, gzip.compress])), bytes), strict=True):
        for _ in range(changes):
            start = draw(st.integers(0, len(content)))
            end = draw(st.sampled_from([start, start + 1, start + 4, len(content)]))
            content = content[:start] + draw(st.binary(max_size=4)) + content[end:]
        content = pack(content)
    return content


def content_of(file):
    """The array in a file's bytes by a plain reading of the format; None where they do not form exactly one."""
    if file.startswith(b"\x1f\x8b"):
        try:
            file = gzip.GzipFile(fileobj=io.BytesIO(file)).read()
        except Exception:
            return None
    dimensions = {b"\0\0\x08\x03": 3, b"\0\0\x08\x01": 1}.get(file[:4])
    if dimensions is None or len(file) < 4 + 4 * dimensions:
        return None
    sizes = [int.from_bytes(file[4 + 4 * k : 8 + 4 * k], "big") for k in range(dimensions)]
    if not 0 < math.prod(sizes) == len(file) - 4 - 4 * dimensions:
        return None
    return np.array(list(file[4 + 4 * dimensions :]), np.uint8).reshape(sizes)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


@settings(deadline=None)
@given(file=hostile_files())
def test_a_hostile_file_is_read_as_its_header_says_or_refused(scratch, file):
    expected = content_of(file)
    if expected is None:
        complaint_about(scratch / "file", file)
    else:
        (scratch / "file").write_bytes(file)
        np.testing.assert_array_equal(read_idx(scratch / "file"), expected, strict=True)


@settings(deadline=None)
@given(name=st.sampled_from(list(FILES)), file=hostile_files(), accept_unknown=st.booleans())
def test_a_hostile_file_among_four_is_the_one_that_is_named(scratch, name, file, accept_unknown):
    contents = digits(train=2, test=2)
    folder = store(scratch, contents)
    (folder / name).write_bytes(file)
    shape = (28, 28) if "images" in name else ()
    array = content_of(file)
    if accept_unknown and array is not None and array.shape == (2, *shape) and (shape or array.max() < 10):
        assert load(folder, True, hashes(contents)).name.startswith("idx-")
    else:
        message = complaint(load, folder, accept_unknown, hashes(contents))
        assert str(folder / name) in message or str(folder / name.replace("images-idx3", "labels-idx1")) in message
        assert "--download" in message
