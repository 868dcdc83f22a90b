"""Figures side by side, in processes of their own; what is written and printed is as with one after another.

A process draws and hands over; this one alone writes figures, in the order of the paper. Only the cache is written by
all of them.
"""

import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from multiprocessing import resource_tracker
from multiprocessing.connection import wait as wait_for_end
from threading import Thread
from time import perf_counter

from drlim_np.checks.terminal import ProgressLine, unwound_by_sigterm
from drlim_np.data import Digits, Views
from drlim_np.errors import DrlimError, InputError
from drlim_np.fast.devices import processors
from drlim_np.fast.memory import free_memory
from drlim_np.figures import CollapsedError, Figure, Train, of_collapsed
from drlim_np.runs.record import Drawn, drawn

LARGEST, FURTHER = 1 << 30, 640 << 20  # bytes: what Figure 5 takes, at most, and what any other does
PATIENCE = 5  # seconds for a process to clear up


@dataclass(frozen=True, eq=False)
class Task:
    """A figure to be drawn.

    data:     what its `make` is given.
    train:    the same for all figures of one seed and size; the record names its number of threads.
    after:    figures of the same seed and size that are to be drawn before.
    pictured: whether pictures are made, or the record alone.
    threads:  of train.threads, those that this drawing may use.
    """

    figure: Figure
    data: Digits | Views | None
    train: Train
    after: frozenset[str] = frozenset()
    pictured: bool = True
    threads: int = 1

    def place(self, name: str | None = None) -> tuple[int, bool, str]:
        """What tells it from the other tasks; or the same of another figure of its seed and size."""
        return self.train.seed, self.train.quick, name or self.figure.name


def number_of(asked: str | None, backend: str) -> int:
    """The number of processes: --jobs, or else one per processor, limited by free memory.

    One where training runs on a device, which all would share.
    """
    if asked is not None:
        if not (asked.isascii() and asked.isdigit() and int(asked)):
            raise InputError(f"--jobs is {asked!r}: give a whole number from 1 up, or leave it out")
        return int(asked)
    fit = 1 + (free_memory() - LARGEST) // FURTHER
    return int(max(1, min(processors(), fit))) if backend == "numpy" else 1


def all_drawn(tasks: list[Task], count: int, first: Callable[[], None] = lambda: None) -> Iterator[tuple[Task, Drawn]]:
    """The figures in the order of the tasks, drawn by `count` processes at most; by this one alone if that is 1.

    first: what this process does before it hands over any figure, while others begin; if it raises, they end.
    What fails is named by a DrlimError of one line, after the others have finished. On Ctrl-C or SIGTERM, figures that
    are finished but not yet handed over are handed over first.
    """
    count = min(count, len(tasks))
    tasks = [replace(task, threads=_threads(task, tasks, count)) for task in tasks]
    due, arrived, faults = [*tasks], {}, []
    with unwound_by_sigterm():
        try:
            for task, found in _side_by_side(tasks, count, first) if count > 1 else _one_by_one(tasks, first):
                if isinstance(found, Drawn):
                    arrived[task] = found
                else:
                    faults.append(found)
                    due.remove(task)
                while due and due[0] in arrived:
                    task = due.pop(0)
                    yield task, arrived.pop(task)
        except (KeyboardInterrupt, SystemExit):
            yield from ((task, arrived[task]) for task in due if task in arrived)
            raise
    # What is left comes behind a figure that never started.
    yield from ((task, arrived[task]) for task in due if task in arrived)
    if strange := [fault for fault in faults if not isinstance(fault, DrlimError)]:
        raise strange[0]
    if faults:
        raise DrlimError("; ".join(dict.fromkeys(map(str, faults))))


def _threads(task: Task, tasks: list[Task], count: int) -> int:
    """Threads for one figure: an equal share of the processors; two for the slowest, if four processes or more draw.

    The others then finish before it. Of several seeds none is the slowest alone.
    """
    if count < 2:
        return task.train.threads
    seconds = sorted(other.figure.seconds for other in tasks)
    is_slowest = task.figure.seconds == seconds[-1] > seconds[-2]
    return max(task.train.threads // count, min(task.train.threads, 2 if is_slowest and count >= 4 else 1))


def _ready(waiting: list[Task], done: set[tuple]) -> list[Task]:
    """Those that need not wait for another figure, because what they come after is drawn."""
    return [task for task in waiting if all(task.place(name) in done for name in task.after)]


def _one_by_one(tasks: list[Task], first: Callable[[], None]) -> Iterator[tuple[Task, Drawn | Exception]]:
    """Each task with its figure, or with the fault that ended it, drawn in this process."""
    first()
    waiting, done = [*tasks], set()
    while ready := _ready(waiting, done):
        task = ready[0]
        waiting.remove(task)
        try:
            found = _draw(task)
            done.add(task.place())
        except Exception as fault:
            found = fault
        yield task, found


def _side_by_side(tasks: list[Task], count: int, first: Callable[[], None]) -> Iterator[tuple[Task, Drawn | Exception]]:
    """Each task with its figure, or with the fault that ended it, as they come; slow figures start first.

    Each of the processes is a pool of one, so that one that dies is known by its task.
    """
    context, line = multiprocessing.get_context("spawn"), ProgressLine()
    earlier_children = {*multiprocessing.active_children()}
    waiting, done = sorted(tasks, key=lambda task: -task.figure.seconds), set()
    idle: list[ProcessPoolExecutor] = []
    running: dict[Future, tuple[Task, ProcessPoolExecutor]] = {}
    try:
        while True:
            for task in _ready(waiting, done)[: count - len(running)]:
                with _ctrl_c_held():
                    process = idle.pop() if idle else ProcessPoolExecutor(1, context, _begin)
                    running[process.submit(_draw_elsewhere, task)] = task, process
                waiting.remove(task)
            if len(waiting) + len(running) == len(tasks):
                first()
            if not running:
                return
            _show(line, f"{len(done)} of {len(tasks)} drawn; running: ", [task for task, _ in running.values()])
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            line.clear()
            for future in ended:
                task, process = running.pop(future)
                fault = future.exception()
                if isinstance(fault, BrokenProcessPool):
                    fault = DrlimError(
                        f"{task.figure.name}: the process that was to draw it died: run again, which finds what was"
                        " trained, with --jobs 1 if memory was short"
                    )
                else:
                    idle.append(process)
                if fault is None:
                    done.add(task.place())
                yield task, fault or future.result()
    finally:
        line.clear()
        processes = {*multiprocessing.active_children()} - earlier_children
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(PATIENCE)
            process.kill()  # still alive: SIGTERM can be swallowed, as in a callback Python discards an exception
            process.join()


def _show(line: ProgressLine, words: str, tasks: list[Task]) -> None:
    names = [f"{task.figure.name}{'' if task.pictured else f', seed {task.train.seed}'}" for task in tasks]
    line.show((words + ", ".join(names))[: shutil.get_terminal_size().columns - 2])


def _draw(task: Task) -> Drawn:
    """Draws the figure in this process, and keeps what it prints.

    What one after others prints is dropped: those have said it of the trainings that they share.
    """
    train, collapsed = replace(task.train, threads=task.threads), ""
    started = perf_counter()
    with redirect_stdout(StringIO()) as said:
        try:
            result = task.figure.make(task.data, train)
        except CollapsedError as fault:
            collapsed = f"{fault}\n"
            result = of_collapsed(fault, task.data)
    figure = drawn(task.figure.name, result, task.train, perf_counter() - started, task.pictured)
    return replace(figure, said=collapsed if task.after else said.getvalue() + collapsed)


def _draw_elsewhere(task: Task) -> Drawn:
    """Draws the figure in a process of its own, with what it printed on standard error."""
    try:
        with redirect_stderr(StringIO()) as complained:
            figure = _draw(task)
    except SystemExit as end:
        os._exit(end.code)  # a pool would go on to its next task
    return replace(figure, complained=complained.getvalue())


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
    """In such a process: Ctrl-C is for its parent, which then ends it; SIGTERM lets it clear up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    wait_for_end([multiprocessing.parent_process().sentinel])
    os._exit(1)
