"""Audits the mathematics, then draws the figures of the paper, each with the numbers that prove its claims."""

import os

# One BLAS thread, set before NumPy starts its own: parallel work is split over our threads, in an order of our own, so
# that the numbers do not depend on how many there are.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(variable, "1")

import argparse
import importlib.util
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from drlim_np import audit
from drlim_np.data import Digits, handwriting, mnist
from drlim_np.data.directory import data_directory, find_mnist, mnist_folder
from drlim_np.data.download import fetch
from drlim_np.errors import DrlimError, InputError, shown
from figures import DIGITS, FIGURES
from figures.record import Claim, Run, publish, require_writable

HERE = Path(__file__).resolve().parent
PROPERTIES = ("tests/test_gradients.py", "tests/test_properties.py")


def main(arguments: list[str] | None = None) -> int:
    """0 if the audit passes and every claim holds, 1 if not, 2 where the user can mend it, 130 when interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a sign that the terminal cannot show must not end a run
    options = _parser().parse_args(arguments)
    if options.list:
        for name, make in FIGURES.items():
            print(f"{name:14} {make.__doc__.splitlines()[0]}")
        return 0
    try:
        return _run(options)
    except DrlimError as fault:
        print(f"run_all.py: {fault}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("run_all.py: interrupted; the figures finished so far are kept", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--list", action="store_true", help="list the figures and stop")
    add("--only", nargs="+", metavar="FIGURE", help="draw these figures only, named as --list names them")
    add("--quick", action="store_true", help="small sizes, for a look within a minute; the figures are stamped so")
    add("--seed", type=int, default=0, help="the root of all randomness, a whole number from 0 up (default: 0)")
    add("--out", type=Path, default=HERE / "figures", help="folder for the figures and metrics.json (default: figures)")
    add("--no-audit", action="store_true", help="skip the audit of the gradients")
    data = parser.add_argument_group(
        "data",
        "MNIST is used where it is found: in --data DIR, else in the folder that the environment variable DRLIM_DATA"
        " names, else in the user's cache folder. Without it, handwriting is generated.",
    )
    add = data.add_argument
    add("--data", metavar="DIR", help="folder that holds the four MNIST files, or a folder mnist with them")
    add("--download", action="store_true", help="fetch MNIST into that folder first, if it is not there")
    add("--generated", action="store_true", help="use generated handwriting even where MNIST is found")
    add(
        "--accept-unknown-data",
        action="store_true",
        help="accept other IDX data in place of MNIST, its content unverified",
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    chosen = _chosen(options.only)
    if options.seed < 0:
        raise InputError(f"--seed is {options.seed}: give a whole number from 0 up")
    if options.generated and (options.data or options.download):
        raise InputError("--generated uses no data folder: leave out either it, or --data and --download")
    require_writable(options.out)
    run = Run(options.seed, options.quick, _threads(), cache(lambda: _digits(options)))
    if options.download or not DIGITS.isdisjoint(chosen):
        run.digits()  # before the audit, so that a fault in the data shows at once
    if not options.no_audit and not _audit_passes():
        print("The audit failed, so no figure was drawn: see above.")
        return 1

    claims: list[tuple[str, Claim]] = []
    for name in chosen:
        started = time.perf_counter()
        result = FIGURES[name](run)
        key = publish(name, result, run, time.perf_counter() - started, options.out)
        claims += [(key, claim) for claim in result.claims]
        print(f"{options.out / key}.png  {time.perf_counter() - started:.0f} s", flush=True)
    print()
    print(_table(claims))
    failed = sum(not claim.holds for _, claim in claims)
    print(f"{len(claims)} claims, {failed} failed" if failed else f"All {len(claims)} claims hold.")
    return 1 if failed else 0


def _chosen(only: list[str] | None) -> list[str]:
    """The figures to draw, in the paper's order. Raises InputError for a name that is not a figure's."""
    asked = [name for names in only or FIGURES for name in names.split(",") if name]
    if unknown := [name for name in asked if name not in FIGURES]:
        raise InputError(f"--only names {shown(', '.join(unknown))}: the figures are {', '.join(FIGURES)}")
    if not asked:
        raise InputError(f"--only names no figure: the figures are {', '.join(FIGURES)}")
    return [name for name in FIGURES if name in asked]


def _digits(options: argparse.Namespace) -> Digits:
    """MNIST where it is found, else generated handwriting; says which, for every figure depends on it."""
    if options.generated:
        return handwriting.generate()
    directory = data_directory(options.data)
    if options.download:
        fetch(mnist_folder(directory.path))
    folder = find_mnist(directory)
    if folder is None:
        print(f"Data: generated handwriting, for there is no MNIST in {directory.path}; --download fetches it.")
        return handwriting.generate()
    digits = mnist.load(folder, options.accept_unknown_data)
    print(f"Data: {digits.title} from {folder}")
    return digits


def _audit_passes() -> bool:
    """Gradient checks here, Hypothesis properties in a process beside it; prints both."""
    if missing := [name for name in ("pytest", "hypothesis") if importlib.util.find_spec(name) is None]:
        raise DrlimError(f'the audit needs {" and ".join(missing)}: run pip install ".[test]", or pass --no-audit')
    print("Audit: every gradient against complex step and central differences, and properties of the loss", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PROPERTIES]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as properties:
        found = list(audit.findings())
        said, _ = properties.communicate()
    print(audit.table(audit.worst_by_subject(found)))
    print(audit.summary(found))
    lines = said.strip().splitlines()
    print("\n".join(lines if properties.returncode else lines[-1:]), "\n", sep="", flush=True)
    return properties.returncode == 0 and all(finding.as_it_should_be for finding in found)


def _threads() -> int:
    """The processors this process may use; more than the four blocks of a batch would find nothing to do."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(4, usable)


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


if __name__ == "__main__":
    sys.exit(main())
