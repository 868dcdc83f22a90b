"""How a command line ends: with its own status, or with one line in place of a traceback."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from drlim_np.errors import DrlimError, InputError


def first_line(thing: Any) -> str:
    """The first line of a docstring, for a list of what there is."""
    return (thing.__doc__ or "(python -OO has stripped what there is to say)").splitlines()[0]


def exit_status(command: Callable[[], int | None], program: str, interrupted: str = "") -> int:
    """Runs a command line: its own exit status (None is 0), or one line on standard error in place of a traceback.

    2 for a DrlimError and for output that cannot be written, 130 for Ctrl-C, 141 where the reader of its output has
    gone. A sign that the terminal cannot show becomes a question mark.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        status = command()
        if sys.stdout is not None:  # it is None where it was closed
            sys.stdout.flush()
        return status or 0
    except DrlimError as fault:
        status, complaint = 2, str(fault)
    except BrokenPipeError:
        _say_no_more()
        return 141
    except OSError as fault:
        _say_no_more()
        place = "standard output" if fault.filename is None else printable(fault.filename)
        status, complaint = 2, f"{place}: {fault.strerror or fault}: free the disk, or choose another place"
    except KeyboardInterrupt:
        status, complaint = 130, f"interrupted{interrupted}"
    with contextlib.suppress(OSError):
        print(f"{program}: {complaint}", file=sys.stderr)
    return status


@contextlib.contextmanager
def unwound_by_sigterm() -> Iterator[None]:
    """Has SIGTERM end what is done here as an exception would, so that it is cleared up; the exit status is 143."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say_no_more() -> None:
    """What is still to be written to standard output goes nowhere, or Python would fail once more at exit."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(text: str | os.PathLike) -> str:
    """A path or a stranger's text, fit for a one-line message: with line breaks or control characters it is escaped."""
    return str(text) if str(text).isprintable() else ascii(str(text))


class ProgressLine:
    """One line of progress on a terminal, written over again and again; nothing on a stream that is no terminal.

    stream: standard error if None. Raises InputError for what is no open text file.
    """

    def __init__(self, stream: TextIO | None = None):
        if stream is not None and (not hasattr(stream, "isatty") or stream.closed):
            raise InputError(f"stream is {stream!r}: pass an open text file, such as sys.stderr")
        self.stream, self.shown = stream or sys.stderr, False
        self.visible = self.stream is not None and self.stream.isatty()  # None: standard error is closed

    def show(self, text: str) -> None:
        """Replaces what the line says."""
        if self.visible:
            self.shown = True
            self.stream.write(f"\r{text} ")
            self.stream.flush()

    def clear(self) -> None:
        """Takes the line off the terminal, so that other text can be printed in its place."""
        if self.shown:
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def end(self) -> None:
        """Leaves the line as it is; what is printed next begins below it."""
        if self.shown:
            self.stream.write("\n")
            self.stream.flush()
