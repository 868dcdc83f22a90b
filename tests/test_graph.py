"""The graph of similar pairs against plain sets of pairs."""

from functools import partial
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drlim_np.fast.all_pairs import partners
from drlim_np.figures.figure9 import neighbour_lists
from drlim_np.graph import SimilarityGraph
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
REFUSED = [
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
CALLS = [
    *((partial(SimilarityGraph, 4, pairs), named) for pairs, named in REFUSED),
    *((partial(SimilarityGraph, n, NO_PAIRS), f"size is {n!r}: {SIZE}") for n in (4.0, "4", None, True, -1, 2**31)),
    (partial(SimilarityGraph, 3, np.array([[0, 3]])), "pair 0 is (0, 3)"),
    (lambda: SimilarityGraph(256, np.array([[255, 0]])).within(np.array([255.0, 0])), "samples is float64"),
    (partial(SimilarityGraph.of_neighbours, [0, 1]), "table has shape (2,): it must be (samples, k)"),
    (partial(SimilarityGraph.of_neighbours, [[1.0], [0.0]]), "table is float64"),
    (partial(SimilarityGraph.of_neighbours, [[1], [1]]), "pair 1 joins sample 1 with itself"),
]


@pytest.mark.parametrize(("call", "message"), CALLS)
def test_what_is_no_graph_is_refused_in_one_line_that_names_it(call, message):
    refuses(call, message)


def test_a_table_of_neighbours_lists_each_sample_with_its_own_in_turn():
    graph = SimilarityGraph.of_neighbours(np.array([[1, 2], [0, 2], [1, 0]], np.uint8))
    assert graph.size == 3
    assert graph.pairs.tolist() == [[0, 1], [0, 2], [1, 0], [1, 2], [2, 1], [2, 0]]


# ---- what is counted ----


@example(SimilarityGraph(0, NO_PAIRS))
@given(graphs())
def test_every_listed_pair_is_seen_once_from_each_end(graph):
    seen = [[i, j] for i, row in enumerate(partners(graph.pairs, graph.size).tolist()) for j in row if j != i]
    assert sorted(seen) == sorted(graph.pairs.tolist() + graph.pairs[:, ::-1].tolist())
    assert partners(graph.pairs, graph.size).shape == (graph.size, max(graph.degree, default=0))


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64])
def test_a_size_and_pairs_of_any_whole_dtype_count_without_wrapping(dtype):
    graph = SimilarityGraph(dtype(70_000), np.array([[0, 1], [69_999, 69_998]], dtype))
    assert type(graph.size) is int and type(graph.dissimilar_count) is int
    assert graph.dissimilar_count == 2_449_964_998
    assert graph.edges.tolist() == [[0, 1], [69_998, 69_999]]
    assert SimilarityGraph(np.int32(70_000), np.array([[0, 1]])).dissimilar_count == 2_449_964_999


def test_the_largest_graph_tells_its_pairs_apart():
    last = 2**31 - 2
    graph = SimilarityGraph(2**31 - 1, np.array([[last, 0], [last - 1, last], [last, last - 1]]))
    assert graph.edges.tolist() == [[0, last], [last - 1, last]]


def test_a_graph_is_equal_to_itself_alone_and_may_be_a_key():
    one, other = (SimilarityGraph(3, np.array([[0, 1]])) for _ in range(2))
    assert one == one and one != other
    assert {one: 1, other: 2}[one] == 1


def test_the_graph_keeps_pairs_of_its_own_as_int64():
    pairs = np.array([[0, 1]], dtype=np.int32)
    graph = SimilarityGraph(3, pairs)
    pairs[0, 1] = 2
    assert graph.pairs.tolist() == [[0, 1]]
    assert graph.pairs.dtype == np.int64


@settings(deadline=None, max_examples=100)
@given(graphs())
def test_edges_and_counts_and_degrees_are_those_of_the_set_of_pairs(graph):
    assert graph.edges.tolist() == sorted(sorted(edge) for edge in edge_set(graph))
    assert graph.edges.shape == (len(edge_set(graph)), 2)
    dissimilar = [pair for pair in combinations(range(graph.size), 2) if frozenset(pair) not in edge_set(graph)]
    assert graph.dissimilar_count == len(dissimilar)
    assert graph.listed_count == len(graph.pairs)
    listed = [sample for pair in graph.pairs.tolist() for sample in pair]
    assert graph.degree.tolist() == [listed.count(sample) for sample in range(graph.size)]


# ---- parts of the graph ----


@settings(deadline=None, max_examples=100)
@given(graphs())
def test_neighbours_are_those_that_share_an_edge_each_once(graph):
    expected = [sorted(j for j in range(graph.size) if frozenset((i, j)) in edge_set(graph)) for i in range(graph.size)]
    assert [sorted(near.tolist()) for near in neighbour_lists(graph)] == expected


@settings(deadline=None, max_examples=200)
@given(graphs(), st.data())
def test_within_lists_each_edge_among_the_chosen_samples_once_by_their_place(graph, data):
    order = data.draw(st.permutations(range(graph.size)))
    samples = np.array(order[: data.draw(st.integers(0, graph.size))], dtype=np.int64)
    part = graph.within(samples)
    expected = [
        (a, b)
        for a, b in combinations(range(len(samples)), 2)
        if frozenset((int(samples[a]), int(samples[b]))) in edge_set(graph)
    ]
    assert part.size == len(samples)
    assert sorted(map(tuple, part.pairs.tolist())) == expected


def test_within_takes_samples_of_any_whole_dtype():
    graph = SimilarityGraph(256, np.array([[255, 0], [1, 255]]))
    for dtype in (np.uint8, np.int16, np.uint64):
        assert graph.within(np.array([255, 0], dtype)).pairs.tolist() == [[0, 1]]
