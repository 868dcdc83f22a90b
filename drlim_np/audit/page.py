"""The audit page: each line of the paper with its formula, its code, its tests, its verdicts and its figures.

Everything on it is read off what lives here as it is written: the functions' own source, the tests in tests/, what the
audit found, the records in metrics.json. One file; the pictures in its folder are the figures'.
"""

import inspect
import re
import struct
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from drlim_np.audit.catalogue import Finding
from drlim_np.audit.first import PROPERTIES, Audited
from drlim_np.audit.gradcheck import CENTRAL_BOUND, COMPLEX_BOUND
from drlim_np.audit.index import LINES, Line, file_of
from drlim_np.audit.mathml import typeset
from drlim_np.audit.proof import Proof, kinds
from drlim_np.errors import DataError
from drlim_np.files.frame import page, template

DATA = ("", "-mnist", "-handwriting", "-airplane")  # what a figure's stem may end in, the first on record is shown
KINDS = ("derived", "proven")
COMMAND = "<code>python -m drlim_np.audit</code>"


def audit_page(record: Mapping[str, Any], folder: Path, audited: Audited | None) -> str:
    """The page as HTML.

    record: the entries of metrics.json. folder: of the page and its pictures. audited: None if the audit was not asked.
    """
    body = template("page.html", __package__).substitute(
        rows="".join(f"<tr>{_overview(line)}</tr>" for line in LINES),
        sections="\n".join(_section(line, record, folder, audited) for line in LINES),
    )
    return page("The audit, line by line", [body], template("page.css", __package__).template, "; img-src 'self'")


def _overview(line: Line) -> str:
    exact = "".join(f"<td>{'✓' if kind in line.exact else '–'}</td>" for kind in KINDS)
    if line.no_algebra:
        exact = "<td colspan=2>no algebra</td>"
    figures = ", ".join(figure.removeprefix("figure") for figure in line.figures) or "–"
    name = f'<a href="#{line.anchor}">{escape(line.text)}</a>'
    return f"<td>{name}</td>{exact}<td>{len(line.tests)}</td><td>{figures}</td>"


def _section(line: Line, record: Mapping[str, Any], folder: Path, audited: Audited | None) -> str:
    formulas = "".join(map(typeset, line.formulas))
    functions = [(f"<code>{one.__name__}</code>", file_of(one), inspect.getsource(one)) for one in line.carried_by]
    tests = [(one.name.removeprefix("test_").replace("_", " "), f"tests/{one.file}", one.source) for one in line.tests]
    figures = "".join(_figure(figure, record, folder) for figure in line.figures)
    return (
        f'<section id="{line.anchor}"><h2><a href="#{line.anchor}">{escape(line.text)}</a></h2>'
        f"<div>{formulas}{_exact(line, audited)}{_tested(line, audited)}{figures}</div>"
        f"<div><h3>What carries it</h3>{_sources(functions)}</div>"
        f"<div><h3>What tests it</h3>{_sources(tests) or _NOT_INSTALLED}</div></section>"
    )


def _exact(line: Line, audited: Audited | None) -> str:
    """What is derived and proven, each with its bound, or why nothing is."""
    if line.no_algebra:
        return f"<h3>Derived, proven</h3><p>No algebra: {escape(line.no_algebra)}.</p>"
    found = line.supported_by(audited.proofs) if audited else []
    said = ""
    for kind in KINDS:
        of_kind = [(f"{one.name}: {one.statement}; {one.bound}", one.holds) for one in found if one.kind == kind]
        items = "".join(f"<li>{_judged(*one)}</li>" for one in of_kind)
        listed = f"<ul>{items}</ul>" if items else f"<p>{_none(line, kind, audited)}</p>"
        said += f"<h3>{kind.capitalize()}</h3>{listed}"
    return said


def _none(line: Line, kind: str, audited: Audited | None) -> str:
    """Why there is nothing of that kind."""
    if kind not in line.exact:
        return "By no symbols: it is proven." if kind == "derived" else "On no numbers: it is derived for all of them."
    if audited is None:
        return f"Not in this run: {COMMAND} does it."
    return "Left out: it needs SymPy, which was not installed."


def _tested(line: Line, audited: Audited | None) -> str:
    count = len(line.tests)
    said = f"{count} test{'s' * (count > 1)}."
    if line.audited and audited is None:
        said += f" Gradients were not audited in this run: {COMMAND} does it."
    if audited and (ran := sum(f"tests/{test.file}" in PROPERTIES for test in line.tests)):
        said += f" Of these {ran} ran in the audit before the figures: {escape(audited.said.partition(' in ')[0])}."
    found = [_verdict(one, audited.proofs) for one in audited.worst if line.audits(one.subject)] if audited else []
    return f"<h3>Tested</h3><p>{said}</p>{_ERRORS.format(''.join(found)) if found else ''}"


_NOT_INSTALLED = '<p class="dim">The tests are in a checkout, not installed.</p>'
_ERRORS = (
    "<table><thead><tr><th>gradient, its relative error against</th><th>complex step</th><th>central</th>"
    "<th>verdict</th></tr></thead><tbody>{}"
    f"<tr><td>bound</td><td>{COMPLEX_BOUND:.0e}</td><td>{CENTRAL_BOUND:.0e}</td><td></td></tr></tbody></table>"
)


def _verdict(found: Finding, proofs: list[Proof]) -> str:
    """A row for a subject of the audit: the finding that decides, and of a wrong gradient that the proof refutes it."""
    kind, verdict = ("right", "holds") if found.row.holds else ("wrong", "FAILS")
    if found.wrong_on_purpose:
        kind, verdict = ("wrong", "FAILS: passed") if found.row.holds else ("right", "rejected")
        verdict = "; ".join([verdict, *kinds(proofs, found.subject, wrong_on_purpose=True)])
    numbers = f"<td>{found.row.complex_error:.0e}</td><td>{found.row.central_error:.0e}</td>"
    return f'<tr><td>{escape(found.subject)}</td>{numbers}<td class="{kind}">{verdict}</td></tr>'


def _sources(named: list[tuple[str, str, str]]) -> str:
    """Sources that fold, the first unfolded, of (name, file, source); a line that is broken keeps its indentation."""
    folded = ""
    for name, file, source in named:
        lines = "".join(f"<span{_indent(line)}>{_breakable(line)}</span>" for line in source.splitlines())
        heading = f'<summary>{name} <span class="dim">{file}</span></summary>'
        folded += f'<details{" open" * (not folded)}>{heading}<pre class="source">{lines}</pre></details>'
    return folded


def _indent(line: str) -> str:
    hanging = len(line) - len(line.lstrip()) + 4
    return f' style="padding-left:{hanging}ch;text-indent:-{hanging}ch"' if len(line) > 50 else ""


def _breakable(line: str) -> str:
    """The line, in which long names may be broken between their words."""
    return re.sub(r"\w{40,}", lambda name: name[0].replace("_", "_<wbr>"), escape(line, quote=False))


def _figure(figure: str, record: Mapping[str, Any], folder: Path) -> str:
    """The figure's picture if it is in the page's folder, and its claims as recorded."""
    stem = next((figure + data for data in DATA if figure + data in record), None)
    name = figure.replace("figure", "figure ").capitalize()
    if stem is None:
        return f"<p>{name}: not drawn yet: <code>run_all.py --only {figure}</code></p>"
    try:
        picture = _picture(folder / f"{stem}.png", name)
        claims = [(_claim(claim), claim["holds"]) for claim in record[stem]["claims"]]
    except (KeyError, TypeError, ValueError, AttributeError, struct.error) as fault:
        raise DataError(f"{stem}: its record or picture is damaged ({fault!r}): draw the figure again") from fault
    listed = "".join(f"<li>{said}</li>" for said, _ in claims)
    failed = sum(not holds for _, holds in claims)
    verdict = f"{failed} of {len(claims)} claims FAIL" if failed else f"claims hold, {len(claims)}"
    said = f"<details><summary>{name}: {verdict}</summary><ul>{listed}</ul></details>"
    return f'<figure><a href="{stem}.png">{picture}</a><figcaption>{said if claims else name}</figcaption></figure>'


def _picture(file: Path, name: str) -> str:
    """The picture with its size, so that nothing moves when it is loaded; or its name, if it is not there."""
    if not file.is_file():
        return file.name
    width, height = struct.unpack(">II", file.read_bytes()[16:24])
    return f'<img src="{file.name}" width="{width}" height="{height}" loading="lazy" alt="{name}">'


def _claim(claim: Mapping[str, Any]) -> str:
    value, bound = (f"{x:,}" if isinstance(x, int) else f"{x:.4g}" for x in (claim["value"], claim["bound"]))
    return _judged(f"{claim['text']}: {value} {claim['relation']} {bound}", claim["holds"])


def _judged(statement: str, holds: bool) -> str:
    kind, verdict = ("right", "holds") if holds else ("wrong", "FAILS")
    return f'{escape(statement)}: <b class="{kind}">{verdict}</b>'
