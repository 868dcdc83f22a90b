"""Audits the mathematics, then draws the figures of the paper, each with the numbers that prove its claims.

`run_all.py` and `python -m drlim_np.runs` are this command, with one BLAS thread.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from drlim_np.audit.first import audit_passes
from drlim_np.audit.proof import columns
from drlim_np.checks.terminal import exit_status, first_line, printable
from drlim_np.data import Digits, Views
from drlim_np.errors import DrlimError, InputError
from drlim_np.fast.devices import BACKENDS, origin, processors
from drlim_np.figures import Train
from drlim_np.files import atomic
from drlim_np.files.cache import Cache
from drlim_np.runs import pages, sources, verify
from drlim_np.runs.index import FIGURES
from drlim_np.runs.jobs import Task, all_drawn, number_of
from drlim_np.runs.record import Drawn, write
from drlim_np.runs.seeds import Entry, earlier_record, filed, of_seed

CACHE = ".checkpoints"  # inside the folder of the figures
OUT = "out"
INTERRUPTED = "; the figures finished so far are kept, and the next run finds the finished trainings"
Images = dict[str | None, Digits | Views | None]  # by what a figure needs


class AuditFailedError(Exception):
    """Ends a run before anything is written; what the audit found is printed."""


def main(arguments: list[str] | None = None, program: str = "run_all.py") -> int:
    """0 if the audit passes and every claim holds, 1 if not, 2 where the user can mend it, 130 when interrupted.

    141, as of a process ended by SIGPIPE, where the reader of its output has gone.
    """
    return exit_status(lambda: _main(_parser(program).parse_args(arguments)), program, INTERRUPTED)


def _main(options: argparse.Namespace) -> int:
    if options.list:
        for name, figure in FIGURES.items():
            print(f"{name:16} {first_line(figure.make)}")
        return 0
    origin(options.backend)  # first of all, so that a missing GPU shows at once
    options.jobs = number_of(options.jobs, options.backend)
    if not options.out:
        raise InputError("--out is empty: name a folder after it, or leave it out")
    out = Path(os.path.expanduser(options.out))
    if options.verify:
        with tempfile.TemporaryDirectory() as folder:
            return _run(options, out, Path(folder))
    if options.out == OUT:
        print(f"Figures go to {printable(out.resolve())}; --out figures refreshes those that ship with a checkout.")
    try:
        atomic.make_folder(out)
    except OSError as fault:
        complaint = f"{printable(out)}: cannot be made ({fault.strerror})"
        raise DrlimError(f"{complaint}: choose another folder by --out") from fault
    with atomic.alone_in(out):
        earlier_record(out)  # so that damage shows before anything is drawn
        return _run(options, out, out)


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description=first_line(sys.modules[__name__]))
    add = parser.add_argument
    add("--list", action="store_true", help="list the figures and stop")
    add("--only", nargs="+", action="extend", metavar="FIGURE", help="draw these figures only, named as in --list")
    add("--quick", action="store_true", help="small sizes, for a look within a minute; the figures are stamped so")
    add("--seed", type=int, help="the root of all randomness, a whole number from 0 up (default: 0)")
    add("--seeds", type=int, nargs="+", metavar="SEED", help="pictures of the first, and the records of all of them")
    add("--out", default=OUT, metavar="DIR", help=f"folder of the figures and metrics.json (default: {OUT}, here)")
    add("--jobs", metavar="N", help="processes that draw side by side (default: one a processor, if memory allows)")
    add("--no-audit", action="store_true", help="skip the audit of the gradients")
    add("--fresh", action="store_true", help="train again, whatever earlier runs left")
    add("--verify", action="store_true", help="draw again, elsewhere, what --out has records of, and compare")
    add("--backend", choices=BACKENDS, default="numpy", help="the library that trains, on its GPU if it finds one")
    sources.add_options(parser)
    return parser


def _run(options: argparse.Namespace, recorded: Path, out: Path) -> int:
    chosen, seeds = _chosen(options), _seeds(options)
    asked = sources.downloads(options)
    cache = Cache(out / CACHE)
    if options.fresh:
        cache.clear()
    repeated = verify.repeated(earlier_record(recorded), chosen, seeds) if options.verify else {}
    sources.download(asked, options)
    images = _images(options, chosen, asked, cache)  # before the audit, so that a fault in the data shows at once

    def audit() -> None:
        if not options.no_audit and not audit_passes(options.backend, cache):
            raise AuditFailedError("The audit failed, so no figure was drawn: see above.")

    threads = min(4, processors())  # for more there are not enough blocks in a batch
    train = Train((seeds or [0])[0], options.quick, threads, options.backend, cache)
    try:
        if not options.verify:
            return _draw(chosen, seeds[1:], images, train, out, options.jobs, audit)
        tasks = [
            task
            for (seed, quick), names in repeated.items()
            for task in _tasks(names, images, replace(train, seed=seed, quick=quick), pictured=False)
        ]
        return _verify(tasks, earlier_record(recorded), options.jobs, audit)
    except AuditFailedError as fault:
        print(fault)
        return 1


def _seeds(options: argparse.Namespace) -> list[int]:
    """The seeds asked for, each once, in the order given; none if none was."""
    if options.seed is not None and options.seeds is not None:
        raise InputError("--seed and --seeds are both given: leave out one of them")
    option, given = ("--seed", [options.seed]) if options.seeds is None else ("--seeds", options.seeds)
    seeds = [seed for seed in dict.fromkeys(given) if seed is not None]
    if wrong := [seed for seed in seeds if seed < 0]:
        raise InputError(f"{option} is {wrong[0]}: give a whole number from 0 up")
    return seeds


def _chosen(options: argparse.Namespace) -> list[str]:
    """The figures to draw, in the order of the paper; those on request only if they are named."""
    names = {*sources.named("--only", options.only, FIGURES, "figures")}
    if options.only is None:
        names = {name for name in names if not FIGURES[name].on_request}
    return [name for name in FIGURES if name in names]


def _images(options: argparse.Namespace, chosen: list[str], asked: list[str], cache: Cache) -> Images:
    """The images that these figures need, or that were asked for, loaded once."""
    needed = {FIGURES[name].needs for name in chosen}
    return {
        None: None,
        "digits": sources.digits(options, cache) if "digits" in needed or "mnist" in asked else None,
        "views": sources.views(options, cache) if "views" in needed or "norb" in asked else None,
    }


def _tasks(names: list[str], images: Images, train: Train, pictured: bool) -> list[Task]:
    figures = [FIGURES[name] for name in names]
    return [
        Task(figure, images[figure.needs], train, frozenset(figure.after) & {*names}, pictured) for figure in figures
    ]


def _draw(
    chosen: list[str], others: list[int], images: Images, train: Train, out: Path, jobs: int, audit: Callable[[], None]
) -> int:
    """The figures of the run's seed; then, of the other seeds, the records of those figures that a network makes."""
    tasks = _tasks(chosen, images, train, pictured=True)
    trained = [name for name in chosen if FIGURES[name].needs]
    for seed in others:
        tasks += _tasks(trained, images, replace(train, seed=seed), pictured=False)
    rows, entries = [("figure", "claim", "value", "bound", "")], {}
    with closing(all_drawn(tasks, jobs, audit)) as figures:
        for task, figure in figures:
            _say(figure)
            write(out, figure)
            label = figure.key if task.pictured else f"{figure.key}, seed {task.train.seed}"
            where = f"{out / figure.key}.png" if task.pictured else f"{label}, recorded"
            print(f"{where}  {figure.entry['wall_seconds']:.0f} s", flush=True)
            rows += [_row(label, claim) for claim in figure.entry["claims"]]
            if task.pictured:
                entries[task.figure.name] = figure.entry
    for name, page in pages.made(out, entries, images["digits"], images["views"], train):
        atomic.replace({out / name: page})
        print(out / name, flush=True)
    failed = sum(row[-1] == "FAILS" for row in rows)
    print(f"\n{columns(rows)}")
    print(f"{len(rows) - 1} claims, {failed} failed" if failed else f"All {len(rows) - 1} claims hold.")
    return 1 if failed else 0


def _verify(tasks: list[Task], record: dict[str, Entry], jobs: int, audit: Callable[[], None]) -> int:
    """Draws the recorded figures again, with their seed and size, and compares; nothing is kept."""
    rows = [verify.HEADING]
    with closing(all_drawn(tasks, jobs, audit)) as figures:
        for task, figure in figures:
            _say(figure)
            key, seed = figure.key, task.train.seed
            print(f"{key}  {figure.entry['wall_seconds']:.0f} s", flush=True)
            if key in record:
                label = key if seed == record[key]["seed"] else f"{key}, seed {seed}"
                rows += verify.compare(label, of_seed(record[key], seed), filed(None, figure.entry, pictured=True))
            else:
                print(f"{key}: there is no record of this data", flush=True)
    compared, failed = len(rows) - 1, sum(row[-1] == "DIFFERS" for row in rows)
    print(f"\n{columns(rows)}")
    print(f"{compared} compared, {failed} differ" if failed or not compared else f"All {compared} agree.")
    return 1 if failed or not compared else 0


def _say(figure: Drawn) -> None:
    """Prints what was printed while the figure was drawn."""
    print(figure.complained, end="", file=sys.stderr, flush=True)
    print(figure.said, end="", flush=True)


def _row(label: str, claim: dict) -> tuple[str, ...]:
    verdict = "holds" if claim["holds"] else "FAILS"
    return label, claim["text"], f"{claim['value']:.6g}", f"{claim['relation']} {claim['bound']:.6g}", verdict
