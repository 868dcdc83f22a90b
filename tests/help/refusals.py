"""What every refusal must be: the right exception, and one line that names the culprit."""

import pytest

from drlim_np.errors import InputError


def refuses(call, message: str, kind: type[Exception] = InputError) -> None:
    """call() raises `kind` with one line that contains `message`."""
    with pytest.raises(kind) as fault:
        call()
    text = str(fault.value)
    assert "\n" not in text
    assert message in text
