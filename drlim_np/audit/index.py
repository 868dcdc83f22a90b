"""The paper, line by line, as paper.toml lists it: what carries each line, what tests it and what supports it.

The first table of drlim_np/README.md (`python -m drlim_np.runs.results` writes it) and the audit page are made of these
lines. Tests name theirs by `@pytest.mark.line(anchor, ...)`; they are found by reading tests/, not by importing it.
Everything on the page is read off what is here when it is written: the functions' own source, the tests in tests/, what
the audit found, the records in metrics.json. One file; the pictures in its folder are the figures'.
"""

import ast
import inspect
import re
import struct
import tomllib
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from html import escape
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from drlim_np.audit.catalogue import verdict
from drlim_np.audit.first import HERE, PROPERTIES, Audited
from drlim_np.audit.gradcheck import CENTRAL_BOUND, COMPLEX_BOUND
from drlim_np.audit.proof import Proof
from drlim_np.errors import DataError, require
from drlim_np.files.frame import page, template

Test = namedtuple("Test", ["file", "name", "source"])  # that holds a line; its file is relative to tests/
DATA = ("", "-mnist", "-handwriting", "-airplane")  # what a figure's stem may end in, the first on record is shown
COMMAND = "<code>python -m drlim_np.audit</code>"
TOKEN, END = re.compile(r"\\text\{[^}]*\}|\\[a-zA-Z]+|\d+(?:,\d{3})*(?:\.\d+)?|\S"), ""


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
    proofs: Sequence[str] = ()
    no_algebra: str = ""

    @property
    def carried_by(self) -> list[Callable]:
        return [resolve_name(name) for name in self.functions]

    @property
    def tests(self) -> list[Test]:
        """The tests that name this line: the page of the paper first, then by file; none in an installed package."""
        return _tests(HERE).get(self.anchor, [])

    def audits(self, subject: str) -> bool:
        return any(fnmatchcase(subject, pattern) for pattern in self.audited)

    def supported_by(self, proofs: Iterable[Proof]) -> list[Proof]:
        return [one for one in proofs if any(fnmatchcase(one.name, pattern) for pattern in self.proofs)]


LINES = [Line(**line) for line in tomllib.loads(template("paper.toml", __package__).template)["line"]]


@cache
def _tests(checkout: Path) -> dict[str, list[Test]]:
    """The tests of each line, by its anchor."""
    folder, found = checkout / "tests", {}
    for file in sorted(folder.rglob("test_*.py"), key=lambda of: (of.name != "test_paper.py", of.parent != folder, of)):
        text = file.read_text(encoding="utf-8")
        for node in ast.parse(text).body if "mark.line(" in text else ():
            for mark in getattr(node, "decorator_list", ()):
                if ast.unparse(mark).startswith("pytest.mark.line("):
                    source = text.splitlines()[node.decorator_list[0].lineno - 1 : node.end_lineno]
                    test = Test(file.relative_to(folder).as_posix(), node.name, "\n".join(source))
                    for anchor in mark.args:
                        found.setdefault(anchor.value, []).append(test)
    return found


def file_of(function: Callable) -> str:
    """The file of a function or class, relative to the package: "fast/knn.py"."""
    return Path(inspect.getfile(function)).relative_to(Path(__file__).parents[1]).as_posix()


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


def audit_page(record: Mapping[str, Any], folder: Path, audited: Audited | None) -> str:
    """The page as HTML, with the entries of metrics.json and the pictures in its folder; audited: None if not asked."""
    rows = ""
    for line in LINES:
        exact = "".join(f"<td>{'✓' if kind in line.exact else '–'}</td>" for kind in ("derived", "proven"))
        exact = "<td colspan=2>no algebra</td>" if line.no_algebra else exact
        figures = ", ".join(figure.removeprefix("figure") for figure in line.figures) or "–"
        cells = f"{exact}<td>{len(line.tests)}</td><td>{figures}</td>"
        rows += f'<tr><td><a href="#{line.anchor}">{escape(line.text)}</a></td>{cells}</tr>'
    sections = "\n".join(_section(line, record, folder, audited) for line in LINES)
    body = template("page.html", __package__).substitute(rows=rows, sections=sections)
    return page("The audit, line by line", [body], template("page.css", __package__).template, "; img-src 'self'")


def _section(line: Line, record: Mapping[str, Any], folder: Path, audited: Audited | None) -> str:
    found = [*map(typeset, line.formulas), _exact(line, audited), _tested(line, audited)]
    found += [_figure(figure, record, folder) for figure in line.figures]
    functions = [(f"<code>{one.__name__}</code>", file_of(one), inspect.getsource(one)) for one in line.carried_by]
    tests = [(one.name.removeprefix("test_").replace("_", " "), f"tests/{one.file}", one.source) for one in line.tests]
    tests = _sources(tests) or '<p class="dim">The tests are in a checkout, not installed.</p>'
    places = {"anchor": line.anchor, "text": escape(line.text), "functions": _sources(functions), "tests": tests}
    return template("section.html", __package__).substitute(places, found="".join(found))


def _exact(line: Line, audited: Audited | None) -> str:
    """What is derived and proven, or why that is not in this run; or why there is no algebra."""
    if line.no_algebra:
        return f"<h3>Derived, proven</h3><p>No algebra: {escape(line.no_algebra)}.</p>"
    why = "Left out: it needs SymPy, which was not installed." if audited else f"Not in this run: {COMMAND} does it."
    said = [(kind.capitalize(), _statements(kind, line, audited) or f"<p>{why}</p>") for kind in line.exact]
    return "".join(f"<h3>{kind}</h3>{listed}" for kind, listed in said)


def _statements(kind: str, line: Line, audited: Audited | None) -> str:
    found = line.supported_by(audited.proofs) if audited else []
    return _judged((f"{one.name}: {one.statement}; {one.bound}", one.holds) for one in found if one.kind == kind)


def _tested(line: Line, audited: Audited | None) -> str:
    """How many tests there are, what the audit tested, and the findings on gradients that decide."""
    count, rows = len(line.tests), ""
    said = f"{count} test{'s' * (count > 1)}."
    if line.audited and audited is None:
        said += f" Gradients were not audited in this run: {COMMAND} does it."
    if audited and (ran := sum(f"tests/{test.file}" in PROPERTIES for test in line.tests)):
        said += f" Of these {ran} ran in the audit before the figures: {escape(audited.said.partition(' in ')[0])}."
    for one in audited.worst if audited else ():
        if line.audits(one.subject):
            cells = escape(one.subject), f"{one.row.complex_error:.0e}", f"{one.row.central_error:.0e}"
            colour, judged = "right" if one.as_it_should_be else "wrong", verdict(one, audited.proofs)
            rows += f'<tr><td>{"</td><td>".join(cells)}</td><td class="{colour}">{judged}</td></tr>'
    bounds = {"complex": f"{COMPLEX_BOUND:.0e}", "central": f"{CENTRAL_BOUND:.0e}"}
    table = template("gradients.html", __package__).substitute(bounds, rows=rows) if rows else ""
    return f"<h3>Tested</h3><p>{said}</p>{_statements('tested', line, audited)}{table}"


def _sources(named: list[tuple[str, str, str]]) -> str:
    """Sources that fold, the first unfolded, of (name, file, source)."""
    folded = ""
    for name, file, source in named:
        lines = "".join(f"<span>{escape(line, quote=False)}</span>" for line in source.splitlines())
        heading = f'<summary>{name} <span class="dim">{file}</span></summary>'
        folded += f'<details{" open" * (not folded)}>{heading}<pre class="source">{lines}</pre></details>'
    return folded


def _figure(figure: str, record: Mapping[str, Any], folder: Path) -> str:
    """The figure's picture, or its name if it is not in the page's folder; and its claims as recorded."""
    stem = next((figure + data for data in DATA if figure + data in record), None)
    name = figure.replace("figure", "figure ").capitalize()
    if stem is None:
        return f"<p>{name}: not drawn yet: <code>run_all.py --only {figure}</code></p>"
    picture = f"{stem}.png"
    try:
        if (folder / picture).is_file():  # with its size, so that nothing moves when it is loaded
            width, height = struct.unpack(">II", (folder / picture).read_bytes()[16:24])
            picture = f'<img src="{picture}" width="{width}" height="{height}" loading="lazy" alt="{name}">'
        claims = record[stem]["claims"]
        judged, failed = [], sum(not claim["holds"] for claim in claims)
        for claim in claims:
            value, bound = (f"{x:,}" if isinstance(x, int) else f"{x:.4g}" for x in (claim["value"], claim["bound"]))
            judged.append((f"{claim['text']}: {value} {claim['relation']} {bound}", claim["holds"]))
    except (KeyError, TypeError, ValueError, AttributeError, struct.error) as fault:
        raise DataError(f"{stem}: its record or picture is damaged ({fault!r}): draw the figure again") from fault
    in_all = f"{failed} of {len(claims)} claims FAIL" if failed else f"claims hold, {len(claims)}"
    said = f"<details><summary>{name}: {in_all}</summary>{_judged(judged)}</details>"
    return f'<figure><a href="{stem}.png">{picture}</a><figcaption>{said if claims else name}</figcaption></figure>'


def _judged(statements: Iterable[tuple[str, bool]]) -> str:
    verdicts = '<b class="wrong">FAILS</b>', '<b class="right">holds</b>'
    items = "".join(f"<li>{escape(said)}: {verdicts[bool(holds)]}</li>" for said, holds in statements)
    return f"<ul>{items}</ul>" if items else ""


def typeset(formula: str) -> str:
    """A formula in a little of TeX's notation, with Unicode for all signs, as MathML: a <math> element.

    D_W has a subscript, ^ is for superscripts; braces go around more than one sign; \\frac{∂L}{∂W} is a fraction, \\max
    a name of several letters, \\text{ for } words. Limits of a sum go below and above it.
    """
    tokens = [END, *reversed(TOKEN.findall(formula))]  # yet to be read, the next one last

    def row(end: str) -> str:
        """All elements up to the token `end`, each with its scripts."""
        found = ""
        while tokens[-1] != end:
            base, scripts = element(), {}
            while tokens[-1] in ("_", "^"):
                mark = tokens.pop()
                scripts[mark] = element()
            below, above = ("under", "over") if base == "<mo>∑</mo>" else ("sub", "sup")
            name = f"m{below * ('_' in scripts)}{above * ('^' in scripts)}"
            scripted = f"<{name}>{base}{scripts.get('_', '')}{scripts.get('^', '')}</{name}>"
            found += scripted if scripts else base
        tokens.pop()
        return found

    def element() -> str:
        token = tokens.pop()
        require(token not in (END, "}"), f"{formula}: something is missing before a closing brace, or before the end")
        if token == "{":
            return f"<mrow>{row('}')}</mrow>"
        if token == "\\frac":
            return f"<mfrac>{element()}{element()}</mfrac>"
        if token.startswith("\\text{"):
            return f"<mtext>{escape(token[6:-1]).replace(' ', '&nbsp;')}</mtext>"
        if token.startswith("\\") or token.isalpha() or token == "∂":
            return "<mi>" + token.lstrip("\\") + "</mi>"
        return f"<mn>{token}</mn>" if token[0].isdigit() else f"<mo>{escape(token)}</mo>"

    return f'<math display="block">{row(END)}</math>'
