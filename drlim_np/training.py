"""Step 2: change W, little by little, against the gradient of the objective."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import cos, inf, pi
from typing import NamedTuple, TextIO

import numpy as np

from drlim_np.backend import Array, like, namespace, on_host, to_host
from drlim_np.errors import DivergedError, InputError
from drlim_np.keep.checkpoint import Checkpoint, Saved
from drlim_np.objective import Objective
from drlim_np.tree import Tree, cut_like, end_to_end, leaves, tree_map

Schedule = Callable[[float], float]


def constant(progress: float) -> float:
    """The learning rate's factor: 1 throughout."""
    return 1.0


def cosine(progress: float) -> float:
    """The learning rate's factor: half a cosine from 1 at progress 0 to 0 at progress 1."""
    return (1 + cos(pi * progress)) / 2


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum: v ← μ v + g, W ← W - η v. Plain descent at μ = 0, the paper's own Step 2."""

    rate: float
    momentum: float = 0.0

    def __post_init__(self):
        _require(0 < self.rate < inf, f"rate is {self.rate}: it must be finite and greater than 0")
        _require(0 <= self.momentum < 1, f"momentum is {self.momentum}: it must be in [0, 1)")

    def init(self, params: Tree) -> Tree:
        """The velocity v, zero."""
        return tree_map(_zeros_like, params)

    def update(self, params: Tree, gradient: Tree, velocity: Tree, step: int, factor: float) -> tuple[Tree, Tree]:
        """W and v after one step at the rate η = rate · factor."""
        rate, momentum = float(self.rate * factor), float(self.momentum)
        velocity = tree_map(lambda v, g: momentum * v + g, velocity, gradient)
        return tree_map(lambda w, v: w - rate * v, params, velocity), velocity


@dataclass(frozen=True)
class Adam:
    """Each weight's step in units of its gradient's recent size (Kingma and Ba, 2015, Algorithm 1):

    m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²,  W ← W - η m̂ / (√v̂ + ε),  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ).
    """

    rate: float = 3e-3
    decay_mean: float = 0.9
    decay_square: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self):
        _require(0 < self.rate < inf, f"rate is {self.rate}: it must be finite and greater than 0")
        _require(0 <= self.decay_mean < 1, f"decay_mean is {self.decay_mean}: it must be in [0, 1)")
        _require(0 <= self.decay_square < 1, f"decay_square is {self.decay_square}: it must be in [0, 1)")
        _require(self.epsilon > 0, f"epsilon is {self.epsilon}: it must be greater than 0")

    def init(self, params: Tree) -> Tree:
        """m and v, zero."""
        return {"mean": tree_map(_zeros_like, params), "square": tree_map(_zeros_like, params)}

    def update(self, params: Tree, gradient: Tree, state: Tree, step: int, factor: float) -> tuple[Tree, Tree]:
        """W and the moments after step t = `step`, counted from 1, at the rate η = rate · factor.

        Each operation runs once, over all the weights end to end: on a device a step is 20 launches and not 112.
        """
        rate, b1, b2 = float(self.rate * factor), float(self.decay_mean), float(self.decay_square)
        w, g, m, v = (end_to_end(params, tree) for tree in (params, gradient, state["mean"], state["square"]))
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        w = w - rate * (m / (1 - b1**step)) / (namespace(v).sqrt(v / (1 - b2**step)) + float(self.epsilon))
        return cut_like(params, w), {"mean": cut_like(params, m), "square": cut_like(params, v)}


class Step(NamedTuple):
    """Where training stands after `number` steps: the new W, the objective before that last step, and the optimiser."""

    number: int
    params: Tree
    loss: float
    state: Tree


def descend(
    objective: Objective,
    params: Tree,
    optimiser: SGD | Adam,
    steps: int,
    rng: np.random.Generator,
    schedule: Schedule = cosine,
    after: Saved | None = None,
) -> Iterator[Step]:
    """Step 2 as an iterator: each item is one update of W. All that changes is in the items and in `rng`.

    after: where an earlier descent stood, to go on from there; `rng` must stand there too.
    Raises InputError for a number of steps below 1, DivergedError once the objective, a gradient, or what became of W
    or the optimiser's state is not finite.
    """
    _require(isinstance(steps, int) and steps >= 1, f"steps is {steps!r}: it must be a whole number of at least 1")
    done, params, state, _ = after or Saved(0, params, optimiser.init(params), [])
    for number in range(done + 1, steps + 1):
        progress = (number - 1) / steps
        loss, gradient = objective(params, rng, progress)
        params, state = optimiser.update(params, gradient, state, number, schedule(progress))
        _require_finite(number, objective=loss, gradient=gradient, new_value=params, memory=state)
        yield Step(number, params, float(to_host(loss)), state)


def minimise(
    objective: Objective,
    params: Tree,
    optimiser: SGD | Adam,
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
    """
    stream = sys.stderr if stream is None else stream
    saved = _resumed(checkpoint, params, optimiser, steps, rng, label)
    params, losses, on_screen = saved.params, saved.losses, False
    try:
        for step in descend(objective, params, optimiser, steps, rng, schedule, saved):
            params = step.params
            losses.append(step.loss)
            if checkpoint and (step.number % checkpoint.every == 0 or step.number == steps):
                checkpoint.save(Saved(step.number, params, step.state, losses), rng)
            if stream.isatty() and (step.number % 10 == 0 or step.number == steps):
                recent, on_screen = np.mean(losses[-50:]), True
                stream.write(f"\r{label}: step {step.number}/{steps}, objective {recent:.5f} ")
                stream.flush()
    finally:
        if on_screen:
            stream.write("\n")
            stream.flush()
    return params, np.array(losses)


def _resumed(
    checkpoint: Checkpoint | None, params: Tree, optimiser: SGD | Adam, steps: int, rng: np.random.Generator, label: str
) -> Saved:
    start = Saved(0, params, optimiser.init(params), [])
    saved = checkpoint and checkpoint.load(start.params, start.state, steps, rng)
    if not saved:
        return start
    if saved.step == steps:
        print(f"{label}: trained before; --fresh trains anew", flush=True)
    else:
        print(f"{label}: goes on from step {saved.step} of {steps}", flush=True)
    return saved


def embed(network: Callable, params: Tree, x: Array, block: int = 1024) -> Array:
    """G_W of each sample: (samples, …) → (samples, dims). Works in blocks, so the memory does not grow with the set.

    The result is where x is: samples on the host cross to a W on a device block by block, and what they become returns.
    """
    samples = x.shape[0]
    blocks = (slice(start, min(start + block, samples)) for start in range(0, max(1, samples), block))
    if on_host(x):
        beside = next((leaf for _, leaf in leaves(params)), x)
        return np.concat([to_host(network(params, like(x[rows, ...], beside))[0]) for rows in blocks])
    return namespace(x).concat([network(params, x[rows, ...])[0] for rows in blocks])


def _zeros_like(x: Array) -> Array:
    return namespace(x).zeros_like(x)


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise InputError(message)


def _require_finite(number: int, **trees: Tree) -> None:
    vectors = [end_to_end(tree, tree) for tree in trees.values()]
    xp = namespace(vectors[0])
    finite = to_host(xp.stack([xp.all(xp.isfinite(vector)) for vector in vectors]))  # one crossing for all of them
    for holds, (name, tree) in zip(finite, trees.items(), strict=True):
        if not holds:
            path = next(path for path, leaf in leaves(tree) if not np.isfinite(to_host(leaf)).all())
            what = " of ".join(part for part in (name.replace("_", " "), path) if part)
            remedy = "lower the learning rate, or look for NaN in the data"
            raise DivergedError(f"the {what} is not finite at step {number}: {remedy}")
