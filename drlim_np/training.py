"""Step 2: change W, little by little, against the gradient of the objective.

The paper descends pair by pair, as `verbatim` does. Here a step uses many pairs, and momentum, not in the paper.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import cos, pi
from typing import NamedTuple, TextIO

import numpy as np
from numpy.random import Generator

from drlim_np.backend import Array, like, namespace, on_host, to_host
from drlim_np.checks.arrays import require_finite_step
from drlim_np.checks.numbers import positive_number, real_number, require_generator, whole_number
from drlim_np.checks.terminal import ProgressLine
from drlim_np.errors import require
from drlim_np.objective import Objective
from drlim_np.tree import Tree, leaves, tree_map

Schedule = Callable[[float], float]


def constant(progress: float) -> float:
    """The learning rate's factor: 1 throughout."""
    return 1.0


def cosine(progress: float) -> float:
    """The learning rate's factor: half a cosine from 1 at progress 0 to 0 at progress 1."""
    return (1 + cos(pi * progress)) / 2


def warmup_cosine(progress: float) -> float:
    """The learning rate's factor: `cosine` times a rise over the first fifth, as large first steps may collapse."""
    return cosine(progress) * min(1.0, 5 * progress)


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum: v ← μ v + g, W ← W - η v. At μ = 0 it is the paper's: W ← W - η g."""

    rate: float
    momentum: float = 0.0

    def __post_init__(self) -> None:
        positive_number("rate", self.rate)
        require(0 <= real_number("momentum", self.momentum) < 1, f"momentum is {self.momentum}: it must be in [0, 1)")

    def init(self, params: Tree) -> Tree:
        """The velocity v, zero."""
        return tree_map(lambda w: namespace(w).zeros_like(w), params)

    def update(self, params: Tree, gradient: Tree, velocity: Tree, factor: float) -> tuple[Tree, Tree]:
        """W and v after one step at the rate η = rate · factor."""
        rate = float(self.rate * factor)
        momentum = float(self.momentum)
        velocity = tree_map(lambda v, g: momentum * v + g, velocity, gradient)
        return tree_map(lambda w, v: w - rate * v, params, velocity), velocity


class Step(NamedTuple):
    """One step of a descent: its number, from 1; W after it; and the objective before it, at the W it started from."""

    number: int
    params: Tree
    loss: float


def descend(
    objective: Objective, params: Tree, optimiser: SGD, steps: int, rng: Generator, schedule: Schedule = cosine
) -> Iterator[Step]:
    """Step 2: each item is one update of W. Raises DivergedError once the loss, a gradient or W is not finite."""
    steps = whole_number("steps", steps, 1)
    require_generator(rng)
    velocity = optimiser.init(params)
    for number in range(1, steps + 1):
        progress = (number - 1) / steps
        loss, gradient = objective(params, rng, progress)
        params, velocity = optimiser.update(params, gradient, velocity, schedule(progress))
        require_finite_step(number, loss, gradient, params)
        yield Step(number, params, float(to_host(loss)))


def minimise(
    objective: Objective,
    params: Tree,
    optimiser: SGD,
    steps: int,
    rng: Generator,
    schedule: Schedule = cosine,
    label: str = "training",
    stream: TextIO | None = None,
) -> tuple[Tree, np.ndarray]:
    """Runs `descend` to its end: the final W, and the objective before each step, (steps,) float64.

    Shows a line of progress on `stream`, standard error if None, if that is a terminal.
    """
    line = ProgressLine(stream)
    losses = []
    try:
        for step in descend(objective, params, optimiser, steps, rng, schedule):
            losses.append(step.loss)
            if step.number % 10 == 0 or step.number == steps:
                line.show(f"{label}: step {step.number}/{steps}, objective {np.mean(losses[-50:]):.5f}")
    finally:
        line.end()
    return step.params, np.array(losses)


def embed(network: Callable, params: Tree, x: Array, block: int = 1024) -> Array:
    """G_W: (samples, …) → (rows, dims), a row for each sample or position. Blocks go to W's device and come back."""
    block = whole_number("block", block, 1)
    xp = namespace(x)
    if x.shape[0] is None:  # open, as in a model that ndonnx traces
        return network(params, x)[0]
    blocks = (slice(start, min(start + block, x.shape[0])) for start in range(0, max(1, x.shape[0]), block))
    if on_host(x):
        model = next((leaf for _, leaf in leaves(params)), x)
        return np.concat([to_host(network(params, like(x[rows, ...], model))[0]) for rows in blocks])
    return xp.concat([network(params, x[rows, ...])[0] for rows in blocks])
