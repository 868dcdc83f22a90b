"""Files put in their places, and the lock on a folder on systems other than this one."""

import errno
import sys
from types import SimpleNamespace

import pytest

from drlim_np.errors import DrlimError
from drlim_np.files import atomic


def test_a_file_system_without_locks_refuses_nothing(tmp_path, monkeypatch):
    def flock(file, operation):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(atomic.fcntl, "flock", flock)
    with atomic.alone_in(tmp_path):
        assert (tmp_path / atomic.LOCK).exists()
    assert not (tmp_path / atomic.LOCK).exists()


def test_what_is_written_finds_its_folders_or_makes_them(tmp_path):
    for content in (b"one", b"two"):
        atomic.replace({tmp_path / "a" / "b" / "file": content})
        assert (tmp_path / "a" / "b" / "file").read_bytes() == content
        assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["file"]


def test_a_leftover_that_another_run_removes_first_is_no_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(type(tmp_path), "glob", lambda folder, pattern: [folder / "gone"])
    with atomic.alone_in(tmp_path):
        assert (tmp_path / atomic.LOCK).exists()


def test_of_what_another_run_wrote_no_more_is_said_than_a_line_holds(tmp_path, monkeypatch):
    (tmp_path / atomic.LOCK).write_text("w" * 300)
    monkeypatch.setattr(atomic, "_locked", lambda file: False)
    with pytest.raises(DrlimError) as caught, atomic.alone_in(tmp_path):
        raise AssertionError
    assert str(caught.value).removeprefix(str(tmp_path)).startswith(f": {'w' * 200} is at work there: ")


@pytest.mark.parametrize("held", [False, True])
def test_where_there_is_no_fcntl_a_byte_beyond_the_text_is_locked(tmp_path, monkeypatch, held):
    asked = []

    def locking(descriptor, mode, count):
        asked.append((mode, count))
        if held:
            raise PermissionError(errno.EACCES, "locked")

    monkeypatch.setattr(atomic, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(LK_NBLCK="at once", locking=locking))
    if held:
        with pytest.raises(DrlimError, match="another run is at work there"), atomic.alone_in(tmp_path):
            raise AssertionError
    else:
        with atomic.alone_in(tmp_path):
            pass
    assert asked == [("at once", 1)]
