"""Interleaved runs of the same work by several contestants, each case or each contestant in a process of its own.

A shared machine is slow for seconds at a time. So the contestants take turns in bursts, and their times within one
round are compared: in that ratio such spells cancel. A burst is so long that the threads and caches which the one
before leaves do not count. Called as a file, this is the process of one contestant, of the package on PYTHONPATH.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

ROUNDS = 9
BURST, MOST = 0.25, 100  # seconds that a contestant runs on for, and the most runs in them

# glibc keeps what a process frees, so that large arrays are not given back to the system and faulted in again: PyTorch
# gains by it. Ours keep their memory anyway (fast.devices.keep_freed_memory).
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 32), "MALLOC_TRIM_THRESHOLD_": str(1 << 33)}
BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Contest(NamedTuple):
    """The same work by each contestant, ours first."""

    contestants: dict[str, Callable[[], Any]]  # functions that do the work and return its result
    outcome: Callable[[Any], np.ndarray] | None  # what of a result is compared, None if there is nothing to compare
    flop: float = 0.0  # in matrix products that a run cannot do without; 0 where something else dominates


class Times(NamedTuple):
    """What a race found."""

    seconds: dict[str, list[float]]  # of each contestant, a run's seconds in each round
    differ: float | None  # the greatest distance of another's result from ours, in parts of the norm of ours
    flop: float  # as in Contest


def timer_of(threads: int, case: str = "") -> Callable[[], float]:
    """The clock of work on several threads or on a GPU; else the processor's time, which stops while others work."""
    if not case.startswith("gpu"):
        return time.perf_counter if threads > 1 else time.process_time
    import torch

    def done() -> float:
        torch.cuda.synchronize()  # the GPU works on after a call has returned; waits for all its streams, CuPy's too
        return time.perf_counter()

    return done


def clock(contestant: Callable[[], Any], timer: Callable[[], float] = time.process_time) -> tuple[float, Any]:
    """Seconds that a call takes, and its result. A contestant that returns a `float` has measured its own seconds."""
    started = timer()
    result = contestant()
    elapsed = timer() - started
    return (result if isinstance(result, float) else elapsed), result


def race(contest: Contest, rounds: int = ROUNDS, timer: Callable[[], float] = time.process_time) -> Times:
    """Every contestant once, to warm up and to compare results; then rounds, each begun by another."""
    names = list(contest.contestants)
    results = [run() for run in contest.contestants.values()]
    differ = None
    if contest.outcome:
        ours, *others = (np.asarray(contest.outcome(result), float) for result in results)
        differ = max((float(np.linalg.norm(other - ours) / np.linalg.norm(ours)) for other in others), default=None)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            burst: list[float] = []
            while sum(burst) < BURST and len(burst) < MOST:
                burst.append(clock(contest.contestants[name], timer)[0])
            seconds[name].append(float(np.median(burst)))
    return Times(seconds, differ, contest.flop)


def environment(threads: int, keep_memory: bool = True) -> dict[str, str]:
    """The variables of a process that measures: libraries read them once, at their start. A BLAS runs on one thread."""
    tuned = KEEP_MEMORY if keep_memory else {}
    return dict.fromkeys(BLAS, "1") | {"OMP_NUM_THREADS": str(threads)} | tuned


def apart(variables: dict[str, str], function: Callable, *arguments) -> Any:
    """What the function returns in a process of its own, started with these variables."""
    with patch.dict(os.environ, variables), ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


@contextmanager
def runner(tree: Path, variables: dict[str, str], *of: str | int) -> Iterator[Callable[[], float]]:
    """A contestant in a process of its own, of the package in the folder `tree`; each call returns a run's seconds.

    of: case, size, threads, contestant. OSError or ValueError: the process has ended, as if its tree has no such case.
    """
    command = [sys.executable, "-P", __file__, *map(str, of)]
    variables = os.environ | variables | {"PYTHONPATH": str(tree)}
    process = subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run() -> float:
        print(file=process.stdin, flush=True)
        return float(process.stdout.readline())

    try:
        yield run
    finally:
        process.communicate()


if __name__ == "__main__":
    from drlim_np.bench.cases import CASES

    case, size, threads, contestant = sys.argv[1], *map(int, sys.argv[2:4]), sys.argv[4]
    run = CASES[case].build(size, threads).contestants[contestant]
    for _ in sys.stdin:
        print(clock(run, timer_of(threads, case))[0], flush=True)
