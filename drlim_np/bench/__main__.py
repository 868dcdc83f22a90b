"""The project's time and memory on this machine, next to PyTorch's and scikit-learn's: tables in Markdown."""

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from drlim_np.bench import duration, heading, machine, peers, row
from drlim_np.bench.cases import CASES, measured
from drlim_np.bench.race import ROUNDS, Contest, Times, apart, environment, race, runner
from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import DrlimError, InputError, require
from drlim_np.fast.devices import origin, processors

HERE = Path(__file__).resolve().parents[2]
QUICK = 300  # the largest size of a quick look
COLUMNS = ("case", "size", "threads", "ours", "against", "theirs", "ratio", "half of them")
COLUMNS += ("rounds", "differ by", "of the bound", "growth")
TABLES = {  # with nothing of ours to race
    "layers": (machine.print_layers, "where a training step spends its time, layer by layer, and its products"),
    "memory": (machine.print_memory, "time and peak memory up to 300,000 samples"),
    "maps": (peers.print_maps, "maps of unseen digits next to UMAP, PaCMAP, openTSNE and LLE; only where it is named"),
    "estimator": (peers.print_estimator, "the tables of the estimator's page, some minutes; only where it is named"),
}
WORDS = {name: case.words for name, case in CASES.items()} | {name: words for name, (_, words) in TABLES.items()}


def main(arguments: list[str] | None = None) -> int:
    """0 when all was measured, 2 where the user can mend it, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m drlim_np.bench", description=__doc__)
    add = parser.add_argument
    add("--list", action="store_true", help="list the cases and stop")
    only = "these cases alone, as --list names them (default: all but maps, estimator and those of a GPU)"
    chosen = [name for name in WORDS if not name.startswith("gpu") and name not in ("maps", "estimator")]
    add("--only", nargs="+", metavar="CASE", choices=WORDS, default=chosen, help=only)
    add("--threads", nargs="+", type=int, choices=(1, 2), default=(1, 2), help="1, 2 or both (default: both)")
    add("--fresh", action="store_true", help="each contestant in a process of its own, the libraries as installed")
    add("--against", metavar="REV", help="compare with an earlier commit of this checkout, and with nothing else")
    add("--quick", action="store_true", help="small sizes and few rounds, to see that all of it works; no memory")
    return exit_status(lambda: _run(parser.parse_args(arguments)), "drlim_np.bench")


def _run(options: argparse.Namespace) -> None:
    if options.list:
        print(*(f"{name:11} {words}" for name, words in WORDS.items()), sep="\n")
        return
    try:
        contests = [name for name in CASES if name in options.only]
        if any(name.startswith("gpu") for name in contests):
            origin("cupy")  # is refused without CuPy or a GPU
            import torch

            found = torch.cuda.is_available()
            require(found, "PyTorch finds no GPU: install it for CUDA, or choose other cases by --only")
        python = f"{platform.python_implementation()} {sys.version.split(' (')[0]}"
        print(f"{processors()} processors, {platform.machine()}; {python}, NumPy {np.__version__}.", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            revision = options.against
            trees = {} if revision is None else {"ours": HERE, revision: _tree_of(revision, Path(folder))}
            if contests:
                _compare(contests, options, trees)
        for name, (print_table, _) in TABLES.items():
            if name in options.only and not trees and not (options.quick and name == "memory"):
                print_table()
    except ModuleNotFoundError as fault:
        remedy = 'run pip install ".[bench,maps]", or choose other cases by --only'
        raise DrlimError(f"{fault.name} missing: {remedy}") from fault


def _compare(contests: list[str], options: argparse.Namespace, trees: dict[str, Path]) -> None:
    """Prints the machine's bounds and the contests: of ours in two `trees`; if there are none, of ours and others."""
    peaks: dict[int, float] = {}
    for threads in () if trees or options.fresh else options.threads:
        peaks[threads] = apart(environment(threads), machine.bound, threads)
        products = f"{peaks[threads] / 1e9:.3g} GFLOP/s"
        print(f"\nBound on {threads} thread{'s' * (threads > 1)}: matrix products {products}.")
    print(heading("Our time and theirs", *COLUMNS), flush=True)
    for name in contests:
        case = CASES[name]
        for threads in (threads for threads in case.threads if threads in options.threads):
            before = None
            for size in (min(QUICK, *case.sizes),) if options.quick else case.sizes:
                times = _measured(name, size, threads, options, trees)
                lines = contest_rows(name, size, threads, times, peaks.get(threads, 0), before)
                print(*lines, sep="\n", flush=True)
                before = size, times.seconds["ours"]


def _measured(name: str, size: int, threads: int, options: argparse.Namespace, trees: dict[str, Path]) -> Times:
    """A contest in one process, where results are compared; or a process for each contestant."""
    rounds = 3 if options.quick else ROUNDS
    if not trees and not options.fresh:
        return apart(environment(threads), measured, name, size, threads, rounds)
    variables = environment(threads, keep_memory=bool(trees))
    places = {who: (tree, "ours") for who, tree in trees.items()}
    places = places or {who: (HERE, who) for who in CASES[name].build(size, threads).contestants}
    with ExitStack() as stack:
        runs = {
            who: stack.enter_context(runner(tree, variables, name, size, threads, contestant))
            for who, (tree, contestant) in places.items()
        }
        try:
            return race(Contest(runs, None), rounds)
        except (OSError, ValueError) as fault:  # one of the processes has ended
            where = f"in both trees: {options.against} may not have it, so" if trees else "in a process of its own:"
            raise DrlimError(f"{name} does not run {where} choose others by --only") from fault


def contest_rows(case: str, size: int, threads: int, times: Times, peak: float, before: tuple | None) -> Iterator[str]:
    """A line for each opponent: both medians, the median ratio of our time to theirs, and its quartiles.

    peak: flop/s of matrix products, of which ours reaches a share, or 0; before: another size and our seconds there.
    """
    (_, ours), *others = times.seconds.items()
    seconds = np.median(ours)
    differ = "" if times.differ is None else f"{times.differ:.0e}"
    share = f"{times.flop / seconds / peak:.0%}" if peak and times.flop else ""
    growth = f"{np.log(seconds / np.median(before[1])) / np.log(size / before[0]):.2f}" if before else ""
    for name, theirs in others:
        low, middle, high = np.quantile(np.array(ours) / np.array(theirs), (0.25, 0.5, 0.75))
        compared = duration(seconds), name, duration(np.median(theirs)), f"{middle:.2f}", f"{low:.2f}–{high:.2f}"
        yield row(case, f"{size:,}", threads, *compared, len(ours), differ, share, growth)


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


if __name__ == "__main__":
    sys.exit(main())
