"""Step 1: which samples are similar, from their pixels and from prior knowledge."""

import numpy as np

from drlim_np.checks.numbers import same_length, whole_number, whole_numbers
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.graph import SimilarityGraph


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
