"""Which samples are similar: the outcome of Step 1, as a list of pairs. Every pair that is not listed is dissimilar."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from drlim_np.checks.numbers import whole_number, whole_numbers
from drlim_np.errors import InputError


@dataclass(frozen=True, eq=False)
class SimilarityGraph:
    """The similar pairs among `size` samples. Lives on the host.

    size:  number of samples.
    pairs: (listed, 2) integers; a row (i, j) says that X_j is in S_i. A pair listed from both ends, as mutual nearest
           neighbours are, stands twice and pulls twice: the paper's 30,000 pairs for Fig. 4 are counted so.

    Raises InputError for a size that is no whole number, and pairs out of range, of a sample with itself, or of the
    wrong shape.
    """

    size: int
    pairs: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", whole_number("size", self.size, 0, 2**31))
        pairs = whole_numbers("pairs", self.pairs, "pairs", "2")
        if pairs.shape[1] != 2:
            raise InputError(f"pairs has shape {pairs.shape}: it must be (pairs, 2)")
        if pairs.size and (pairs.min() < 0 or pairs.max() >= self.size):
            row = np.flatnonzero(((pairs < 0) | (pairs >= self.size)).any(axis=1))[0]
            raise InputError(f"pair {row} is {tuple(pairs[row].tolist())}: samples count from 0 to {self.size - 1}")
        if (pairs[:, 0] == pairs[:, 1]).any():
            row = np.flatnonzero(pairs[:, 0] == pairs[:, 1])[0]
            raise InputError(f"pair {row} joins sample {pairs[row, 0]} with itself: leave such pairs out")
        object.__setattr__(self, "pairs", pairs)

    @classmethod
    def of_neighbours(cls, table: np.ndarray) -> "SimilarityGraph":
        """S_i = the samples in row i of a table (samples, k): samples · k listed pairs, in the order of the table."""
        table = whole_numbers("table", table, "samples", "k")
        samples, k = table.shape
        return cls(samples, np.stack([np.repeat(np.arange(samples), k), table.ravel()], axis=1))

    @cached_property
    def edges(self) -> np.ndarray:
        """(distinct, 2): each similar pair once, smaller index first, in ascending order."""
        low, high = self.pairs.min(axis=1), self.pairs.max(axis=1)
        keys = np.unique(low * self.size + high)
        return np.stack([keys // self.size, keys % self.size], axis=1)

    @property
    def listed_count(self) -> int:
        """Similar pairs as listed, mutual ones twice."""
        return len(self.pairs)

    @property
    def dissimilar_count(self) -> int:
        """All the other pairs: size (size - 1) / 2 less the distinct similar ones."""
        return self.size * (self.size - 1) // 2 - len(self.edges)

    @cached_property
    def degree(self) -> np.ndarray:
        """(size,): in how many listed pairs each sample stands, on either side."""
        return np.bincount(self.pairs.ravel(), minlength=self.size)

    @cached_property
    def partners(self) -> np.ndarray:
        """(size, largest degree): the samples that each is listed with, on either side, as often as it is.

        A sample with fewer of them has itself in the places left over: it exerts no force on itself.
        """
        table = np.repeat(np.arange(self.size)[:, None], self.degree.max(initial=0), axis=1)
        both = np.concatenate([self.pairs, self.pairs[:, ::-1]])
        both = both[np.argsort(both[:, 0], kind="stable")]
        place = np.arange(len(both)) - np.repeat(np.cumsum(self.degree) - self.degree, self.degree)
        table[both[:, 0], place] = both[:, 1]
        return table

    @property
    def neighbour_lists(self) -> list[np.ndarray]:
        """Of each sample all those that it is similar to, from either end, each once."""
        offsets, neighbours = self._adjacency
        return np.split(neighbours, offsets[1:-1])

    def within(self, samples: np.ndarray) -> "SimilarityGraph":
        """The graph among the given distinct samples, renumbered by their place in `samples`: each edge listed once."""
        samples = whole_numbers("samples", samples, "samples")
        place = np.full(self.size, -1)
        place[samples] = np.arange(len(samples))
        offsets, neighbours = self._adjacency
        lengths = offsets[samples + 1] - offsets[samples]
        ends = np.cumsum(lengths)
        position = np.arange(lengths.sum()) + np.repeat(offsets[samples] - ends + lengths, lengths)
        one, other = np.repeat(np.arange(len(samples)), lengths), place[neighbours[position]]
        inside = other > one
        return SimilarityGraph(len(samples), np.stack([one[inside], other[inside]], axis=1))

    @cached_property
    def _adjacency(self) -> tuple[np.ndarray, np.ndarray]:
        """Both directions of every edge: neighbours of sample i are neighbours[offsets[i] : offsets[i + 1]]."""
        both = np.concatenate([self.edges, self.edges[:, ::-1]])
        both = both[np.argsort(both[:, 0], kind="stable")]
        return np.searchsorted(both[:, 0], np.arange(self.size + 1)), both[:, 1]


def pair_table(similar: SimilarityGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pair of the graph written out, as Step 1 of the algorithm says: first sample, second sample, label Y.

    Listed similar pairs as often as they are listed, then each dissimilar pair once. For small graphs: it takes memory
    for all the pairs.
    """
    i, j = np.triu_indices(similar.size, k=1)
    dissimilar = ~np.isin(i * similar.size + j, similar.edges @ [similar.size, 1])
    pairs = np.concatenate([similar.pairs, np.stack([i[dissimilar], j[dissimilar]], axis=1)])
    y = np.arange(len(pairs)) >= similar.listed_count
    return pairs[:, 0], pairs[:, 1], y.astype(np.int64)
