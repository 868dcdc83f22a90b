"""A command line: how it ends, with its own status or one line instead of a traceback, and its line of progress."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import TextIO

from drlim_np.errors import DrlimError, require


def exit_status(command: Callable[[], int | None], program: str, interrupted: str = "") -> int:
    """Runs a command line: its own exit status (None is 0), or one line on standard error instead of a traceback.

    2 for a DrlimError and for output that cannot be written, 130 for Ctrl-C, 141 if the reader of its output has gone.
    SIGTERM is SystemExit(143) meanwhile, so that `finally` blocks run.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a question mark for what the terminal cannot show
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        status = command()
        print(end="", flush=True)
        return status or 0
    except DrlimError as fault:
        status, complaint = 2, str(fault)
    except OSError as fault:
        if sys.stdout is not None:  # to nowhere: otherwise Python fails again when it flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(fault, BrokenPipeError):
            return 141
        place = "standard output" if fault.filename is None else printable(fault.filename)
        status, complaint = 2, f"{place}: {fault.strerror or fault}: free the disk, or choose another place"
    except KeyboardInterrupt:
        status, complaint = 130, f"interrupted{interrupted}"
    finally:
        signal.signal(signal.SIGTERM, before)
    with contextlib.suppress(OSError):
        print(f"{program}: {complaint}", file=sys.stderr)
    return status


def printable(text: str | os.PathLike) -> str:
    """A path or a stranger's text, fit for a one-line message: with line breaks or control characters it is escaped."""
    return str(text) if str(text).isprintable() else ascii(str(text))


class ProgressLine:
    """A line of progress, overwritten each time, on a stream (None: standard error) that is a terminal or notebook."""

    def __init__(self, stream: TextIO | None = None):
        fits = stream is None or (hasattr(stream, "isatty") and not stream.closed)
        require(fits, f"stream is {stream!r}: pass an open text file, such as sys.stderr")
        self.stream, self.shown = stream or sys.stderr, False
        notebook = type(self.stream).__module__.startswith("ipykernel")
        self.visible = self.stream is not None and (notebook or self.stream.isatty())  # None: standard error is closed

    def show(self, text: str) -> None:
        """Replaces the text of the line."""
        self.shown = self.visible
        self._write(f"\r{text} ")

    def clear(self) -> None:
        """Takes the line off the terminal, so that other text can be printed there."""
        self._write("\r\x1b[K")

    def end(self) -> None:
        """Leaves the line as it is and begins the next."""
        self._write("\n")

    def _write(self, text: str) -> None:
        if self.shown:
            self.stream.write(text)
            self.stream.flush()
