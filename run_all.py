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
import tempfile
import time
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from drlim_np.audit import catalogue
from drlim_np.errors import CollapsedError, DrlimError, InputError
from drlim_np.fast.devices import BACKENDS, origin
from drlim_np.figures import sources, verify
from drlim_np.figures.index import AIRPLANE, DIGITS, FIGURES, ON_REQUEST
from drlim_np.figures.record import (
    Claim,
    Result,
    Run,
    earlier_record,
    entry,
    of_collapsed,
    publish,
    require_writable,
    stem,
)
from drlim_np.keep import atomic
from drlim_np.keep.checkpoint import Memory, read, write

MEMORY = ".checkpoints"  # inside the folder of the figures
HERE = Path(__file__).resolve().parent
PROPERTIES = ("tests/audit/test_gradients.py", "tests/audit/test_properties.py")


def main(arguments: list[str] | None = None) -> int:
    """0 if the audit passes and every claim holds, 1 if not, 2 where the user can mend it, 130 when interrupted.

    141, as of a process ended by SIGPIPE, where the reader of its output has gone.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a sign that the terminal cannot show must not end a run
    options = _parser().parse_args(arguments)
    if options.list:
        for name, make in FIGURES.items():
            print(f"{name:14} {make.__doc__.splitlines()[0]}")
        return 0
    try:
        origin(options.backend)  # first of all, so that a missing GPU shows at once
        if options.verify:
            with tempfile.TemporaryDirectory() as folder:
                status = _run(options, Path(folder))
        else:
            require_writable(options.out)
            with atomic.alone_in(options.out):
                status = _run(options, options.out)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where the rest goes at exit
        return 141
    except DrlimError as fault:
        print(f"run_all.py: {fault}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = "the figures finished so far are kept, and the next run goes on with the training"
        print(f"run_all.py: interrupted; {kept}", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--list", action="store_true", help="list the figures and stop")
    add("--only", nargs="+", metavar="FIGURE", help="draw these figures only, named as --list names them")
    add("--quick", action="store_true", help="small sizes, for a look within a minute; the figures are stamped so")
    add("--seed", type=int, default=0, help="the root of all randomness, a whole number from 0 up (default: 0)")
    add("--out", type=Path, default=HERE / "figures", help="folder for the figures and metrics.json (default: figures)")
    add("--animate", action="store_true", help="also draw how the map of Figure 8 unfolds, as a strip and an animation")
    add("--no-audit", action="store_true", help="skip the audit of the gradients")
    add("--fresh", action="store_true", help="train anew, whatever earlier runs left to go on from")
    add("--verify", action="store_true", help="repeat in a temporary folder what --out has records of, and compare")
    add(
        "--backend",
        choices=BACKENDS,
        default="numpy",
        help="where training runs: cupy is an NVIDIA GPU (default: numpy)",
    )
    sources.add_options(parser)
    return parser


def _run(options: argparse.Namespace, out: Path) -> int:
    chosen = _chosen(options)
    if options.seed < 0:
        raise InputError(f"--seed is {options.seed}: give a whole number from 0 up")
    asked = sources.downloads(options)
    memory = Memory(out / MEMORY, options.fresh)
    digits, views = cache(partial(sources.digits, options)), cache(partial(sources.views, options, memory))
    run = Run(options.seed, options.quick, _threads(), digits, views, options.backend, memory)
    recorded = verify.entries(earlier_record(options.out), chosen) if options.verify else {}
    sources.download(asked, options)
    if "mnist" in asked or not DIGITS.isdisjoint(chosen):
        run.digits()  # before the audit, so that a fault in the data shows at once
    if "norb" in asked or not AIRPLANE.isdisjoint(chosen):
        run.views()
    if not options.no_audit and not _audit_passes(options.backend, memory):
        print("The audit failed, so no figure was drawn: see above.")
        return 1
    return _verify(recorded, run, options.out) if options.verify else _draw(chosen, run, out)


def _chosen(options: argparse.Namespace) -> list[str]:
    """The figures to draw, in the order of the paper; the animation on request only."""
    names = {*sources.named("--only", options.only, FIGURES, "figures")}
    if options.only is None:
        names -= ON_REQUEST
    if options.animate:
        names.add("unfolding")
    return [name for name in FIGURES if name in names]


def _draw(chosen: list[str], run: Run, out: Path) -> int:
    claims: list[tuple[str, Claim]] = []
    for name in chosen:
        started = time.perf_counter()
        result = _made(name, run)
        key = publish(name, result, run, time.perf_counter() - started, out)
        claims += [(key, claim) for claim in result.claims]
        print(f"{out / key}.png  {time.perf_counter() - started:.0f} s", flush=True)
    print()
    print(_table(claims))
    failed = sum(not claim.holds for _, claim in claims)
    print(f"{len(claims)} claims, {failed} failed" if failed else f"All {len(claims)} claims hold.")
    return 1 if failed else 0


def _verify(recorded: dict[tuple[int, bool], list[str]], run: Run, out: Path) -> int:
    """Draws the recorded figures again, with their seed and size, and compares; nothing is kept."""
    lines, record = [], earlier_record(out)
    for (seed, quick), names in recorded.items():
        again = replace(run, seed=seed, quick=quick)
        for name in names:
            started = time.perf_counter()
            result = _made(name, again)
            key = stem(name, result, again)
            print(f"{key}  {time.perf_counter() - started:.0f} s", flush=True)
            if key in record:
                lines += verify.compare(key, record[key], entry(result, again, 0.0))
            else:
                print(f"{key}: there is no record of this data", flush=True)
    print()
    print(verify.table(lines))
    failed = sum(not line.agrees for line in lines)
    print(f"{len(lines)} compared, {failed} differ" if failed or not lines else f"All {len(lines)} agree.")
    return 1 if failed or not lines else 0


def _made(name: str, run: Run) -> Result:
    try:
        return FIGURES[name](run)
    except CollapsedError as fault:
        print(fault, flush=True)
        return of_collapsed(fault, run.digits() if name in DIGITS else run.views() if name in AIRPLANE else None)


def _audit_passes(backend: str, memory: Memory) -> bool:
    """Gradient checks here, Hypothesis properties in a process beside it; prints both. Remembers that it passed."""
    if missing := [name for name in ("pytest", "hypothesis") if importlib.util.find_spec(name) is None]:
        raise DrlimError(f'the audit needs {" and ".join(missing)}: run pip install ".[test]", or pass --no-audit')
    passed = memory.checkpoint(
        "audit", sys.version, backend, *((HERE / name).read_text(encoding="utf-8") for name in PROPERTIES)
    )
    if read(passed.path, passed.digest) is not None:
        print("Audit: passed before, of these very sources; --fresh repeats it\n", flush=True)
        return True
    print("Audit: every gradient against complex step and central differences, and properties of the loss", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PROPERTIES]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as properties:
        found = list(catalogue.findings(backend=backend))
        said, _ = properties.communicate()
    print(catalogue.table(catalogue.worst_by_subject(found)))
    print(catalogue.summary(found))
    lines = said.strip().splitlines()
    print("\n".join(lines if properties.returncode else lines[-1:]), "\n", sep="", flush=True)
    passes = properties.returncode == 0 and all(finding.as_it_should_be for finding in found)
    if passes:
        write(passed.path, passed.digest, {})
    return passes


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
