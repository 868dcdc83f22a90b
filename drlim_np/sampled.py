"""The objective estimated from pairs drawn at random: of samples, or of whole characters with all their copies.

S2 of Fig. 3 sums windows of 3×3 pixels, so a shift by 3 or 6 pixels moves its maps by exactly 1 or 2 cells. Therefore
`convnet`, slid over one wide picture (`data.wide`), maps all five copies for little more than one costs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from drlim_np.backend import Array, kind, like, namespace
from drlim_np.checks.arrays import require_floating, require_margin
from drlim_np.checks.numbers import whole_number
from drlim_np.errors import require
from drlim_np.fast.all_pairs import dissimilar_sum, similar_sum
from drlim_np.graph import SimilarityGraph
from drlim_np.loss import at_least_tiny, missing
from drlim_np.objective import Weighting, dissimilar_weight, weighted
from drlim_np.tree import Tree


@dataclass(frozen=True, eq=False)
class SampledPairs:
    """An unbiased estimate of `objective.EveryPair` from `batch` similar pairs drawn at random.

    Similar pairs are drawn uniformly from the list. The drawn samples, paired across draws, give many dissimilar pairs
    for free. But a sample in many listed pairs is drawn more often, in proportion to its degree. The weights
    w_i = 2 listed / (size · degree_i) undo that: on average

        one draw adds 2 mean_i f(i) to Σ_i w_i f(i)
        two draws add 4 mean_ij f(i, j) to Σ_ij w_i w_j f(i, j)

    and there are batch (batch - 1) / 2 such couples of draws. A draw's own two samples are similar: they add nothing.
    """

    network: Callable
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
        return weighted(lam, (*similar, len(drawn)), (*dissimilar, expected_dissimilar), pullback)


@dataclass(frozen=True, eq=False)
class SampledCopies(SampledPairs):
    """`SampledPairs` with all copies of the characters drawn: as unbiased, and it varies less.

    x holds a picture for each character, (characters, maps, height, width). The network makes a row for each copy:
    row i · copies + c is copy c of character i, and so is that sample of the graph.

    A drawn pair of copies is replaced by the mean over all n listed pairs from its one character to its other, each at
    1 / n: the expectation stays, the variance falls (Rao and Blackwell). With the weights
    w_i = 2 listed / (characters · degree_i), where degree_i counts the listed pairs of all copies of i, two draws add
    on average 4 mean_ij Σ_cd f(copy c of i, copy d of j). Dissimilar pairs are counted between draws, not within one.
    """

    def __post_init__(self) -> None:
        require_floating(x=self.x)
        require_margin(self.margin, self.x)
        whole_number("batch", self.batch, 2)
        size, count = self.graph.size, self.x.shape[0]
        fits = count > 0 and size % count == 0
        require(fits, f"x has shape {self.x.shape}, but the graph has {size} samples: not as many copies of each")
        lonely = min(np.flatnonzero(self._degree == 0), default=None)
        require(lonely is None, f"character {lonely} is in no similar pair, so is never drawn: list a neighbour for it")

    def from_pairs(self, drawn: np.ndarray, params: Tree, progress: float = 1.0) -> tuple[Array, Tree]:
        """The estimate from the given listed pairs, (batch, 2) indices of samples; at least two pairs."""
        characters, attract, repel = self.weights(drawn, progress)
        z, pullback = self.network(params, namespace(self.x).take(self.x, like(characters, self.x), axis=0))
        loss, dz = weighted_pairs(z, attract, repel, self.margin)
        return loss, pullback(dz).params

    def weights(self, drawn: np.ndarray, progress: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The characters in the drawn pairs, (batch, 2); attract and repel of all their copies for `weighted_pairs`."""
        graph, copies = self.graph, self._copies
        draws, count = len(drawn), self.x.shape[0]
        require(draws > 1, f"{draws} pairs drawn: dissimilar pairs arise between draws, draw at least 2")
        drawn = SimilarityGraph(graph.size, drawn).pairs // copies
        lam = dissimilar_weight(graph, self.weighting, progress)
        characters, place = np.unique(drawn, return_inverse=True)
        samples = (characters[:, None] * copies + np.arange(copies)).ravel()  # in the order of the rows of z
        of_draw = np.zeros((draws, len(characters)))
        place = place.reshape(drawn.shape)
        weight = 2 * graph.listed_count / (count * self._degree[characters])
        np.add.at(of_draw, (np.arange(draws)[:, None], place), weight[place])
        of_all = of_draw.sum(axis=0)
        between = np.outer(of_all, of_all) - of_draw.T @ of_draw  # the weights of two characters in different draws
        expected = 4 * draws * (draws - 1) * graph.dissimilar_count / count**2  # the mean of Σ_{i<j} w_i w_j
        repel = np.repeat(np.repeat(between, copies, axis=0), copies, axis=1)
        i, j = graph.within(samples).pairs.T
        repel[i, j] = repel[j, i] = 0  # similar copies do not repel, nor does a copy itself
        np.fill_diagonal(repel, 0)
        attract = self._similar(drawn, samples) / ((1 + lam) * draws)
        return characters, attract, repel * lam / ((1 + lam) * expected)

    def _similar(self, drawn: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """(samples, samples): 1 / n, from either end, for the n listed pairs of each draw."""
        keys, pairs = self._by_characters
        first, end = np.searchsorted(keys, (drawn @ [self.x.shape[0], 1])[:, None] + [0, 1]).T
        n = end - first
        pairs = pairs[np.repeat(end - np.cumsum(n), n) + np.arange(n.sum())]
        weights = np.zeros((len(samples), len(samples)))
        np.add.at(weights, tuple(np.searchsorted(samples, pairs).T), np.repeat(1 / n, n))
        return weights + weights.T

    @property
    def _copies(self) -> int:
        return self.graph.size // self.x.shape[0]

    @cached_property
    def _degree(self) -> np.ndarray:
        return self.graph.degree.reshape(-1, self._copies).sum(axis=1)

    @cached_property
    def _by_characters(self) -> tuple[np.ndarray, np.ndarray]:
        """The listed pairs in the order of their characters, and before them a number for each pair of characters."""
        keys = self.graph.pairs // self._copies @ [self.x.shape[0], 1]
        order = np.argsort(keys, kind="stable")
        return keys[order], self.graph.pairs[order]


def weighted_pairs(z: Array, attract: np.ndarray, repel: np.ndarray, margin: float) -> tuple[Array, Array]:
    """½ Σ_ij (a_ij L_S + r_ij L_D) over all z_i, z_j, and its gradient with respect to z (samples, dims).

    attract, repel: a_ij and r_ij, (samples, samples), symmetric, on the host. margin: m, in the unit of z.
    """
    xp = namespace(z)
    dtype = np.float32 if kind(z).bits == 32 else np.float64
    a = like(attract.astype(dtype), z)
    r = like(repel.astype(dtype), z)
    x = xp.stack([z[:, axis] for axis in range(z.shape[1])])  # coordinate by coordinate: sums take a fifth of the time
    difference = x[:, :, None] - x[:, None, :]
    d = xp.sqrt(xp.sum(difference * difference, axis=0))
    gap = missing(d, margin)
    force = a - r * gap / at_least_tiny(d)  # times z_i - z_j: Eqs. 6 and 7
    return xp.sum(a * d * d + r * gap * gap) / 4, xp.sum(force * difference, axis=2).T
