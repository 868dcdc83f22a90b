"""Is this the gradient of that? Two oracles that know nothing of backpropagation, for our layers and for yours.

`check_layer` audits a layer of your own; `python -m drlim_np.audit` audits all of this package and prints the table.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from drlim_np.backend import Array
from drlim_np.checks.numbers import native, require_generator
from drlim_np.errors import require
from drlim_np.tree import Tree, leaves, tree_map

COMPLEX_STEP = 1e-20
COMPLEX_BOUND = 1e-12
CENTRAL_STEP = 1e-5
CENTRAL_BOUND = 1e-7
OTHER_STEPS = (1e-4, 1e-6)  # where the central differences disagree about it, the function bends or rounds too much
DIRECTIONS = 16  # a tensor of up to this many entries is checked entry by entry, a larger one along random directions
FLOOR = 0.01  # of the whole gradient's norm: the least that an error is measured by


class Row(NamedTuple):
    """The verdict on one tensor: how far the gradient is from each oracle, relative to its norm."""

    tensor: str
    size: int
    complex_error: float
    central_error: float
    central_doubt: float = 0.0  # how far other steps are from that one, where it alone rejects the gradient

    @property
    def near_a_kink(self) -> bool:
        """The complex step confirms the gradient, and the central differences contradict each other as much as it.

        Within their steps the function bends, at a margin for instance, or its value rounds too much.
        """
        confirmed, rejected = self.complex_error <= COMPLEX_BOUND, self.central_error > CENTRAL_BOUND
        return confirmed and rejected and self.central_error <= 2 * self.central_doubt

    @property
    def holds(self) -> bool:
        """Both errors within COMPLEX_BOUND and CENTRAL_BOUND, or the point near a kink; NaN is not."""
        return self.near_a_kink or (self.complex_error <= COMPLEX_BOUND and self.central_error <= CENTRAL_BOUND)


def complex_step(function: Callable, x: Array, direction: Array) -> float:
    """The derivative of a real analytic scalar function along `direction`: Im f(x + i h u) / h, with h = 1e-20.

    Nothing is subtracted, so nothing cancels, and h² vanishes next to 1: the result is exact to rounding.
    """
    return float(np.imag(function(x + 1j * COMPLEX_STEP * direction)) / COMPLEX_STEP)


def central_difference(function: Callable, x: Array, direction: Array, size: float = CENTRAL_STEP) -> float:
    """The derivative of a scalar function along `direction`: (f(x + h u) - f(x - h u)) / 2h, with |h u| = `size`."""
    length = np.linalg.norm(direction)
    step = size * direction / length
    return float((function(x + step) - function(x - step)) / (2 * size) * length)


def check(function: Callable[[Tree], Any], arguments: Tree, gradient: Tree, rng: np.random.Generator) -> list[Row]:
    """One row for each tensor of `arguments`: does `gradient`, a tree of the same structure, hold d function/d tensor?

    function: tree → scalar. Called on float64 for the central difference and with one complex128 tensor for the complex
    step, so it must not take absolute values or norms, and must decide its branches on real parts.
    Along a random direction u with entries from N(0, 1), an error e shows up as <e, u>, which has variance ‖e‖²; so the
    root mean square over directions estimates ‖e‖, as the sum over single entries gives it exactly.
    An error is relative to the norm of its own tensor's gradient, but to no less than FLOOR of the whole gradient's: a
    tensor's may be zero by symmetry, as that of a Siamese network's last bias, which moves both towers in the same way.
    Each leaf is an argument of its own, even where several are one array: its gradient is that leaf's share. To
    check weights tied together, give their array once and let `function` use it twice: the gradient is the sum.
    """
    require_generator(rng)
    tensors, gradients = dict(leaves(tree_map(native, arguments))), dict(leaves(gradient))
    same = {name: x.shape for name, x in tensors.items()} == {name: np.shape(g) for name, g in gradients.items()}
    require(same, f"the gradient's tensors {[*gradients]} differ in name or shape from the arguments' {[*tensors]}")
    _require_checkable(tensors | {f"the gradient of {name}": g for name, g in gradients.items()})
    require(len(tensors) > 0, "the tree has no entries: there is nothing to check")
    whole = float(np.sqrt(sum(np.sum(np.square(g)) for g in gradients.values())))
    return [_check_tensor(function, arguments, name, x, gradients[name], whole, rng) for name, x in tensors.items()]


def check_layer(layer: Callable, params: Tree, x: Array, rng: np.random.Generator) -> list[Row]:
    """One row for each parameter and for the input of a layer, through L = Σ v ⊙ layer(params, x) for a random v."""
    require_generator(rng)
    arguments = {"params": params, "input": x}
    _require_checkable(dict(leaves(arguments)))
    y, pullback = layer(params, x)
    v = rng.standard_normal(y.shape)
    gradient = pullback(v, wrt_input=True)._asdict()
    return check(lambda a: (v * layer(a["params"], a["input"])[0]).sum(), arguments, gradient, rng)


def _require_checkable(tensors: dict[str, Any]) -> None:
    """Each is NumPy's, in float64, because the oracles' errors are those of its rounding, and none is empty."""
    for name, x in tensors.items():
        right, got = isinstance(x, np.ndarray | np.generic) and x.dtype == np.float64, getattr(x, "dtype", type(x))
        require(right, f"{name} must be a float64 NumPy array to be checked, got {got}")
        require(x.size > 0, f"{name} has no entries: there is nothing to check")


def _check_tensor(function, arguments: Tree, name: str, x: np.ndarray, gradient, whole: float, rng) -> Row:
    def at(changed: np.ndarray):
        names = (other for other, _ in leaves(arguments))
        return function(tree_map(lambda x: changed if next(names) == name else x.astype(changed.dtype), arguments))

    single = x.size <= DIRECTIONS
    directions = np.eye(x.size).reshape(x.size, *x.shape) if single else rng.standard_normal((DIRECTIONS, *x.shape))
    size = max(float(np.linalg.norm(gradient)), FLOOR * whole)

    def along(oracle: Callable, *step: float) -> np.ndarray:
        return np.array([oracle(at, x, u, *step) for u in directions])

    def apart(one: np.ndarray, other: np.ndarray) -> float:
        error = float(np.linalg.norm(one - other) if single else np.sqrt(np.mean(np.square(one - other))))
        if size > 0:
            return error / size
        return 0.0 if error == 0 else float("inf")

    claimed, central = np.array([np.sum(gradient * u) for u in directions]), along(central_difference)
    row = Row(name, x.size, apart(claimed, along(complex_step)), apart(claimed, central))
    if row.holds or not row.complex_error <= COMPLEX_BOUND:
        return row
    return row._replace(central_doubt=max(apart(central, along(central_difference, step)) for step in OTHER_STEPS))
