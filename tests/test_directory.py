import os
from pathlib import Path

import pytest

from drlim_np.data.directory import DataDirectory, data_directory, find_mnist, mnist_folder
from drlim_np.data.mnist import FILES
from drlim_np.errors import DataError

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


@ANYONE
@pytest.mark.parametrize("inside", ["", "mnist"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_four_files_are_found_in_the_folder_or_in_its_folder_mnist(tmp_path, named_by, inside, suffix):
    folder = put(tmp_path / inside, *(name + suffix for name in FILES))
    assert find_mnist(DataDirectory(tmp_path, named_by)) == folder


def test_the_folder_with_more_of_the_files_is_the_one_taken(tmp_path):
    first, *_ = FILES
    assert mnist_folder(tmp_path) == tmp_path / "mnist"
    put(tmp_path, first)
    assert mnist_folder(tmp_path) == tmp_path
    put(tmp_path / "mnist", first)
    assert mnist_folder(tmp_path) == tmp_path / "mnist"
    put(tmp_path, *FILES)
    assert find_mnist(DataDirectory(tmp_path)) == tmp_path


@ANYONE
@pytest.mark.parametrize("inside", ["", "mnist"])
def test_a_folder_with_part_of_the_files_is_an_error_that_names_the_missing(tmp_path, named_by, inside):
    one, two, three, four = FILES
    folder = put(tmp_path / inside, one, f"{four}.gz")
    message = complaint(find_mnist, DataDirectory(tmp_path, named_by))
    assert message.startswith(f"{folder}: holds part of MNIST, but not {two}, {three}: put them there, ")
    assert "--download" in message
    assert "--generated" in message


def test_a_cache_folder_without_mnist_is_no_error(tmp_path):
    assert find_mnist(DataDirectory(tmp_path)) is None
    assert find_mnist(DataDirectory(tmp_path / "nothing")) is None


@NAMED
@pytest.mark.parametrize(
    ("name", "fault"),
    [("nothing", "does not exist"), ("file", "is not a folder"), ("empty", "holds none of MNIST's files")],
)
def test_a_named_folder_without_mnist_is_an_error_that_says_who_named_it(tmp_path, named_by, name, fault):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    message = complaint(find_mnist, DataDirectory(tmp_path / name, named_by))
    assert message.startswith(f"{tmp_path / name}, named by {named_by}, {fault}; looked there and in its folder mnist ")
    for word in (*FILES, "--download", "--generated"):
        assert word in message


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no line break in a name")
def test_a_line_break_in_the_name_of_a_folder_does_not_break_the_message(tmp_path):
    assert "two\\nlines" in complaint(find_mnist, DataDirectory(tmp_path / "two\nlines", "--data"))
    put(tmp_path / "two\nlines", *list(FILES)[1:])
    assert "two\\nlines" in complaint(find_mnist, DataDirectory(tmp_path / "two\nlines"))


def test_other_files_can_be_looked_for(tmp_path):
    put(tmp_path / "mnist", "one", "two.gz")
    assert find_mnist(DataDirectory(tmp_path), ("one", "two")) == tmp_path / "mnist"
    assert "but not three:" in complaint(find_mnist, DataDirectory(tmp_path), ("one", "two", "three"))
