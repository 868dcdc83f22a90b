"""Step 1: graphs of nearest neighbours, of shifted copies and of contiguous views, by the proofs and at full size."""

import numpy as np
import pytest

from drlim_np.audit import step1
from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS, Views
from drlim_np.fast.all_pairs import partners
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.graph import SimilarityGraph, alike_in_any_copy, contiguous_views, nearest_neighbour_graph
from tests.help.peaks import peak_of_memory
from tests.help.refusals import refuses

COPIES = 5
VIEWS = Views("all", "all", np.zeros((AZIMUTHS * ELEVATIONS * LIGHTINGS, 1, 1), np.uint8), {})


def test_the_graph_lists_each_sample_with_its_k_nearest_neighbours_in_turn():
    x = np.random.default_rng(11).standard_normal((25, 5))
    found = nearest_neighbours(x, 4).tolist()
    assert nearest_neighbour_graph(x, 4).pairs.tolist() == [[i, j] for i, near in enumerate(found) for j in near]


@pytest.mark.line("step-1-shifts", "step-1-views")
@pytest.mark.parametrize("proof", [step1.copies, step1.views])
def test_every_small_graph_lists_exactly_the_pairs_that_the_papers_words_name(proof):
    assert all(proof())


# ---- shifted copies, Fig. 7 ----


def test_at_the_scale_of_figure_7_the_graph_stays_within_1_gib():
    rng = np.random.default_rng(1)
    characters = SimilarityGraph.of_neighbours((np.arange(6000)[:, None] + rng.integers(1, 6000, (6000, 5))) % 6000)
    with peak_of_memory() as peak:
        graph = alike_in_any_copy(characters, COPIES)
        assert graph.listed_count == 30_000 * 29
        assert partners(graph.pairs, graph.size).shape[0] == 30_000
        assert len(graph.edges) + graph.dissimilar_count == 30_000 * 29_999 // 2
        assert peak() < 2**30


def test_copies_of_numpys_integers_are_counted_without_wrapping():
    characters = SimilarityGraph(300, np.array([[0, 299], [17, 4]]))
    counted = alike_in_any_copy(characters, np.uint8(COPIES))
    assert counted.size == 300 * COPIES
    assert counted.pairs.tolist() == alike_in_any_copy(characters, COPIES).pairs.tolist()


# ---- contiguous views, Sec. 3.4 ----


def test_of_660_views_drawn_at_random_10_974_pairs_are_similar_on_average():
    expected = 23_814 * (660 * 659) / (972 * 971)
    assert round(expected) == 10_974
    rng = np.random.default_rng(0)
    drawn = [rng.permutation(972)[:660] for _ in range(60)]
    counts = [contiguous_views(VIEWS.azimuth[i], VIEWS.elevation[i], AZIMUTHS).listed_count for i in drawn]
    assert abs(np.mean(counts) - expected) < 4 * np.std(counts) / np.sqrt(len(counts))
    assert abs(10_989 - expected) < 2 * np.std(counts)  # the paper's own split


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.uint64, np.int64])
def test_steps_of_any_whole_dtype_give_the_same_pairs(dtype):
    azimuth, elevation = (grid.ravel().astype(dtype) for grid in np.meshgrid(np.arange(18), np.arange(9)))
    found = contiguous_views(azimuth, elevation, np.uint8(AZIMUTHS))
    assert found.listed_count == 18 * 9 + 18 * 8 + 2 * 18 * 8 == 594
    assert found.pairs.tolist() == contiguous_views(azimuth.astype(int), elevation.astype(int), AZIMUTHS).pairs.tolist()


# ---- what is refused ----

WHOLE, HALF = np.zeros(2, int), np.zeros(2)
VIEWED = [
    ((np.zeros(3, int), WHOLE, 18), "the numbers of samples differ (azimuth 3, elevation 2)"),
    ((np.zeros((2, 2), int), np.zeros((2, 2), int), 18), "azimuth has shape (2, 2)"),
    ((HALF, WHOLE, 18), "azimuth is float64"),
    ((WHOLE, HALF, 18), "elevation is float64"),
    *(((WHOLE, WHOLE, n), f"around is {n!r}: it must be a whole number of at least 1") for n in (0, -18, 18.0, None)),
]


@pytest.mark.parametrize(("given", "message"), VIEWED)
def test_steps_that_are_not_whole_or_do_not_match_are_refused(given, message):
    refuses(lambda: contiguous_views(*given), message)


@pytest.mark.parametrize("copies", [0, -1, 2.0, None, True])
def test_copies_must_be_counted_from_one(copies):
    graph = SimilarityGraph(3, np.array([[0, 2]]))
    refuses(lambda: alike_in_any_copy(graph, copies), f"copies is {copies!r}: it must be a whole number")
