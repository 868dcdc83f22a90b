"""The project's time and memory on this machine, next to PyTorch's and scikit-learn's: tables in Markdown."""

import argparse
import importlib.metadata
import importlib.util
import platform
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from drlim_np.bench import machine, report
from drlim_np.bench.cases import CASES, measured
from drlim_np.bench.given import missing_gpu
from drlim_np.bench.race import ROUNDS, Contest, Times, apart, environment, race, runner
from drlim_np.checks.terminal import exit_status, first_line, printable
from drlim_np.errors import DrlimError, InputError
from drlim_np.fast.devices import processors

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
        for name, words in [*((name, case.words) for name, case in CASES.items()), *ALONE.items()]:
            print(f"{name:11} {words}")
        return
    chosen = _chosen(options.only)
    if any(name.startswith("gpu") for name in chosen) and (reason := missing_gpu()):
        print(f"Cases of a GPU left out: {reason}.")
        chosen = [name for name in chosen if not name.startswith("gpu")]
    print(_machine(), flush=True)
    contests = [name for name in chosen if name in CASES]
    if options.against is not None:
        with tempfile.TemporaryDirectory() as folder:
            _compare(contests, options, {"ours": HERE, options.against: _tree_of(options.against, Path(folder))})
        return
    if contests:
        _compare(contests, options, {})
    if "layers" in chosen:
        title = "Where a training step of 64 images spends its time, on one thread; then some parts of it alone"
        print(report.heading(title, report.PARTS))
        layers, parts = (apart(environment(1), of) for of in (machine.by_layer, machine.by_part))
        print(*report.parts(layers, parts), sep="\n")
    if "memory" in chosen and not options.quick:
        print(report.heading("Each step alone in its process", report.MEMORY))
        for name, (step, sizes) in machine.STEPS.items():
            for size in sizes:
                found = apart(environment(1), machine.peak, name, size)
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


def _compare(contests: list[str], options: argparse.Namespace, trees: dict[str, Path]) -> None:
    """Prints the contests, then the share of the machine's bound that ours reaches.

    trees: the folders of two packages, of which ours are the contestants; empty where the contestants are the case's.
    """
    print(report.heading("Our time and theirs", report.CONTEST), flush=True)
    found: dict[tuple[str, int], dict[int, Times]] = {}
    for name in contests:
        case = CASES[name]
        for threads in (threads for threads in case.threads if threads in options.threads):
            for size in case.quick if options.quick else case.sizes:
                times = _measured(name, size, threads, options, trees)
                found.setdefault((name, threads), {})[size] = times
                print(*report.contest(name, size, threads, times), sep="\n", flush=True)
    if trees or options.fresh:
        return
    bounds = {threads: apart(environment(threads), machine.bounds, threads) for threads in options.threads}
    for threads, bound in bounds.items():
        products, copies = f"{bound['flops'] / 1e9:.0f} GFLOP/s", f"{bound['bytes'] / 1e9:.0f} GB/s"
        print(f"\nBound on {threads} thread{'s' * (threads > 1)}: matrix products {products}, copies {copies}.")
    title = "Ours in a second, its share of that bound where it is matrix products, and the power of the size"
    print(report.heading(title, report.REACHED))
    for (name, threads), by_size in found.items():
        print(*report.reached(name, threads, by_size, bounds[threads]["flops"]), sep="\n")


def _measured(name: str, size: int, threads: int, options: argparse.Namespace, trees: dict[str, Path]) -> Times:
    """A contest in one process, where results are compared; or a process for each contestant."""
    case, rounds = CASES[name], 3 if options.quick else ROUNDS
    variables = environment(threads, threads if case.blas else 1, keep_memory=bool(trees) or not options.fresh)
    if trees:
        places = {who: (tree, "ours") for who, tree in trees.items()}
    elif options.fresh:
        places = {who: (HERE, who) for who in case.contest(size, threads).contestants}
    else:
        return apart(variables, measured, name, size, threads, rounds)
    with ExitStack() as stack:
        runs = {
            who: stack.enter_context(runner(tree, variables, name, size, threads, contestant))
            for who, (tree, contestant) in places.items()
        }
        try:
            return race(Contest(runs, None, size, "units"), rounds)
        except EOFError as fault:
            where = f"in both trees: {options.against} may not have it, so" if trees else "in a process of its own:"
            raise DrlimError(f"{name} does not run {where} choose others by --only") from fault


def _tree_of(revision: str, folder: Path) -> Path:
    """Puts the package of that commit of this checkout into the folder."""
    archive = folder / "tree.zip"
    command = ["git", "archive", f"--output={archive}", f"{revision}^{{commit}}", "drlim_np"]
    try:
        subprocess.run(command, cwd=HERE, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as fault:
        problem = "git finds no such commit with this package: name a commit of the checkout that this is run in"
        raise InputError(f"--against {printable(revision)}: {problem}") from fault
    shutil.unpack_archive(archive, folder)
    return folder


def _machine() -> str:
    """One line on the machine and the libraries, for the record."""
    versions = [f"Python {platform.python_version()}"]
    for name in ("numpy", "torch", "scikit-learn", "cupy-cuda12x"):
        with suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{name} {importlib.metadata.version(name)}")
    return f"{processors()} processors, {platform.machine()}; {', '.join(versions)}."


if __name__ == "__main__":
    sys.exit(main())
