"""The objective against two towers on every pair, and its estimate against the average over every possible draw."""

from functools import reduce
from itertools import combinations, product
from math import dist

import numpy as np
import pytest

from drlim_np.graph import SimilarityGraph, pair_table
from drlim_np.layers import Conv2d, Linear, Positions, Sequential, Tanh
from drlim_np.loss import all_pairs_by_definition
from drlim_np.objective import EveryPair, dissimilar_weight
from drlim_np.sampled import SampledCopies, SampledPairs, weighted_pairs
from drlim_np.siamese import two_towers
from drlim_np.tree import add, leaves, tree_map
from tests.help.comparing import BOUND, assert_agree, assert_close, bits
from tests.help.every_layer import drawn as some
from tests.help.refusals import refuses

NETWORK = Sequential(hidden=Linear(3, 4), squash=Tanh(), output=Linear(4, 2))
WEIGHTINGS = ["balanced", "exact"]

GRAPHS = {
    "chain": SimilarityGraph(5, np.array([[0, 1], [1, 2], [3, 2], [3, 4]])),
    "mutual pairs": SimilarityGraph(6, np.array([[0, 1], [1, 0], [2, 3], [5, 4], [4, 5], [1, 2]])),
    "hub": SimilarityGraph(6, np.array([[0, 1], [0, 2], [3, 0], [4, 0], [0, 5]])),
    "hub, mutual": SimilarityGraph(6, np.array([[2, 0], [0, 2], [2, 1], [3, 2], [4, 2], [5, 4]])),
    "thrice listed": SimilarityGraph(4, np.array([[0, 1], [0, 1], [1, 0], [2, 3], [1, 2]])),
}
ISOLATED = SimilarityGraph(5, np.array([[0, 1], [4, 1], [1, 4]]))
GRAPH = GRAPHS["hub, mutual"]


def problem(similar, seed=0):
    """Weights and inputs with no 0 and no 1 in them, and a margin that some pairs are within and others are not."""
    rng = np.random.default_rng(seed)
    params = tree_map(lambda p: rng.standard_normal(p.shape), NETWORK.init(rng))
    x = rng.standard_normal((similar.size, 3))
    z, _ = NETWORK(params, x)
    return params, x, 1.2 * float(np.median([dist(a, b) for a, b in combinations(z, 2)]))


def dissimilar_pairs(similar):
    listed = {frozenset(pair) for pair in similar.pairs.tolist()}
    return [pair for pair in combinations(range(similar.size), 2) if frozenset(pair) not in listed]


def ratio_of(similar, weighting):
    return len(dissimilar_pairs(similar)) / len(similar.pairs) if weighting == "exact" else 1


def by_two_towers(params, x, similar, margin, ratio):
    """(mean L_S + λ mean L_D) / (1 + λ) and its gradient, by the towers on the similar and on the dissimilar pairs."""
    i, j, y = pair_table(similar)
    loss, gradient = 0.0, tree_map(np.zeros_like, params)
    for label, share in ((0, 1 / (1 + ratio)), (1, ratio / (1 + ratio))):
        a, b = i[y == label], j[y == label]
        summed, slope = two_towers(NETWORK, params, x[a], x[b], np.full(len(a), label), margin)
        factor = share / len(a)
        loss += factor * summed
        gradient = tree_map(lambda total, g, factor=factor: total + factor * g, gradient, slope)
    return loss, gradient


def average_over_all_draws(sampled, params, progress=1.0):
    draws = product(sampled.graph.pairs, repeat=sampled.batch)
    found = [sampled.from_pairs(np.array(drawn), params, progress) for drawn in draws]
    total = reduce(add, (gradient for _, gradient in found))
    return sum(loss for loss, _ in found) / len(found), tree_map(lambda g: g / len(found), total)


# ---- over every pair ----


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("similar", [*GRAPHS.values(), ISOLATED], ids=[*GRAPHS, "isolated sample"])
def test_the_objective_is_the_mean_similar_and_the_mean_dissimilar_loss_weighted_1_to_lambda(similar, weighting):
    params, x, margin = problem(similar)
    ratio = ratio_of(similar, weighting)
    actual = EveryPair(NETWORK, x, similar, margin, weighting)(params, None, 1.0)
    assert_agree(actual, by_two_towers(params, x, similar, margin, ratio))


# ---- λ rises ----


@pytest.mark.parametrize(("progress", "power"), [(0.0, 0), (0.125, 0.25), (0.25, 0.5), (0.5, 1), (0.75, 1), (1.0, 1)])
def test_objective_and_estimate_follow_lambda_from_1_geometrically_until_halfway_unless_it_is_1_all_along(
    progress, power
):
    params, x, margin = problem(GRAPH)
    target = ratio_of(GRAPH, "exact")
    assert dissimilar_weight(GRAPH, "exact", progress) == pytest.approx(target**power, rel=BOUND)
    assert dissimilar_weight(GRAPH, "exact") == target != 1 == dissimilar_weight(GRAPH, "balanced", progress)
    expected = by_two_towers(params, x, GRAPH, margin, target**power)
    sampled = SampledPairs(NETWORK, x, GRAPH, margin, "exact", batch=2)
    assert_agree(EveryPair(NETWORK, x, GRAPH, margin, "exact")(params, None, progress), expected)
    assert_agree(average_over_all_draws(sampled, params, progress), expected)


# ---- an unbiased estimate ----


@pytest.mark.line("step-2-drawn-pairs")
@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize(
    ("name", "batch"), [*((name, 2) for name in GRAPHS), ("chain", 3), ("hub", 3), ("thrice listed", 3)]
)
def test_the_average_over_all_draws_is_the_objective(name, batch, weighting):
    params, x, margin = problem(GRAPHS[name])
    sampled = SampledPairs(NETWORK, x, GRAPHS[name], margin, weighting, batch=batch)
    every = EveryPair(NETWORK, x, GRAPHS[name], margin, weighting)(params, None, 1.0)
    assert_agree(average_over_all_draws(sampled, params), every)


def test_an_objective_and_a_draw_are_worth_what_a_hand_finds():
    # Two couples, {0, 3} and {4, 12}. Half of all draws of two pairs see both couples, so these count the rest double.
    network, params = Sequential(out=Linear(1, 1)), {"out": {"weight": np.ones((1, 1)), "bias": np.zeros(1)}}
    x, similar = np.array([[0.0], [3.0], [4.0], [12.0]]), SimilarityGraph(4, np.array([[0, 1], [2, 3]]))
    attraction, repulsion = (3**2 / 2 + 8**2 / 2) / 2, (2**2 / 2 + 5**2 / 2 + 0 + 0) / 4
    assert EveryPair(network, x, similar, 6.0, "balanced")(params, None, 1.0)[0] == (attraction + repulsion) / 2
    by_exact = EveryPair(network, x, similar, 6.0, "exact")(params, None, 1.0)[0]
    assert by_exact == pytest.approx((2 * attraction + 4 * repulsion) / 6, rel=BOUND)
    sampled = SampledPairs(network, x, similar, 6.0, "balanced", batch=2)
    for drawn, worth in (
        ([[0, 1], [2, 3]], attraction + 2 * repulsion),
        ([[0, 1], [0, 1]], 3**2 / 2),
        ([[2, 3], [2, 3]], 8**2 / 2),
    ):
        assert sampled.from_pairs(np.array(drawn), params)[0] == worth / 2


def test_the_order_of_a_draw_does_not_matter_and_the_draw_is_left_as_it_was():
    params, x, margin = problem(GRAPH)
    sampled = SampledPairs(NETWORK, x, GRAPH, margin, batch=4)
    drawn = GRAPH.pairs[[0, 3, 3, 5]]
    assert_agree(sampled.from_pairs(drawn[::-1], params), sampled.from_pairs(drawn, params))
    assert_agree(sampled.from_pairs(drawn[:, ::-1], params), sampled.from_pairs(drawn, params))
    assert drawn.tolist() == GRAPH.pairs[[0, 3, 3, 5]].tolist()


def test_a_call_is_the_estimate_from_the_pairs_that_the_generator_draws():
    params, x, margin = problem(GRAPH)
    sampled = SampledPairs(NETWORK, x, GRAPH, margin, "exact", batch=4)
    rng, twin = np.random.default_rng(3), np.random.default_rng(3)
    for progress in (0.0, 0.25, 1.0):
        drawn = GRAPH.pairs[twin.integers(GRAPH.listed_count, size=4)]
        actual, expected = sampled(params, rng, progress), sampled.from_pairs(drawn, params, progress)
        assert bits(*actual) == bits(*expected)
    assert rng.bit_generator.state == twin.bit_generator.state


# ---- networks, precision, inputs ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", [EveryPair, SampledPairs])
def test_the_objective_keeps_the_precision_of_its_weights_and_leaves_everything_it_is_given_as_it_was(form, dtype):
    params, x, margin = problem(GRAPH)
    params, x = tree_map(lambda p: p.astype(dtype), params), x.astype(dtype)
    originals = (x, GRAPH.pairs, GRAPH.edges, GRAPH.degree, params)
    before = bits(*originals)
    loss, gradient = form(NETWORK, x, GRAPH, margin)(params, np.random.default_rng(0), 0.3)
    assert {loss.dtype, *(g.dtype for _, g in leaves(gradient))} == {np.dtype(dtype)}
    assert {name: g.shape for name, g in leaves(gradient)} == {name: p.shape for name, p in leaves(params)}
    assert bits(*originals) == before


# ---- defaults, and what is refused ----


@pytest.mark.parametrize(("form", "weighting"), [(EveryPair, "exact"), (SampledPairs, "balanced")])
def test_objectives_of_one_dissimilar_pair_are_equal_to_themselves_alone_and_have_the_papers_defaults(form, weighting):
    one, other = (form(NETWORK, np.ones((3, 3)), SimilarityGraph(3, [[0, 1], [1, 2]])) for _ in range(2))
    assert one == one and one != other and len({one, other}) == 2
    assert one.margin == 1 and one.weighting == weighting and getattr(one, "batch", 128) == 128


def asked(form, graph=GRAPH, samples=None, **options):
    params, x, _ = problem(graph)
    x = np.resize(x, (samples or graph.size, 3))
    return lambda: form(NETWORK, x, graph, **options)(params, np.random.default_rng(0), 1.0)


def made(graph=GRAPH, **options):
    return lambda: SampledPairs(NETWORK, np.ones((graph.size, 3)), graph, **options)


ALL_SIMILAR = SimilarityGraph(3, np.array([[0, 1], [1, 2], [0, 2]]))
NONE_SIMILAR = SimilarityGraph(3, np.empty((0, 2), dtype=int))
ONE_KIND = "the graph needs at least one similar and one dissimilar pair"
OF_BOTH = [
    *(({"weighting": w}, f'weighting is {w!r}: choose "balanced" or "exact"') for w in ("Exact", "", "paper", None, 1)),
    *(({"graph": ALL_SIMILAR, "weighting": w}, ONE_KIND) for w in WEIGHTINGS),
    *(({"margin": m}, f"margin is {m!r}: it must be a finite number") for m in (0, -1.0, np.nan, np.inf, None)),
]
REFUSED = [
    *((asked(form, **options), message) for options, message in OF_BOTH for form in (EveryPair, SampledPairs)),
    *((asked(EveryPair, samples=n), f"z has shape ({n}, 2): the graph has 6 samples") for n in (5, 7)),
    *((asked(SampledPairs, samples=n), f"x has shape ({n}, 3), but the graph has 6 samples") for n in (5, 7)),
    (asked(EveryPair, NONE_SIMILAR), ONE_KIND),
    (asked(SampledPairs, NONE_SIMILAR), "sample 0 is in no similar pair, so is never drawn"),
    (made(margin=0.0), "margin is 0.0"),
    (made(ISOLATED), "sample 2 is in no similar pair, so is never drawn"),
    *((made(batch=b), f"batch is {b!r}: it must be a whole number of at least 2") for b in (1, 0, -2, 2.0, "2", None)),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_has_no_objective_is_refused_and_by_a_sample_of_pairs_before_anything_is_drawn(call, message):
    refuses(call, message)


# ---- over whole characters ----

# Three characters in two copies: similar within and between characters, listed from both ends, twice, and not at all.
COPIED = SimilarityGraph(6, [[0, 1], [0, 2], [2, 0], [1, 3], [4, 2], [4, 3], [4, 3]])
SLID = Sequential(conv=Conv2d(1, 3, 3), squash=Tanh(), rows=Positions(), out=Linear(3, 2))
IMAGES = np.random.default_rng(0).random((3, 1, 3, 4))


@pytest.mark.line("step-2-drawn-pairs")
@pytest.mark.parametrize(
    ("weighting", "progress", "batch"), [("balanced", 1.0, 3), ("exact", 0.2, 2), ("exact", 1.0, 2)]
)
def test_the_mean_over_all_draws_is_the_objective_over_every_pair(weighting, progress, batch, rng):
    params = some(SLID, rng)
    sampled = SampledCopies(SLID, IMAGES, COPIED, 0.8, weighting, batch)
    objective = EveryPair(SLID, IMAGES, COPIED, 0.8, weighting)(params, rng, progress)
    assert_agree(average_over_all_draws(sampled, params, progress), objective, vanishing="out.bias")


def test_with_one_copy_and_each_pair_listed_once_it_is_the_estimate_over_images(rng):
    graph = SimilarityGraph(5, [[0, 1], [1, 2], [3, 2], [3, 4]])
    network, x = Linear(3, 2), rng.standard_normal((5, 3))
    params, pairs = some(network, rng), [[0, 1], [3, 2], [3, 4], [0, 1]]
    forms = [form(network, x, graph, 1.5, "exact").from_pairs(pairs, params) for form in (SampledCopies, SampledPairs)]
    assert_agree(*forms, vanishing="bias")


def test_it_draws_from_the_listed_pairs_as_the_estimate_over_images_does(rng):
    params = some(SLID, rng)
    sampled = SampledCopies(SLID, IMAGES, COPIED, 0.8, batch=4)
    expected = COPIED.pairs[np.random.default_rng(7).integers(len(COPIED.pairs), size=4)]
    assert sampled(params, np.random.default_rng(7), 1.0)[0] == sampled.from_pairs(expected, params)[0]
    refuses(lambda: sampled.from_pairs(expected[:1], params), "1 pairs drawn: dissimilar pairs arise")


def test_the_dtype_of_x_is_kept_and_the_copies_of_a_single_character_are_enough(rng):
    assert SampledCopies(SLID, IMAGES[:1], SimilarityGraph(2, [[0, 1]]), 0.8).batch == 128
    sampled = SampledCopies(SLID, IMAGES.astype(np.float32), COPIED, 0.8)
    loss, gradient = sampled(some(SLID, rng, np.float32), rng, 1.0)
    assert {loss.dtype, *(dw.dtype for _, dw in leaves(gradient))} == {np.dtype(np.float32)}


def test_weighted_pairs_with_a_pair_of_weights_for_each_pair_are_the_loss_over_all_pairs(rng):
    z = rng.standard_normal((6, 2))
    attract = np.zeros((6, 6))
    np.add.at(attract, tuple(COPIED.pairs.T), 1.0)
    i, j = COPIED.edges.T
    repel = 1 - np.eye(6)
    repel[i, j] = repel[j, i] = 0
    for z_at in (z, z * 0):
        loss, dz = weighted_pairs(z_at, attract + attract.T, repel, 0.8)
        expected, dz_expected = all_pairs_by_definition(z_at, COPIED, 0.8)
        assert_close(loss, expected)
        assert_close(dz, dz_expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": IMAGES[:2, :, :, :], "graph": SimilarityGraph(5, [[0, 1]])}, "not as many copies of each"),
        ({"x": IMAGES[:0]}, "the graph has 6 samples"),
        ({"graph": SimilarityGraph(6, [[0, 1], [2, 3]])}, "character 2 is in no similar pair"),
        ({"batch": 1}, "batch is 1"),
        ({"margin": 0.0}, "margin is 0.0"),
        ({"x": IMAGES.astype(np.int64)}, "x has dtype int64"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    given = {"x": IMAGES, "graph": COPIED, "margin": 0.8} | change
    refuses(lambda: SampledCopies(SLID, **given), message)
