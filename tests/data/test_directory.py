"""The folder with the data: who names it, where a data set in it is found, and what is said if it is not."""

import os
import sys
from pathlib import Path

import pytest

from drlim_np.data import mnist, norb
from drlim_np.data.directory import data_directory, find, folder_of
from drlim_np.data.download import fetch
from drlim_np.data.mnist import MNIST
from drlim_np.errors import DataError
from tests.help.refusals import refuses

NORB, OTHER_HALF = norb.published(4), norb.published(0)
EITHER = pytest.mark.parametrize(("wanted", "other"), [(MNIST, NORB), (NORB, MNIST)], ids=["mnist", "norb"])
NAMED = pytest.mark.parametrize("named_by", ["--data", "DRLIM_DATA"])
ANYONE = pytest.mark.parametrize("named_by", ["--data", "DRLIM_DATA", None])
NO_FILE = "holds no file of MNIST or small NORB"
INSIDE = pytest.mark.parametrize("inside", [False, True], ids=["folder", "folder of its name"])
CLOSED = "{}: cannot be read (Permission denied): check permissions and disk"


def put(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def refused(directory, named_by, wanted, *messages):
    for message in messages:
        refuses(lambda: find(directory, named_by, wanted), message, DataError)


# ---- who names it ----


@pytest.mark.parametrize(
    ("flag", "variable", "path", "named_by"),
    [
        ("of/flag", "/of/variable", "of/flag", "--data"),
        (None, "/of/variable", "/of/variable", "DRLIM_DATA"),
        (None, "", "/cache/drlim_np", None),  # an empty variable counts as unset
        (None, None, "/cache/drlim_np", None),
        ("~/a", None, "/home/a", "--data"),
        (None, "~/b", "/home/b", "DRLIM_DATA"),
    ],
)
def test_the_flag_goes_before_the_variable_and_the_variable_before_the_cache(
    monkeypatch, flag, variable, path, named_by
):
    environ = {"XDG_CACHE_HOME": "/cache", "DRLIM_DATA": variable}
    monkeypatch.setattr(os, "environ", {name: value for name, value in environ.items() if value is not None})
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", "/home"))
    assert data_directory(flag) == (Path(path), named_by)


@pytest.mark.parametrize(
    ("platform", "variable", "inside_home"),
    [
        ("linux", "XDG_CACHE_HOME", ".cache"),
        ("darwin", None, "Library/Caches"),
        ("win32", "LOCALAPPDATA", "AppData/Local"),
    ],
)
def test_the_cache_is_where_the_platform_keeps_it(monkeypatch, tmp_path, platform, variable, inside_home):
    elsewhere = dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA"), str(tmp_path / "elsewhere"))
    others = {name: place for name, place in elsewhere.items() if name != variable}
    relative = {"XDG_CACHE_HOME": "", "LOCALAPPDATA": "relative"}
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(sys, "platform", platform)
    in_home = [({}, f"home/{inside_home}"), (others, f"home/{inside_home}"), (relative, f"home/{inside_home}")]
    for environ, place in [*in_home, (elsewhere, "elsewhere" if variable else f"home/{inside_home}")]:
        monkeypatch.setattr(os, "environ", environ)
        assert data_directory()[0] == tmp_path / place / "drlim_np"


def test_an_empty_flag_and_a_user_without_home_folder_are_told_what_to_name(monkeypatch):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    refuses(lambda: data_directory(""), "--data is empty: name a folder after it, or leave it out", DataError)
    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.setattr(os, "environ", {})
    remedy = "name a folder by --data or DRLIM_DATA, or pass --generated for generated images"
    refuses(data_directory, f"no home folder is known, so there is no cache folder for data: {remedy}", DataError)


# ---- where a data set is found ----


@EITHER
@ANYONE
@INSIDE
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_files_are_found_in_the_folder_or_in_that_of_the_name_of_the_data_set(
    tmp_path, wanted, other, named_by, inside, suffix
):
    folder = tmp_path / wanted.name if inside else tmp_path
    put(folder, *(name + suffix for name in wanted.files))
    assert find(tmp_path, named_by, wanted) == folder


@EITHER
def test_the_folder_with_more_of_the_files_is_the_one_taken_and_named(tmp_path, wanted, other):
    inside, first = tmp_path / wanted.name, wanted.files[0]
    assert folder_of(tmp_path, wanted) == inside
    put(tmp_path, first)
    assert folder_of(tmp_path, wanted) == tmp_path
    put(inside, first)
    assert folder_of(tmp_path, wanted) == inside
    put(tmp_path, *wanted.files[:2])
    refused(tmp_path, None, wanted, f"{tmp_path}: holds part of ")
    put(tmp_path, *wanted.files, *other.files)
    for one in (wanted, other):  # both may be in one folder
        assert find(tmp_path, "--data", one) == tmp_path


def test_the_half_of_norb_that_is_needed_is_enough_and_goes_before_the_other_half(tmp_path):
    put(tmp_path / "norb", *OTHER_HALF.files)
    assert find(put(tmp_path, *NORB.files), None, NORB) == tmp_path
    put(tmp_path / "norb", *NORB.files)
    assert find(tmp_path, None, NORB) == tmp_path / "norb"


@pytest.mark.parametrize(("wanted", "held"), [(MNIST, NORB), (MNIST, OTHER_HALF), (NORB, MNIST)])
@NAMED
@INSIDE
def test_no_error_is_a_cache_folder_without_the_data_set_or_a_named_one_that_holds_another(
    tmp_path, wanted, held, named_by, inside
):
    assert find(tmp_path, None, wanted) is find(tmp_path / "nothing", None, wanted) is None
    put(tmp_path / held.name if inside else tmp_path, *held.files)
    assert find(tmp_path, named_by, wanted) is None


# ---- what is said if it is not ----


@EITHER
@INSIDE
@pytest.mark.parametrize("closed", [".", "data", "data/NAME"])
@pytest.mark.parametrize("mode", [0, 0o600], ids=["closed", "to be listed alone"])
def test_a_folder_that_may_not_be_read_is_told_and_not_taken_for_one_without_the_files(
    owned, wanted, other, inside, closed, mode
):
    put(owned / "data" / wanted.name, *wanted.files if inside else ())
    put(owned / "data", *() if inside else wanted.files)
    folder = owned / closed.replace("NAME", wanted.name)
    folder.chmod(mode)
    refused(owned / "data", None, wanted, CLOSED.format(folder))
    folder.chmod(0o100)  # it may be entered, though not listed
    assert find(owned / "data", None, wanted)
    folder.chmod(0o700)


def test_a_closed_folder_is_told_wherever_a_file_is_looked_for(owned):
    file = put(owned / "data", *MNIST.files) / MNIST.files[0]
    (owned / "data").chmod(0)
    loads = [lambda: mnist.load(owned / "data"), lambda: mnist.read_idx(file)]
    for call in (*loads, lambda: norb.load(owned / "data"), lambda: fetch(owned / "data", MNIST)):
        refuses(call, CLOSED.format(owned / "data"), DataError)
    (owned / "data").chmod(0o700)
    file.chmod(0)
    for call in loads:
        refuses(call, CLOSED.format(file), DataError)


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_link_to_itself_is_told_and_one_to_nothing_is_no_folder(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    refused(tmp_path / "loop", "--data", MNIST, f"{tmp_path / 'loop'}: cannot be read (Too many levels")
    refused(tmp_path / "dangling", "--data", MNIST, "named by --data, is not a folder")
    message = f"cannot be read or stored ({tmp_path / 'dangling'} is a link that leads nowhere)"
    refuses(lambda: fetch(tmp_path / "dangling", MNIST), message, DataError)


@EITHER
@ANYONE
@INSIDE
def test_a_folder_with_part_of_the_files_is_an_error_that_names_the_missing(tmp_path, wanted, other, named_by, inside):
    first, *missing, last = wanted.files
    folder = put(tmp_path / wanted.name if inside else tmp_path, first, f"{last}.gz")
    put(tmp_path, *other.files)
    half = ", or choose by --airplane one of the other half of small NORB" * (wanted is NORB)
    fault = f"{folder}: holds part of {wanted.title}, but not {', '.join(missing)}: put them there, or "
    remedy = f"pass --download {wanted.name} to fetch them{half}, or pass --generated for {wanted.stand_in}"
    refused(tmp_path, named_by, wanted, fault + remedy)


@ANYONE
@INSIDE
@pytest.mark.parametrize("wanted", [NORB, OTHER_HALF], ids=["training", "testing"])
def test_the_half_of_norb_that_is_not_needed_is_only_part_and_may_be_chosen_from(tmp_path, named_by, inside, wanted):
    folder = put(tmp_path / "norb" if inside else tmp_path, *wanted.others)
    fault = f"{folder}: holds part of small NORB, but not {', '.join(wanted.files)}: "
    refused(tmp_path, named_by, wanted, fault, "or choose by --airplane one of the other half")


@EITHER
@NAMED
@pytest.mark.parametrize(
    ("name", "fault"),
    [("nothing", "does not exist"), ("file", "is not a folder"), ("empty", NO_FILE), ("strange", NO_FILE)],
)
def test_a_named_folder_without_data_is_an_error_that_says_who_named_it(tmp_path, wanted, other, named_by, name, fault):
    put(tmp_path, "file")
    put(tmp_path / "empty")
    put(tmp_path / "strange", "notes.txt")
    looked = f"looked there and in its folder {wanted.name} for {', '.join(wanted.files)}, with or without .gz: "
    message = f"{tmp_path / name}, named by {named_by}, {fault}; {looked}"
    refused(tmp_path / name, named_by, wanted, message, f"--download {wanted.name} ", "--generated")


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no line break in a name")
def test_a_line_break_in_the_name_of_a_folder_does_not_break_the_message(tmp_path):
    refused(tmp_path / "two\nlines", "--data", MNIST, "two\\nlines")
    put(tmp_path / "two\nlines", *MNIST.files[1:])
    refused(tmp_path / "two\nlines", None, MNIST, "two\\nlines")
