"""The shapes that each line of a function makes: found by running it, so that no annotation can be out of date."""

import inspect
import sys
from collections.abc import Callable

import numpy as np


def shapes(code: Callable | type, run: Callable[[], object]) -> list[tuple[str, str]]:
    """The lines of `code`, a function or a class, each with the names it sets and their shapes, as in "d (2,)".

    run: calls it. A line that never runs, or sets nothing with a shape, has "". Functions defined inside are followed
    where `run` calls them.
    """
    lines, first = inspect.getsourcelines(code)
    file, found = inspect.getsourcefile(code), {}

    def enter(frame, event, argument):
        inside = frame.f_code.co_filename == file and first <= frame.f_code.co_firstlineno < first + len(lines)
        if not inside:
            return None
        before, at = {}, frame.f_code.co_firstlineno

        def follow(frame, event, argument):
            nonlocal before, at
            now = {name: value for name, value in frame.f_locals.items() if name not in frame.f_code.co_freevars}
            if "self" in now:
                now |= {f"self.{name}": value for name, value in vars(now["self"]).items()}
            new = {name: value for name, value in now.items() if before.get(name) is not value}
            found[at] = found.get(at) or _listed(new, argument if event == "return" else None)
            before, at = now, frame.f_lineno
            return follow

        return follow

    previous = sys.gettrace()
    sys.settrace(enter)
    try:
        run()
    finally:
        sys.settrace(previous)
    return [(line.rstrip("\n"), found.get(first + k, "")) for k, line in enumerate(lines)]


def _listed(named: dict, returned=None) -> str:
    given = [f"{name} {shape}" for name, value in named.items() if name != "_" and (shape := _shape(value))]
    several = returned if isinstance(returned, tuple) else (returned,)
    handed = [shape for value in several if (shape := _shape(value))]
    return ", ".join(given) + ("→ " + ", ".join(handed) if handed else "")


def _shape(value) -> str:
    if isinstance(value, np.ndarray | np.floating | float):
        return str(np.shape(value)) if np.ndim(value) else "number"
    return ""
