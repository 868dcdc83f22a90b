"""How a command ends: with its own status, or with one line on standard error, whatever stopped it."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from drlim_np.checks.terminal import ProgressLine, printable

START = "import errno, sys\nfrom drlim_np.checks.terminal import *\nfrom drlim_np.errors import *\n"
ROOT = Path(__file__).resolve().parents[2]


def ending(body: str, stdout=subprocess.PIPE, **given):
    """How a process ends whose command has this body: its status, and what it wrote to either stream."""
    code = f"{START}def command():\n    {body}\nsys.exit(exit_status(command, 'drlim', ', run it again'))"
    where = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=where, stdout=stdout, stderr=subprocess.PIPE, text=True, **given)
    return done.returncode, done.stdout, done.stderr


FREE = "free the disk, or choose another place"
ENDINGS = {  # what a command does, and its status, output and complaint
    "pass": (0, "", ""),
    "return 1": (1, "", ""),
    "raise InputError('k is 0: choose 1')": (2, "", "drlim: k is 0: choose 1\n"),
    "raise DataError('no such file')": (2, "", "drlim: no such file\n"),
    "raise DivergedError('not finite')": (2, "", "drlim: not finite\n"),
    "raise KeyboardInterrupt": (130, "", "drlim: interrupted, run it again\n"),
    "raise OSError(errno.ENOSPC, 'disk full')": (2, "", f"drlim: standard output: disk full: {FREE}\n"),
    "raise OSError(errno.EACCES, 'denied', 'a file')": (2, "", f"drlim: a file: denied: {FREE}\n"),
    "raise OSError(errno.EACCES, 'denied', 'a\\nb')": (2, "", rf"drlim: 'a\nb': denied: {FREE}" + "\n"),
    "raise OSError('no more')": (2, "", f"drlim: standard output: no more: {FREE}\n"),
    "print('lost'); raise OSError('no more')": (2, "", f"drlim: standard output: no more: {FREE}\n"),
    "print('lost'); raise BrokenPipeError": (141, "", ""),
    "print('Σ ½D²'); raise InputError('½')": (2, "? ?D?\n", "drlim: ?\n"),
}


@pytest.mark.parametrize(("body", "expected"), ENDINGS.items())
def test_a_command_ends_with_its_status_and_at_most_one_line(body, expected):
    assert ending(body) == expected


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_that_shows_only_when_the_output_is_flushed_is_told():
    with open("/dev/full", "w") as full:
        status, _, err = ending("print('lost')", stdout=full)
    assert status == 2 and err.startswith("drlim: standard output: No space left on device: free the disk")


def test_a_closed_output_is_no_fault_and_one_of_the_program_itself_keeps_its_traceback():
    assert ending("return 1", preexec_fn=lambda: os.close(1)) == (1, "", "")
    status, _, err = ending("raise AssertionError('a bug')")
    assert status == 1 and err.startswith("Traceback")


def test_a_line_of_progress_that_was_not_shown_is_neither_cleared_nor_ended():
    screen = io.StringIO()
    screen.isatty = lambda: True
    line = ProgressLine(screen)
    line.clear()
    line.end()
    assert screen.getvalue() == ""


@pytest.mark.parametrize(("text", "said"), [("a ½ b", "a ½ b"), ("a\nb", r"'a\nb'"), ("\x1b[31m", r"'\x1b[31m'")])
def test_a_strangers_text_is_shown_in_one_line(text, said):
    assert printable(text) == said
