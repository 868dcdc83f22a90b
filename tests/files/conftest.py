"""What tests of files share: a disk that is full, or a Ctrl-C, in the middle of a file."""

import io
import os

import pytest

from drlim_np.files import atomic

FULL = OSError(28, "No space left on device")


@pytest.fixture
def dies_at(monkeypatch):
    """dies_at(byte, fault): the files written next break off after so many bytes, or at "rename"; `None` heals."""
    opened, renamed = open, os.replace

    def start(byte, fault=FULL):
        class Dying(io.FileIO):
            def write(self, content):
                if len(content) <= byte:
                    return super().write(content)
                super().write(content[:byte])
                raise fault

        def refuse(*_):
            raise fault

        dying = isinstance(byte, int)
        monkeypatch.setattr(atomic, "open", (lambda path, _: Dying(path, "w")) if dying else opened, raising=False)
        monkeypatch.setattr(os, "replace", refuse if byte == "rename" else renamed)

    return start
