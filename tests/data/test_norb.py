"""One airplane of small NORB from its three files, and rows that do not fit. test_published is about each file."""

import gzip
from functools import partial

import numpy as np
import pytest

from drlim_np.data import norb
from drlim_np.errors import DataError
from tests.help.peaks import peak_of_memory
from tests.help.published import CAT, DAT, INFO, POSES, TESTING, TRAINING, hashes, left, matrix, norb_files, store, toys
from tests.help.refusals import refuses

AZIMUTHS = ", ".join(map(str, range(0, 36, 2)))
EACH = "expected each {} to be one of {}, found {}"
POSE = "expected one image of airplane 4 at azimuth {}, elevation {}, lighting {}, found {}"
HALF = "4, 6, 7, 8, 9"
ROWS = toys()
CONTENTS = norb_files(ROWS)


def refused(folder, instead, name, message, remedy, instance=4):
    """With some contents instead of the right ones, loading names the file, what is wrong and the remedy."""
    store(folder, CONTENTS | instead)
    for part in (f"{folder / name}: expected ", message, f": {remedy}"):
        refuses(lambda: norb.load(folder, instance), part, DataError)


@pytest.mark.parametrize("pack", [bytes, partial(gzip.compress, compresslevel=1)])
def test_the_airplanes_left_images_come_out_in_the_order_of_views_with_its_name_and_hashes(tmp_path, pack):
    views = norb.load(store(tmp_path, CONTENTS, pack))
    assert (views.images.dtype, views.images.shape) == (np.uint8, (972, 96, 96))
    for view, image in enumerate(views.images):
        pose = (views.elevation[view], 2 * views.azimuth[view], views.lighting[view])
        assert image.tobytes() == left(ROWS.index((2, 4, *pose)))
    assert (views.name, views.title) == ("norb-airplane4", "airplane 4 of small NORB")
    assert views.sha256 == hashes(CONTENTS)


def test_another_airplane_can_be_chosen_and_only_the_half_that_holds_it_is_needed(tmp_path):
    rows = toys(3)
    views = norb.load(store(tmp_path, norb_files(rows, TESTING, CONTENTS[DAT])), 3)
    assert (views.name, views.title) == ("norb-airplane3", "airplane 3 of small NORB")
    assert sorted(views.sha256) == [f"{TESTING}-cat.mat", f"{TESTING}-dat.mat", f"{TESTING}-info.mat"]
    assert views.images[1].tobytes() == left(rows.index((2, 3, 0, 0, 1)))


def test_each_instance_is_sought_in_the_half_that_was_published_with_it():
    for half, others, instances in ((TRAINING, TESTING, (4, 6, 7, 8, 9)), (TESTING, TRAINING, (0, 1, 2, 3, 5))):
        for instance in instances:
            wanted = norb.published(instance)
            assert wanted.files == tuple(f"{half}-{part}.mat" for part in ("dat", "cat", "info"))
            assert wanted.others == tuple(f"{others}-{part}.mat" for part in ("dat", "cat", "info"))


@pytest.mark.parametrize("instance", [-1, 10, 4.0, "4", True, None])
def test_an_instance_that_small_norb_does_not_have_is_an_input_error(tmp_path, instance):
    for call in (norb.published, lambda number: norb.load(tmp_path, number)):
        message = f"airplane is {instance!r}: it must be a whole number from 0 to 9"
        refuses(lambda call=call: call(instance), message)


def test_memory_is_bounded_by_the_airplane_and_not_by_the_file(tmp_path):
    rows = [(0, 4, 0, 0, 0)] * 2500 + [(2, 4, *pose) for pose in POSES]
    store(tmp_path, norb_files(rows, dat=b""))
    with gzip.open(tmp_path / f"{DAT}.gz", "wb", 1) as file:
        file.write(matrix("byte", (len(rows), 2, 96, 96), b""))
        for _ in rows:
            file.write(bytes(2 * 96 * 96))
    with peak_of_memory() as peak:
        views = norb.load(tmp_path)
        assert peak() < views.images.nbytes + 2**21 < len(rows) * 2 * 96 * 96 / 5


@pytest.mark.parametrize(("name", "found"), [(DAT, 18431), (CAT, 3), (INFO, 15)])
def test_a_damaged_file_is_named_by_the_three_with_what_is_wrong(tmp_path, name, found):
    refused(tmp_path, {name: CONTENTS[name][:-1]}, name, f", found {found}", norb.AGAIN)
    refused(tmp_path, {name: CONTENTS[name] + b"\0"}, name, "bytes, found more", norb.AGAIN)
    for other in CONTENTS.keys() - {name}:
        refused(tmp_path, {name: CONTENTS[other]}, name, "", norb.AGAIN)


@pytest.mark.parametrize(
    ("row", "message", "remedy"),
    [
        *(((k, 4, 0, 0, 0), EACH.format("category", "0, 1, 2, 3, 4", k), norb.AGAIN) for k in (-1, 5, 6)),
        ((0, 4, -1, 0, 0), EACH.format("elevation", "0, 1, 2, 3, 4, 5, 6, 7, 8", -1), norb.AGAIN),
        ((2, 4, 9, 0, 0), ", found 9", norb.AGAIN),
        ((2, 4, 0, 3, 0), EACH.format("azimuth", AZIMUTHS, 3), norb.AGAIN),
        ((0, 4, 0, 36, 0), ", found 36", norb.AGAIN),
        ((0, 4, 0, -2, 0), ", found -2", norb.AGAIN),
        ((2, 4, 0, 0, 6), EACH.format("lighting", "0, 1, 2, 3, 4, 5", 6), norb.AGAIN),
        ((0, 4, 0, 0, -1), ", found -1", norb.AGAIN),
        *(((3, i, 0, 0, 0), EACH.format("instance of this half", HALF, i), norb.SAME_HALF) for i in (0, 5, 10, -1)),
    ],
)
def test_a_row_out_of_range_is_refused_of_whatever_toy_it_is(tmp_path, row, message, remedy):
    # Without images: rows that are refused are refused before an image is read.
    refused(tmp_path, norb_files([*ROWS, row], dat=b""), CAT if "category" in message else INFO, message, remedy)


@pytest.mark.parametrize("pose", [(0, 0, 0), (8, 34, 5), (3, 10, 2)])
def test_a_view_that_is_missing_or_there_twice_is_refused(tmp_path, pose):
    elevation, azimuth, lighting = pose
    for rows, times in (([*ROWS, (2, 4, *pose)], 2), ([row for row in ROWS if row != (2, 4, *pose)], 0)):
        message = POSE.format(azimuth, elevation, lighting, times)
        refused(tmp_path, norb_files(rows, dat=b""), INFO, message, norb.SAME_HALF)


def test_counts_that_differ_tables_of_two_halves_or_orders_and_an_airplane_that_is_not_there_are_refused(tmp_path):
    for rows in (ROWS[:-1], [*ROWS, (0, 4, 0, 0, 0)]):
        message, other = f"expected 975 rows, as many as the cat file has, found {len(rows)}", norb_files(rows)
        refused(tmp_path, {DAT: other[DAT]}, DAT, message, norb.AGAIN)
        refused(tmp_path, {INFO: other[INFO]}, INFO, message, norb.AGAIN)
    refused(tmp_path, norb_files(toys(3), dat=b""), INFO, f"instance of this half to be one of {HALF}", norb.SAME_HALF)
    refused(tmp_path, norb_files(toys(seed=1), dat=b"") | {CAT: CONTENTS[CAT]}, INFO, POSE[:42], norb.SAME_HALF)
    refused(tmp_path, {}, INFO, "airplane 9 at azimuth 0, elevation 0, lighting 0, found 0", norb.SAME_HALF, 9)
