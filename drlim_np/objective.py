"""What training minimises: 𝓛 per pair (Eq. 2), here over all pairs; in `sampled` over an unbiased sample of them.

The paper sums over all pairs, of which nearly all are dissimilar. With similar and dissimilar pairs averaged apart,

    objective = (mean_similar L_S + λ mean_dissimilar L_D) / (1 + λ)

is the paper's sum divided by the number of pairs when λ = P_dissimilar / P_similar ("exact"), and gives both terms
equal say when λ = 1 ("balanced").
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from drlim_np.backend import Array
from drlim_np.checks.numbers import real_number
from drlim_np.errors import require
from drlim_np.fast.all_pairs import dissimilar_sum, similar_sum
from drlim_np.graph import SimilarityGraph
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

    network: Callable
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
        return weighted(lam, (*similar, self.graph.listed_count), (*dissimilar, self.graph.dissimilar_count), pullback)


def weighted(lam: float, similar: tuple, dissimilar: tuple, pullback: Pullback) -> tuple[Array, Tree]:
    """The objective, and dL/dW, from the sums Σ L_S and Σ L_D, each with its gradient dL/dz and the number of pairs."""
    attraction, pull, similar_count = similar
    repulsion, push, dissimilar_count = dissimilar
    a = 1 / ((1 + lam) * similar_count)
    b = lam / ((1 + lam) * dissimilar_count)
    return a * attraction + b * repulsion, pullback(a * pull + b * push).params
