"""The project's time and memory on this machine, next to PyTorch's and scikit-learn's: tables in Markdown."""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from drlim_np.bench import machine, report
from drlim_np.bench.cases import CASES
from drlim_np.bench.devices import missing_gpu
from drlim_np.bench.race import ROUNDS, Times, apart, environment, race
from drlim_np.bench.runner import Runner, race_apart
from drlim_np.checks.terminal import exit_status, first_line, printable
from drlim_np.errors import DrlimError, InputError

HERE = Path(__file__).resolve().parents[2]
THREADS = 1, 2
LIBRARIES = {"torch": "PyTorch", "sklearn": "scikit-learn"}
ALONE = {
    "layers": "where a training step spends its time, layer by layer, and its products; nothing to compare",
    "memory": "time and peak memory up to 300,000 samples; nothing to compare",
}


def main(arguments: list[str] | None = None) -> int:
    """0 when all was measured, 2 where the user can mend it, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m drlim_np.bench", description=__doc__)
    add = parser.add_argument
    add("--list", action="store_true", help="list the cases and stop")
    add("--only", nargs="+", metavar="CASE", help="measure these cases only, named as --list names them")
    add("--threads", nargs="+", type=int, choices=THREADS, default=THREADS, help="1, 2 or both (default: both)")
    add("--fresh", action="store_true", help="each contestant in a process of its own, the libraries as installed")
    add("--against", metavar="REV", help="compare with an earlier commit of this checkout, and with nothing else")
    add("--quick", action="store_true", help="small sizes and few rounds, to see that all of it works")
    return exit_status(lambda: _run(parser.parse_args(arguments)), "drlim_np.bench")


def _run(options: argparse.Namespace) -> None:
    if options.list:
        for name, words in ({name: case.words for name, case in CASES.items()} | ALONE).items():
            print(f"{name:11} {words}")
        return
    chosen = _chosen(options.only)
    if any(name.startswith("gpu") for name in chosen) and (reason := missing_gpu()):
        print(f"Cases of a GPU left out: {reason}.")
        chosen = [name for name in chosen if not name.startswith("gpu")]
    print(_machine(), flush=True)
    contests = [name for name in chosen if name in CASES]
    with tempfile.TemporaryDirectory() as folder:
        if options.against is not None:
            trees = {"ours": HERE, options.against: _tree_of(options.against, Path(folder))}
            _compare(contests, options, lambda *of: _against(trees, *of))
            return
        if contests:
            _compare(contests, options, _fresh if options.fresh else _together)
    if "layers" in chosen:
        title = (
            "Where a training step of a block of 64 images spends its time, on one thread; then some parts of it alone"
        )
        print(report.heading(title, report.PARTS))
        print(*report.parts(apart(__package__, "--layers"), apart(__package__, "--parts")), sep="\n")
    if "memory" in chosen and not options.quick:
        print(report.heading("Each step alone in its process", report.MEMORY))
        for name, (step, sizes) in machine.STEPS.items():
            for size in sizes:
                found = apart(__package__, "--peak", name, size)
                peak = f"{found['bytes'] / 2**30:.2f} GiB"
                print(report.row(first_line(step), f"{size:,}", report.duration(found["seconds"]), peak), flush=True)


def _chosen(names: list[str] | None) -> list[str]:
    """The cases to run, in the order of --list."""
    known = [*CASES, *ALONE]
    if unknown := [name for name in names or () if name not in known]:
        raise InputError(f"--only {unknown[0]}: no such case; choose from {', '.join(known)}")
    chosen = [name for name in known if not names or name in names]
    needed = dict.fromkeys(CASES[name].peer for name in chosen if name in CASES)
    if missing := [LIBRARIES[module] for module in needed if importlib.util.find_spec(module) is None]:
        remedy = 'run pip install ".[bench]", or choose other cases by --only'
        raise DrlimError(f"{' and '.join(missing)} missing: {remedy}")
    return chosen


def _compare(contests: list[str], options: argparse.Namespace, measured: Callable[..., Times]) -> None:
    """Prints the contests, then the share of the machine's bound that ours reaches."""
    print(report.heading("Our time and theirs", report.CONTEST), flush=True)
    found: dict[tuple[str, int], dict[int, Times]] = {}
    for name in contests:
        case = CASES[name]
        for threads in (threads for threads in case.threads if threads in options.threads):
            for size in case.quick if options.quick else case.sizes:
                times = measured(name, size, threads, 3 if options.quick else ROUNDS)
                found.setdefault((name, threads), {})[size] = times
                print(*report.contest(name, size, threads, times), sep="\n", flush=True)
    if options.against is not None or options.fresh:
        return
    bounds = {threads: apart(__package__, "--bounds", threads, threads=threads) for threads in options.threads}
    for threads, bound in bounds.items():
        products, copies = f"{bound['flops'] / 1e9:.0f} GFLOP/s", f"{bound['bytes'] / 1e9:.0f} GB/s"
        print(f"\nBound on {threads} thread{'s' * (threads > 1)}: matrix products {products}, copies {copies}.")
    title = (
        "Ours in a second, its share of that bound where it is matrix products, and the power of the size that it costs"
    )
    print(report.heading(title, report.REACHED))
    for (name, threads), by_size in found.items():
        print(*report.reached(name, threads, by_size, bounds[threads]["flops"]), sep="\n")


def _blas(name: str, threads: int) -> int:
    return threads if CASES[name].blas else 1


def _together(name: str, size: int, threads: int, rounds: int) -> Times:
    """All contestants in one process, where their results are compared."""
    given = "--case", name, size, threads, rounds
    return Times(*apart(__package__, *given, threads=threads, blas=_blas(name, threads)))


def _fresh(name: str, size: int, threads: int, rounds: int) -> Times:
    environ = environment(threads, _blas(name, threads), keep_memory=False)
    names = CASES[name].contest(size, threads).contestants
    return race_apart({who: Runner(HERE, name, size, threads, who, environ) for who in names}, size, rounds)


def _against(trees: dict[str, Path], name: str, size: int, threads: int, rounds: int) -> Times:
    environ = environment(threads, _blas(name, threads), keep_memory=True)
    runners = {whose: Runner(tree, name, size, threads, "ours", environ) for whose, tree in trees.items()}
    try:
        return race_apart(runners, size, rounds)
    except EOFError as fault:
        remedy = f"{list(trees)[1]} may not have it, so choose others by --only"
        raise DrlimError(f"{name} does not run in both trees: {remedy}") from fault


def _tree_of(revision: str, folder: Path) -> Path:
    """Puts the package of that commit of this checkout into the folder."""
    command = ["git", "archive", "--format=tar", f"{revision}^{{commit}}", "drlim_np"]
    try:
        archive = subprocess.run(command, cwd=HERE, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as fault:
        problem = "git finds no such commit with this package: name a commit of the checkout that this is run in"
        raise InputError(f"--against {printable(revision)}: {problem}") from fault
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def _machine() -> str:
    """One line on the machine and the libraries, for the record."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = [f"Python {platform.python_version()}"]
    for name in ("numpy", "torch", "scikit-learn", "cupy-cuda12x"):
        with suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{name} {importlib.metadata.version(name)}")
    return f"{usable} processors, {platform.machine()}; {', '.join(versions)}."


def _case(name: str, size: str, threads: str, rounds: str) -> Times:
    """One contest, in this process."""
    case = CASES[name]
    timer = time.perf_counter if case.device != "cpu" or int(threads) > 1 else time.process_time
    return race(case.contest(int(size), int(threads)), int(rounds), timer)


# What a process of its own is asked for; its last line is the result as JSON.
APART = {
    "--bounds": lambda threads: machine.bounds(int(threads)),
    "--layers": machine.by_layer,
    "--parts": machine.by_part,
    "--peak": lambda name, samples: machine.peak(name, int(samples)),
    "--case": _case,
}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in APART:
        print(json.dumps(APART[sys.argv[1]](*sys.argv[2:])))
    else:
        sys.exit(main())
