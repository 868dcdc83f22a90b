"""A descent run to its end, with a line of progress, that goes on where an earlier run of the same was stopped."""

import sys
from collections.abc import Callable, Iterator
from math import nan
from typing import TextIO

import numpy as np

from drlim_np.checks.numbers import whole_number
from drlim_np.errors import InputError
from drlim_np.files.cache import Checkpoint
from drlim_np.objective import Objective
from drlim_np.training import SGD, Schedule, Step, cosine, descend
from drlim_np.tree import Tree


def minimise(
    objective: Objective,
    params: Tree,
    optimiser: SGD,
    steps: int,
    rng: np.random.Generator,
    schedule: Schedule = cosine,
    label: str = "training",
    stream: TextIO | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[Tree, np.ndarray]:
    """Runs `descend` to its end: the final W, and the objective before each step, (steps,) float64.

    Keeps one line of progress on `stream`, standard error if None, as long as that is a terminal. With a checkpoint it
    goes on where an earlier run stood, says so on standard output, and ends with the same bytes as one never stopped.
    Raises InputError and DivergedError as `descend` does, DataError for a checkpoint that is damaged.
    """
    steps = whole_number("steps", steps, 1)
    start = Step(0, params, nan, optimiser.init(params))

    def descent(after: Step) -> Iterator[Step]:
        return descend(objective, params, optimiser, steps, rng, schedule, after)

    last, losses = to_the_end(descent, start, steps, rng, label, stream, checkpoint)
    return last.params, losses


def to_the_end(
    descent: Callable[[Step], Iterator[Step]],
    start: Step,
    steps: int,
    rng: np.random.Generator,
    label: str,
    stream: TextIO | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[Step, np.ndarray]:
    """`minimise` for any descent: `descent(after)` goes on from the step `after`, the first time from `start`.

    The last step, and the loss before each, (steps,) float64.
    """
    line = _Line(stream, label, steps)
    last, losses = _resumed(checkpoint, start, steps, rng, label)
    try:
        for step in descent(last):
            last = step
            losses.append(step.loss)
            if checkpoint and (step.number % checkpoint.every == 0 or step.number == steps):
                checkpoint.save(step, losses, rng)
            if step.number % 10 == 0 or step.number == steps:
                line.show(step.number, losses)
    finally:
        line.end()
    return last, np.array(losses)


def _resumed(
    checkpoint: Checkpoint | None, start: Step, steps: int, rng: np.random.Generator, label: str
) -> tuple[Step, list[float]]:
    found = checkpoint and checkpoint.load(start.params, start.state, steps, rng)
    if not found:
        return start, []
    done = found[0].number
    how_far = "trained before; --fresh trains anew" if done == steps else f"goes on from step {done} of {steps}"
    print(f"{label}: {how_far}", flush=True)
    return found


class _Line:
    """One line of progress, written over again and again; nothing where there is no terminal to show it."""

    def __init__(self, stream: TextIO | None, label: str, steps: int):
        if stream is not None and (not hasattr(stream, "isatty") or stream.closed):
            raise InputError(f"stream is {stream!r}: pass an open text file, such as sys.stderr")
        self.stream, self.label, self.steps, self.shown = stream or sys.stderr, label, steps, False
        self.visible = self.stream is not None and self.stream.isatty()  # None: standard error is closed

    def show(self, number: int, losses: list[float]) -> None:
        if self.visible:
            recent, self.shown = np.mean(losses[-50:]), True
            self.stream.write(f"\r{self.label}: step {number}/{self.steps}, objective {recent:.5f} ")
            self.stream.flush()

    def end(self) -> None:
        if self.shown:
            self.stream.write("\n")
            self.stream.flush()
