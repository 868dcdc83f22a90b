"""What training minimises: 𝓛 per pair (Eq. 2), over all pairs or over an unbiased sample of them.

The paper sums over all pairs, of which nearly all are dissimilar. With similar and dissimilar pairs averaged apart,

    objective = (mean_similar L_S + λ mean_dissimilar L_D) / (1 + λ)

is the paper's sum divided by the number of pairs when λ = P_dissimilar / P_similar ("exact"), and gives both terms
equal say when λ = 1 ("balanced").
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from drlim_np.backend import Array, kind, like, namespace
from drlim_np.checks.arrays import require_floating, require_margin
from drlim_np.checks.numbers import real_number, whole_number
from drlim_np.errors import require
from drlim_np.fast.all_pairs import dissimilar_sum, similar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Sequential
from drlim_np.tree import Pullback, Tree

Weighting = Literal["balanced", "exact"]
Objective = Callable[[Tree, np.random.Generator, float], tuple[Array, Tree]]


def dissimilar_weight(graph: SimilarityGraph, weighting: Weighting, progress: float = 1.0) -> float:
    """λ; "exact" rises to it geometrically from 1 over the first half: the map unfolds before most pairs spread it."""
    progress = real_number("progress", progress)
    require(0 <= progress <= 1, f"progress is {progress}: it runs from 0 to 1")
    require(weighting in ("balanced", "exact"), f'weighting is {weighting!r}: choose "balanced" or "exact"')
    kinds = min(graph.listed_count, graph.dissimilar_count)
    require(kinds > 0, "the graph needs at least one similar and one dissimilar pair: one kind alone teaches nothing")
    if weighting == "balanced":
        return 1.0
    return (graph.dissimilar_count / graph.listed_count) ** min(1.0, 2 * progress)


@dataclass(frozen=True, eq=False)
class EveryPair:
    """The objective over every pair of the samples in x, embedded once, and its gradient with respect to W."""

    network: Sequential | Blockwise
    x: Array
    graph: SimilarityGraph
    margin: float = 1.0
    weighting: Weighting = "exact"
    threads: int = 1  # changes no result

    def __call__(self, params: Tree, rng: np.random.Generator, progress: float) -> tuple[Array, Tree]:
        """`progress` in [0, 1] sets λ. Nothing is drawn from `rng`: both objectives are called the same way."""
        lam = dissimilar_weight(self.graph, self.weighting, progress)
        z, pullback = self.network(params, self.x)
        similar = similar_sum(z, self.graph)
        dissimilar = dissimilar_sum(z, self.graph, self.margin, threads=self.threads)
        return _weighted(lam, (*similar, self.graph.listed_count), (*dissimilar, self.graph.dissimilar_count), pullback)


@dataclass(frozen=True, eq=False)
class SampledPairs:
    """An unbiased estimate of the same objective from `batch` similar pairs drawn at random.

    Similar pairs are drawn uniformly from the list. The drawn samples, paired across draws, give many dissimilar pairs
    for free. But a sample in many listed pairs is drawn more often, in proportion to its degree. The weights
    w_i = 2 listed / (size · degree_i) undo that: on average

        one draw adds 2 mean_i f(i) to Σ_i w_i f(i)
        two draws add 4 mean_ij f(i, j) to Σ_ij w_i w_j f(i, j)

    and there are batch (batch - 1) / 2 such couples of draws. A draw's own two samples are similar: they add nothing.
    """

    network: Sequential | Blockwise
    x: Array
    graph: SimilarityGraph
    margin: float = 1.0
    weighting: Weighting = "balanced"
    batch: int = 128

    def __post_init__(self) -> None:
        require_floating(x=self.x)
        require_margin(self.margin, self.x)
        whole_number("batch", self.batch, 2)  # dissimilar pairs arise between draws
        size = self.graph.size
        require(self.x.shape[:1] == (size,), f"x has shape {self.x.shape}, but the graph has {size} samples")
        lonely = min(np.flatnonzero(self.graph.degree == 0), default=None)
        require(lonely is None, f"sample {lonely} is in no similar pair, so is never drawn: list a neighbour for it")

    def __call__(self, params: Tree, rng: np.random.Generator, progress: float) -> tuple[Array, Tree]:
        """Draws `batch` listed pairs from `rng`; `progress` in [0, 1] sets λ."""
        drawn = self.graph.pairs[rng.integers(self.graph.listed_count, size=self.batch)]
        return self.from_pairs(drawn, params, progress)

    def from_pairs(self, drawn: np.ndarray, params: Tree, progress: float = 1.0) -> tuple[Array, Tree]:
        """The estimate from the given similar pairs, (batch, 2) indices of samples; at least two pairs."""
        graph = self.graph
        drawn = SimilarityGraph(graph.size, drawn).pairs
        require(len(drawn) > 1, f"{len(drawn)} pairs drawn: dissimilar pairs arise between draws, draw at least 2")
        lam = dissimilar_weight(graph, self.weighting, progress)
        samples, place, times = np.unique(drawn, return_inverse=True, return_counts=True)
        x = namespace(self.x).take(self.x, like(samples, self.x), axis=0)
        z, pullback = self.network(params, x)
        similar = similar_sum(z, SimilarityGraph(len(samples), place.reshape(drawn.shape)))
        weight = times * (2 * graph.listed_count / graph.size) / graph.degree[samples]
        weight = like(weight.astype(np.float32 if kind(z).bits == 32 else np.float64), z)
        dissimilar = dissimilar_sum(z, graph.within(samples), self.margin, weight)
        couples = len(drawn) * (len(drawn) - 1) / 2
        expected_dissimilar = 4 * couples * 2 * graph.dissimilar_count / graph.size**2  # the mean of Σ w_i w_j
        return _weighted(lam, (*similar, len(drawn)), (*dissimilar, expected_dissimilar), pullback)


def _weighted(lam: float, similar: tuple, dissimilar: tuple, pullback: Pullback) -> tuple[Array, Tree]:
    """The objective, and dL/dW, from the sums Σ L_S and Σ L_D, each with its gradient dL/dz and the number of pairs."""
    attraction, pull, similar_count = similar
    repulsion, push, dissimilar_count = dissimilar
    a = 1 / ((1 + lam) * similar_count)
    b = lam / ((1 + lam) * dissimilar_count)
    return a * attraction + b * repulsion, pullback(a * pull + b * push).params
