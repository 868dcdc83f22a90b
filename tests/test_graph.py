"""The graph of similar pairs against plain sets of pairs, and Step 1: nearest neighbours, shifted copies, views."""

from functools import partial
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drlim_np.audit import step1
from drlim_np.fast.all_pairs import partners
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.figures.figure9 import neighbour_lists
from drlim_np.graph import SimilarityGraph, alike_in_any_copy, contiguous_views, nearest_neighbour_graph
from tests.help.peaks import peak_of_memory
from tests.help.refusals import refuses

NO_PAIRS = np.empty((0, 2), dtype=np.int64)


@st.composite
def graphs(draw):
    """Graphs of all densities: pairs repeated, listed from both ends, or none at all."""
    size = draw(st.integers(2, 9))
    pair = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda ij: ij[0] != ij[1])
    pairs = draw(st.lists(pair, max_size=3 * size))
    return SimilarityGraph(size, np.array(pairs, dtype=np.int64).reshape(-1, 2))


def edge_set(graph):
    return {frozenset(pair) for pair in graph.pairs.tolist()}


# ---- what is refused ----

SIZE = "it must be a whole number from 0 to 2147483647"
OF_PAIRS = [
    ([0, 1], "(2,)"),
    ([[0, 1, 2]], "(1, 3)"),
    ([[[0, 1]]], "(1, 1, 2)"),
    ([[0.0, 1.0]], "float64"),
    ([], "(0,)"),
    ([[True, False]], "bool"),
    ([[0, 1], [2, 3], [1, 4]], "pair 2 is (1, 4): samples count from 0 to 3"),
    ([[0, 1], [-1, 2], [-1, 3]], "pair 1 is (-1, 2)"),
    ([[0, 1], [2, 2], [3, 3]], "pair 1 joins sample 2 with itself"),
    (np.ma.masked_array([[0, 1]], [[True, False]]), "pairs has masked entries"),
]
WHOLE, HALF = np.zeros(2, int), np.zeros(2)
REFUSED = [
    *((partial(SimilarityGraph, 4, pairs), named) for pairs, named in OF_PAIRS),
    *((partial(SimilarityGraph, n, NO_PAIRS), f"size is {n!r}: {SIZE}") for n in (4.0, "4", None, True, -1, 2**31)),
    (partial(SimilarityGraph, 3, np.array([[0, 3]])), "pair 0 is (0, 3)"),
    (lambda: SimilarityGraph(256, np.array([[255, 0]])).within(np.array([255.0, 0])), "samples is float64"),
    (partial(SimilarityGraph.of_neighbours, [0, 1]), "table has shape (2,): it must be (samples, k)"),
    (partial(SimilarityGraph.of_neighbours, [[1.0], [0.0]]), "table is float64"),
    (partial(SimilarityGraph.of_neighbours, [[1], [1]]), "pair 1 joins sample 1 with itself"),
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
def test_what_makes_no_graph_is_refused_in_one_line_that_names_it(call, message):
    refuses(call, message)


# ---- what is counted ----


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64])
def test_a_size_and_pairs_of_any_whole_dtype_count_without_wrapping_and_are_kept_as_int64(dtype):
    pairs = np.array([[0, 1], [69_999, 69_998]], dtype)
    graph = SimilarityGraph(dtype(70_000), pairs)
    pairs[0, 1] = 2
    assert type(graph.size) is int and type(graph.dissimilar_count) is int
    assert graph.dissimilar_count == 2_449_964_998
    assert graph.pairs.tolist() == [[0, 1], [69_999, 69_998]] and graph.pairs.dtype == np.int64
    assert graph.edges.tolist() == [[0, 1], [69_998, 69_999]]
    assert graph.within(np.array([69_999, 5, 69_998], dtype)).pairs.tolist() == [[0, 2]]
    last = 2**31 - 2
    largest = SimilarityGraph(last + 1, np.array([[last, 0], [last - 1, last], [last, last - 1]], dtype))
    assert largest.edges.tolist() == [[0, last], [last - 1, last]]


def test_a_table_of_neighbours_lists_each_sample_with_its_own_in_turn():
    graph = SimilarityGraph.of_neighbours(np.array([[1, 2], [0, 2], [1, 0]], np.uint8))
    assert (graph.size, graph.pairs.tolist()) == (3, [[0, 1], [0, 2], [1, 0], [1, 2], [2, 1], [2, 0]])


def test_a_graph_is_equal_to_itself_alone_and_may_be_a_key():
    one, other = (SimilarityGraph(3, np.array([[0, 1]])) for _ in range(2))
    assert one == one and one != other
    assert {one: 1, other: 2}[one] == 1


@example(SimilarityGraph(0, NO_PAIRS))
@given(graphs())
def test_edges_counts_and_degrees_are_those_of_the_set_of_pairs(graph):
    assert graph.edges.tolist() == sorted(sorted(edge) for edge in edge_set(graph))
    assert graph.edges.shape == (len(edge_set(graph)), 2)
    dissimilar = [pair for pair in combinations(range(graph.size), 2) if frozenset(pair) not in edge_set(graph)]
    assert graph.dissimilar_count == len(dissimilar)
    assert graph.listed_count == len(graph.pairs)
    listed = [sample for pair in graph.pairs.tolist() for sample in pair]
    assert graph.degree.tolist() == [listed.count(sample) for sample in range(graph.size)]
    ends = partners(graph.pairs, graph.size)  # each listed pair is seen once from each end
    seen = [[i, j] for i, row in enumerate(ends.tolist()) for j in row if j != i]
    assert sorted(seen) == sorted(graph.pairs.tolist() + graph.pairs[:, ::-1].tolist())
    assert ends.shape == (graph.size, max(graph.degree, default=0))


@given(graphs(), st.data())
def test_within_lists_each_edge_among_the_chosen_samples_once_by_their_place_and_neighbours_share_one(graph, data):
    order = data.draw(st.permutations(range(graph.size)))
    samples = np.array(order[: data.draw(st.integers(0, graph.size))], dtype=np.int64)
    part = graph.within(samples)
    pairs, edges = combinations(range(len(samples)), 2), edge_set(graph)
    expected = [(a, b) for a, b in pairs if frozenset((int(samples[a]), int(samples[b]))) in edges]
    assert part.size == len(samples)
    assert sorted(map(tuple, part.pairs.tolist())) == expected
    expected = [sorted(j for j in range(graph.size) if frozenset((i, j)) in edge_set(graph)) for i in range(graph.size)]
    assert [sorted(near.tolist()) for near in neighbour_lists(graph)] == expected


# ---- Step 1 ----


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
