"""Step 1: graphs of nearest neighbours, of shifted copies and of contiguous views, by the proofs and at full size."""

from functools import partial

import numpy as np
import pytest

from drlim_np.audit import step1
from drlim_np.data import AZIMUTHS
from drlim_np.fast.all_pairs import partners
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.graph import SimilarityGraph, alike_in_any_copy, contiguous_views, nearest_neighbour_graph
from tests.help.peaks import peak_of_memory
from tests.help.refusals import refuses


def test_the_graph_lists_each_sample_with_its_k_nearest_neighbours_in_turn():
    x = np.random.default_rng(11).standard_normal((25, 5))
    found = nearest_neighbours(x, 4).tolist()
    assert nearest_neighbour_graph(x, 4).pairs.tolist() == [[i, j] for i, near in enumerate(found) for j in near]


@pytest.mark.line("step-1-shifts", "step-1-views")
@pytest.mark.parametrize("proof", [step1.copies, step1.views])
def test_every_small_graph_lists_exactly_the_pairs_that_the_papers_words_name(proof):
    assert all(proof())


def test_at_the_scale_of_figure_7_the_graph_stays_within_1_gib():
    rng = np.random.default_rng(1)
    characters = SimilarityGraph.of_neighbours((np.arange(6000)[:, None] + rng.integers(1, 6000, (6000, 5))) % 6000)
    with peak_of_memory() as peak:
        graph = alike_in_any_copy(characters, np.uint8(5))  # which must not wrap
        assert graph.listed_count == 30_000 * 29
        assert partners(graph.pairs, graph.size).shape[0] == 30_000
        assert len(graph.edges) + graph.dissimilar_count == 30_000 * 29_999 // 2
        assert peak() < 2**30


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.uint64, np.int64])
def test_steps_of_any_whole_dtype_give_the_same_pairs(dtype):
    azimuth, elevation = (grid.ravel().astype(dtype) for grid in np.meshgrid(np.arange(18), np.arange(9)))
    found = contiguous_views(azimuth, elevation, np.uint8(AZIMUTHS))
    assert found.listed_count == 18 * 9 + 18 * 8 + 2 * 18 * 8
    assert found.pairs.tolist() == contiguous_views(azimuth.astype(int), elevation.astype(int), AZIMUTHS).pairs.tolist()


# ---- what is refused ----

WHOLE, HALF = np.zeros(2, int), np.zeros(2)
REFUSED = [
    *((partial(alike_in_any_copy, SimilarityGraph(3, [[0, 2]]), n), f"copies is {n!r}: it must be a whole number")
      for n in (0, -1, 2.0, None, True)),
    (partial(contiguous_views, np.zeros(3, int), WHOLE, 18), "the numbers of samples differ (azimuth 3, elevation 2)"),
    (partial(contiguous_views, np.zeros((2, 2), int), np.zeros((2, 2), int), 18), "azimuth has shape (2, 2)"),
    (partial(contiguous_views, HALF, WHOLE, 18), "azimuth is float64"),
    (partial(contiguous_views, WHOLE, HALF, 18), "elevation is float64"),
    *((partial(contiguous_views, WHOLE, WHOLE, n), f"around is {n!r}: it must be a whole number of at least 1")
      for n in (0, -18, 18.0, None)),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_steps_and_copies_that_are_not_whole_or_do_not_match_are_refused(call, message):
    refuses(call, message)
