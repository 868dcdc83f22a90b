"""What the estimator chooses where the caller does not: G_W, steps that cannot run away, and a generator."""

from math import sqrt
from typing import Any

import numpy as np

from drlim_np.backend import Array
from drlim_np.layers import Linear, Sequential, Tanh
from drlim_np.objective import Objective
from drlim_np.tree import Tree, leaves, tree_map


def network(inputs: int, outputs: int, width: int = 100) -> Sequential:
    """Two hidden layers of tanh: on a swiss roll and on small digits they reach a lower objective than one does."""
    hidden1, hidden2 = Linear(inputs, width), Linear(width, width)
    return Sequential(hidden1=hidden1, squash1=Tanh(), hidden2=hidden2, squash2=Tanh(), output=Linear(width, outputs))


def clipped(objective: Objective, longest: float) -> Objective:
    """The same objective, its gradient shortened to the length `longest` where it is longer (Pascanu et al., 2013).

    A rate that suits thousands of samples otherwise throws a few dozen off, because each of them then weighs more.
    """

    def shortened(params: Tree, rng: np.random.Generator, progress: float) -> tuple[Array, Tree]:
        loss, gradient = objective(params, rng, progress)
        length = sqrt(sum(float((g * g).sum()) for _, g in leaves(gradient)))
        return loss, tree_map(lambda g: g * min(1.0, longest / length), gradient) if length > longest else gradient

    return shortened


def generator(random_state: Any) -> np.random.Generator:
    """From None, a seed or a generator; a RandomState, as scikit-learn's users have it, seeds one."""
    old = isinstance(random_state, np.random.RandomState)
    return np.random.default_rng(random_state.randint(2**31) if old else random_state)
