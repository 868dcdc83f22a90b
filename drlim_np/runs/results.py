"""`python -m drlim_np.runs.results` writes the numbers of the records in metrics.json into Markdown pages.

A mark names a figure and one of its numbers: <!--= figure4-mnist drlim/accuracy -->0.929<!--/-->. It is a place in
`measured`, or settings/NAME, claims/TEXT, or `seeds`. The paper's lines, in drlim_np/README.md, are written between
<!-- results: begin index --> and <!-- results: end -->.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drlim_np.audit import index
from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import DataError, require
from drlim_np.files import atomic
from drlim_np.runs.record import Entry, earlier_record, of_seed, seeds_of

PROGRAM = "python -m drlim_np.runs.results"
MARK = re.compile(r"(<!--= (\S+) (.+?) -->).*?(<!--/-->)")
INDEX = re.compile(r"(<!-- results: begin index -->\n).*?(<!-- results: end -->)", flags=re.DOTALL)


def main(arguments: list[str] | None = None) -> int:
    """0 when the pages are written or current, 1 when --check finds one that is not, 2 for bad input."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Writes numbers of the records into Markdown pages.")
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE", help="a Markdown file with marks")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder with metrics.json (default: out)")
    parser.add_argument("--check", action="store_true", help="write nothing: exit status 1 if a page is not current")
    return exit_status(lambda: _main(parser.parse_args(arguments)), PROGRAM)


def _main(options: argparse.Namespace) -> int:
    record, status = earlier_record(options.out), 0
    for page in options.pages:
        try:
            before = page.read_text(encoding="utf-8")
        except (OSError, ValueError) as fault:
            raise DataError(f"{printable(page)}: cannot be read ({fault}): name a Markdown file") from fault
        after = written(before, record)
        if after != before and options.check:
            print(f"{page}: not current: write it by this command without --check")
            status = 1
        elif after != before:
            atomic.replace({page: after.encode()}, "check the page and its permissions")
            print(f"{page}: written")
    return status


def written(page: str, record: Mapping[str, Entry]) -> str:
    """The page with the numbers that the record has now."""
    marked = bool(MARK.search(page) or INDEX.search(page))
    require(marked, "the page has no <!--= FIGURE NUMBER --><!--/-->: mark the places of its numbers")
    for _, figure, _, _ in MARK.findall(page):
        require(figure in record, f"there is no record of {printable(figure)}: draw it first, or name its --out")
    page = INDEX.sub(lambda mark: f"{mark[1]}\n{index.table()}\n\n{mark[2]}", page)
    return MARK.sub(lambda mark: f"{mark[1]}{shown(record[mark[2]], mark[3])}{mark[4]}", page)


def shown(entry: Entry, number: str) -> str:
    """A number of one seed; of several the mean, the least, the most, and how many have it; a dash if none has."""
    seeds = seeds_of(entry)
    if number == "seeds":
        in_a_row = len(seeds) > 2 and seeds == list(range(seeds[0], seeds[-1] + 1))
        return f"{seeds[0]} to {seeds[-1]}" if in_a_row else ", ".join(map(str, seeds))
    values = [found for seed in seeds if (found := _at(of_seed(entry, seed), number)) is not None]
    if not values:
        return "–"
    if number.startswith("settings/"):
        return f"{values[0]:,}"
    mean = f"{sum(values) / len(values):.3f}"
    text = mean if len(values) == 1 else f"{mean} ({min(values):.3f} to {max(values):.3f})"
    return text if len(values) == len(seeds) else f"{text}, {len(values)} of {len(seeds)} seeds"


def _at(entry: Entry, number: str) -> float | None:
    claims = {claim["text"]: claim["value"] for claim in entry["claims"]}
    found: Any = {**entry["measured"], "claims": claims, "settings": entry["settings"]}
    for name in number.split("/"):
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, int | float) else None


if __name__ == "__main__":
    sys.exit(main())
