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

from drlim_np.backend import Array, like, namespace
from drlim_np.checks.arrays import require_floating
from drlim_np.checks.numbers import real_number, whole_number
from drlim_np.errors import require
from drlim_np.fast.all_pairs import dissimilar_sum, similar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Sequential
from drlim_np.loss import require_margin
from drlim_np.tree import Tree

Weighting = Literal["balanced", "exact"]


def dissimilar_weight(similar: SimilarityGraph, weighting: Weighting, progress: float = 1.0) -> float:
    """λ. "exact" is reached by a geometric rise from 1 over the first half of training; `progress` runs from 0 to 1.

    Annealed, the map unfolds under the balanced forces before the far more numerous dissimilar pairs spread it. Raises
    InputError for another weighting, or a graph without similar or without dissimilar pairs.
    """
    progress = real_number("progress", progress)
    require(0 <= progress <= 1, f"progress is {progress}: it runs from 0 to 1")
    require(weighting in ("balanced", "exact"), f'weighting is {weighting!r}: choose "balanced" or "exact"')
    kinds = min(similar.listed_count, similar.dissimilar_count)
    require(kinds > 0, "the graph needs at least one similar and one dissimilar pair: one kind alone teaches nothing")
    if weighting == "balanced":
        return 1.0
    return (similar.dissimilar_count / similar.listed_count) ** min(1.0, 2 * progress)


@dataclass(frozen=True, eq=False)
class EveryPair:
    """The objective over every pair of the samples, from one embedding of each.

    network, x: G_W and its inputs, one row of `x` per sample; similar: the graph among them; margin: m. The number of
    threads changes nothing.
    Calling it returns the objective and its gradient with respect to W.
    """

    network: Sequential | Blockwise
    x: Array
    similar: SimilarityGraph
    margin: float = 1.0
    weighting: Weighting = "exact"
    threads: int = 1

    def __call__(self, params: Tree, rng: np.random.Generator, progress: float) -> tuple[Array, Tree]:
        """`rng` is not used: nothing is drawn. `progress` in [0, 1] sets λ."""
        ratio = dissimilar_weight(self.similar, self.weighting, progress)
        z, pullback = self.network(params, self.x)
        attraction, pull = similar_sum(z, self.similar)
        repulsion, push = dissimilar_sum(z, self.similar, self.margin, threads=self.threads)
        similar, dissimilar = _shares(ratio, self.similar.listed_count, self.similar.dissimilar_count)
        return similar * attraction + dissimilar * repulsion, pullback(similar * pull + dissimilar * push).params


@dataclass(frozen=True, eq=False)
class SampledPairs:
    """An unbiased estimate of the same objective from `batch` similar pairs drawn at random.

    Similar pairs are drawn uniformly from the list. Their samples, paired with one another across the draws, give
    far more dissimilar pairs than were drawn: but a sample that stands in many listed pairs is drawn more often, by its
    degree. Weights w_i = 2 listed / (size · degree_i) undo that: each draw then adds 2 · mean_i f(i) on average to any
    Σ w_i f(i), and two draws add 4 · mean_ij f(i, j) to Σ w_i w_j f(i, j). There are batch (batch - 1) / 2 such couples
    of draws. A draw's own two samples are similar, so they add nothing. `tests/test_objective.py` sums over all draws.
    """

    network: Sequential | Blockwise
    x: Array
    similar: SimilarityGraph
    margin: float = 1.0
    weighting: Weighting = "balanced"
    batch: int = 128

    def __post_init__(self) -> None:
        require_floating(x=self.x)
        require_margin(self.margin, self.x)
        whole_number("batch", self.batch, 2)  # dissimilar pairs arise between draws
        shape, size = self.x.shape, self.similar.size
        require(shape[:1] == (size,), f"x has shape {shape}, but the graph has {size} samples")
        lonely = min(np.flatnonzero(self.similar.degree == 0), default=None)
        require(lonely is None, f"sample {lonely} is in no similar pair, so is never drawn: list a neighbour for it")

    def __call__(self, params: Tree, rng: np.random.Generator, progress: float) -> tuple[Array, Tree]:
        """Draws `batch` listed pairs from `rng`; `progress` in [0, 1] sets λ."""
        drawn = self.similar.pairs[rng.integers(self.similar.listed_count, size=self.batch)]
        return self.on(drawn, params, progress)

    def on(self, drawn: np.ndarray, params: Tree, progress: float = 1.0) -> tuple[Array, Tree]:
        """The estimate from the given similar pairs, (batch, 2) indices of samples.

        Raises InputError for fewer than two pairs, and for what `SimilarityGraph` refuses.
        """
        graph = self.similar
        drawn = SimilarityGraph(graph.size, drawn).pairs
        require(len(drawn) > 1, f"{len(drawn)} pairs drawn: dissimilar pairs arise between draws, draw at least 2")
        ratio = dissimilar_weight(graph, self.weighting, progress)
        samples, place, times = np.unique(drawn, return_inverse=True, return_counts=True)
        weight = times * (2 * graph.listed_count / graph.size) / graph.degree[samples]

        x = namespace(self.x).take(self.x, like(samples, self.x), axis=0)
        z, pullback = self.network(params, x)
        attraction, pull = similar_sum(z, SimilarityGraph(len(samples), place.reshape(drawn.shape)))
        weight = like(weight.astype(str(z.dtype).split(".")[-1]), z)
        repulsion, push = dissimilar_sum(z, graph.within(samples), self.margin, weight)

        couples = len(drawn) * (len(drawn) - 1) / 2
        pairs_seen = 4 * couples * 2 * graph.dissimilar_count / graph.size**2
        similar, dissimilar = _shares(ratio, len(drawn), pairs_seen)
        return similar * attraction + dissimilar * repulsion, pullback(similar * pull + dissimilar * push).params


Objective = Callable[[Tree, np.random.Generator, float], tuple[Array, Tree]]


def _shares(ratio: float, similar_pairs: float, dissimilar_pairs: float) -> tuple[float, float]:
    """What a similar and a dissimilar pair's loss is multiplied by: 1/(1 + λ) and λ/(1 + λ), over their counts."""
    return 1 / ((1 + ratio) * similar_pairs), ratio / ((1 + ratio) * dissimilar_pairs)
