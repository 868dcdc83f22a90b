"""Step 1: which samples are similar, from pixels and from prior knowledge. Every pair not listed is dissimilar."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from drlim_np.checks.numbers import indices, pairs_of_samples, same_length, whole_number, whole_numbers
from drlim_np.fast.all_pairs import by_sample, edges_within
from drlim_np.fast.devices import require_memory
from drlim_np.fast.knn import nearest_neighbours


@dataclass(frozen=True, eq=False)
class SimilarityGraph:
    """The similar pairs among `size` samples, on the host.

    pairs: (listed, 2) integers; a row (i, j) says that X_j is in S_i. A pair listed from both ends, as mutual nearest
           neighbours are, pulls twice: the paper's 30,000 pairs for Fig. 4 are counted so.
    """

    size: int
    pairs: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", whole_number("size", self.size, 0, 2**31 - 1))
        object.__setattr__(self, "pairs", pairs_of_samples("pairs", self.pairs, self.size))  # the dataclass is frozen

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
        """(size,): in how many listed pairs each sample is, on either side."""
        require_memory(8 * self.size, f"the degree of each of {self.size:,} samples")
        return np.bincount(self.pairs.ravel(), minlength=self.size)

    @cached_property
    def adjacency(self) -> tuple[np.ndarray, np.ndarray]:
        """Both directions of every edge: neighbours of sample i are neighbours[offsets[i] : offsets[i + 1]]."""
        require_memory(8 * self.size, f"a list of neighbours for each of {self.size:,} samples")
        return by_sample(self.edges, self.size)

    def within(self, samples: np.ndarray) -> "SimilarityGraph":
        """The graph among the given distinct samples, renumbered by their place in `samples`: each edge listed once."""
        samples = indices("samples", samples, self.size, "samples")
        return SimilarityGraph(len(samples), edges_within(samples, *self.adjacency))


def pair_table(graph: SimilarityGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pair of a small graph (Step 1), similar ones as listed, then dissimilar ones once: i, j, label Y."""
    i, j = np.triu_indices(graph.size, k=1)
    dissimilar = ~np.isin(i * graph.size + j, graph.edges @ [graph.size, 1])
    pairs = np.concatenate([graph.pairs, np.stack([i[dissimilar], j[dissimilar]], axis=1)])
    y = np.arange(len(pairs)) >= graph.listed_count
    return pairs[:, 0], pairs[:, 1], y.astype(np.int64)


def nearest_neighbour_graph(x: np.ndarray, k: int = 5, threads: int = 1) -> SimilarityGraph:
    """S_i = the k Euclidean nearest neighbours of X_i: the similarity of Figs. 4 and 5, samples · k listed pairs."""
    return SimilarityGraph.of_neighbours(nearest_neighbours(x, k, threads))


def alike_in_any_copy(characters: SimilarityGraph, copies: int) -> SimilarityGraph:
    """Prior knowledge that a character stays the same when it is shifted: the similarity of Fig. 7 (Sec. 3.3).

    `copies` counts a character itself; sample i · copies + c is copy c of character i, and `characters` is their graph.
    S of every sample holds the other copies of its character, and all copies of the characters in its S: (a), (b) and
    (c) of the paper, for a character and for each of its shifts.
    """
    copies = whole_number("copies", copies, 1)
    itself = np.repeat(np.arange(characters.size)[:, None], 2, axis=1)
    both = np.concatenate([itself, characters.pairs])[:, None, :] * copies  # copy 0 of i with copy 0 of j
    pairs = (both + np.argwhere(np.ones((copies, copies)))).reshape(-1, 2)
    return SimilarityGraph(characters.size * copies, pairs[pairs[:, 0] != pairs[:, 1]])


def contiguous_views(azimuth: np.ndarray, elevation: np.ndarray, around: int) -> SimilarityGraph:
    """Views from neighbouring camera positions are similar, whatever the lighting: the similarity of Figs. 8 to 10.

    azimuth, elevation: (views,) whole steps, `around` of which close the circle of azimuth. Two views are similar if
    both differ by at most one step (Sec. 3.4), so those of one pose are as well. Each pair is listed once.
    """
    around = whole_number("around", around, 1)
    azimuth = whole_numbers("azimuth", azimuth, "views")
    elevation = whole_numbers("elevation", elevation, "views")
    same_length(azimuth=azimuth, elevation=elevation)
    turn = (azimuth[:, None] - azimuth) % around
    rise = np.abs(elevation[:, None] - elevation)
    contiguous = (np.minimum(turn, around - turn) <= 1) & (rise <= 1)
    return SimilarityGraph(len(azimuth), np.argwhere(np.triu(contiguous, k=1)))
