"""Parameters are a plain tree: dicts within dicts, arrays at the leaves. Gradients have the same structure."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from drlim_np.backend import Array

Tree = Any  # an array, or a dict of trees


class Gradient(NamedTuple):
    """The result of a pullback: dL/dparams as a tree, and dL/dinput, or None if nobody asked for it."""

    params: Tree
    input: Array | None


Pullback = Callable[..., Gradient]


def tree_map(function: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """The tree of function(leaf, leaf of others...) over trees that share one structure."""
    if isinstance(tree, dict):
        return {name: tree_map(function, branch, *(other[name] for other in others)) for name, branch in tree.items()}
    return function(tree, *others)


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, Array]]:
    """Every array of the tree with its dotted name, such as ("C1.weight", array), in a fixed order."""
    if isinstance(tree, dict):
        for name, branch in tree.items():
            yield from leaves(branch, f"{path}.{name}" if path else name)
    else:
        yield path, tree


def add(first: Tree, second: Tree) -> Tree:
    """The leaf by leaf sum: how the gradients of two towers that share one W combine (Step 2)."""
    return tree_map(lambda a, b: a + b, first, second)
