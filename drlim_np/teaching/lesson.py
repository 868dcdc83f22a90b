"""Backprop through a Siamese network in five steps, and the two mistakes that nearly everyone makes.

Two pairs of inputs and one small layer, in plain NumPy, so that each number can be followed by hand. Each step is a
function: its text explains it, its body does it.
"""

import sys
from collections.abc import Callable, Iterator
from inspect import cleandoc
from textwrap import indent
from typing import NamedTuple

import numpy as np

from drlim_np.audit.gradcheck import COMPLEX_BOUND, complex_step
from drlim_np.backend import real
from drlim_np.errors import DrlimError

X1 = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])  # the first input of each pair
X2 = np.array([[0.0, 1.0, 1.0], [1.0, 1.0, 0.5]])  # the second
Y = np.array([0, 1])  # the first pair is similar, the second dissimilar
MARGIN = 1.0
W = np.array([[0.5, -0.3, 0.2], [0.1, 0.4, -0.6]])  # three inputs, two outputs
RATE = 0.1


def energy_and_loss(z1: np.ndarray, z2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Step 1. Two images of a pair, one number: the energy, and what it costs.

    The network maps both inputs of a pair to points z1 and z2. Their distance is the pair's energy (Eq. 1):

        D = ‖z1 - z2‖

    A similar pair, Y = 0, should be close: it costs ½ D². A dissimilar pair, Y = 1, should be at least the margin m
    apart: it costs ½ (m - D)² while D < m, and nothing from there on (Eq. 4). The loss L is the sum over the pairs.
    """
    difference = z1 - z2
    d = np.sqrt((difference * difference).sum(axis=1))
    gap = np.where(real(d) < MARGIN, MARGIN - d, 0)
    return d, np.where(Y == 0, d * d / 2, gap * gap / 2).sum()


def springs(z1: np.ndarray, z2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Step 2. The gradient with respect to the two points: a spring between them.

    Since dD/dz1 = (z1 - z2)/D, the chain rule gives (Eqs. 6 and 7)

        dL/dz1 =           (z1 - z2)    similar: a spring of rest length 0, which pulls
        dL/dz1 = -(m - D)/D (z1 - z2)   dissimilar, D < m: a spring of rest length m, which pushes

    and dL/dz2 = -dL/dz1: a spring that pulls at one end pulls at the other, the opposite way. The force on a point is
    minus its gradient.
    """
    d, _ = energy_and_loss(z1, z2)
    stiffness = np.where(Y == 0, 1, np.where(d < MARGIN, -(MARGIN - d) / d, 0))
    dz1 = stiffness[:, None] * (z1 - z2)
    return dz1, -dz1


def layer(weight: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Step 3. One layer and its pullback.

    Forward, a = W x is the pre-activation and z = tanh(a). Back, we are handed dL/dz and want dL/dW. As dz/da = 1 - z²,

        da = dz (1 - z²)       through the tanh
        dW = Σ da xᵀ           through the product; Σ over the samples

    This needs x and z of that very call. So the call returns z and a function that still knows them: the pullback.
    Nothing is kept on the layer.
    """
    a = x @ weight.T
    z = np.tanh(a)

    def pullback(dz: np.ndarray) -> np.ndarray:
        da = dz * (1 - z * z)
        return da.T @ x

    return z, pullback


def both_towers(weight: np.ndarray) -> np.ndarray:
    """Step 4. Two towers that share W.

    A Siamese network is one layer called twice with one W. W acts on L along two paths, through z1 and through z2, and
    the chain rule adds up paths:

        dL/dW = pullback1(dL/dz1) + pullback2(dL/dz2)

    "The gradient is the sum of what the two copies contribute." Each tower's pullback holds its own x and z.
    """
    z1, pullback1 = layer(weight, X1)
    z2, pullback2 = layer(weight, X2)
    dz1, dz2 = springs(z1, z2)
    return pullback1(dz1) + pullback2(dz2)


def descend(weight: np.ndarray, gradient: np.ndarray, rate: float | complex = RATE) -> np.ndarray:
    """Step 5. One step down, and the proof that it was down.

    Gradient descent moves W to W - η dL/dW (the paper's Step 2). But is it the gradient? Ask someone who knows nothing
    of backpropagation. For an analytic function f and a tiny h,

        f(w + i h) = f(w) + i h f'(w) + …    so    f'(w) = Im f(w + i h) / h

    without any subtraction, so without cancellation: with h = 1e-20 it is exact to rounding. Nudge one entry of W after
    the other in this way, run the two towers forward, and compare. Right means a relative error near 1e-16; anything
    above 1e-12 is a mistake, however nicely the loss may fall.
    """
    return weight - rate * gradient


def loss_of(weight: np.ndarray) -> np.ndarray:
    """L as a function of W, forward only: all that the complex step needs to know."""
    return energy_and_loss(layer(weight, X1)[0], layer(weight, X2)[0])[1]


def error(gradient: np.ndarray) -> float:
    """How far a claimed dL/dW is from the complex step's."""
    return relative_error(gradient, true_gradient(loss_of, W))


def verdict(gradient: np.ndarray, name: str = "dL/dW") -> str:
    """The same in words."""
    off = error(gradient)
    return f"{name:8} off the complex step by {off:.1e} of its norm: {'right' if off <= COMPLEX_BOUND else 'WRONG'}"


def true_gradient(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """The gradient of an analytic scalar function at x, by the complex step, entry by entry."""
    nudges = np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([complex_step(function, x, nudge) for nudge in nudges]).reshape(x.shape)


def relative_error(claimed: np.ndarray, true: np.ndarray) -> float:
    """‖claimed - true‖ / ‖true‖."""
    return float(np.linalg.norm(claimed - true) / np.linalg.norm(true))


class RememberingLayer:
    """The same layer, written the way that works everywhere but here: it stores what backward will need on itself."""

    def forward(self, weight: np.ndarray, x: np.ndarray) -> np.ndarray:
        """z, and a note of x and z for `backward`."""
        self.x, self.z = x, np.tanh(x @ weight.T)
        return self.z

    def backward(self, dz: np.ndarray) -> np.ndarray:
        """dL/dW for the last call of `forward`, whichever call `dz` belongs to."""
        return (dz * (1 - self.z * self.z)).T @ self.x


def shared_cache(weight: np.ndarray) -> np.ndarray:
    """Mistake 1. A cache shared by the two towers.

    A layer that notes its input on itself, for backward to find, is called twice: the second tower's note overwrites
    the first's. Both gradients are then pulled back through the second tower, and as they are opposite they cancel: the
    result is exactly 0. No exception, no NaN, the right shape; only nothing is ever learned. Pullbacks are the cure, or
    two layers that share W but not their notes.
    """
    shared = RememberingLayer()
    z1 = shared.forward(weight, X1)
    z2 = shared.forward(weight, X2)  # overwrites what the first call noted
    dz1, dz2 = springs(z1, z2)
    return shared.backward(dz1) + shared.backward(dz2)


def one_tower(weight: np.ndarray) -> np.ndarray:
    """Mistake 2. One tower's contribution forgotten.

    "z2 is only the target": z1 is pulled towards it, and the gradient stops there. But W moves z2 as well. Doubling
    the rest does not mend it: the forces on the two ends are opposite, but the two towers saw different inputs.
    Yet the loss falls along it, though less: a falling loss proves nothing about the gradient.
    """
    z1, pullback1 = layer(weight, X1)
    z2, _ = layer(weight, X2)
    dz1, _ = springs(z1, z2)
    return pullback1(dz1)


class Section(NamedTuple):
    """A step or a mistake, its numbers by name, and the verdicts on them, a line each."""

    step: Callable
    numbers: dict
    verdicts: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        return cleandoc(self.step.__doc__).partition("\n")[0]

    @property
    def prose(self) -> str:
        return cleandoc(self.step.__doc__).partition("\n")[2].strip("\n")

    def __str__(self) -> str:
        rows = [f"{name:8} = {as_text(value)}".replace("\n", f"\n{'':11}") for name, value in self.numbers.items()]
        return indent("\n".join([*rows, *self.verdicts]), "    ")


GIVEN = {"X1": X1, "X2": X2, "Y": Y, "W": W, "m": MARGIN}


def sections() -> list[Section]:
    """The five steps and the two mistakes, with their numbers."""
    if __doc__ is None:
        raise DrlimError("the lesson's text is its docstrings, which python -OO strips: run it without")
    return list(steps())


def steps() -> Iterator[Section]:
    """The same, one after another; in the notebook the code of each is a cell."""
    z1, z2 = layer(W, X1)[0], layer(W, X2)[0]
    d, loss = energy_and_loss(z1, z2)
    yield Section(energy_and_loss, {"z1": z1, "z2": z2, "D": d, "L": loss})
    dz1, dz2 = springs(z1, z2)
    yield Section(springs, {"dL/dz1": dz1, "dL/dz2": dz2})
    pullback1, pullback2 = layer(W, X1)[1], layer(W, X2)[1]
    yield Section(layer, {"a1": X1 @ W.T, "a2": X2 @ W.T, "tower 1": pullback1(dz1), "tower 2": pullback2(dz2)})
    gradient = both_towers(W)
    yield Section(both_towers, {"dL/dW": gradient})
    slope = complex_step(lambda rate: loss_of(descend(W, gradient, rate)), np.zeros(()), np.ones(()))
    along = f"dL/dη at η = 0 by complex step {slope:.6f}, and -‖dL/dW‖² = {-np.sum(gradient**2):.6f}"
    after = loss_of(descend(W, gradient))
    yield Section(descend, {"η": RATE, "L before": loss, "L after": after}, (along, verdict(gradient)))
    wrong = shared_cache(W)
    after = loss_of(descend(W, wrong))
    yield Section(shared_cache, {"dL/dW": wrong, "L before": loss, "L after": after}, (verdict(wrong),))
    wrong = one_tower(W)
    after = loss_of(descend(W, wrong))
    verdicts = verdict(wrong), verdict(2 * wrong, "doubled")
    yield Section(one_tower, {"dL/dW": wrong, "L before": loss, "L after": after}, verdicts)


def as_text(value) -> str:
    """A number or an array with four digits after the point."""
    return np.array2string(np.asarray(value), precision=4, suppress_small=True, separator=", ")


if __name__ == "__main__":
    from drlim_np.teaching.pages import main

    sys.exit(main())
