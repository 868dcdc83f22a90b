"""Figures side by side, in processes of their own; what is written and printed is as with one after another.

This process alone writes figures, in the order of the paper; only the cache is written by all of them.
"""

import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Set
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from multiprocessing import resource_tracker
from threading import Thread
from time import perf_counter

from drlim_np.checks.terminal import ProgressLine
from drlim_np.data import Digits, Views
from drlim_np.errors import DrlimError, require
from drlim_np.fast.devices import free_memory, processors
from drlim_np.figures import CollapsedError, Figure, Train, of_collapsed
from drlim_np.runs.record import Drawn, drawn

LARGEST, FURTHER = 1 << 30, 640 << 20  # bytes: what Figure 5 takes, at most, and what any other does


@dataclass(frozen=True, eq=False)
class Task:
    """A figure to be drawn."""

    figure: Figure
    data: Digits | Views | None  # what its `make` is given
    train: Train  # the same for all figures of one seed and size
    after: Set[str] = frozenset()  # figures of the same seed and size that are to be drawn before
    pictured: bool = True  # whether pictures are made, or the record alone


def number_of(asked: int | None, backend: str) -> int:
    """The number of processes: --jobs, or else one per processor, limited by free memory; one if all share a device."""
    require(asked is None or asked > 0, f"--jobs is {asked}: give a whole number from 1 up, or leave it out")
    fit = 1 + (free_memory() - LARGEST) // FURTHER if backend == "numpy" else 1
    return asked or int(max(1, min(processors(), fit)))


def all_drawn(tasks: list[Task], count: int, first: Callable[[], bool]) -> Iterator[tuple[Task, Drawn]]:
    """The figures in the order of the tasks, drawn by `count` processes at most; by this one alone if that is 1.

    first: what this process does before it hands over any figure, while others begin; if it returns False, they end.
    What fails is named by a DrlimError after the others. On Ctrl-C or SIGTERM finished figures are still handed over.
    """
    count = min(count, len(tasks))
    due, arrived, faults = [*tasks], {}, []
    try:
        for task, found in _side_by_side(tasks, count, first) if count > 1 else _one_by_one(tasks, first):
            if isinstance(found, Drawn):
                arrived[task] = found
            else:
                faults.append(found)
                due.remove(task)
            while due and due[0] in arrived:
                yield (task := due.pop(0)), arrived.pop(task)
    except (KeyboardInterrupt, SystemExit) as stop:
        faults.insert(0, stop)
    # Without an interruption, what is left comes behind a figure that never started.
    yield from ((task, arrived[task]) for task in due if task in arrived)
    if strange := [fault for fault in faults if not isinstance(fault, DrlimError)]:
        raise strange[0]
    if faults:
        raise DrlimError("; ".join(dict.fromkeys(map(str, faults))))


def _ready(waiting: list[Task], done: list[Task]) -> list[Task]:
    """Those that need not wait for another figure, because what they come after is drawn."""
    return [task for task in waiting if task.after <= {one.figure.name for one in done if one.train == task.train}]


def _one_by_one(tasks: list[Task], first: Callable[[], bool]) -> Iterator[tuple[Task, Drawn | Exception]]:
    """Each task with its figure, or with the fault that ended it, drawn in this process."""
    waiting, done = [*tasks] if first() else [], []
    while ready := _ready(waiting, done):
        waiting.remove(task := ready[0])
        try:
            found = _draw(task, task.train.threads)
            done.append(task)
        except Exception as fault:
            found = fault
        yield task, found


def _side_by_side(tasks: list[Task], count: int, first: Callable[[], bool]) -> Iterator[tuple[Task, Drawn | Exception]]:
    """Each task with its figure, or with the fault that ended it, as they come; slow figures start first."""
    context, line = multiprocessing.get_context("spawn"), ProgressLine()
    waiting, done = sorted(tasks, key=lambda task: -task.figure.seconds), []
    idle: list[ProcessPoolExecutor] = []  # of one process each, so that one that dies is known by its task
    running: dict[Future, tuple[Task, ProcessPoolExecutor]] = {}
    try:
        while True:
            for task in _ready(waiting, done)[: count - len(running)]:
                with _ctrl_c_held():
                    process = idle.pop() if idle else ProcessPoolExecutor(1, context, _begin)
                    future = process.submit(_draw, task, max(1, task.train.threads // count), elsewhere=True)
                running[future] = task, process
                waiting.remove(task)
            if not running or (len(waiting) + len(running) == len(tasks) and not first()):
                return
            names = ", ".join(task.figure.name for task, _ in running.values())
            text = f"{len(done)} of {len(tasks)} drawn; running: {names}"
            line.show(text[: shutil.get_terminal_size().columns - 2])
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            line.clear()
            for future in ended:
                task, process = running.pop(future)
                fault = future.exception()
                if isinstance(fault, BrokenProcessPool):
                    remedy = "run again, which finds what was trained, with --jobs 1 if memory was short"
                    fault = DrlimError(f"{task.figure.name}: the process that was to draw it died: {remedy}")
                else:
                    idle.append(process)
                if fault is None:
                    done.append(task)
                yield task, fault or future.result()
    finally:
        line.clear()
        for process in multiprocessing.active_children():
            process.kill()  # SIGTERM can be swallowed, as in a callback Python discards an exception
            process.join()


def _draw(task: Task, threads: int, elsewhere: bool = False) -> Drawn:
    """Draws the figure; keeps what it prints, unless others have said it; `elsewhere`, its standard error too."""
    collapsed, started = "", perf_counter()
    with redirect_stdout(StringIO()) as said, redirect_stderr(StringIO() if elsewhere else sys.stderr) as complained:
        try:
            result = task.figure.make(task.data, replace(task.train, threads=threads))
        except CollapsedError as fault:
            collapsed, result = f"{fault}\n", of_collapsed(fault, task.data)
    figure = drawn(task.figure.name, result, task.train, perf_counter() - started, task.pictured)
    said = collapsed if task.after else said.getvalue() + collapsed
    return replace(figure, said=said, complained=complained.getvalue() if elsewhere else "")


@contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """Ctrl-C waits; a process that starts here never hears it, because it would answer with a traceback."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        return (yield)
    resource_tracker.ensure_running()  # as a pool does, but that lets Ctrl-C in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """In such a process: Ctrl-C is for its parent, which then ends it; it never outlives its parent."""

    def end_with_parent() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=end_with_parent, daemon=True).start()
