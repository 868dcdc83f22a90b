"""What every page without a script has in common: its style sheet, its frame, links, lines of code, living sources."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from drlim_np.errors import DataError
from drlim_np.files.cache import source_digest

STYLE = """
:root { color-scheme: light dark; --ground: #fbfbf9; --card: #fff; --ink: #222; --dim: #595959; --faint: #8a8a8a;
  --line: #d9d9d4; --similar: #c8102e; --dissimilar: #0072b2; --back: #7a5200; }
@media (prefers-color-scheme: dark) { :root { --ground: #14161a; --card: #1d2026; --ink: #ececec; --dim: #b4b4b4;
  --faint: #80858d; --line: #363b44; --similar: #ff6b78; --dissimilar: #56b4e9; --back: #e8b04a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1200px; padding: 1rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 0 0 .5rem; }
p { margin: .5rem 0; } a { color: inherit; } :focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .8rem 0; } nav a { padding: .3rem 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem;
  margin: 1rem 0; display: grid; gap: .2rem 2rem; grid-template-columns: minmax(0, 1fr); }
section > * { min-width: 0; }
@media (min-width: 900px) { section { grid-template-columns: minmax(0, 1fr) 400px; }
  section > h2, section > .wide { grid-column: 1 / -1; } }
pre, code, .code { font: .84rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; }
pre { white-space: pre-wrap; margin: .5rem 0; } .formula { padding-left: 1.5rem; }
.code { border-top: 1px solid var(--line); margin: .8rem 0 0; padding: .4rem 0 0; }
.code div { display: flex; flex-wrap: wrap; justify-content: space-between; column-gap: 1rem; min-height: 1.5em; }
.code span { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 0; padding-left: 4ch; text-indent: -4ch; }
.code .beside { color: var(--back); margin-left: auto; text-align: right; padding-left: 0; text-indent: 0; }
.paper .beside { text-align: left; width: 420px; }
.numbers { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .1rem .8rem; margin: .5rem 0; }
.numbers dt, .numbers dd { font: .84rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; margin: 0; }
.numbers dd { white-space: pre-wrap; } .right { color: var(--dissimilar); } .wrong { color: var(--similar); }
.dim { color: var(--dim); } svg { display: block; width: 100%; max-width: 420px; margin: .6rem auto; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .dim { fill: var(--dim); font-size: 12px; }
.line { fill: none; stroke: var(--ink); stroke-width: 1.6; stroke-linejoin: round; } .dot { fill: var(--ink); }
.line.faint { stroke: var(--faint); stroke-width: 1; } circle.faint { stroke-dasharray: 1 4; }
.line.similar { stroke: var(--similar); } .line.dissimilar { stroke: var(--dissimilar); }
.line.back { stroke: var(--back); } .dot.similar, text.similar { fill: var(--similar); }
.dot.dissimilar, text.dissimilar { fill: var(--dissimilar); }
.dot.back { fill: var(--back); } .dashed { stroke-dasharray: 6 4; }
.box { fill: none; stroke: var(--ink); stroke-width: 1.4; } .box.back { stroke: var(--back); }
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 1rem; }
.maps figure { margin: 0; } figcaption { text-align: center; }
.points { fill: none; stroke-width: 5; stroke-linecap: round; }
"""


def page(title: str, parts: list[str], style: str = "", fetched: str = "") -> str:
    """A whole page. `style` is its own, after the shared one; `fetched` what its policy lets it fetch: nothing."""
    policy = f"default-src 'none'; style-src 'unsafe-inline'{fetched}"
    return "\n".join([
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>",
        *parts,
        "</body>\n</html>\n",
    ])  # fmt: skip


def navigation(links: list[tuple[str, str]]) -> str:
    """Links in a row: where each leads, and its name."""
    return "<nav>" + "".join(f'<a href="{where}">{escape(name)}</a>' for where, name in links) + "</nav>"


def listing(lines, kind: str = "") -> str:
    """Lines of code, each with what stands beside it."""
    rows = (f"<div>{_line(line)}<span class=beside>{escape(beside)}</span></div>" for line, beside in lines)
    return f'<div class="code {kind}">{"".join(rows)}</div>'


def _line(line: str) -> str:
    """A line that keeps its indentation where it has to be broken."""
    indent = len(line) - len(line.lstrip())
    return f"<span{f' style=margin-left:{indent}ch' if indent else ''}>{escape(line.lstrip())}</span>"


@contextmanager
def of_living_sources() -> Iterator[None]:
    """Around the making of pages, which show sources: raises DataError where those are not what runs here."""
    read = source_digest()
    try:
        if source_digest.__wrapped__() != read:
            raise OSError("other sources lie there now")
        yield
    except OSError as fault:
        raise DataError(
            f"the sources of drlim_np changed or went while this ran ({fault}), and the pages show them: run again,"
            " from a complete checkout or installation"
        ) from fault
