"""Step 1 from pixels: the graph lists what the search finds."""

import numpy as np

from drlim_np.fast.knn import nearest_neighbours
from drlim_np.neighbours import nearest_neighbour_graph


def test_the_graph_lists_each_sample_with_its_k_nearest_neighbours_in_turn():
    x = np.random.default_rng(11).standard_normal((25, 5))
    graph = nearest_neighbour_graph(x, 4)
    assert graph.size == 25
    assert graph.listed_count == 25 * 4
    assert graph.pairs[:, 0].tolist() == [i for i in range(25) for _ in range(4)]
    assert graph.pairs[:, 1].reshape(25, 4).tolist() == nearest_neighbours(x, 4).tolist()


def test_the_graph_has_the_papers_five_neighbours_unless_told_otherwise():
    assert nearest_neighbour_graph(np.random.default_rng(12).random((9, 2))).listed_count == 9 * 5
