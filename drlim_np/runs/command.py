"""Audits the mathematics, then draws the figures of the paper, each with the numbers that prove its claims.

`run_all.py` and `python -m drlim_np.runs` are this command, with one BLAS thread.
"""

import argparse
import os
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from drlim_np.audit.first import audit_passes
from drlim_np.checks.terminal import exit_status, first_line, printable
from drlim_np.errors import InputError
from drlim_np.fast.devices import BACKENDS, origin, processors
from drlim_np.files import atomic
from drlim_np.files.cache import Memory
from drlim_np.runs import pages, sources, verify
from drlim_np.runs.index import AIRPLANE, DIGITS, FIGURES, ON_REQUEST
from drlim_np.runs.jobs import all_made, number_of
from drlim_np.runs.making import whole
from drlim_np.runs.record import Claim, Run, filed_in, require_writable
from drlim_np.runs.seeds import earlier_record, of_seed

MEMORY = ".checkpoints"  # inside the folder of the figures
OUT = "out"
INTERRUPTED = "; the figures finished so far are kept, and the next run goes on with the training"


def main(arguments: list[str] | None = None, program: str = "run_all.py") -> int:
    """0 if the audit passes and every claim holds, 1 if not, 2 where the user can mend it, 130 when interrupted.

    141, as of a process ended by SIGPIPE, where the reader of its output has gone.
    """
    return exit_status(lambda: _main(_parser(program).parse_args(arguments)), program, INTERRUPTED)


def _main(options: argparse.Namespace) -> int:
    if options.list:
        for name, make in FIGURES.items():
            print(f"{name:14} {first_line(make)}")
        return 0
    origin(options.backend)  # first of all, so that a missing GPU shows at once
    options.jobs = number_of(options.jobs, options.backend)
    out = _folder(options.out)
    if options.out == OUT and not options.verify:
        print(f"Figures go to {printable(out.resolve())}; --out figures refreshes those that ship with a checkout.")
    if options.verify:
        with tempfile.TemporaryDirectory() as folder:
            return _run(options, out, Path(folder))
    require_writable(out)
    with atomic.alone_in(out):
        return _run(options, out, out)


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description=first_line(sys.modules[__name__]))
    add = parser.add_argument
    add("--list", action="store_true", help="list the figures and stop")
    add(
        "--only",
        nargs="+",
        action="extend",
        metavar="FIGURE",
        help="draw these figures only, named as --list names them",
    )
    add("--quick", action="store_true", help="small sizes, for a look within a minute; the figures are stamped so")
    add("--seed", type=int, help="the root of all randomness, a whole number from 0 up (default: 0)")
    add(
        "--seeds",
        type=int,
        nargs="+",
        metavar="SEED",
        help="several such seeds: pictures of the first one; of the others the record alone, beside its own",
    )
    add(
        "--out",
        default=OUT,
        metavar="DIR",
        help=f"folder for the figures and metrics.json (default: {OUT}, here); --out figures refreshes, in a checkout,"
        " those that ship with it",
    )
    add(
        "--jobs",
        metavar="N",
        help="how many processes draw figures side by side; files and words are the same (default: the processors that"
        " this process may use, fewer where memory is short, 1 with --backend cupy)",
    )
    add("--animate", action="store_true", help="also draw how the map of Figure 8 unfolds, as a strip and an animation")
    add("--no-audit", action="store_true", help="skip the audit of the gradients")
    add("--fresh", action="store_true", help="train anew, whatever earlier runs left to go on from")
    add(
        "--verify",
        action="store_true",
        help="repeat in a temporary folder what --out has records of, and compare; of each figure the seed whose"
        " picture lies there, unless --seed or --seeds names others",
    )
    add(
        "--backend",
        choices=BACKENDS,
        default="numpy",
        help="where training runs: cupy is an NVIDIA GPU (default: numpy)",
    )
    sources.add_options(parser)
    return parser


def _folder(given: str) -> Path:
    """The folder that --out names, ~ being the home folder."""
    if not given:
        raise InputError("--out is empty: name a folder after it, or leave it out")
    return Path(os.path.expanduser(given))


def _run(options: argparse.Namespace, earlier: Path, out: Path) -> int:
    chosen, seeds = _chosen(options), _seeds(options)
    asked = sources.downloads(options)
    memory = Memory(out / MEMORY, options.fresh)
    digits, views = (cache(partial(load, options, memory)) for load in (sources.digits, sources.views))
    first, *others = seeds or [0]
    run = Run(first, options.quick, _threads(), digits, views, options.backend, memory)
    recorded = verify.entries(earlier_record(earlier), chosen, seeds) if options.verify else {}
    sources.download(asked, options)
    if "mnist" in asked or not DIGITS.isdisjoint(chosen):
        run.digits()  # before the audit, so that a fault in the data shows at once
    if "norb" in asked or not AIRPLANE.isdisjoint(chosen):
        run.views()
    if not options.no_audit and not audit_passes(options.backend, memory):
        print("The audit failed, so no figure was drawn: see above.")
        return 1
    if options.verify:
        return _verify(recorded, run, earlier, options.jobs)
    return _draw(chosen, run, others, out, options.jobs)


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
    """The figures to draw, in the order of the paper; the animation on request only."""
    names = {*sources.named("--only", options.only, FIGURES, "figures")}
    if options.only is None:
        names -= ON_REQUEST
    if options.animate:
        names.add("unfolding")
    return [name for name in FIGURES if name in names]


def _draw(chosen: list[str], run: Run, others: list[int], out: Path, jobs: int) -> int:
    """The figures of the run's seed; then, of the other seeds, the records of those figures that a network makes."""
    claims: list[tuple[str, Claim]] = []
    trained = [name for name in chosen if name in DIGITS | AIRPLANE]
    tasks = [whole(0, run, chosen, pictured=True)]
    tasks += [whole(turn, replace(run, seed=seed), trained) for turn, seed in enumerate(others, 1)]
    with closing(all_made(tasks, jobs)) as all_of_it:
        for made in all_of_it:
            made.say()
            if isinstance(made.content, bytes):
                atomic.replace({out / made.name: made.content or pages.of_the_record(run, out)})
                print(out / made.name, flush=True)
                continue
            key, seed = filed_in(out, made.content), made.content.entry["seed"]
            pictured = bool(made.content.files)
            where = f"{out / key}.png" if pictured else f"{key}, seed {seed}, recorded"
            claims += [(key if pictured else f"{key}, seed {seed}", claim) for claim in made.content.claims]
            print(f"{where}  {made.seconds:.0f} s", flush=True)
    print()
    print(_table(claims))
    failed = sum(not claim.holds for _, claim in claims)
    print(f"{len(claims)} claims, {failed} failed" if failed else f"All {len(claims)} claims hold.")
    return 1 if failed else 0


def _verify(recorded: dict[tuple[int, bool], list[str]], run: Run, out: Path, jobs: int) -> int:
    """Draws the recorded figures again, with their seed and size, and compares; nothing is kept."""
    lines, record = [], earlier_record(out)
    tasks = [
        whole(turn, replace(run, seed=seed, quick=quick), names)
        for turn, ((seed, quick), names) in enumerate(recorded.items())
    ]
    with closing(all_made(tasks, jobs)) as all_of_it:
        for made in all_of_it:
            made.say()
            key, now = made.content.key, made.content.entry
            print(f"{key}  {made.seconds:.0f} s", flush=True)
            if key in record:
                label = key if now["seed"] == record[key]["seed"] else f"{key}, seed {now['seed']}"
                lines += verify.compare(label, of_seed(record[key], now["seed"]), now)
            else:
                print(f"{key}: there is no record of this data", flush=True)
    print()
    print(verify.table(lines))
    failed = sum(not line.agrees for line in lines)
    print(f"{len(lines)} compared, {failed} differ" if failed or not lines else f"All {len(lines)} agree.")
    return 1 if failed or not lines else 0


def _threads() -> int:
    """More than the four blocks of a batch would find nothing to do."""
    return min(4, processors())


def _table(claims: list[tuple[str, Claim]]) -> str:
    rows = [("figure", "claim", "value", "bound", "")]
    for key, claim in claims:
        bound = f"{claim.relation} {claim.bound:.6g}"
        rows.append((key, claim.text, f"{claim.value:.6g}", bound, "holds" if claim.holds else "FAILS"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:{widths[3]}}  {row[4]}"
        for row in rows
    )
