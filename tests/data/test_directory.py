import os
from pathlib import Path

import pytest

from drlim_np.data import norb
from drlim_np.data.directory import DataDirectory, data_directory, find, folder_of
from drlim_np.data.mnist import FILES, MNIST
from drlim_np.errors import DataError

NORB, OTHER_HALF = norb.published(4), norb.published(0)
EITHER = pytest.mark.parametrize(("wanted", "other"), [(MNIST, NORB), (NORB, MNIST)], ids=["mnist", "norb"])
NAMED = pytest.mark.parametrize("named_by", ["--data", "DRLIM_DATA"])
ANYONE = pytest.mark.parametrize("named_by", ["--data", "DRLIM_DATA", None])


def put(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def complaint(call, *arguments):
    """The message of the DataError that a call must raise."""
    with pytest.raises(DataError) as caught:
        call(*arguments)
    assert str(caught.value).isprintable(), "more than one line"
    return str(caught.value)


def test_the_flag_goes_before_the_variable_and_the_variable_before_the_cache(tmp_path):
    environ = {"DRLIM_DATA": "/of/variable", "XDG_CACHE_HOME": str(tmp_path)}
    assert data_directory("of/flag", environ, "linux") == DataDirectory(Path("of/flag"), "--data")
    assert data_directory(None, environ, "linux") == DataDirectory(Path("/of/variable"), "DRLIM_DATA")
    del environ["DRLIM_DATA"]
    assert data_directory(None, environ, "linux") == DataDirectory(tmp_path / "drlim_np", None)


def test_an_empty_variable_counts_as_unset(tmp_path):
    environ = {"DRLIM_DATA": "", "XDG_CACHE_HOME": str(tmp_path)}
    assert data_directory(None, environ, "linux") == DataDirectory(tmp_path / "drlim_np", None)


def test_an_empty_flag_is_an_error_and_not_the_current_folder():
    assert complaint(data_directory, "") == "--data is empty: name a folder after it, or leave it out"


def test_a_tilde_means_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", str(tmp_path)))
    assert data_directory("~/a", {}).path == tmp_path / "a"
    assert data_directory(None, {"DRLIM_DATA": "~/b"}).path == tmp_path / "b"


@pytest.mark.parametrize(
    ("platform", "variable", "inside_home"),
    [
        ("linux", "XDG_CACHE_HOME", ".cache"),
        ("darwin", None, "Library/Caches"),
        ("win32", "LOCALAPPDATA", "AppData/Local"),
    ],
)
def test_the_cache_is_where_the_platform_keeps_it(monkeypatch, tmp_path, platform, variable, inside_home):
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    elsewhere = dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA"), str(tmp_path / "elsewhere"))
    in_home = tmp_path / "home" / inside_home / "drlim_np"
    assert data_directory(None, {}, platform).path == in_home
    assert data_directory(None, {"XDG_CACHE_HOME": "", "LOCALAPPDATA": "relative"}, platform).path == in_home
    cache = tmp_path / "elsewhere" / "drlim_np" if variable else in_home
    assert data_directory(None, elsewhere, platform).path == cache
    if variable:
        del elsewhere[variable]
        assert data_directory(None, elsewhere, platform).path == in_home


def test_a_user_without_home_folder_is_told_what_to_name(monkeypatch):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    message = complaint(data_directory, None, {}, "linux")
    assert "no home folder is known" in message
    for remedy in ("--data", "DRLIM_DATA", "--generated"):
        assert remedy in message


@EITHER
@ANYONE
@pytest.mark.parametrize("in_folder_of_its_name", [False, True])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_files_are_found_in_the_folder_or_in_that_of_the_name_of_the_data_set(
    tmp_path, wanted, other, named_by, in_folder_of_its_name, suffix
):
    folder = tmp_path / wanted.name if in_folder_of_its_name else tmp_path
    put(folder, *(name + suffix for name in wanted.files))
    assert find(DataDirectory(tmp_path, named_by), wanted) == folder


def test_the_folders_are_called_mnist_and_norb(tmp_path):
    assert folder_of(tmp_path, MNIST) == tmp_path / "mnist"
    assert folder_of(tmp_path, NORB) == folder_of(tmp_path, OTHER_HALF) == tmp_path / "norb"


@EITHER
def test_the_folder_with_more_of_the_files_is_the_one_taken(tmp_path, wanted, other):
    inside, first = tmp_path / wanted.name, wanted.files[0]
    put(tmp_path, first)
    assert folder_of(tmp_path, wanted) == tmp_path
    put(inside, first)
    assert folder_of(tmp_path, wanted) == inside
    put(tmp_path, *wanted.files)
    assert find(DataDirectory(tmp_path), wanted) == tmp_path


def test_both_data_sets_may_lie_in_one_folder(tmp_path):
    put(tmp_path, *MNIST.files, *NORB.files)
    assert find(DataDirectory(tmp_path, "--data"), MNIST) == find(DataDirectory(tmp_path, "--data"), NORB) == tmp_path


@EITHER
@ANYONE
@pytest.mark.parametrize("in_folder_of_its_name", [False, True])
def test_a_folder_with_part_of_the_files_is_an_error_that_names_the_missing(
    tmp_path, wanted, other, named_by, in_folder_of_its_name
):
    first, *missing, last = wanted.files
    folder = put(tmp_path / wanted.name if in_folder_of_its_name else tmp_path, first, f"{last}.gz")
    put(tmp_path, *other.files)
    message = complaint(find, DataDirectory(tmp_path, named_by), wanted)
    fault = f"{folder}: holds part of {wanted.title}, but not {', '.join(missing)}: put them there, "
    assert message.startswith(fault)
    assert f"--download {wanted.name} " in message
    assert message.endswith(f"or pass --generated for {wanted.stand_in}")
    assert ("--airplane" in message) == (wanted is NORB)


@ANYONE
@pytest.mark.parametrize("wanted", [NORB, OTHER_HALF], ids=["training", "testing"])
def test_the_half_of_norb_that_is_not_needed_is_only_part_and_may_be_chosen_from(tmp_path, named_by, wanted):
    put(tmp_path / "norb", *wanted.others)
    message = complaint(find, DataDirectory(tmp_path, named_by), wanted)
    assert message.startswith(f"{tmp_path / 'norb'}: holds part of small NORB, but not {', '.join(wanted.files)}: ")
    assert "or choose by --airplane one of the other half" in message


@EITHER
def test_of_two_folders_with_part_of_the_files_the_one_with_more_is_named(tmp_path, wanted, other):
    put(tmp_path, *wanted.files[:2])
    put(tmp_path / wanted.name, *wanted.files[:1])
    assert complaint(find, DataDirectory(tmp_path), wanted).startswith(f"{tmp_path}: holds part of ")


def test_the_half_of_norb_that_is_needed_goes_before_the_other_half_in_another_folder(tmp_path):
    put(tmp_path / "norb", *OTHER_HALF.files)
    assert find(DataDirectory(put(tmp_path, *NORB.files)), NORB) == tmp_path


def test_the_half_of_norb_that_is_needed_is_enough_whatever_there_is_of_the_other(tmp_path):
    folder = put(tmp_path / "norb", *NORB.files)
    assert find(DataDirectory(tmp_path), NORB) == folder
    put(folder, NORB.others[0])
    assert find(DataDirectory(tmp_path), NORB) == folder


@EITHER
def test_a_cache_folder_without_the_data_set_is_no_error(tmp_path, wanted, other):
    assert find(DataDirectory(tmp_path), wanted) is None
    assert find(DataDirectory(tmp_path / "nothing"), wanted) is None


@EITHER
@NAMED
@pytest.mark.parametrize("in_folder_of_its_name", [False, True])
def test_a_named_folder_that_holds_another_data_set_is_no_error(
    tmp_path, wanted, other, named_by, in_folder_of_its_name
):
    put(tmp_path / other.name if in_folder_of_its_name else tmp_path, *other.files)
    assert find(DataDirectory(tmp_path, named_by), wanted) is None


def test_either_half_of_norb_makes_a_named_folder_one_with_data(tmp_path):
    put(tmp_path, *OTHER_HALF.files)
    assert find(DataDirectory(tmp_path, "--data"), MNIST) is None


@EITHER
@NAMED
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("nothing", "does not exist"),
        ("file", "is not a folder"),
        ("empty", "holds no file of MNIST or small NORB"),
        ("strange", "holds no file of MNIST or small NORB"),
    ],
)
def test_a_named_folder_without_data_is_an_error_that_says_who_named_it(tmp_path, wanted, other, named_by, name, fault):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    put(tmp_path / "strange", "notes.txt")
    message = complaint(find, DataDirectory(tmp_path / name, named_by), wanted)
    looked = f"looked there and in its folder {wanted.name} for {', '.join(wanted.files)}, with or without .gz: "
    assert message.startswith(f"{tmp_path / name}, named by {named_by}, {fault}; {looked}")
    assert f"--download {wanted.name} " in message
    assert "--generated" in message


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no line break in a name")
def test_a_line_break_in_the_name_of_a_folder_does_not_break_the_message(tmp_path):
    assert "two\\nlines" in complaint(find, DataDirectory(tmp_path / "two\nlines", "--data"), MNIST)
    put(tmp_path / "two\nlines", *list(FILES)[1:])
    assert "two\\nlines" in complaint(find, DataDirectory(tmp_path / "two\nlines"), MNIST)
