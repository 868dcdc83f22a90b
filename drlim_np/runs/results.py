"""`python -m drlim_np.runs.results`: the tables of results, in Markdown, written from the records in metrics.json.

    python -m drlim_np.runs.results --out figures README.md           writes them between their markers
    python -m drlim_np.runs.results --out figures --check README.md   says whether what stands there is current

Without a page they are printed. A page marks a place by <!-- results: begin NAME --> and <!-- results: end -->, NAME
one of `TABLES`, all of them if there is none, or one of `GALLERIES`: pictures, each with its line of claim. A number is
that of the one seed on record, or of several the mean, with the least and the most. The name "index" is the one table
without numbers: the paper, line by line, for drlim_np/README.md.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import DataError, InputError
from drlim_np.files import atomic
from drlim_np.runs.gallery import GALLERY, GLANCE, Shown
from drlim_np.runs.seeds import Entry, earlier_record, of_seed, seeds_of

PROGRAM = "python -m drlim_np.runs.results"
GALLERIES = {"gallery": GALLERY, "glance": GLANCE}
INDEX = "index"
WIDTH = 480  # pixels of a picture in a gallery
MARKED = re.compile(r"(<!-- results: begin ?([\w-]*) -->\n).*?(<!-- results: end -->)", flags=re.DOTALL)


class Row(NamedTuple):
    """A line of a table: the figure, what is said of it, and where its numbers stand in `measured`.

    said: {picture} is the address of the figure's PNG, {test:,} and the like are its settings.
    """

    figure: str
    said: str
    place: tuple[str, ...]


class Table(NamedTuple):
    """What a table is of, its columns (what is said, the name in the record), and its rows."""

    of: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]


ON_DIGITS = (
    ("5-NN accuracy, 4 against 9", "accuracy"),
    ("slant R²", "slant_r2"),
    ("unevenness", "unevenness"),
    ("trustworthiness", "trustworthiness"),
)
ON_SHIFTED_DIGITS = (
    ("shift ratio", "shift_ratio"),
    ("neighbours of the same shift (chance .2)", "same_shift_neighbours"),
    ("silhouette by shift", "silhouette_by_shift"),
    ("slant R²", "slant_r2"),
    ("5-NN accuracy", "accuracy"),
)
ON_AIRPLANE = (
    ("elevation R²", "elevation_r2"),
    ("azimuth, resultant length", "azimuth_resultant"),
    ("share of lighting", "share_of_lighting"),
    ("5 nearest adjoin in the graph", "similar_neighbours"),
    ("5 nearest lit alike (chance .167)", "same_lighting_neighbours"),
)


def _digits(data: str, title: str) -> Iterator[Row]:
    exact = ", the paper's exact weighting" if data == "mnist" else ", exact"
    yield Row(f"figure4-{data}", f"[{title}]({{picture}}), balanced{' weighting' * (data == 'mnist')}", ("drlim",))
    yield Row(f"figure4-exact-{data}", f"[{title}]({{picture}}){exact}", ("drlim",))
    yield Row(f"figure4-{data}", f"[{title}]({{picture}}), PCA-2", ("pca",))


def _shifted_digits(data: str, title: str) -> Iterator[Row]:
    for number, by in ((5, "drlim"), (6, "lle"), (7, "drlim")):
        said = "LLE" if by == "lle" else "balanced"
        yield Row(f"figure{number}-{data}", f"[Figure {number}]({{picture}}), {title}, {said}", (by,))
        if by == "drlim":
            yield Row(f"figure{number}-exact-{data}", f"Figure {number}, {title}, exact", (by,))


def _airplane() -> Iterator[Row]:
    yield Row("figure8-airplane", "[Figure 8]({picture}), DrLIM, {test} unseen views", ("drlim",))
    of_9 = "[Figure 9]({picture}), "
    here = "drlim_on_the_same_views"
    yield Row("figure9-airplane", of_9 + "DrLIM, the {samples} views trained on", (here,))
    yield Row("figure9-airplane", of_9 + "LLE on these, not regularised", ("lle",))
    for said, amount in (("1e-3", "0.001"), ("0.1", "0.1"), ("1", "1")):
        regularised = f"LLE, regularised by {said} of the trace"
        yield Row("figure9-airplane", of_9 + regularised, ("lle_by_regularisation", amount))


TABLES = {
    "digits": Table(
        "Figure 4: {test:,} unseen digits",
        ON_DIGITS,
        (*_digits("mnist", "MNIST"), *_digits("handwriting", "generated")),
    ),
    "shifted-digits": Table(
        "shifted digits",
        ON_SHIFTED_DIGITS,
        (*_shifted_digits("mnist", "MNIST"), *_shifted_digits("handwriting", "generated")),
    ),
    "airplane": Table("the airplane", ON_AIRPLANE, (*_airplane(),)),
}


def main(arguments: list[str] | None = None) -> int:
    """0 when the tables are printed, written or current, 1 when --check finds one that is not, 2 for bad input."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="The tables of results, written from the records.")
    parser.add_argument(
        "pages", nargs="*", type=Path, metavar="PAGE", help="write the tables into these Markdown files"
    )
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder with metrics.json (default: out)")
    parser.add_argument("--check", action="store_true", help="write nothing: exit status 1 if a page is not current")
    options = parser.parse_args(arguments)
    return exit_status(lambda: _main(options), PROGRAM)


def _main(options: argparse.Namespace) -> int:
    record, outdated = earlier_record(options.out), []
    if not options.pages:
        print(tables("", record, options.out.as_posix()))
    for page in options.pages:
        try:
            before = page.read_text(encoding="utf-8")
        except (OSError, ValueError) as fault:
            raise DataError(f"{printable(page)}: cannot be read ({fault}): name a Markdown file") from fault
        after = written(before, record, Path(os.path.relpath(options.out, page.parent)).as_posix())
        if after == before:
            continue
        outdated.append(page)
        if not options.check:
            atomic.replace({page: after.encode()}, "check the page and its permissions")
        print(f"{page}: {'not current: write it by this command without --check' if options.check else 'written'}")
    return 1 if options.check and outdated else 0


def written(page: str, record: Mapping[str, Entry], pictures: str) -> str:
    """The page with its tables as the record has them; pictures: the address of their folder, seen from the page.

    Raises InputError for a page without markers, for a name that no table has, and for a table without a record.
    """
    if not MARKED.search(page):
        raise InputError("the page has no <!-- results: begin --> with an end: mark where the tables are to stand")
    return MARKED.sub(lambda found: f"{found[1]}\n{tables(found[2], record, pictures)}\n\n{found[3]}", page)


def tables(name: str, record: Mapping[str, Entry], pictures: str) -> str:
    """The table or gallery of that name, or all tables of which there are records, in Markdown."""
    if name == INDEX:
        from drlim_np.audit import lines  # needs every module, and so Matplotlib, which nothing else here does

        return lines.as_markdown()
    if name and name not in {**TABLES, **GALLERIES}:
        raise InputError(
            f"there are no results by the name {name}: choose from {', '.join([*TABLES, *GALLERIES, INDEX])}"
        )
    try:
        if name in GALLERIES:
            found = [text] if (text := _gallery(GALLERIES[name], record, pictures)) else []
        else:
            found = [text for one in ([name] if name else TABLES) if (text := _table(TABLES[one], record, pictures))]
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise DataError(f"the record is not one to make tables of ({fault!r}): draw the figures anew") from fault
    if not found:
        raise InputError(f"there is no record of {name or 'any table'}: draw the figures first, or name their --out")
    return "\n\n".join(found)


def _table(table: Table, record: Mapping[str, Entry], pictures: str) -> str:
    rows = [(row, record[row.figure]) for row in table.rows if row.figure in record]
    if not rows:
        return ""
    several = any(len(seeds_of(entry)) > 1 for _, entry in rows)
    heading = [table.of.format(**rows[0][1]["settings"]), *(said for said, _ in table.columns)]
    lines = [[*heading, *(["seeds: mean (least to most)"] if several else [])], ["---"] * (len(heading) + several)]
    for row, entry in rows:
        said = row.said.format(picture=f"{pictures}/{row.figure}.png", **entry["settings"])
        cells = [cell(entry, (*row.place, name)) for _, name in table.columns]
        lines.append([said, *cells, *([_listed(seeds_of(entry))] if several else [])])
    return "\n".join(f"|{'|'.join(line)}|" if line[0] == "---" else f"| {' | '.join(line)} |" for line in lines)


def _gallery(figures: tuple[Shown, ...], record: Mapping[str, Entry], pictures: str) -> str:
    """A line for each figure on record: its picture, which leads to its file, and its claim."""
    lines = [
        _line(shown, known, record, pictures)
        for shown in figures
        if (known := [stem for stem in shown.stems if stem in record])
    ]
    return "\n".join(["| figure | what it shows |", "|---|---|", *lines]) if lines else ""


def _line(shown: Shown, stems: list[str], record: Mapping[str, Entry], pictures: str) -> str:
    first, *others = stems
    claim = re.sub(r"{([^}]+)}", lambda place: cell(record[first], tuple(place[1].split("/"))), shown.says)
    also = "".join(f" Also [{record[stem]['data']['title']}]({pictures}/{stem}.png)." for stem in others)
    picture = f'<img src="{pictures}/{first}.png" width="{WIDTH}" alt="{shown.heading}">'
    return f"| [{picture}]({pictures}/{first}.{shown.kind}) | **{shown.heading}.** {claim}{also} |"


def cell(entry: Entry, place: tuple[str, ...]) -> str:
    """A number of one seed; of several the mean, the least and the most; a dash where there is none.

    place: the way to it in `measured`, or "claims" and the text of one. Where some of the seeds have none, as a map
    that collapsed has, it says how many have.
    """
    seeds = seeds_of(entry)
    values = [value for seed in seeds if (value := _at(_numbers(of_seed(entry, seed)), place)) is not None]
    if not values:
        return "–"
    mean = f"{sum(values) / len(values):.3f}"
    said = mean if len(values) == 1 else f"{mean} ({min(values):.3f} to {max(values):.3f})"
    return said if len(values) == len(seeds) else f"{said}, {len(values)} of {len(seeds)} seeds"


def _numbers(entry: Entry) -> dict[str, Any]:
    return {**entry["measured"], "claims": {claim["text"]: claim["value"] for claim in entry["claims"]}}


def _at(measured: Any, place: tuple[str, ...]) -> float | None:
    for name in place:
        measured = measured.get(name, {}) if isinstance(measured, dict) else {}
    return measured if isinstance(measured, int | float) else None


def _listed(seeds: list[int]) -> str:
    run = seeds == list(range(seeds[0], seeds[-1] + 1)) and len(seeds) > 2
    return f"{seeds[0]} to {seeds[-1]}" if run else ", ".join(map(str, seeds))


if __name__ == "__main__":
    sys.exit(main())
