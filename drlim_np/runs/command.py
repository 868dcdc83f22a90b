"""Audits the mathematics, then draws the figures of the paper, each with the numbers that prove its claims.

`run_all.py` and `python -m drlim_np.runs` are this command, with one BLAS thread.
"""

import argparse
import functools
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from dataclasses import replace
from importlib import import_module
from io import StringIO
from pathlib import Path

from drlim_np.audit.first import audit_passes, audited
from drlim_np.audit.index import audit_page
from drlim_np.audit.proof import columns
from drlim_np.checks.terminal import exit_status, printable
from drlim_np.data import AZIMUTHS, Digits, Views
from drlim_np.errors import DataError, require
from drlim_np.fast.devices import BACKENDS, origin, processors
from drlim_np.figures import FIGURES as REGISTERED
from drlim_np.figures import Train, figure5, figure7
from drlim_np.figures.figure5 import trained, unseen_digits
from drlim_np.figures.figure8 import setting, train_airplane
from drlim_np.files import atomic
from drlim_np.files.cache import Cache, source_digest
from drlim_np.runs import record, sources
from drlim_np.runs.jobs import Task, all_drawn, number_of
from drlim_np.runs.record import Drawn, Entry, earlier_record
from drlim_np.teaching.laboratories import map_page, training_page
from drlim_np.teaching.pages import lesson_page, paper_page

MODULES = [*(f"figure{number}" for number in range(1, 11)), "invariance", "collapse", "sheets", "towers"]
PLACES = {import_module(f"drlim_np.figures.{name}").__name__: place for place, name in enumerate(MODULES)}
# All figures by name, in the order of the paper; those that it does not print come last.
FIGURES = {each.name: each for each in sorted(REGISTERED.values(), key=lambda each: PLACES[each.make.__module__])}
OUT = "out"
INTERRUPTED = "; the figures finished so far are kept, and the next run finds the finished trainings"
HEADING = ("figure", "claim", "value", "bound", "")


def main(arguments: list[str] | None = None, program: str = "run_all.py") -> int:
    """0 if the audit passes and every claim holds, 1 if not; 2, 130 and 141 as `exit_status` says."""
    parser = argparse.ArgumentParser(prog=program, description=__doc__ and __doc__.splitlines()[0])
    add = parser.add_argument
    add("--list", action="store_true", help="list the figures and stop")
    add("--only", nargs="+", action="extend", metavar="FIGURE", help="draw these figures only, named as in --list")
    add("--quick", action="store_true", help="small sizes, for a look within a minute; the figures are stamped so")
    seeds = "the root of all randomness (default: 0); of several, pictures of the first, and the records of all"
    add("--seed", "--seeds", type=int, nargs="+", default=[], metavar="SEED", help=seeds)
    add("--out", default=OUT, metavar="DIR", help=f"folder of the figures and metrics.json (default: {OUT}, here)")
    add("--jobs", type=int, metavar="N", help="processes side by side (default: one a processor, if memory allows)")
    add("--no-audit", action="store_true", help="skip the audit of the gradients")
    add("--fresh", action="store_true", help="train again, whatever earlier runs left")
    add("--verify", action="store_true", help="draw again, elsewhere, what --out has records of, and compare")
    add("--backend", choices=BACKENDS, default="numpy", help="the library that trains, on its GPU if it finds one")
    sources.add_options(parser)
    return exit_status(lambda: _main(parser.parse_args(arguments)), program, INTERRUPTED)


def _main(options: argparse.Namespace) -> int:
    if options.list:
        for name, figure in FIGURES.items():
            print(f"{name:16}", (figure.make.__doc__ or "").partition("\n")[0])
        return 0
    origin(options.backend)  # first of all, so that a missing GPU shows at once
    options.jobs = number_of(options.jobs, options.backend)
    require(options.out != "", "--out is empty: name a folder after it, or leave it out")
    out = Path(os.path.expanduser(options.out))
    if options.verify:
        with tempfile.TemporaryDirectory() as folder:
            return _run(options, out, Path(folder))
    if options.out == OUT:
        print(f"Figures go to {printable(out.resolve())}; --out figures refreshes those that ship with a checkout.")
    with atomic.alone_in(out):
        return _run(options, out, out)


def _run(options: argparse.Namespace, recorded: Path, out: Path) -> int:
    """Draws the figures into `out`, or, with --verify, compares them with the record in the folder `recorded`."""
    earlier = earlier_record(recorded)  # damage to it shows before anything is drawn
    named, seeds = sources.named("--only", options.only, FIGURES, "figures"), [*dict.fromkeys(options.seed)]
    require(min(seeds, default=0) >= 0, f"--seed is {min(seeds, default=0)}: give a whole number from 0 up")
    chosen = [name for name in named if options.only or not FIGURES[name].on_request]
    repeated = record.repeated(earlier, chosen, seeds) if options.verify else {}
    asked = sources.downloaded(options)
    cache = Cache(out / ".checkpoints")
    if options.fresh:
        cache.clear()
    needed = {FIGURES[name].needs for name in chosen}
    digits = sources.digits(options, cache) if "digits" in needed or "mnist" in asked else None
    views = sources.views(options, cache) if "views" in needed or "norb" in asked else None
    threads = min(4, processors())  # for more there are not enough blocks in a batch
    train = Train((seeds or [0])[0], options.quick, threads, options.backend, cache)
    if options.verify:
        runs = [(replace(train, seed=seed, quick=quick), names) for (seed, quick), names in repeated.items()]
    else:
        of_trainings = [name for name in chosen if FIGURES[name].needs]
        runs = [(train, chosen), *((replace(train, seed=seed), of_trainings) for seed in seeds[1:])]
    due, images = [], {None: None, "digits": digits, "views": views}
    for run, names in runs:
        for figure in (FIGURES[name] for name in names):
            due.append(Task(figure, images[figure.needs], run, {*figure.after} & {*names}, pictured=run is train))
    audit = functools.cache(lambda: options.no_audit or audit_passes(options.backend, cache))
    rows, entries = [record.HEADING if options.verify else HEADING], {}
    with closing(all_drawn(due, options.jobs, audit)) as figures:
        for task, figure in figures:
            print(figure.complained, end="", file=sys.stderr, flush=True)
            print(figure.said, end="", flush=True)
            rows += _compared(task, figure, earlier) if options.verify else _kept(task, figure, out)
            if task.pictured:
                entries[task.figure.name] = figure.entry
    if not audit():
        print("The audit failed, so no figure was drawn: see above.")
        return 1
    for name, page in () if options.verify else pages(out, entries, digits, views, train):
        atomic.replace({out / name: page})
        print(out / name, flush=True)
    print(f"\n{columns(rows)}")
    count, failed = len(rows) - 1, sum(row[-1] in ("FAILS", "DIFFERS") for row in rows)
    if failed or (options.verify and not count):
        print(f"{count} compared, {failed} differ" if options.verify else f"{count} claims, {failed} failed")
        return 1
    print(f"All {count} agree." if options.verify else f"All {count} claims hold.")
    return 0


def _kept(task: Task, figure: Drawn, out: Path) -> list[tuple[str, ...]]:
    """Writes a figure or, of a further seed, its record; each claim gives a row."""
    record.write(out, figure)
    label = figure.key if task.pictured else f"{figure.key}, seed {task.train.seed}"
    where = f"{out / figure.key}.png" if task.pictured else f"{label}, recorded"
    print(f"{where}  {figure.entry['wall_seconds']:.0f} s", flush=True)
    rows = []
    for claim in figure.entry["claims"]:
        bound, verdict = f"{claim['relation']} {claim['bound']:.6g}", "holds" if claim["holds"] else "FAILS"
        rows.append((label, claim["text"], f"{claim['value']:.6g}", bound, verdict))
    return rows


def _compared(task: Task, figure: Drawn, earlier: dict[str, Entry]) -> list[tuple[str, ...]]:
    """Each value of a figure drawn again gives a row; nothing is kept."""
    key, seed = figure.key, task.train.seed
    print(f"{key}  {figure.entry['wall_seconds']:.0f} s", flush=True)
    if key not in earlier:
        print(f"{key}: there is no record of this data", flush=True)
        return []
    label = key if seed == earlier[key]["seed"] else f"{key}, seed {seed}"
    return [*record.compare(label, record.of_seed(earlier[key], seed), figure.entry)]


def pages(
    out: Path, entries: dict[str, Entry], digits: Digits | None, views: Views | None, train: Train
) -> Iterator[tuple[str, bytes]]:
    """Each page with its name, if all the figures that it shows were just drawn and written into `out`.

    None of a quick run, because its networks are too raw. entries: those of the figures, by name.
    """
    makers = {
        "paper.html": ({"figure8"}, lambda: _paper(views, train)),
        "training.html": ({"figure8"}, lambda: training_page(views, setting(views, train).test)),
        "map.html": ({"figure5", "figure7", "invariance"}, lambda: _map(entries["invariance"], digits, train)),
        "lesson.html": (set(), lesson_page),
        "audit.html": (set(), lambda: audit_page(earlier_record(out), out, audited(train.backend, train.cache))),
    }
    for name, (shown, make) in makers.items():
        if not train.quick and shown <= entries.keys():
            try:
                if source_digest.__wrapped__() != source_digest():
                    raise OSError("the files are others now")
                with redirect_stdout(StringIO()):  # the figures have said what was trained before
                    page = make()
            except OSError as fault:
                changed = f"the sources of drlim_np changed or went while this ran ({fault}), and the pages show them"
                raise DataError(f"{changed}: run again, from a complete checkout or installation") from fault
            yield name, page.encode()


def _paper(views: Views, train: Train) -> str:
    """The algorithm next to its equations, with the unseen views after 0, 1, 3 and all epochs."""
    airplane = train_airplane(views, train)
    maps = {epoch: airplane.after[epoch][airplane.test] for epoch in (0, 1, 3, len(airplane.after) - 1)}
    return paper_page(maps, views.azimuth[airplane.test] / AZIMUTHS)


def _map(invariance: Entry, digits: Digits, train: Train) -> str:
    """The networks of Figures 5 and 7 in a student's hand, with 60 unseen digits of each class to choose from."""
    unseen = unseen_digits(digits, train, 60)
    still = unseen.shift == 0
    stories = (("Figure 5", figure5.STORY), ("Figure 7", figure7.STORY))
    maps = {name: trained(story, digits, train, "balanced").params for name, story in stories}
    claims = "; ".join(f"{claim['text']} {claim['value']:.2f}" for claim in invariance["claims"])
    return map_page(maps, unseen.inputs[still], unseen.label[still], figure7.STORY.training.margin, claims)
