"""The folder with the data: who names it, where a data set in it is found, and what is said if it is not."""

import os
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from drlim_np.data import mnist, norb
from drlim_np.data.files import data_directory, fetch, find, folder_of
from drlim_np.data.mnist import MNIST
from drlim_np.errors import DataError
from tests.help.refusals import refuses

NORB, OTHER_HALF = norb.published(4), norb.published(0)
ANYONE = pytest.mark.parametrize("named_by", ["--data", "DRLIM_DATA", None])
NO_FILE = "holds no file of MNIST or small NORB"
CLOSED = "{}: cannot be read (Permission denied): check permissions and disk"
CACHE, OTHER = os.path.abspath("cache"), os.path.abspath("other")


def put(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def found(directory, named_by, wanted):
    return find(directory, named_by, wanted.name, {"mnist": MNIST, "norb": NORB, wanted.name: wanted})


def refused(directory, named_by, wanted, *messages):
    for message in messages:
        refuses(lambda: found(directory, named_by, wanted), message, DataError)


@pytest.mark.parametrize(
    ("platform", "flag", "environ", "path", "named_by"),
    [
        ("linux", "of/flag", {"DRLIM_DATA": "/variable", "XDG_CACHE_HOME": CACHE}, "of/flag", "--data"),
        ("linux", None, {"DRLIM_DATA": "/variable", "XDG_CACHE_HOME": CACHE}, "/variable", "DRLIM_DATA"),
        ("linux", "~/a", {}, "/home/a", "--data"),
        ("linux", None, {"DRLIM_DATA": "~/b"}, "/home/b", "DRLIM_DATA"),
        ("linux", None, {"DRLIM_DATA": "", "XDG_CACHE_HOME": CACHE}, f"{CACHE}/drlim_np", None),  # empty is unset
        ("linux", None, {"XDG_CACHE_HOME": CACHE, "LOCALAPPDATA": OTHER}, f"{CACHE}/drlim_np", None),
        ("linux", None, {"XDG_CACHE_HOME": "relative"}, "/home/.cache/drlim_np", None),
        ("linux", None, {"XDG_CACHE_HOME": "", "LOCALAPPDATA": OTHER}, "/home/.cache/drlim_np", None),
        ("darwin", None, {"XDG_CACHE_HOME": OTHER}, "/home/Library/Caches/drlim_np", None),
        ("win32", None, {"XDG_CACHE_HOME": OTHER, "LOCALAPPDATA": CACHE}, f"{CACHE}/drlim_np", None),
        ("win32", None, {"XDG_CACHE_HOME": OTHER}, "/home/AppData/Local/drlim_np", None),
    ],
)
def test_the_flag_goes_before_the_variable_and_that_before_the_cache(
    monkeypatch, platform, flag, environ, path, named_by
):
    monkeypatch.setattr(os, "environ", environ)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", "/home"))
    monkeypatch.setattr(Path, "home", lambda: Path("/home"))
    assert data_directory(flag) == (Path(path), named_by)


def test_an_empty_flag_and_a_user_without_home_folder_are_told_what_to_name(monkeypatch):
    refuses(lambda: data_directory(""), "--data is empty: name a folder after it, or leave it out", DataError)
    monkeypatch.setattr(Path, "home", Mock(side_effect=RuntimeError("Could not determine home directory.")))
    monkeypatch.setattr(os, "environ", {})
    remedy = "name a folder by --data or DRLIM_DATA, or pass --generated for generated images"
    refuses(data_directory, f"no home folder is known, so there is no cache folder for data: {remedy}", DataError)


@ANYONE
@pytest.mark.parametrize(
    ("wanted", "held", "folder"),
    [
        (MNIST, {".": MNIST.files}, "."),
        (MNIST, {"mnist": [f"{name}.gz" for name in MNIST.files]}, "mnist"),
        (MNIST, {".": MNIST.files, "mnist": MNIST.files[:2]}, "."),  # that with more of them
        (MNIST, {".": MNIST.files[:2], "mnist": MNIST.files}, "mnist"),
        (MNIST, {".": MNIST.files, "mnist": MNIST.files}, "mnist"),
        (MNIST, {".": MNIST.files + NORB.files}, "."),  # both may be in one folder
        (NORB, {".": MNIST.files + NORB.files}, "."),
        (NORB, {"norb": NORB.files}, "norb"),
        (NORB, {"norb": OTHER_HALF.files, ".": NORB.files}, "."),  # the half that is needed
        (NORB, {"norb": OTHER_HALF.files + NORB.files}, "norb"),
        (MNIST, {".": NORB.files}, None),  # no error, as the folder holds another data set
        (MNIST, {"norb": OTHER_HALF.files}, None),
        (NORB, {"mnist": MNIST.files}, None),
    ],
)
def test_files_are_found_in_the_folder_or_in_that_of_the_data_sets_name(tmp_path, named_by, wanted, held, folder):
    for place, names in held.items():
        put(tmp_path / place, *names)
    assert found(tmp_path, named_by, wanted) == (folder and tmp_path / folder)


def test_without_files_a_data_set_belongs_into_the_folder_of_its_name_and_the_cache_may_be_empty(tmp_path):
    assert folder_of(tmp_path, MNIST) == tmp_path / "mnist"
    assert found(tmp_path, None, MNIST) is found(tmp_path / "nothing", None, NORB) is None


@ANYONE
@pytest.mark.parametrize(
    ("wanted", "held", "place", "missing"),
    [
        (MNIST, [MNIST.files[0], f"{MNIST.files[3]}.gz", *NORB.files], ".", MNIST.files[1:3]),
        (MNIST, MNIST.files[1:], "mnist", MNIST.files[:1]),
        (NORB, NORB.files[:2], ".", NORB.files[2:]),
        (NORB, NORB.files[1:] + NORB.others, "norb", NORB.files[:1]),
        (NORB, NORB.others, ".", NORB.files),  # the other half is only part
        (OTHER_HALF, OTHER_HALF.others, "norb", OTHER_HALF.files),
    ],
)
def test_a_folder_with_part_of_the_files_is_told_which_are_missing(tmp_path, named_by, wanted, held, place, missing):
    folder = put(tmp_path / place, *held)
    half = ", or choose by --airplane one of the other half of small NORB" * (wanted is not MNIST)
    fault = f"{folder}: holds part of {wanted.title}, but not {', '.join(missing)}: put them there, or "
    remedy = f"pass --download {wanted.name} to fetch them{half}, or pass --generated for {wanted.stand_in}"
    refused(tmp_path, named_by, wanted, fault + remedy)


@pytest.mark.parametrize("inside", [".", "mnist"])
@pytest.mark.parametrize("closed", [".", "data", "data/mnist"])
@pytest.mark.parametrize("mode", [0, 0o600], ids=["closed", "to be listed alone"])
def test_a_folder_that_may_not_be_read_is_told_and_not_taken_for_one_without_the_files(owned, inside, closed, mode):
    put(owned / "data" / "mnist")
    put(owned / "data" / inside, *MNIST.files)
    (owned / closed).chmod(mode)
    refused(owned / "data", None, MNIST, CLOSED.format(owned / closed))
    (owned / closed).chmod(0o100)  # it may be entered, though not listed
    assert found(owned / "data", None, MNIST)
    (owned / closed).chmod(0o700)


def test_a_closed_folder_is_told_wherever_a_file_is_looked_for(owned):
    file = put(owned / "data", *MNIST.files) / MNIST.files[0]
    (owned / "data").chmod(0)
    for call in (mnist.load, norb.load, lambda folder: fetch(folder, MNIST)):
        refuses(lambda call=call: call(owned / "data"), CLOSED.format(owned / "data"), DataError)
    (owned / "data").chmod(0o700)
    file.chmod(0)
    for call in (lambda: mnist.load(owned / "data"), lambda: mnist.read_idx(file)):
        refuses(call, CLOSED.format(file), DataError)


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_link_to_itself_is_told_and_one_to_nothing_is_no_folder(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    refused(tmp_path / "loop", "--data", MNIST, f"{tmp_path / 'loop'}: cannot be read (Too many levels")
    refused(tmp_path / "dangling", "--data", MNIST, "named by --data, is not a folder")
    message = f"cannot be read or stored ({tmp_path / 'dangling'} is a link that leads nowhere)"
    refuses(lambda: fetch(tmp_path / "dangling", MNIST), message, DataError)


@pytest.mark.parametrize(("wanted", "named_by"), [(MNIST, "--data"), (NORB, "DRLIM_DATA")])
@pytest.mark.parametrize(("name", "fault"), [("no", "does not exist"), ("a", "is not a folder"), ("strange", NO_FILE)])
def test_a_named_folder_without_data_is_an_error_that_says_who_named_it(tmp_path, wanted, named_by, name, fault):
    put(tmp_path, "a")
    put(tmp_path / "strange", "notes.txt")
    looked = f"looked there and in its folder {wanted.name} for {', '.join(wanted.files)}, with or without .gz: "
    message = f"{tmp_path / name}, named by {named_by}, {fault}; {looked}"
    refused(tmp_path / name, named_by, wanted, message, f"--download {wanted.name} ", "--generated")


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no line break in a name")
def test_a_line_break_in_the_name_of_a_folder_does_not_break_the_message(tmp_path):
    refused(tmp_path / "two\nlines", "--data", MNIST, "two\\nlines")
    put(tmp_path / "two\nlines", *MNIST.files[1:])
    refused(tmp_path / "two\nlines", None, MNIST, "two\\nlines")
