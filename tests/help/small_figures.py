"""Figures that take no time, or never end, which a process of its own finds by their names.

`python -c "from tests.help import small_figures; small_figures.main(…)"` draws them as run_all.py would.
"""

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
from matplotlib.figure import Figure as Drawing

from drlim_np.data import Digits, Split
from drlim_np.errors import DivergedError
from drlim_np.figures import Claim, Result
from drlim_np.runs import command, sources
from drlim_np.runs.command import FIGURES

HALF = Split(np.zeros((2, 28, 28), np.uint8), np.array([4, 9], np.uint8))
DIGITS = Digits("handwriting", "generated handwriting", HALF, HALF, {"images": "ab"})


def small(data, train):
    """A figure that holds for low seeds, with numbers that only its generator gives."""
    drawing = Drawing(figsize=(1, 1))
    drawing.add_subplot().plot(train.rng(3).random(4))
    claims = [Claim("a low seed", train.seed, "≤", 7)]
    return Result(drawing, claims, {"margin": 1.0}, data, {"drawn": float(train.rng(3).random())})


def late(data, train):
    time.sleep(0.3)  # after those that were begun with it
    return small(data, train)


def talking(data, train):
    print("figure 5: trained before")
    print("a warning: the cells are small", file=sys.stderr)
    return small(data, train)


def trained(data, train):
    """With a training that another figure shares; a file says how often it was done."""
    train("figure 5", [train.seed], lambda: (_note(train, "trained"), {"W": np.arange(3.0)})[1])
    return small(data, train)


def signed(data, train):
    _note(train, "drawn")  # a file says which processes drew such figures
    return small(data, train)


def diverging(data, train):
    raise DivergedError("the objective is not finite at step 7: lower the learning rate")


def faulty(data, train):
    return {}["what is not there"]


def killed(data, train):
    os.kill(os.getpid(), signal.SIGKILL)  # as the system does where memory is short


def endless(data, train):
    """SIGTERM does not end it; a file says which processes begin it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _note(train, "begun")
    time.sleep(100)


def _note(train, name):
    """Adds a line with the number of this process to a file in the output folder."""
    with open(Path(train.cache.folder).parent / name, "a") as file:
        file.write(f"{os.getpid()}\n")


def main(arguments: list[str], **figures) -> int:
    """run_all.py with these in place of its own figures of that name, and no pages."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    own = mock.patch.dict(FIGURES, {name: replace(FIGURES[name], make=make) for name, make in figures.items()})
    no_pages = mock.patch.object(command, "pages", return_value=())
    with own, no_pages, mock.patch.object(sources, "digits", return_value=DIGITS):
        return command.main(["--only", ",".join(figures), "--generated", "--no-audit", *arguments])
