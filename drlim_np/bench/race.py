"""Interleaved runs of the same work by several contestants, each case in a process of its own.

A shared machine is slow for seconds at a time. So the contestants take turns in bursts, and what is compared is their
time within one round: a ratio in which such spells cancel. Its spread over the rounds says how well they do. A burst is
long enough for what the one before leaves, threads that still spin and caches full of its data, not to count.
What runs on one thread is timed by the processor's time, which does not run on while others have the processor.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

ROUNDS, LONG = 9, 10.0  # rounds; seconds from which on a run is a long one
BURST, MOST = 0.25, 100  # seconds that a contestant runs on for, and the most runs in them

# glibc keeps what a process frees, so that large arrays are not given back to the system and faulted in again: PyTorch
# gains by it. Ours keep their memory anyway (fast.memory.keep_freed_memory).
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 32), "MALLOC_TRIM_THRESHOLD_": str(1 << 33)}
BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Contest:
    """The same work by each contestant, ours first.

    contestants: functions that do the work and return its result.
    outcome:     what of a result is compared: an array, or None where there is nothing to compare.
    work, unit:  how much of what ours does in a run, for a rate: 256 "images", 18e6 "pairs".
    flop:        arithmetic in matrix products that a run cannot do without, or 0 where something else dominates.
    """

    contestants: dict[str, Callable[[], Any]]
    outcome: Callable[[Any], np.ndarray] | None
    work: float
    unit: str
    flop: float = 0.0


class Times(NamedTuple):
    """The outcome of a contest, as it passes between processes.

    seconds: contestant → its seconds a run, one number a round. differ: the greatest distance of another's result from
    ours, in parts of the norm of ours, or None.
    """

    seconds: dict[str, list[float]]
    differ: float | None
    work: float
    unit: str
    flop: float


def clock(contestant: Callable[[], Any], timer: Callable[[], float] = time.process_time) -> tuple[float, Any]:
    """Seconds that a call takes, and its result. A contestant that returns a `float` has measured its own seconds."""
    started = timer()
    result = contestant()
    elapsed = timer() - started
    return (result if isinstance(result, float) else elapsed), result


def race(contest: Contest, rounds: int = ROUNDS, timer: Callable[[], float] = time.process_time) -> Times:
    """Every contestant once, to compare results, and once more, to warm up; then `rounds` rounds, each starting with
    another contestant. Where a run takes LONG, the first is the first round already.
    """
    names = list(contest.contestants)
    measured = {name: clock(contest.contestants[name], timer) for name in names}
    differ = None
    if contest.outcome:
        ours, *others = (np.asarray(contest.outcome(result), float) for _, result in measured.values())
        differ = max((float(np.linalg.norm(other - ours) / np.linalg.norm(ours)) for other in others), default=None)
    if max(seconds for seconds, _ in measured.values()) > LONG:
        seconds, runs = {name: [measured[name][0]] for name in names}, dict.fromkeys(names, 1)
        rounds -= 1
    else:
        first = {name: clock(contest.contestants[name], timer)[0] for name in names}  # compiled by now
        seconds, runs = {name: [] for name in names}, {name: min(MOST, 1 + int(BURST / first[name])) for name in names}
    for number in range(rounds):
        for name in islice(chain(names, names), number % len(names), number % len(names) + len(names)):
            burst = [clock(contest.contestants[name], timer)[0] for _ in range(runs[name])]
            seconds[name].append(float(np.median(burst)))
    return Times(seconds, differ, contest.work, contest.unit, contest.flop)


def environment(threads: int, blas: int, keep_memory: bool) -> dict[str, str]:
    """What a process that measures is started with: libraries read these variables once, at their start."""
    tuned = KEEP_MEMORY if keep_memory else {}
    return os.environ | dict.fromkeys(BLAS, str(blas)) | {"OMP_NUM_THREADS": str(threads)} | tuned


def apart(module: str, *arguments, threads: int = 1, blas: int = 1, keep_memory: bool = True) -> Any:
    """What `python -m module arguments…` prints as JSON on its last line."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(
        command, env=environment(threads, blas, keep_memory), check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])
