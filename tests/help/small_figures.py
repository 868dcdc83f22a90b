"""Figures that take no time, or never end, for processes that find them by their names.

`python -c "from tests.help import small_figures; small_figures.main(…)"` draws them as run_all.py would.
"""

import os
import signal
import sys
import time
from contextlib import ExitStack
from unittest import mock

import numpy as np
from matplotlib.figure import Figure

from drlim_np.data import Digits, Split
from drlim_np.errors import DivergedError
from drlim_np.measure import metrics
from drlim_np.runs import command, pages, sources
from drlim_np.runs.index import FIGURES
from drlim_np.runs.record import Claim, Result, Run

HALF = Split(np.zeros((2, 28, 28), np.uint8), np.array([4, 9], np.uint8))
DIGITS = Digits("handwriting", "generated handwriting", HALF, HALF, {"images": "ab"})


def small(run: Run) -> Result:
    """A figure that holds: the seed, and a number that only the run's generator gives."""
    figure = Figure(figsize=(1, 1))
    figure.add_subplot().plot(run.rng(3).random(4))
    claims = [Claim("a low seed", run.seed, "≤", 7)]
    data = run.digits() if run.digits else None
    return Result(figure, claims, {"margin": 1.0}, data, {"drawn": float(run.rng(3).random())})


def late(run: Run) -> Result:
    """The same, after those that were begun with it."""
    time.sleep(0.5)
    return small(run)


def talking(run: Run) -> Result:
    """The same, with something to say on either stream."""
    print("figure 5: goes on from step 8 of 12")
    print("a warning: the cells are small", file=sys.stderr)
    return small(run)


def trained(run: Run) -> Result:
    """The same, with something in the memory that takes long to find: how often, a file says; and words of it."""
    print("figure 5: trained before")
    with mock.patch.object(metrics, "silhouette", counted := _counting(run)):
        run.memory.remembered(counted, np.arange(3.0))
    return small(run)


def signed(run: Run) -> Result:
    """The same; a file says which processes drew such figures."""
    with open(run.memory.folder.parent / "drawn", "a") as file:
        file.write(f"{os.getpid()}\n")
    return small(run)


def diverging(run: Run) -> Result:
    """None: its training does not end well."""
    raise DivergedError("the objective is not finite at step 7: lower the learning rate")


def faulty(run: Run) -> Result:
    """None, because of a fault in the program."""
    return {}["what is not there"]


def killed(run: Run) -> Result:
    """None: the system ends it, as it does where memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def deaf(run: Run) -> Result:
    """None before it is killed: to be asked to end is not enough."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return endless(run)


def endless(run: Run) -> Result:
    """None before it is ended; one file says which process it is, another that it could clear up."""
    (run.memory.folder.parent / "begun").write_text(str(os.getpid()))
    try:
        time.sleep(100)
    finally:
        (run.memory.folder.parent / "ended").touch()


def _counting(run: Run):
    def silhouette(x: np.ndarray) -> np.ndarray:
        with open(run.memory.folder.parent / "found", "a") as file:
            file.write("once\n")
        return x

    silhouette.__module__ = metrics.__name__
    return silhouette


def main(arguments: list[str], **figures) -> int:
    """run_all.py with these figures in place of its own, and no pages."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(FIGURES, figures))
        stack.enter_context(mock.patch.object(pages, "due", return_value=[]))
        stack.enter_context(mock.patch.object(sources, "digits", return_value=DIGITS))
        return command.main(["--only", ",".join(figures), "--generated", "--no-audit", *arguments])
