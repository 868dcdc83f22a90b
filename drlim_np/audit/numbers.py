"""Arrays of exact numbers, on which the code of this package runs unchanged: fractions, or SymPy's expressions.

An `Exact` brings its module, as all arrays do here, so a layer, a loss or a step cannot tell it from a GPU's array; but
nothing is rounded. NumPy's functions take it too. A Python number is taken for the fraction that it is. Roots are
exact, and a fraction that has none raises ValueError; tanh of a fraction is the nearest float64, as a fraction.
"""

from collections.abc import Callable
from fractions import Fraction
from math import isqrt, tanh
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from drlim_np.tree import Tree, tree_map


class Exact(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of exact numbers; `entries` holds them, as NumPy's array of objects."""

    dtype, device = "exact", None

    def __init__(self, entries: Any):
        self.entries = np.asarray(_entries(entries), object)
        self.shape, self.ndim = self.entries.shape, self.entries.ndim

    T = mT = property(lambda self: Exact(self.entries.swapaxes(-1, -2)))

    def __array_namespace__(self) -> ModuleType:
        return _MODULE

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self.entries.astype(dtype or np.float64)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        result = getattr(OF_ENTRIES.get(ufunc, ufunc), method)(*map(_entries, inputs), **options)
        if out is None:
            return Exact(result)
        out[0].entries[...] = result
        return out[0]

    def __array_function__(self, function, types, arguments, options):
        bare = [[y.entries for y in x] if isinstance(x, list) else getattr(x, "entries", x) for x in arguments]
        return Exact(function(*bare, **options))

    def __getitem__(self, key) -> "Exact":
        return Exact(self.entries[key])

    def __setitem__(self, key, value) -> None:
        self.entries[key] = _entries(value)

    def dot(self, other: "Exact") -> "Exact":
        return Exact(self.entries.dot(other.entries))

    def sum(self) -> "Exact":
        return np.sum(self)

    def __bool__(self) -> bool:
        return bool(self.entries)


def exact(tree: Tree) -> Tree:
    """The same tree, or array, of exact numbers."""
    return tree_map(Exact, tree)


def drawn_like(tree: Tree, draw: Callable) -> Tree:
    """The same tree, or array, with every array drawn by `draw(shape)`."""
    return tree_map(lambda x: draw(x.shape), tree)


_fraction = np.frompyfunc(lambda x: Fraction(x) if isinstance(x, int | float) and not isinstance(x, bool) else x, 1, 1)


def _entries(x: Any) -> Any:
    return x.entries if isinstance(x, Exact) else _fraction(np.asarray(x, object))


def _root(x: Any) -> Any:
    if not isinstance(x, Fraction):
        return x ** Fraction(1, 2)
    root = Fraction(isqrt(x.numerator), isqrt(x.denominator))
    if root * root != x:
        raise ValueError(f"the root of {x} is no fraction")
    return root


def _tanh(x: Any) -> Any:
    if isinstance(x, Fraction):
        return Fraction(tanh(x))
    import sympy  # only here: without derivations SymPy need not be installed

    return sympy.tanh(x)


def _cut(x: Any, low: float, high: float | None) -> Any:
    """x cut to [low, high], or to [low, ∞) if high is None. An expression has no order: it is taken to lie within."""
    return max(Fraction(low), x if high is None else min(x, Fraction(high))) if isinstance(x, Fraction) else x


OF_ENTRIES = {np.sqrt: np.frompyfunc(_root, 1, 1), np.tanh: np.frompyfunc(_tanh, 1, 1)}
_MODULE = ModuleType("exact numbers, under the names of the array API standard")
_NUMPYS = ("all", "broadcast_to", "concat", "ones_like", "repeat", "reshape", "sqrt", "stack", "sum", "tanh", "triu")
vars(_MODULE).update(
    {name: getattr(np, name) for name in (*_NUMPYS, "zeros_like")},
    permute_dims=np.transpose,
    zeros=lambda shape, dtype, device: Exact(np.zeros(shape)),
    asarray=lambda x, device: Exact(x),
    take=lambda x, indices, axis=None: Exact(np.take(x.entries, np.asarray(indices, int), axis)),
    where=lambda of, x, y: Exact(np.where(np.asarray(of, bool), _entries(x), _entries(y))),
    clip=lambda x, low, high: Exact(np.frompyfunc(_cut, 3, 1)(x.entries, low, high)),
    isdtype=lambda dtype, kinds: "real floating" in kinds,
    finfo=lambda dtype: SimpleNamespace(bits=64, smallest_normal=np.finfo(np.float64).smallest_normal),
)
