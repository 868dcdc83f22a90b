"""The exceptions this package raises on purpose, and how a command line ends with one.

Each message is one line that names the culprit and the remedy, so that the command line can print it as it stands.
"""

import contextlib
import operator
import os
import sys
from collections.abc import Callable
from numbers import Real
from typing import Any


class DrlimError(Exception):
    """Anything that the caller can mend; the command line prints it and exits with status 2."""


class InputError(DrlimError, ValueError):
    """An argument that the mathematics has no meaning for: a shape, a dtype, a margin, a label, a pair."""


class DataError(DrlimError, ValueError):
    """A data file that is missing, damaged, or not what its name says."""


class DivergedError(DrlimError, ArithmeticError):
    """A loss or gradient that is no longer a finite number."""


class CollapsedError(DrlimError, ArithmeticError):
    """A map that has collapsed: all its points together.

    z: the map, (samples, dims). spread: the largest standard deviation of a coordinate, in margins.
    """

    def __init__(self, message: str, z, spread: float):
        super().__init__(message)
        self.z, self.spread = z, spread


def require(holds: bool, message: str) -> None:
    """Raises InputError with this message unless the condition holds."""
    if not holds:
        raise InputError(message)


def shown(text: str | os.PathLike) -> str:
    """A path or a stranger's text, fit for a one-line message: with line breaks or control characters it is escaped."""
    return str(text) if str(text).isprintable() else ascii(str(text))


def whole_number(name: str, value: int, least: int) -> int:
    """The argument of that name as an int, NumPy's integers included. Raises InputError for anything else."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise InputError(f"{name} is {value!r}: it must be a whole number of at least {least}")
    return number


def real_number(name: str, value: float) -> float:
    """The argument of that name as a float, NaN included. Raises InputError for what is no real number, such as "3"."""
    if not isinstance(value, Real):
        raise InputError(f"{name} is {value!r}: it must be a number")
    return float(value)


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
        place = "standard output" if fault.filename is None else shown(fault.filename)
        status, complaint = 2, f"{place}: {fault.strerror or fault}: free the disk, or choose another place"
    except KeyboardInterrupt:
        status, complaint = 130, f"interrupted{interrupted}"
    with contextlib.suppress(OSError):
        print(f"{program}: {complaint}", file=sys.stderr)
    return status


def _say_no_more() -> None:
    """What is still to be written to standard output goes nowhere, or Python would fail once more at exit."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
