"""`python -m drlim_np.runs.results`: writes the numbers of the records in metrics.json into Markdown pages.

    python -m drlim_np.runs.results --out figures README.md           writes each number into its mark
    python -m drlim_np.runs.results --out figures --check README.md   says whether the numbers are current

A mark names a figure and one of its numbers: <!--= figure4-mnist drlim/accuracy -->0.929<!--/-->. It is a place in
`measured`, or settings/NAME, claims/TEXT, or `seeds`. Of several seeds the number is the mean, with the least and the
most. The paper's lines, in drlim_np/README.md, are written between <!-- results: begin index --> and
<!-- results: end -->.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import DataError, InputError
from drlim_np.files import atomic
from drlim_np.runs.seeds import Entry, earlier_record, of_seed, seeds_of

PROGRAM = "python -m drlim_np.runs.results"
MARK = re.compile(r"(<!--= (\S+) (.+?) -->).*?(<!--/-->)")
INDEX = re.compile(r"(<!-- results: begin index -->\n).*?(<!-- results: end -->)", flags=re.DOTALL)


def main(arguments: list[str] | None = None) -> int:
    """0 when the pages are written or current, 1 when --check finds one that is not, 2 for bad input."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Writes numbers of the records into Markdown pages.")
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE", help="a Markdown file with marks")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder with metrics.json (default: out)")
    parser.add_argument("--check", action="store_true", help="write nothing: exit status 1 if a page is not current")
    options = parser.parse_args(arguments)
    return exit_status(lambda: _main(options), PROGRAM)


def _main(options: argparse.Namespace) -> int:
    record, outdated = earlier_record(options.out), False
    for page in options.pages:
        try:
            before = page.read_text(encoding="utf-8")
        except (OSError, ValueError) as fault:
            raise DataError(f"{printable(page)}: cannot be read ({fault}): name a Markdown file") from fault
        after = written(before, record)
        if after != before:
            outdated = True
            if not options.check:
                atomic.replace({page: after.encode()}, "check the page and its permissions")
            print(f"{page}: {'not current: write it by this command without --check' if options.check else 'written'}")
    return 1 if options.check and outdated else 0


def written(page: str, record: Mapping[str, Entry]) -> str:
    """The page with the numbers that the record has now."""
    if not MARK.search(page) and not INDEX.search(page):
        raise InputError("the page has no <!--= FIGURE NUMBER --><!--/-->: mark the places of its numbers")
    if INDEX.search(page):
        from drlim_np.audit import index  # needs Matplotlib, which nothing else here does

        page = INDEX.sub(lambda mark: f"{mark[1]}\n{index.table()}\n\n{mark[2]}", page)
    return MARK.sub(lambda mark: f"{mark[1]}{_number(record, mark[2], mark[3])}{mark[4]}", page)


def _number(record: Mapping[str, Entry], figure: str, number: str) -> str:
    if figure not in record:
        raise InputError(f"there is no record of {printable(figure)}: draw it first, or name its --out")
    try:
        return shown(record[figure], number)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise DataError(f"the record of {figure} is not one to show ({fault!r}): draw the figure again") from fault


def shown(entry: Entry, number: str) -> str:
    """A number of one seed; of several the mean, the least and the most; a dash where it was not measured.

    Where some of the seeds lack it, as a collapsed map does, it says how many have it.
    """
    seeds = seeds_of(entry)
    if number == "seeds":
        in_a_row = len(seeds) > 2 and seeds == list(range(seeds[0], seeds[-1] + 1))
        return f"{seeds[0]} to {seeds[-1]}" if in_a_row else ", ".join(map(str, seeds))
    found = [_at(of_seed(entry, seed), number) for seed in seeds]
    values = [value for value in found if value is not None]
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
