"""What a run is asked to draw, as tasks: figures that one process makes one after another, and pages made of them."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter

from drlim_np.runs import pages
from drlim_np.runs.index import AIRPLANE, DIGITS, FIGURES
from drlim_np.runs.record import CollapsedError, Drawn, Result, Run, drawn, of_collapsed

# Figures that share a training, or the data of one, stay together. What takes longest starts first, but for what is not
# named here, which is soon done and soon to be seen.
TOGETHER = (
    ("figure4-verbatim",),
    ("figure7",),
    ("figure7-exact",),
    ("figure8", "figure9", "figure10", "collapse", "unfolding"),
    ("figure5",),
    ("figure5-exact",),
    ("figure3", "figure4", "figure4-scores"),
    ("figure4-exact",),
    ("figure6",),
    ("invariance",),
)
AFTER = {"invariance": {"figure5", "figure7"}}  # whose trainings it then finds in the memory


@dataclass(frozen=True)
class Task:
    """Figures by name, with what makes each, and the names of pages.

    turn:     which of the tasks of one process it is, or is a part of.
    pictured: whether there are pictures, or the record alone.
    threads:  of run.threads, which the record names, those that are for this task.
    after:    figures of the same turn that must have been made.
    """

    turn: int
    run: Run
    figures: Mapping[str, Callable[[Run], Result]]
    pages: tuple[str, ...]
    pictured: bool
    threads: int
    after: frozenset[str] = frozenset()

    @property
    def places(self) -> dict[tuple[int, int], str]:
        """Its figures and pages, by where they stand in the order of one process."""
        order = [*FIGURES, *pages.NEEDS]
        return {(self.turn, order.index(name)): name for name in (*self.figures, *self.pages)}


@dataclass(frozen=True)
class Made:
    """A figure, or the bytes of a page, with the seconds it took.

    From a process of its own: what it said meanwhile on either stream, and the files that its memory has made anew.
    """

    place: tuple[int, int]
    name: str
    content: Drawn | bytes
    seconds: float
    said: str = ""
    complained: str = ""
    anew: frozenset[Path] = frozenset()

    def say(self) -> None:
        """Prints what was said, in this process."""
        print(self.complained, end="", file=sys.stderr, flush=True)
        print(self.said, end="", flush=True)


def whole(turn: int, run: Run, names: list[str], pictured: bool = False) -> Task:
    """All these figures, and the pages that they suffice for, as a task for one process."""
    due = pages.due(names, run) if pictured else []
    return Task(turn, run, {name: FIGURES[name] for name in names}, tuple(due), pictured, run.threads)


def making(task: Task) -> Iterator[Made]:
    """What the task asks for, one after another, in this process."""
    run, results = replace(task.run, threads=task.threads), {}
    for place, name in task.places.items():
        started = perf_counter()
        if name in task.figures:
            results[name] = _result(name, task.figures[name], run)
            content = drawn(name, results[name], task.run, perf_counter() - started, task.pictured)
        else:
            content = pages.made(name, results, run)
        yield Made(place, name, content, perf_counter() - started)


def parts(task: Task) -> list[Task]:
    """The task for several processes, each part with the data it needs; the page that needs no figure is in the first.

    Their results are those of the whole: each figure has its own generator, and the trainings that others made are
    found in the memory.
    """
    rest = tuple(name for name in task.figures if all(name not in group for group in TOGETHER))
    groups = [[name for name in group if name in task.figures] for group in (rest, *TOGETHER)]
    left, found = list(task.pages), []
    for group in filter(None, groups):
        after = frozenset().union(*(AFTER.get(name, ()) for name in group)) & {*task.figures}
        due = [name for name in left if pages.NEEDS[name] <= {*group} | after]
        left = [name for name in left if name not in due]
        run, figures = _loaded(task.run, group), {name: task.figures[name] for name in group}
        found.append(replace(task, run=run, figures=figures, pages=tuple(due), after=after))
    return found


def _result(name: str, make: Callable[[Run], Result], run: Run) -> Result:
    try:
        return make(run)
    except CollapsedError as fault:
        print(fault, flush=True)
        return of_collapsed(fault, run.digits() if name in DIGITS else run.views() if name in AIRPLANE else None)


def _loaded(run: Run, names: list[str]) -> Run:
    """The run with the images that these figures need in place of what loads them, so that it can cross over."""
    needed = {"digits": not DIGITS.isdisjoint(names), "views": not AIRPLANE.isdisjoint(names)}
    return replace(run, **{name: partial(_itself, getattr(run, name)()) if needed[name] else None for name in needed})


def _itself(value):
    return value
