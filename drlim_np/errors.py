"""The exceptions this package raises on purpose: each message is one line that names the culprit and the remedy."""


class DrlimError(Exception):
    """Anything that the caller can mend; the command line prints it and exits with status 2."""


class InputError(DrlimError, ValueError):
    """An argument that the mathematics has no meaning for: a shape, a dtype, a margin, a label, a pair."""


class DataError(DrlimError, ValueError):
    """A data file that is missing, damaged, or does not hold the data that its name promises."""


class DivergedError(DrlimError, ArithmeticError):
    """A loss or gradient that is no longer a finite number."""


def require(holds: bool, message: str) -> None:
    """Raises InputError with this message unless the condition holds."""
    if not holds:
        raise InputError(message)
