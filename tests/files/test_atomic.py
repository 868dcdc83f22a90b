"""Files put in their places, and the lock on a folder: the old file or the new one, and one run at a time."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from drlim_np.errors import DrlimError
from drlim_np.files import atomic
from tests.help.refusals import refuses

ROOT = Path(__file__).resolve().parents[2]
FULL = OSError(errno.ENOSPC, "No space left on device")


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def enter(folder):
    with atomic.alone_in(folder):
        assert (folder / atomic.LOCK).exists()


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("fault", [FULL, KeyboardInterrupt()], ids=["full", "interrupted"])
def test_of_several_files_all_are_written_before_any_takes_its_place_in_order(
    tmp_path, monkeypatch, fault, call, number
):
    names = ["one", "two", "three"]
    left, works = iter(range(number)), getattr(os, call)

    def fails(*given):
        if next(left, None) is None:
            raise fault
        works(*given)

    atomic.replace({tmp_path / name: b"earlier" for name in names})
    monkeypatch.setattr(os, call, fails)
    with pytest.raises((DrlimError, KeyboardInterrupt)) as caught:
        atomic.replace({tmp_path / name: b"later" for name in names})
    remedy = "free the place or choose another by --out"
    message = f"{tmp_path / names[number]}: cannot be written (No space left on device): {remedy}"
    assert str(caught.value) == (message if fault is FULL else "")
    replaced = number if call == "replace" else 0
    assert files(tmp_path) == {name: b"later" if k < replaced else b"earlier" for k, name in enumerate(names)}


def test_a_folder_is_locked_until_its_holder_ends_killed_or_by_a_fault(tmp_path):
    holder = f"""import pathlib, sys
from drlim_np.files import atomic
with atomic.alone_in(pathlib.Path({str(tmp_path)!r})):
    print('held', flush=True); sys.stdin.read()"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", holder], env=environ, **pipes) as first:
        assert first.stdout.readline() == b"held\n"
        message = f"{tmp_path}: another run is at work there: wait until it ends, or choose another folder by --out"
        refuses(lambda: enter(tmp_path), message, DrlimError)
        first.kill()
    with pytest.raises(ZeroDivisionError), atomic.alone_in(tmp_path):
        raise ZeroDivisionError
    enter(tmp_path)
    assert list(files(tmp_path)) == [atomic.LOCK]


@pytest.mark.parametrize("locks", [None, OSError(errno.ENOLCK, "no locks available")], ids=["Windows", "ENOLCK"])
def test_a_system_without_locks_refuses_nothing(tmp_path, monkeypatch, locks):
    def flock(file, operation):
        raise locks

    if locks is None:
        monkeypatch.setattr(atomic, "fcntl", None)
    else:
        monkeypatch.setattr(atomic.fcntl, "flock", flock)
    enter(tmp_path / "made" / "below")
