"""The objective estimated from whole characters, whose copies are windows of one wide picture (Figs. 5 and 7).

S2 of Fig. 3 sums windows of 3×3 pixels, so a shift by 3 or 6 pixels moves its maps by exactly 1 or 2 cells. Therefore
`convnet`, slid over a character between six empty columns on either side (`data.shifts.wide`), gives the outputs of
all five copies for little more than one costs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from drlim_np.backend import Array, kind, like, namespace
from drlim_np.checks.arrays import require_floating, require_margin
from drlim_np.checks.numbers import whole_number
from drlim_np.errors import require
from drlim_np.graph import SimilarityGraph
from drlim_np.loss import at_least_tiny, missing
from drlim_np.objective import SampledPairs, dissimilar_weight
from drlim_np.tree import Tree


@dataclass(frozen=True, eq=False)
class SampledCopies(SampledPairs):
    """`objective.SampledPairs` with all copies of each character drawn: as unbiased, and it varies less.

    x holds a picture for each character, (characters, maps, height, width), of which the network makes a row for each
    copy: row i · copies + c is copy c of character i, and so is that sample of the graph.

    Of the listed pairs between two characters `batch` are drawn. One stands for all n from its one character to its
    other, each at 1 / n. With w_i = 2 between / (characters · degree_i), where degree_i counts those of the `between`
    listed pairs that have a copy of i at one end, one draw adds on average 2 mean_i f(i), so the listed pairs within
    each drawn character count too; and two draws add 4 mean_ij Σ_cd f(copy c of i, copy d of j), the dissimilar pairs.
    """

    def __post_init__(self) -> None:
        require_floating(x=self.x)
        require_margin(self.margin, self.x)
        whole_number("batch", self.batch, 2)
        size, characters = self.graph.size, self.x.shape[0]
        whole = characters > 0 and size % characters == 0
        require(whole, f"x has shape {self.x.shape}, but the graph has {size} samples: not as many copies of each")
        lonely = min(np.flatnonzero(self._degree == 0), default=None)
        require(lonely is None, f"character {lonely} is similar to no other, so is never drawn: list a neighbour for it")

    def __call__(self, params: Tree, rng: np.random.Generator, progress: float) -> tuple[Array, Tree]:
        """Draws `batch` of the listed pairs between characters from `rng`; `progress` in [0, 1] sets λ."""
        drawn = self._between[rng.integers(len(self._between), size=self.batch)]
        return self.from_pairs(drawn, params, progress)

    def from_pairs(self, drawn: np.ndarray, params: Tree, progress: float = 1.0) -> tuple[Array, Tree]:
        """The estimate from the given listed pairs between characters, (batch, 2) indices of samples; at least two."""
        graph, count = self.graph, self.x.shape[0]
        drawn = SimilarityGraph(graph.size, drawn).pairs // self._copies
        draws = len(drawn)
        require(draws > 1, f"{draws} pairs drawn: dissimilar pairs arise between draws, draw at least 2")
        lam = dissimilar_weight(graph, self.weighting, progress)
        characters, place = np.unique(drawn, return_inverse=True)
        place = place.reshape(drawn.shape)
        x = namespace(self.x).take(self.x, like(characters, self.x), axis=0)
        z, pullback = self.network(params, x)

        samples = (characters[:, None] * self._copies + np.arange(self._copies)).ravel()  # the rows of z
        w = 2 * len(self._between) / (count * self._degree[characters])
        of_draw = np.zeros((draws, len(characters)))
        np.add.at(of_draw, (np.arange(draws)[:, None], place), w[place])
        of_all = of_draw.sum(axis=0)
        attract = self._attract(drawn, characters, of_all, samples)
        repel = self._repel(np.outer(of_all, of_all) - of_draw.T @ of_draw, samples)  # left: between different draws
        expected = 4 * draws * (draws - 1) * graph.dissimilar_count / count**2  # the mean of Σ_{i<j} repel_ij
        a = 1 / ((1 + lam) * draws * graph.listed_count)
        b = lam / ((1 + lam) * expected)
        loss, dz = weighted_pairs(z, a * attract, b * repel, self.margin)
        return loss, pullback(dz).params

    def _attract(
        self, drawn: np.ndarray, characters: np.ndarray, weight: np.ndarray, samples: np.ndarray
    ) -> np.ndarray:
        """(samples, samples): the weights of the listed pairs between drawn characters, and within each of them."""
        one, other = np.concatenate([drawn, np.stack([characters, characters], axis=1)]).T
        first, end = np.searchsorted(self._keys, (one * self.x.shape[0] + other)[:, None] + [0, 1]).T
        n = end - first
        each = np.concatenate([len(self._between) / n[: len(drawn)], weight * self.x.shape[0] / 2])
        pairs = self._listed[np.repeat(end - np.cumsum(n), n) + np.arange(n.sum())]
        weights = np.zeros((len(samples), len(samples)))
        np.add.at(weights, tuple(np.searchsorted(samples, pairs).T), np.repeat(each, n))
        return weights + weights.T

    def _repel(self, between: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """(samples, samples): the weights (characters, characters), at each of their pairs that is not similar."""
        weights = np.repeat(np.repeat(between, self._copies, axis=0), self._copies, axis=1)
        i, j = self.graph.within(samples).pairs.T
        weights[i, j] = weights[j, i] = 0
        np.fill_diagonal(weights, 0)
        return weights

    @property
    def _copies(self) -> int:
        return self.graph.size // self.x.shape[0]

    @cached_property
    def _between(self) -> np.ndarray:
        one, other = (self.graph.pairs // self._copies).T
        return self.graph.pairs[one != other]

    @cached_property
    def _degree(self) -> np.ndarray:
        return np.bincount(self._between.ravel() // self._copies, minlength=self.x.shape[0])

    @cached_property
    def _listed(self) -> np.ndarray:
        """The listed pairs, those between the same characters one after another."""
        return self.graph.pairs[np.argsort(self._key(self.graph.pairs), kind="stable")]

    @cached_property
    def _keys(self) -> np.ndarray:
        return self._key(self._listed)

    def _key(self, pairs: np.ndarray) -> np.ndarray:
        """A number for each ordered pair of characters."""
        one, other = (pairs // self._copies).T
        return one * self.x.shape[0] + other


def weighted_pairs(z: Array, attract: np.ndarray, repel: np.ndarray, margin: float) -> tuple[Array, Array]:
    """½ Σ_ij (a_ij L_S + r_ij L_D) over all z_i, z_j, and its gradient with respect to z (samples, dims).

    attract, repel: (samples, samples), symmetric, on the host: a pair's weights stand at both of its places.
    """
    xp = namespace(z)
    dtype = np.float32 if kind(z).bits == 32 else np.float64
    a, r = like(attract.astype(dtype), z), like(repel.astype(dtype), z)
    x = xp.stack([z[:, axis] for axis in range(z.shape[1])])  # in memory coordinate by coordinate: a fifth of the time
    difference = x[:, :, None] - x[:, None, :]
    d = xp.sqrt(xp.sum(difference * difference, axis=0))
    gap = missing(d, margin)
    force = a - r * gap / at_least_tiny(d)  # times z_i - z_j: Eqs. 6 and 7
    return xp.sum(a * d * d + r * gap * gap) / 4, xp.sum(force * difference, axis=2).T
