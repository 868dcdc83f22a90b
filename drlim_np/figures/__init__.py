"""The figures of the paper, one module each: functions `make(data, train) -> Result` under the decorator `@figure`."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing

from drlim_np.data import Digits, Views
from drlim_np.drawing.style import BLUE, RULES
from drlim_np.errors import DivergedError, DrlimError
from drlim_np.files.cache import NOTHING_CACHED, Cache
from drlim_np.graph import SimilarityGraph
from drlim_np.tree import Tree

COLLAPSED = 0.01  # a map has collapsed if each coordinate's standard deviation is below this share of the margin
RELATIONS = {"≥": operator.ge, "≤": operator.le, "=": operator.eq}
FIGURES: dict[str, "Figure"] = {}  # by name, in the order in which their modules are imported


@dataclass(frozen=True)
class Figure:
    """A figure as `@figure` registers it."""

    name: str
    make: Callable[[Any, "Train"], "Result"]  # (data, train) -> Result
    needs: Literal["digits", "views"] | None = None  # which data `make` is given
    after: tuple[str, ...] = ()  # figures that train what this one shows too; it is drawn after them, from the cache
    on_request: bool = False  # drawn only where its name is given
    seconds: float = 0  # what it takes at its full size, roughly; the slowest start first


def figure(name: str, **about: Any) -> Callable[[Callable], Callable]:
    """Registers `make` as the figure of that name and draws it by `style.RULES`."""

    def register(make: Callable[[Any, "Train"], "Result"]) -> Callable[[Any, "Train"], "Result"]:
        FIGURES[name] = Figure(name, rc_context(RULES)(make), **about)
        return FIGURES[name].make

    return register


@dataclass(frozen=True)
class Train:
    """Called, it trains; it alone knows the run's seed, size, backend, threads and cache."""

    seed: int = 0
    quick: bool = False  # small sizes, for a look within a minute
    threads: int = 1  # for our own thread pools; no number depends on it
    backend: str = "numpy"
    cache: Cache = NOTHING_CACHED

    def __call__(self, label: str, follows_from: Sequence[Any], descent: Callable[[], Tree]) -> Tree:
        """What `descent()` returns, host arrays, from the cache if `follows_from`, all it depends on, is the same."""
        return self.cache.tree(label, [self.backend, *follows_from], descent)

    def once(self, function: Callable, *inputs: Any, **others: Any) -> Any:
        """function(*inputs, **others), an array or a number: computed once, then found in the cache."""
        return self.cache.call(function, *inputs, **others)

    def rng(self, figure: int) -> np.random.Generator:
        """The generator of one figure, so that drawing it alone changes nothing."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(figure,)))


@dataclass(frozen=True)
class Claim:
    """A claim of the paper as a number: what it says, its value, and the bound that the value must keep."""

    text: str
    value: float
    relation: Literal["≥", "≤", "="]
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the value keeps the bound; NaN never does."""
        return bool(RELATIONS[self.relation](self.value, self.bound))


def all_counted(graph: SimilarityGraph, words: str = "similar and dissimilar pairs together") -> Claim:
    """The claim that a graph's similar pairs, each counted once, and all others are all pairs."""
    return Claim(words, len(graph.edges) + graph.dissimilar_count, "=", graph.size * (graph.size - 1) // 2)


@dataclass(frozen=True, eq=False)
class Result:
    """A drawn figure with its evidence."""

    drawing: Drawing
    claims: list[Claim]
    settings: dict[str, Any] = field(default_factory=dict)  # all that was chosen, so that the figure can be made again
    data: Digits | Views | None = None  # the digits or views it shows
    measured: dict[str, Any] = field(default_factory=dict)  # further numbers, without a bound
    arrays: Mapping[str, np.ndarray] | None = None  # what colours the plot, for the .npz; None if nothing was trained
    weights: Tree | None = None  # the trained W that drew it, which ships with it


class CollapsedError(DrlimError, ArithmeticError):
    """A map z (samples, dims) with all points in one place; spread: a coordinate's largest deviation, in margins."""

    def __init__(self, message: str, z: np.ndarray, spread: float):
        super().__init__(message)
        self.z, self.spread = z, spread


def require_spread(z: np.ndarray, margin: float, label: str) -> None:
    """Raises CollapsedError if all points of a map (samples, dims) are in one place, DivergedError if not finite."""
    if not np.isfinite(z).all():
        raise DivergedError(f"{label}: the map is not finite: lower the learning rate, or look for NaN in the data")
    spread = float(z.std(axis=0).max()) / margin
    if spread < COLLAPSED:
        message = f"{label}: the map has collapsed, its points are {spread:.2g} margins apart"
        raise CollapsedError(f"{message}: look at the dissimilar pairs and the learning rate", z, spread)


@rc_context(RULES)
def of_collapsed(fault: CollapsedError, data: Digits | Views | None) -> Result:
    """The figure of a map that collapsed: its points, in a square of one margin, and the claim that fails."""
    drawing, words = Drawing(figsize=(5, 5.4), layout="constrained"), "the map has collapsed: all points in one place"
    axes = drawing.subplots()
    axes.scatter(*(fault.z - fault.z.mean(axis=0))[:, :2].T, s=8, c=BLUE)
    axes.set(xlim=(-0.5, 0.5), ylim=(-0.5, 0.5), aspect="equal", xlabel=f"margins; {words}")
    claims = [Claim("the map has not collapsed: its spread in margins", fault.spread, "≥", COLLAPSED)]
    return Result(drawing, claims, data=data, measured={"collapsed": str(fault)})
