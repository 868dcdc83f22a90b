"""The paper, line by line, as paper.toml lists it: what carries each line, what tests it and what supports it.

The first table of drlim_np/README.md (`python -m drlim_np.runs.results` writes it) and the audit page are made of these
lines. Tests name theirs by `@pytest.mark.line(anchor, ...)`; they are found by reading tests/, not by importing it.
"""

import ast
import tomllib
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from inspect import getfile
from pathlib import Path
from pkgutil import resolve_name

from drlim_np.audit.proof import Proof

Test = namedtuple("Test", ["file", "name", "source"])  # that holds a line; its file is relative to tests/
HERE = Path(__file__).resolve().parents[2]  # the checkout; of an installed package, a folder without tests


@dataclass(frozen=True)
class Line:
    """A line of the paper; paper.toml explains each field."""

    anchor: str
    text: str
    functions: Sequence[str]
    formulas: Sequence[str] = ()
    figures: Sequence[str] = ()
    audited: Sequence[str] = ()
    exact: Sequence[str] = ()
    proofs: Sequence[str] = ("*",)
    no_algebra: str = ""

    @property
    def carried_by(self) -> list[Callable]:
        return [resolve_name(name) for name in self.functions]

    @property
    def tests(self) -> list[Test]:
        """The tests that name this line: the page of the paper first, then by file; none in an installed package."""
        return _tests(HERE).get(self.anchor, [])

    def audits(self, subject: str) -> bool:
        """Whether a subject of the gradient audit belongs to this line."""
        return any(fnmatchcase(subject, pattern) for pattern in self.audited)

    def supported_by(self, proofs: Iterable[Proof]) -> list[Proof]:
        """What is derived and proven for this line."""
        named = [one for one in proofs if self.anchor in one.lines and not one.wrong_on_purpose]
        return [one for one in named if any(fnmatchcase(one.name, pattern) for pattern in self.proofs)]


PAPER = tomllib.loads(Path(__file__).with_name("paper.toml").read_text(encoding="utf-8"))
LINES = [Line(**line) for line in PAPER["line"]]


@cache
def _tests(checkout: Path) -> dict[str, list[Test]]:
    """The tests of each line, by its anchor."""
    folder, found = checkout / "tests", {}
    files = folder.rglob("test_*.py")
    for file in sorted(files, key=lambda file: (file.name != "test_paper.py", file.parent != folder, file)):
        text = file.read_text(encoding="utf-8")
        for node in ast.parse(text).body if "mark.line(" in text else ():
            for mark in getattr(node, "decorator_list", ()):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.line":
                    first = min(part.lineno for part in node.decorator_list)
                    source = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
                    test = Test(file.relative_to(folder).as_posix(), node.name, source)
                    for anchor in mark.args:
                        found.setdefault(anchor.value, []).append(test)
    return found


def file_of(function: Callable) -> str:
    """The file of a function or class, relative to the package: "fast/knn.py"."""
    return Path(getfile(function)).relative_to(Path(__file__).parents[1]).as_posix()


def table() -> str:
    """The lines as a Markdown table; its links are relative to the package's folder."""
    rows = ["| the paper | function | derived | proven | tested | figure |", f"|{'---|' * 6}"]
    for line in LINES:
        functions = ", ".join(f"[`{one.__name__}`]({file_of(one)})" for one in line.carried_by)
        derived, proven = ("✓" if kind in line.exact else "–" for kind in ("derived", "proven"))
        tests = ", ".join(f"[`{test.name}`](../tests/{test.file})" for test in line.tests)
        figures = ", ".join(f"[{figure.removeprefix('figure')}](figures/{figure}.py)" for figure in line.figures)
        cells = line.text, functions, line.no_algebra or derived, proven, tests, figures or "–"
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
