"""How a command ends: with its own status, or with one line on standard error, whatever stopped it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from drlim_np.checks.terminal import exit_status, first_line, printable

START = "import errno, sys\nfrom drlim_np.checks.terminal import *\nfrom drlim_np.errors import *\n"
ROOT = Path(__file__).resolve().parents[2]


def ending(body: str, environment=(), stdout=subprocess.PIPE, **given):
    """How a process ends whose command has this body: its status, and what it wrote to either stream."""
    code = f"{START}def command():\n    {body}\nsys.exit(exit_status(command, 'drlim', ', run it again'))"
    where = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "", **dict(environment)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=where, stdout=stdout, stderr=subprocess.PIPE, text=True, **given)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (1, 1), (2, 2)])
def test_a_command_ends_with_its_own_status_and_none_is_0(returned, status, capsys):
    assert exit_status(lambda: returned, "drlim") == status
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("fault", "status", "line"),
    [
        ("InputError('k is 0: choose 1')", 2, "k is 0: choose 1"),
        ("DataError('no such file')", 2, "no such file"),
        ("DivergedError('not finite')", 2, "not finite"),
        ("KeyboardInterrupt", 130, "interrupted, run it again"),
        ("OSError(errno.ENOSPC, 'disk full')", 2, "standard output: disk full: free the disk, or choose another place"),
        ("OSError(errno.EACCES, 'denied', 'a file')", 2, "a file: denied: free the disk, or choose another place"),
        ("OSError(errno.EACCES, 'denied', 'a\\nb')", 2, r"'a\nb': denied: free the disk, or choose another place"),
        ("OSError('no more')", 2, "standard output: no more: free the disk, or choose another place"),
    ],
)
def test_what_stops_a_command_is_one_line_with_its_status(fault, status, line):
    assert ending(f"raise {fault}") == (status, "", f"drlim: {line}\n")


def test_where_the_reader_has_gone_nothing_more_is_said():
    assert ending("print('lost'); raise BrokenPipeError") == (141, "", "")


def test_after_a_fault_of_the_disk_what_was_still_to_be_written_is_lost_quietly():
    assert ending("print('lost'); raise OSError(errno.ENOSPC, 'disk full')")[1] == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_that_shows_only_when_the_output_is_flushed_is_told():
    with open("/dev/full", "w") as full:
        status, _, err = ending("print('lost')", stdout=full)
    assert status == 2 and err.startswith("drlim: standard output: No space left on device: free the disk")


def test_a_closed_output_is_no_fault():
    assert ending("return 1", preexec_fn=lambda: os.close(1)) == (1, "", "")


def test_a_sigterm_unwinds_what_is_at_work_and_then_ends_with_its_status():
    body = """import os, signal
    with unwound_by_sigterm():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            print('unwound')"""
    assert ending(body) == (128 + signal.SIGTERM, "unwound\n", "")


def test_a_sign_that_the_terminal_cannot_show_is_a_question_mark():
    status, out, err = ending("print('Σ ½D²'); raise InputError('½')", {"PYTHONIOENCODING": "ascii"})
    assert (status, out, err) == (2, "? ?D?\n", "drlim: ?\n")


def test_a_fault_of_the_program_itself_keeps_its_traceback():
    status, _, err = ending("raise AssertionError('a bug')")
    assert status == 1 and err.startswith("Traceback")


def test_the_first_line_says_what_a_thing_is_and_without_docstrings_why_it_is_silent():
    assert first_line(exit_status).startswith("Runs a command line")
    assert first_line(lambda: None) == "(python -OO has stripped what there is to say)"


@pytest.mark.parametrize(("text", "said"), [("a ½ b", "a ½ b"), ("a\nb", r"'a\nb'"), ("\x1b[31m", r"'\x1b[31m'")])
def test_a_strangers_text_is_shown_in_one_line(text, said):
    assert printable(text) == said
