"""The graph of shifted copies (Fig. 7) against the paper's sentence, read pair by pair."""

import tracemalloc

import numpy as np
import pytest

from drlim_np.fast.tables import partners
from drlim_np.graph import SimilarityGraph
from drlim_np.neighbours import alike_in_any_copy, nearest_neighbour_graph
from tests.help.refusals import refuses

COPIES = 5


def by_the_papers_words(nearest, copies):
    """S of every sample, as a set; copy 0 of a character stands for the character, the others for its shifts."""
    alike = {}
    for character, neighbours in enumerate(nearest):
        shifts = {(character, c) for c in range(1, copies)}
        a = {(j, 0) for j in neighbours}
        b = shifts
        c = {(j, shift) for j in neighbours for shift in range(1, copies)}
        alike[character, 0] = a | b | c
        for shift in shifts:
            alike[shift] = (a | b | c | {(character, 0)}) - {shift}
    return {i * copies + c: sorted(j * copies + other for j, other in similar) for (i, c), similar in alike.items()}


def listed(graph):
    return {i: sorted(graph.pairs[graph.pairs[:, 0] == i, 1].tolist()) for i in range(graph.size)}


@pytest.fixture
def characters():
    return nearest_neighbour_graph(np.random.default_rng(0).random((12, 3)), 2)


@pytest.mark.line("step-1-shifts", "requirement-invariance")
@pytest.mark.parametrize("copies", [1, 2, COPIES])
def test_each_sample_is_listed_with_exactly_those_that_the_paper_names(characters, copies):
    nearest = characters.pairs[:, 1].reshape(12, 2).tolist()
    assert listed(alike_in_any_copy(characters, copies)) == by_the_papers_words(nearest, copies)


def test_counts_follow_from_those_of_the_characters(characters):
    graph = alike_in_any_copy(characters, COPIES)
    assert graph.listed_count == 12 * COPIES * (4 + 2 * COPIES)
    assert len(graph.edges) == 12 * (COPIES * 4 // 2) + COPIES**2 * len(characters.edges)
    assert len(graph.edges) + graph.dissimilar_count == 60 * 59 // 2


def test_at_the_scale_of_figure_7_the_graph_stays_within_1_gib():
    rng = np.random.default_rng(1)
    characters = SimilarityGraph.of_neighbours((np.arange(6000)[:, None] + rng.integers(1, 6000, (6000, 5))) % 6000)
    tracemalloc.start()
    graph = alike_in_any_copy(characters, COPIES)
    assert graph.listed_count == 30_000 * 29
    assert partners(graph.pairs, graph.size).shape[0] == 30_000
    assert len(graph.edges) + graph.dissimilar_count == 30_000 * 29_999 // 2
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**30


@pytest.mark.parametrize("copies", [0, -1, 2.0, None, True])
def test_copies_must_be_counted_from_one(characters, copies):
    refuses(lambda: alike_in_any_copy(characters, copies), f"copies is {copies!r}: it must be a whole number")


def test_copies_of_numpys_integers_are_counted_without_wrapping(characters):
    counted = alike_in_any_copy(characters, np.uint8(COPIES))
    assert counted.size == 12 * COPIES
    assert counted.pairs.tolist() == alike_in_any_copy(characters, COPIES).pairs.tolist()
    assert alike_in_any_copy(SimilarityGraph(300, np.array([[0, 299]])), np.uint8(2)).size == 600
