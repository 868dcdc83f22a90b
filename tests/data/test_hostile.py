"""Hostile files of both published formats: read as a plain reading of the format says, or refused."""

import gzip
import io
import math
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from drlim_np.data import mnist, norb
from drlim_np.data.mnist import FILES, read_idx
from drlim_np.errors import DataError
from tests.data.test_published import refused
from tests.help.published import CAT, DAT, INFO, POSES, digits, hashes, idx, left, norb_files, store, toys

ROWS = toys()
KNOWN = set(POSES)
SMALL, WHOLE, BACKWARDS = norb_files(ROWS[:3]), norb_files(ROWS), norb_files(ROWS[::-1], dat=b"")
PAIR = digits(train=2, test=2)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return store(tmp_path_factory.mktemp("hostile"), WHOLE)


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
    """The content of a file's bytes, gzipped or not; None if gzip is damaged."""
    if not file.startswith(b"\x1f\x8b"):
        return file
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(file)).read()
    except Exception:
        return None


def idx_array(content):
    """The array in the content of an IDX file by a plain reading of the format; None if it is not exactly one."""
    dimensions = {b"\0\0\x08\x03": 3, b"\0\0\x08\x01": 1}.get((content or b"")[:4])
    if dimensions is None or len(content) < 4 + 4 * dimensions:
        return None
    sizes = [int.from_bytes(content[4 + 4 * k : 8 + 4 * k], "big") for k in range(dimensions)]
    if not 0 < math.prod(sizes) == len(content) - 4 - 4 * dimensions:
        return None
    return np.array(list(content[4 + 4 * dimensions :]), np.uint8).reshape(sizes)


MATRICES = {
    DAT: (b"\x55\x4c\x3d\x1e", (2, 96, 96), 18432),
    CAT: (b"\x54\x4c\x3d\x1e", (), 4),
    INFO: (b"\x54\x4c\x3d\x1e", (4,), 16),
}


def is_matrix(content, name):
    """Whether a content is exactly one matrix of that file, by a plain reading of the format."""
    magic, row, size = MATRICES[name]
    sizes = max(3, 1 + len(row))
    if content is None or len(content) < 8 + 4 * sizes or content[:4] != magic:
        return False
    dimensions, count, *others = struct.unpack_from(f"<{1 + sizes}i", content, 4)
    if dimensions != 1 + len(row) or others != [*row, 1, 1][: sizes - 1] or not 1 <= count <= 24300:
        return False
    return len(content) == 8 + 4 * sizes + count * size


def named(load, folder, culprits, remedy):
    """Loading is refused in one line that begins with the path of one of the culprits, and has the remedy."""
    with pytest.raises(DataError) as caught:
        load()
    message = str(caught.value)
    assert message.startswith(tuple(f"{folder / culprit}: " for culprit in culprits)) and message.isprintable()
    assert remedy in message


@settings(deadline=None)
@given(file=mutated(idx_files()))
def test_a_hostile_idx_file_is_read_as_its_header_says_or_refused(scratch, file):
    expected = idx_array(plain(file))
    if expected is None:
        refused(scratch / "file", "images", file)
    else:
        (scratch / "file").write_bytes(file)
        np.testing.assert_array_equal(read_idx(scratch / "file"), expected, strict=True)


@settings(deadline=None)
@given(name=st.sampled_from([DAT, CAT, INFO]), file=mutated(st.sampled_from([*SMALL.values()])))
def test_a_hostile_matrix_is_complete_by_a_plain_reading_of_the_format_or_refused(scratch, name, file):
    if is_matrix(plain(file), name):
        (scratch / "file").write_bytes(file)
        assert norb.verify(scratch / "file", name) == "complete"
    else:
        refused(scratch / "file", name, file)


@settings(deadline=None)
@given(name=st.sampled_from(list(FILES)), file=mutated(idx_files()), accept_unknown=st.booleans())
def test_a_hostile_file_among_four_is_the_one_that_is_named(scratch, name, file, accept_unknown):
    store(scratch, PAIR | {name: file})
    shape = (28, 28) if "images" in name else ()
    array = idx_array(plain(file))
    if accept_unknown and array is not None and array.shape == (2, *shape) and (shape or array.max() < 10):
        assert mnist.load(scratch, True, hashes(PAIR)).name.startswith("idx-")
    else:
        culprits = name, name.replace("images-idx3", "labels-idx1")  # for counts that differ, the labels are named
        named(lambda: mnist.load(scratch, accept_unknown, hashes(PAIR)), scratch, culprits, "--download")


def views_in(cat, info):
    """pose -> row of airplane 4, by a plain reading of the format; None where the two files break a rule."""
    if not is_matrix(cat, CAT) or not is_matrix(info, INFO):
        return None
    if len(cat) != len(WHOLE[CAT]) or len(info) != len(WHOLE[INFO]):
        return None
    tables = struct.iter_unpack("<i", cat[20:]), struct.iter_unpack("<4i", info[20:])
    rows = [(*category, *facts) for category, facts in zip(*tables, strict=True)]
    for category, instance, *pose in rows:
        if category not in range(5) or instance not in (4, 6, 7, 8, 9) or tuple(pose) not in KNOWN:
            return None
    mine = {tuple(pose): row for row, (category, instance, *pose) in enumerate(rows) if (category, instance) == (2, 4)}
    return mine if len(mine) == 972 == sum(row[:2] == (2, 4) for row in rows) else None


@settings(deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@given(cat=mutated(st.just(WHOLE[CAT])), info=mutated(st.just(WHOLE[INFO])))
@example(cat=WHOLE[CAT], info=WHOLE[INFO])
@example(cat=BACKWARDS[CAT], info=BACKWARDS[INFO])
def test_two_hostile_tables_are_read_as_they_are_or_refused(scratch, cat, info):
    store(scratch, {CAT: cat, INFO: info})
    expected = views_in(plain(cat), plain(info))
    if expected is None:
        named(lambda: norb.load(scratch), scratch, (CAT, INFO), "--download norb")
    else:
        images = norb.load(scratch).images
        assert [image.tobytes() for image in images] == [left(expected[pose]) for pose in POSES]
