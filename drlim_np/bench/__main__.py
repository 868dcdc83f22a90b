"""What the project costs on the machine at hand, against PyTorch and scikit-learn: tables in Markdown."""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from drlim_np.bench import gpu, memory, report
from drlim_np.bench.against import HERE, Runner, tree_of
from drlim_np.bench.cases import CASES
from drlim_np.bench.machine import bounds, by_layer, by_part
from drlim_np.bench.race import ROUNDS, Contest, Times, apart, environment, race
from drlim_np.checks.terminal import exit_status, first_line
from drlim_np.errors import DrlimError, InputError

THREADS = 1, 2
LIBRARIES = {"torch": "PyTorch", "sklearn": "scikit-learn", "pynndescent": "PyNNDescent"}
ALONE = {
    "layers": "where the training step goes, layer by layer, and what bounds it; nothing to compare with",
    "memory": "how time and peak memory grow up to 300,000 samples; nothing to compare with",
}


def main(arguments: list[str] | None = None) -> int:
    """0 when all was measured, 2 where the user can mend it, 130 when interrupted."""
    return exit_status(lambda: _main(_parser().parse_args(arguments)), "drlim_np.bench")


def _main(options: argparse.Namespace) -> None:
    if options.list:
        for name, words in ({name: case.words for name, case in CASES.items()} | ALONE).items():
            print(f"{name:11} {words}")
    else:
        _run(_chosen(options.only), options.quick, options.threads, options.against)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drlim_np.bench", description=__doc__)
    add = parser.add_argument
    add("--list", action="store_true", help="list the cases and stop")
    add("--only", nargs="+", metavar="CASE", help="measure these cases only, named as --list names them")
    add("--threads", nargs="+", type=int, choices=THREADS, default=THREADS, help="1, 2 or both (default: both)")
    add("--against", metavar="REV", help="compare with ours as a commit of this checkout had it, and with nothing else")
    add("--quick", action="store_true", help="small sizes and few rounds, to see that all of it works")
    return parser


def _chosen(names: list[str] | None) -> list[str]:
    """The cases to run. Raises InputError for a name that is none, DrlimError where what a case needs is missing."""
    known = [*CASES, *ALONE]
    if unknown := [name for name in names or () if name not in known]:
        raise InputError(f"--only {unknown[0]}: no such case; choose from {', '.join(known)}")
    chosen = [name for name in known if not names or name in names]
    needed = dict.fromkeys(CASES[name].peer for name in chosen if name in CASES)
    if missing := [LIBRARIES[module] for module in needed if importlib.util.find_spec(module) is None]:
        raise DrlimError(
            f'{" and ".join(missing)} missing: run pip install ".[bench]", or choose other cases by --only'
        )
    return chosen


def _run(chosen: list[str], quick: bool, asked: Sequence[int], revision: str | None) -> None:
    if any(name.startswith("gpu") for name in chosen) and (reason := gpu.missing()):
        print(f"Cases of a GPU left out: {reason}.")
        chosen = [name for name in chosen if not name.startswith("gpu")]
    print(_machine(), flush=True)
    contests = [name for name in chosen if name in CASES]
    if revision is not None:
        _against(revision, contests, quick, asked)
        return
    if contests:
        _compare(contests, quick, asked)
    if "layers" in chosen:
        print("\nWhere a training step of 256 images goes, on one thread, in blocks of 64\n")
        print(report.heading(report.LAYERS))
        print(*report.layers(apart(__package__, "--layers")), sep="\n")
        print("\nWhat a block of 64 images cannot do without, each part alone\n")
        print(report.heading(report.PARTS))
        print(*report.parts(apart(__package__, "--parts")), sep="\n")
    if "memory" in chosen and not quick:
        print("\nThe process alone\n")
        print(report.heading(report.MEMORY))
        for name, sizes in memory.SIZES.items():
            for size in sizes:
                found = apart(__package__, "--peak", name, size)
                print(report.memory(first_line(memory.STEPS[name]), size, **found), flush=True)


def _compare(contests: list[str], quick: bool, asked: Sequence[int]) -> None:
    peaks = {}
    for threads in asked:
        bound = apart(__package__, "--bounds", threads, threads=threads)
        peaks[threads] = bound["flops"]
        print(report.bound(threads, **bound))

    print(f"\n{report.heading(report.CONTEST)}", flush=True)
    found: dict[tuple[str, int], dict[int, Times]] = {}
    for name in contests:
        case = CASES[name]
        for threads in (threads for threads in case.threads if threads in asked):
            for size in case.quick if quick else case.sizes:
                given = "--case", name, size, threads, 3 if quick else ROUNDS
                blas = threads if case.blas else 1
                measured = apart(__package__, *given, threads=threads, blas=blas, keep_memory=case.keep_memory)
                times = found.setdefault((name, threads), {})[size] = Times(*measured)
                print(*report.contest(name, size, threads, times), sep="\n", flush=True)

    print("\nWhat ours does in a second, and its share of the bound on matrix products where these are the work\n")
    print(report.heading(report.REACHED))
    for (name, threads), by_size in found.items():
        for size, times in by_size.items():
            print(report.reached(name, size, threads, times, peaks[threads]))
    print("\nHow our cost grows: with which power of the size\n")
    print(report.heading(report.GROWTH))
    for (name, threads), by_size in found.items():
        for line in report.growth(name, threads, by_size):
            print(line)


def _against(revision: str, contests: list[str], quick: bool, asked: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trees = {"ours": HERE, revision: tree_of(revision, Path(folder))}
        print(f"\n{report.heading(report.CONTEST)}", flush=True)
        for name in contests:
            case = CASES[name]
            for threads in (threads for threads in case.threads if threads in asked):
                environ = environment(threads, threads if case.blas else 1, case.keep_memory)
                for size in case.quick if quick else case.sizes:
                    with ExitStack() as stack:
                        runners = {
                            whose: stack.enter_context(closing(Runner(tree, name, size, threads, environ)))
                            for whose, tree in trees.items()
                        }
                        try:
                            times = race(Contest(runners, None, size, "units"), 3 if quick else ROUNDS)
                        except EOFError as fault:
                            remedy = f"{revision} may not have it, so choose others by --only"
                            raise DrlimError(f"{name} does not run in both trees: {remedy}") from fault
                    print(*report.contest(name, size, threads, times), sep="\n", flush=True)


def _machine() -> str:
    """One line on the machine and the libraries, for the record."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = [f"Python {platform.python_version()}"]
    for name in ("numpy", "torch", "scikit-learn", "pynndescent", "cupy-cuda12x"):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return f"{usable} processors, {platform.machine()}; {', '.join(versions)}."


def _measure(name: str, size: str, threads: str, rounds: str) -> Times:
    """One contest, in this process."""
    case = CASES[name]
    if case.peer == "torch":
        import torch

        torch.set_num_threads(int(threads))
    timer = time.perf_counter if case.device or int(threads) > 1 else time.process_time
    return race(case.build(int(size), int(threads)), int(rounds), timer)


# What a process of its own is asked for; its last line is the result as JSON.
APART = {
    "--bounds": lambda threads: bounds(int(threads)),
    "--layers": by_layer,
    "--parts": by_part,
    "--peak": memory.peak,
    "--case": _measure,
}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in APART:
        print(json.dumps(APART[sys.argv[1]](*sys.argv[2:])))
    else:
        sys.exit(main())
