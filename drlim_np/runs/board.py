"""How far processes have come that draw side by side: a line each, written over again and again, on a terminal."""

import io
import shutil
import sys
from collections.abc import Callable, Hashable


class Progress(io.StringIO):
    """Standard error of such a process: a line that begins anew goes to `tell`, all else is kept."""

    def __init__(self, tell: Callable[[str], None], visible: bool):
        super().__init__()
        self.tell, self.visible, self.telling = tell, visible, False

    def isatty(self) -> bool:
        """Whether there is a terminal in the end."""
        return self.visible

    def write(self, text: str) -> int:
        """One line of progress, or a part of what will be shown later."""
        ended, self.telling = self.telling and text == "\n", text.startswith("\r")
        if self.telling:
            self.tell(text.strip())
        return len(text) if self.telling or ended else super().write(text)


class Board:
    """The lines, on standard error; nothing where that is no terminal."""

    def __init__(self):
        self.stream, self.lines, self.high = sys.stderr, {}, 0
        self.visible = self.stream is not None and self.stream.isatty()

    def show(self, whose: Hashable, text: str | None) -> None:
        """Puts the text into the line of that one, or takes the line away where there is none."""
        if text is None:
            self.lines.pop(whose, None)
        else:
            self.lines[whose] = text
        self.clear()
        if self.visible and self.lines:
            wide = shutil.get_terminal_size().columns - 1
            self.stream.write("".join(f"{line[:wide]}\n" for line in self.lines.values()))
            self.stream.flush()
            self.high = len(self.lines)

    def clear(self) -> None:
        """Takes the lines off the terminal, for others to be printed there."""
        if self.high:
            self.stream.write(f"\x1b[{self.high}A\x1b[J")
            self.stream.flush()
            self.high = 0
