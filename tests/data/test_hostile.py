"""Hostile files of both published formats: read as a plain reading of the format says, or refused."""

import gzip
import io
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drlim_np.data import norb
from drlim_np.data.mnist import read_idx
from tests.data.test_published import refused
from tests.help.published import CAT, DAT, INFO, idx, norb_files, toys

SMALL = norb_files(toys()[:3])


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile") / "file"


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


@given(file=mutated(idx_files()))
def test_a_hostile_idx_file_is_read_as_its_header_says_or_refused(scratch, file):
    expected = idx_array(plain(file))
    if expected is None:
        refused(scratch, "images", file)
    else:
        (scratch).write_bytes(file)
        np.testing.assert_array_equal(read_idx(scratch), expected, strict=True)


@given(name=st.sampled_from([DAT, CAT, INFO]), file=mutated(st.sampled_from([*SMALL.values()])))
def test_a_hostile_matrix_is_complete_by_a_plain_reading_of_the_format_or_refused(scratch, name, file):
    if is_matrix(plain(file), name):
        (scratch).write_bytes(file)
        assert norb.verify(scratch, name) == "complete"
    else:
        refused(scratch, name, file)
