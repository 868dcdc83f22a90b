import gzip
import hashlib
import io
import os
import random
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from drlim_np.data import files, norb
from drlim_np.errors import DataError, InputError

TRAINING = "smallnorb-5x46789x9x18x6x2x96x96-training"
TESTING = "smallnorb-5x01235x9x18x6x2x96x96-testing"
DAT, CAT, INFO = (f"{TRAINING}-{part}.mat" for part in ("dat", "cat", "info"))
PACKS = pytest.mark.parametrize("pack", [bytes, gzip.compress])
POSES = [(elevation, azimuth, light) for azimuth in range(0, 36, 2) for elevation in range(9) for light in range(6)]
PATTERN = bytes(pixel % 251 for pixel in range(251 + 9212))


# ---- the published format, written byte for byte ----


def matrix(element, sizes, content):
    """A file of the published matrix format: at least three sizes are stored, the unused ones 1."""
    magic = {"byte": b"\x55\x4c\x3d\x1e", "integer": b"\x54\x4c\x3d\x1e"}[element]
    stored = (*sizes, 1, 1)[: max(3, len(sizes))]
    return magic + struct.pack(f"<i{len(stored)}i", len(sizes), *stored) + content


def left(row):
    """An image, (96 * 96) bytes, unlike that of any other row, unlike itself if turned or mirrored."""
    return struct.pack("<I", row) + PATTERN[row % 251 :][:9212]


def right(row):
    return left(row)[::-1]


def dat_file(rows):
    return matrix("byte", (len(rows), 2, 96, 96), b"".join(PAIRS[row] for row in range(len(rows))))


def cat_file(rows):
    return matrix("integer", (len(rows),), b"".join(struct.pack("<i", category) for category, *_ in rows))


def info_file(rows):
    return matrix("integer", (len(rows), 4), b"".join(struct.pack("<4i", *facts) for _, *facts in rows))


def toys(instance=4, seed=0):
    """Rows (category, instance, elevation, azimuth, lighting): all views of one airplane, among them other toys."""
    rows = [(2, instance, *pose) for pose in POSES]
    rows += [(0, instance, 0, 0, 0), (4, instance, 8, 34, 5), (2, {4: 6, 7: 8, 3: 5}[instance], 0, 0, 0)]
    random.Random(seed).shuffle(rows)
    return rows


PAIRS = [left(row) + right(row) for row in range(980)]
ROWS = toys()
CONTENTS = {DAT: dat_file(ROWS), CAT: cat_file(ROWS), INFO: info_file(ROWS)}


def store(folder, instead=(), suffix=""):
    """The three files of `ROWS`, some with another content."""
    for name, content in (CONTENTS | dict(instead)).items():
        (folder / (name + suffix)).write_bytes(gzip.compress(content, 1) if suffix else content)
    return folder


def complaint(call, *arguments, kind=DataError):
    """The message of the error that a call must raise."""
    with pytest.raises(kind) as caught:
        call(*arguments)
    assert str(caught.value).isprintable(), "more than one line"
    return str(caught.value)


def complaint_about(name, folder, content, remedy="delete it and pass --download norb"):
    """What is said of one of the files, with this content, beside two that are as they should be."""
    message = complaint(norb.load, store(folder, {name: content}))
    assert message.startswith(f"{folder / name}: expected ")
    assert message.endswith(f": {remedy}")
    return message


def complaint_about_rows(folder, rows, name=INFO):
    """What is said of rows that contradict each other or the format."""
    instead = {DAT: b"", CAT: cat_file(rows), INFO: info_file(rows)}
    message = complaint(norb.load, store(folder, instead))
    assert message.startswith(f"{folder / name}: expected ")
    assert "--download norb" in message
    return message


# ---- what is read ----


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_airplanes_left_images_come_out_in_the_order_of_views(tmp_path, suffix):
    views = norb.load(store(tmp_path, suffix=suffix))
    assert (views.images.dtype, views.images.shape) == (np.uint8, (972, 96, 96))
    for view, image in enumerate(views.images):
        pose = (views.elevation[view], 2 * views.azimuth[view], views.lighting[view])
        assert image.tobytes() == left(ROWS.index((2, 4, *pose)))


def test_the_airplane_is_named_and_the_content_of_each_file_read_is_hashed(tmp_path):
    for suffix in ("", ".gz"):
        views = norb.load(store(tmp_path, suffix=suffix))
        assert (views.name, views.title) == ("norb-airplane4", "airplane 4 of small NORB")
        assert views.sha256 == {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}


@pytest.mark.parametrize(("instance", "half"), [(7, TRAINING), (3, TESTING)])
def test_another_airplane_can_be_chosen_and_only_the_half_that_holds_it_is_needed(tmp_path, instance, half):
    rows = toys(instance)
    for part, content in (("dat", CONTENTS[DAT]), ("cat", cat_file(rows)), ("info", info_file(rows))):
        (tmp_path / f"{half}-{part}.mat").write_bytes(content)
    views = norb.load(tmp_path, instance)
    assert (views.name, views.title) == (f"norb-airplane{instance}", f"airplane {instance} of small NORB")
    assert sorted(views.sha256) == [f"{half}-cat.mat", f"{half}-dat.mat", f"{half}-info.mat"]
    assert views.images[1].tobytes() == left(rows.index((2, instance, 0, 0, 1)))


def test_each_instance_is_sought_in_the_half_that_was_published_with_it():
    for half, others, instances in ((TRAINING, TESTING, (4, 6, 7, 8, 9)), (TESTING, TRAINING, (0, 1, 2, 3, 5))):
        for instance in instances:
            wanted = norb.published(instance)
            assert wanted.files == tuple(f"{half}-{part}.mat" for part in ("dat", "cat", "info"))
            assert wanted.others == tuple(f"{others}-{part}.mat" for part in ("dat", "cat", "info"))


@pytest.mark.parametrize("instance", [-1, 10, 4.0, "4", True, None])
def test_an_instance_that_small_norb_does_not_have_is_an_input_error(tmp_path, instance):
    for call in (norb.published, lambda number: norb.load(store(tmp_path), number)):
        message = complaint(call, instance, kind=InputError)
        assert f"airplane is {instance!r}: it must be a whole number from 0 to 9" in message


def test_memory_is_bounded_by_the_airplane_and_not_by_the_file(tmp_path):
    rows = [(0, 4, 0, 0, 0)] * 2500 + [(2, 4, *pose) for pose in POSES]
    store(tmp_path, {DAT: b"", CAT: cat_file(rows), INFO: info_file(rows)})
    (tmp_path / DAT).unlink()
    with gzip.open(tmp_path / f"{DAT}.gz", "wb", 1) as file:
        file.write(matrix("byte", (len(rows), 2, 96, 96), b""))
        for _ in rows:
            file.write(bytes(2 * 96 * 96))
    tracemalloc.start()
    try:
        views = norb.load(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < views.images.nbytes + 2**21 < len(rows) * 2 * 96 * 96 / 5
    finally:
        tracemalloc.stop()


# ---- files that are not what they should be ----


def test_missing_files_are_named_and_those_present_are_not(tmp_path):
    store(tmp_path)
    (tmp_path / DAT).unlink()
    (tmp_path / INFO).unlink()
    message = complaint(norb.load, tmp_path)
    assert message == f"{tmp_path}: {DAT}, {INFO} not found: put it there or pass --download norb"


def test_files_of_the_other_half_do_not_take_the_place_of_a_missing_one(tmp_path):
    (store(tmp_path) / INFO).rename(tmp_path / f"{TESTING}-info.mat")
    assert complaint(norb.load, tmp_path).startswith(f"{tmp_path}: {INFO} not found: ")


@pytest.mark.parametrize("name", [DAT, CAT, INFO])
@PACKS
def test_a_file_cut_short_is_reported(tmp_path, name, pack):
    whole = pack(CONTENTS[name])
    for length in (0, 1, 3, 4, 7, 11, 19, 23, len(whole) // 2, len(whole) - 1):
        complaint_about(name, tmp_path, whole[:length])


def test_a_file_cut_short_is_reported_with_what_it_should_hold(tmp_path):
    size = 975 * 18432
    assert f"expected 975 rows of 18432 bytes, found {size - 1} bytes:" in complaint_about(
        DAT, tmp_path, CONTENTS[DAT][:-1]
    )
    assert "expected 975 rows of 4 bytes, found 3896 bytes:" in complaint_about(CAT, tmp_path, CONTENTS[CAT][:-4])
    assert "expected a header with 3 sizes, found the end of the file:" in complaint_about(
        INFO, tmp_path, CONTENTS[INFO][:19]
    )
    assert "expected a header with 4 sizes" in complaint_about(DAT, tmp_path, CONTENTS[DAT][:23])
    assert "found no bytes:" in complaint_about(CAT, tmp_path, b"")


@pytest.mark.parametrize("name", [DAT, CAT, INFO])
@PACKS
def test_surplus_bytes_are_reported(tmp_path, name, pack):
    assert "bytes, found more:" in complaint_about(name, tmp_path, pack(CONTENTS[name] + b"\0"))


@pytest.mark.parametrize("name", [DAT, CAT, INFO])
def test_damage_to_gzip_is_reported(tmp_path, name):
    whole = bytearray(gzip.compress(CONTENTS[name], 1))
    assert "expected a whole gzip stream, found damage" in complaint_about(name, tmp_path, whole + b"surplus")
    whole[-8] ^= 1
    assert "CRC check failed" in complaint_about(name, tmp_path, whole)


@pytest.mark.parametrize(
    ("name", "magic", "part"), [(DAT, "1e3d4c55", "dat"), (CAT, "1e3d4c54", "cat"), (INFO, "1e3d4c54", "info")]
)
def test_a_wrong_magic_number_is_reported_with_the_right_one(tmp_path, name, magic, part):
    single = b"\x51" + CONTENTS[name][1:]
    assert f"the magic number {magic} of a {part} file, found 1e3d4c51:" in complaint_about(name, tmp_path, single)
    big_endian = CONTENTS[name][3::-1] + CONTENTS[name][4:]
    assert f", found {magic[6:]}4c3d1e:" in complaint_about(name, tmp_path, big_endian)
    assert ", found 6d74683c:" in complaint_about(name, tmp_path, b"<htm, no page")


@pytest.mark.parametrize("name", [DAT, CAT, INFO])
def test_each_file_under_the_name_of_another_is_reported(tmp_path, name):
    for other in CONTENTS.keys() - {name}:
        complaint_about(name, tmp_path, CONTENTS[other])


SIZES = {
    DAT: [(-1, 2, 96, 96), (0, 2, 96, 96), (24301, 2, 96, 96), (975, 1, 96, 96), (975, 2, 96, 95), (975, 2, 96)],
    CAT: [(0,), (-975,), (24301,), (2**31 - 1,), (975, 1), (975, 1, 1)],
    INFO: [(24301, 4), (975, 5), (975, 4, 1), (975,), (975, 2**30)],
}


@pytest.mark.parametrize(("name", "sizes"), [(name, sizes) for name in SIZES for sizes in SIZES[name]])
def test_a_header_of_other_or_of_too_many_sizes_is_refused_before_anything_is_allocated(tmp_path, name, sizes):
    wrong = matrix("byte" if name == DAT else "integer", sizes, CONTENTS[name][24 if name == DAT else 20 :])
    message = complaint_about(name, tmp_path, wrong)
    assert "expected sizes Nx" in message or "as the number of dimensions of a " in message
    tracemalloc.start()
    try:
        complaint(norb.verify, tmp_path / name, name)
        assert tracemalloc.get_traced_memory()[1] < 2**18
    finally:
        tracemalloc.stop()


def test_a_size_that_the_format_leaves_unused_must_be_one(tmp_path):
    wrong = bytearray(CONTENTS[CAT])
    wrong[16] = 2
    expected = "expected sizes Nx1x1 with N from 1 to 24300, found 975x1x2:"
    assert expected in complaint_about(CAT, tmp_path, wrong)


def test_as_many_rows_as_are_published_are_read(tmp_path):
    (tmp_path / CAT).write_bytes(matrix("integer", (24300,), bytes(4 * 24300)))
    assert norb.verify(tmp_path / CAT, CAT) == "complete"


def test_a_gzip_bomb_is_not_inflated(tmp_path):
    bomb = gzip.compress(matrix("integer", (10,), bytes(2**25)), 1)
    tracemalloc.start()
    try:
        assert "expected 10 rows of 4 bytes, found more:" in complaint_about(CAT, tmp_path, bomb)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", [DAT, CAT, INFO])
def test_a_file_that_may_not_be_read_is_reported(tmp_path, monkeypatch, name):
    def refuse(path, mode):
        if os.path.basename(path) == name:
            raise PermissionError(13, "Permission denied")
        return open(path, mode)

    monkeypatch.setattr(files, "open", refuse, raising=False)
    message = complaint(norb.load, store(tmp_path))
    assert message == f"{tmp_path / name}: cannot be read (Permission denied): check permissions and disk"


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no line break in a name")
def test_a_line_break_in_a_path_does_not_break_the_message(tmp_path):
    (tmp_path / "two\nlines").mkdir()
    assert "two\\nlines" in complaint(norb.load, tmp_path / "two\nlines")
    assert "two\\nlines" in complaint(norb.load, store(tmp_path / "two\nlines", {CAT: b""}))


# ---- rows that do not fit ----


@pytest.mark.parametrize("category", [-1, 5, 6])
def test_a_category_that_small_norb_does_not_have_is_reported(tmp_path, category):
    message = complaint_about_rows(tmp_path, [*ROWS, (category, 4, 0, 0, 0)], name=CAT)
    assert f"expected each category to be one of 0, 1, 2, 3, 4, found {category}: delete it" in message


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((4, -1, 0, 0), "expected each elevation to be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, found -1"),
        ((4, 9, 0, 0), ", found 9"),
        ((4, 0, 3, 0), f"expected each azimuth to be one of {', '.join(map(str, range(0, 36, 2)))}, found 3"),
        ((4, 0, 36, 0), ", found 36"),
        ((4, 0, -2, 0), ", found -2"),
        ((4, 0, 0, 6), "expected each lighting to be one of 0, 1, 2, 3, 4, 5, found 6"),
        ((4, 0, 0, -1), ", found -1"),
    ],
)
@pytest.mark.parametrize("category", [0, 2])
def test_a_value_out_of_range_is_reported_whatever_toy_it_belongs_to(tmp_path, facts, said, category):
    assert f"{said}: delete it" in complaint_about_rows(tmp_path, [*ROWS, (category, *facts)])


@pytest.mark.parametrize("instance", [0, 5, 10, -1])
def test_an_instance_of_the_other_half_is_reported(tmp_path, instance):
    message = complaint_about_rows(tmp_path, [*ROWS, (3, instance, 0, 0, 0)])
    assert f"expected each instance of this half to be one of 4, 6, 7, 8, 9, found {instance}: " in message
    assert "take cat and info from the same half, or delete both" in message


def test_the_info_of_the_testing_half_under_the_name_of_the_training_half_is_reported(tmp_path):
    message = complaint_about(INFO, tmp_path, info_file(toys(3)), remedy=norb.SAME_HALF)
    assert "expected each instance of this half to be one of 4, 6, 7, 8, 9, found " in message


def test_the_info_of_the_training_half_under_the_name_of_the_testing_half_is_reported(tmp_path):
    for part, content in (("dat", b""), ("cat", CONTENTS[CAT]), ("info", CONTENTS[INFO])):
        (tmp_path / f"{TESTING}-{part}.mat").write_bytes(content)
    message = complaint(norb.load, tmp_path, 3)
    assert message.startswith(f"{tmp_path / TESTING}-info.mat: expected each instance of this half to be one of 0, 1, ")


def test_a_cat_file_in_another_order_is_reported(tmp_path):
    message = complaint(norb.load, store(tmp_path, {CAT: cat_file(toys(seed=1))}))
    assert message.startswith(f"{tmp_path / INFO}: expected one image of airplane 4 at azimuth ")
    assert message.endswith(norb.SAME_HALF)


@pytest.mark.parametrize("more", [-1, 1])
def test_counts_that_differ_are_reported(tmp_path, more):
    rows = [*ROWS, (0, 4, 0, 0, 0)] if more > 0 else ROWS[:-1]
    count = len(rows)
    for name, content, remedy in ((DAT, dat_file(rows), norb.ANEW), (INFO, info_file(rows), norb.SAME_HALF)):
        message = complaint_about(name, tmp_path, content, remedy)
        assert f"expected 975 rows, as many as the cat file has, found {count}: " in message


def test_an_airplane_that_the_file_does_not_hold_is_reported_with_those_that_it_does(tmp_path):
    message = complaint(norb.load, store(tmp_path), 9)
    assert message == f"{tmp_path / INFO}: expected airplane 9, found these airplanes: 4, 6: {norb.SAME_HALF}"
    assert "found these airplanes: none: " in complaint_about_rows(tmp_path, [(1, 4, *pose) for pose in POSES])


@pytest.mark.parametrize("pose", [(0, 0, 0), (8, 34, 5), (3, 10, 2)])
def test_a_view_there_twice_or_missing_is_reported_with_its_pose(tmp_path, pose):
    elevation, azimuth, lighting = pose
    said = f"expected one image of airplane 4 at azimuth {azimuth}, elevation {elevation}, lighting {lighting}, found "
    assert f"{said}2: " in complaint_about_rows(tmp_path, [*ROWS, (2, 4, *pose)])
    assert f"{said}0: " in complaint_about_rows(tmp_path, [row for row in ROWS if row != (2, 4, *pose)])


# ---- hostile files ----


@st.composite
def mutated(draw, contents):
    """A file with bytes changed, cut out and put in, before it is gzipped and after; or mere bytes."""
    content = draw(st.sampled_from(contents))
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08", content[:4], content[:8]])) + draw(st.binary())
    for pack in (draw(st.sampled_from([bytes, gzip.compress])), bytes):
        for _ in range(draw(st.integers(0, 2))):
            start = draw(st.integers(0, min(30, len(content))) | st.integers(0, len(content)))
            end = draw(st.sampled_from([start, start + 1, start + 4, len(content)]))
            content = content[:start] + draw(st.binary(max_size=4)) + content[end:]
        content = pack(content)
    return content


def plain(file):
    """The content of a file's bytes, gzipped or not; None where gzip is damaged."""
    if not file.startswith(b"\x1f\x8b"):
        return file
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(file)).read()
    except Exception:
        return None


def is_matrix(content, magic, row, size):
    """Whether a content is exactly one matrix, by a plain reading of the format."""
    sizes = max(3, 1 + len(row))
    if content is None or len(content) < 8 + 4 * sizes or content[:4] != magic:
        return False
    dimensions, count, *others = struct.unpack_from(f"<{1 + sizes}i", content, 4)
    if dimensions != 1 + len(row) or others != [*row, 1, 1][: sizes - 1] or not 1 <= count <= 24300:
        return False
    return len(content) == 8 + 4 * sizes + count * size


def table(content, width):
    """The integers of a matrix, a tuple a row."""
    return list(struct.iter_unpack(f"<{width}i", content[20:]))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return store(tmp_path_factory.mktemp("hostile"))


KINDS = {
    DAT: (b"\x55\x4c\x3d\x1e", (2, 96, 96), 18432),
    CAT: (b"\x54\x4c\x3d\x1e", (), 4),
    INFO: (b"\x54\x4c\x3d\x1e", (4,), 16),
}
KNOWN_POSES = set(POSES)
SMALL = [dat_file(ROWS[:2]), cat_file(ROWS[:5]), info_file(ROWS[:3])]


@settings(deadline=None)
@given(name=st.sampled_from(list(KINDS)), file=mutated(SMALL))
def test_a_hostile_file_is_complete_by_a_plain_reading_of_the_format_or_refused(scratch, name, file):
    path = scratch / "file"
    path.write_bytes(file)
    if is_matrix(plain(file), *KINDS[name]):
        assert norb.verify(path, name) == "complete"
    else:
        assert complaint(norb.verify, path, name).startswith("expected ")


def views_in(cat, info):
    """pose -> row of airplane 4, by a plain reading of the format; None where the two files break a rule."""
    if not is_matrix(cat, *KINDS[CAT]) or not is_matrix(info, *KINDS[INFO]):
        return None
    rows = [(*category, *facts) for category, facts in zip(table(cat, 1), table(info, 4), strict=False)]
    if len(rows) != len(ROWS) or len(cat) != len(CONTENTS[CAT]) or len(info) != len(CONTENTS[INFO]):
        return None
    for category, instance, *pose in rows:
        if category not in range(5) or instance not in (4, 6, 7, 8, 9) or tuple(pose) not in KNOWN_POSES:
            return None
    mine = {tuple(pose): row for row, (category, instance, *pose) in enumerate(rows) if (category, instance) == (2, 4)}
    return mine if len(mine) == 972 == sum(row[:2] == (2, 4) for row in rows) else None


@settings(deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(cat=mutated([CONTENTS[CAT]]), info=mutated([CONTENTS[INFO]]))
@example(cat=CONTENTS[CAT], info=CONTENTS[INFO])
@example(cat=cat_file(ROWS[::-1]), info=info_file(ROWS[::-1]))
def test_two_hostile_tables_are_read_as_they_stand_or_refused(scratch, cat, info):
    (scratch / CAT).write_bytes(cat)
    (scratch / INFO).write_bytes(info)
    expected = views_in(plain(cat), plain(info))
    if expected is None:
        message = complaint(norb.load, scratch)
        assert message.startswith((str(scratch / CAT), str(scratch / INFO)))
        assert "--download norb" in message
    else:
        images = norb.load(scratch).images
        assert [image.tobytes() for image in images] == [left(expected[pose]) for pose in POSES]
