"""The paper, a short test for each equation, step and protocol number: where an auditor of its mathematics enters."""

import numpy as np
import pytest

from drlim_np import verbatim
from drlim_np.audit import index
from drlim_np.data import AZIMUTHS, SHIFTS, TRAIN, Views, shifted, split
from drlim_np.figures import figure4, figure5, figure9
from drlim_np.graph import SimilarityGraph, alike_in_any_copy, contiguous_views, nearest_neighbour_graph, pair_table
from drlim_np.loss import contrastive, dissimilar_loss, energy, similar_loss
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.objective import EveryPair
from drlim_np.siamese import two_towers
from drlim_np.training import SGD, descend
from drlim_np.tree import leaves, tree_map
from tests.help.comparing import assert_close
from tests.help.every_layer import drawn

NETWORK = two_layer(inputs=5, hidden=4, outputs=3)
RNG = np.random.default_rng(0)
W, X1, X2 = drawn(NETWORK, RNG), RNG.standard_normal((1, 5)), RNG.standard_normal((1, 5))
SIMILAR, DISSIMILAR = np.array([0]), np.array([1])
VIEWS = Views("all", "all", np.zeros((972, 1, 1), np.uint8), {})


def distance(one=W, other=W):
    """D_W of the pair X1, X2, of which each copy may be given a W of its own."""
    return energy(NETWORK(one, X1)[0], NETWORK(other, X2)[0])[0]


def of_distance(*copies):
    """∂D_W/∂W, where the named copies see W change, by the complex step: no pullback has a part in it."""

    def changed(name, at):
        moved = {path: leaf.astype(complex) for path, leaf in leaves(W)}
        moved[name][at] += 1e-20j
        values = iter(moved.values())
        return tree_map(lambda _: next(values), W)

    entries = [changed(name, at) for name, leaf in leaves(W) for at in np.ndindex(leaf.shape)]
    return np.array([distance(**dict.fromkeys(copies, entry)).imag / 1e-20 for entry in entries])


def gradient(y, margin):
    """∂L/∂W of the pair X1, X2 through both towers, entry by entry."""
    return np.concatenate([dw.ravel() for _, dw in leaves(two_towers(NETWORK, W, X1, X2, y, margin)[1])])


# ---- Section 2: equations ----


@pytest.mark.line("eq-1")
def test_equation_1_the_energy_is_the_distance_of_what_the_two_copies_give():
    (z1, _), (z2, _) = NETWORK(W, X1), NETWORK(W, X2)
    assert_close(energy(z1, z2), [np.linalg.norm(z1 - z2)])


@pytest.mark.line("eq-2")
def test_equation_2_the_loss_of_a_set_is_the_sum_over_its_pairs():
    z1, z2, y = RNG.random((6, 2)), RNG.random((6, 2)), np.array([0, 1, 1, 0, 1, 0])
    one_by_one = [contrastive(z1[[i]], z2[[i]], y[[i]], 0.7)[0] for i in range(6)]
    assert_close(contrastive(z1, z2, y, 0.7)[0], sum(one_by_one))


@pytest.mark.line("eq-3")
@pytest.mark.parametrize("y", [0, 1])
def test_equation_3_y_chooses_the_partial_loss(y):
    z1, z2 = np.array([[0.0, 0.0]]), np.array([[0.3, 0.4]])
    d = energy(z1, z2)
    loss, *_ = contrastive(z1, z2, np.array([y]), 1.0)
    assert_close(loss, ((1 - y) * similar_loss(d) + y * dissimilar_loss(d, 1.0))[0])


@pytest.mark.line("eq-4-l_s", "eq-4-l_d")
def test_equation_4_the_partial_losses_are_half_squares_of_distance_and_of_what_is_missing_to_the_margin():
    d, m = np.array([0.0, 0.5, 1.25, 3.0]), 1.25
    assert similar_loss(d).tolist() == [0, 0.125, 0.78125, 4.5]  # ½ D²
    assert dissimilar_loss(d, m).tolist() == [0.78125, 0.28125, 0, 0]  # ½ max(0, m - D)²


@pytest.mark.line("eq-5")
@pytest.mark.parametrize(("y", "rest"), [(SIMILAR, 0.0), (DISSIMILAR, 1.25)])
def test_equation_5_the_force_is_minus_stiffness_times_displacement_from_the_rest_length(y, rest):
    z1, z2 = np.array([[0.3, 0.4]]), np.zeros((1, 2))
    F = -contrastive(z1, z2, y, margin=1.25)[1]  # upon z1
    K, X = (z1 - z2) / 0.5, 0.5 - rest  # K = ∂D/∂z1
    assert_close(F, -K * X)


@pytest.mark.line("eq-6")
def test_equation_6_a_similar_pair_is_pulled_together_in_proportion_to_its_distance():
    assert_close(gradient(SIMILAR, margin=1.0), distance() * of_distance("one", "other"))


@pytest.mark.line("eq-7")
def test_equation_7_a_dissimilar_pair_nearer_than_the_margin_is_pushed_apart_by_what_is_missing():
    m = 2 * distance()
    assert_close(gradient(DISSIMILAR, m), -(m - distance()) * of_distance("one", "other"))


@pytest.mark.line("eq-7")
def test_equation_7_a_dissimilar_pair_farther_apart_than_the_margin_exerts_no_force():
    assert (gradient(DISSIMILAR, margin=distance() / 2) == 0).all()


@pytest.mark.line("cone-point")
@pytest.mark.parametrize("y", [SIMILAR, DISSIMILAR])
def test_at_distance_0_similar_pairs_rest_and_dissimilar_ones_take_the_zero_of_the_cones_subgradients(y):
    loss, dparams = two_towers(NETWORK, W, X1, X1, y, 1.0)
    assert loss == 0.5 * y[0]
    assert all((dw == 0).all() for _, dw in leaves(dparams))


@pytest.mark.line("collapse")
def test_a_constant_map_costs_nothing_without_the_dissimilar_term_and_is_no_minimum_with_it():
    x, similar = np.random.default_rng(1).standard_normal((8, 5)), SimilarityGraph(8, [[i, i + 1] for i in range(7)])
    constant, (i, j) = tree_map(np.zeros_like, W), similar.pairs.T
    assert two_towers(NETWORK, constant, x[i], x[j], np.zeros(7, int), 1.0)[0] == 0
    objective = EveryPair(NETWORK, x, similar, margin=1.0, weighting="balanced")
    assert_close(objective(constant, RNG, 1.0)[0], 0.25)  # half of ½ m², all of it the dissimilar term's
    *_, last = descend(objective, W, SGD(0.3, 0.9), 100, RNG)
    assert last.loss < 0.1


@pytest.mark.line("equilibrium")
def test_at_equilibrium_the_springs_on_a_point_cancel():
    around = np.array([[1.0, 0.0], [-0.25, 0.5], [0.0, 0.875]])
    for away in (0.0, 0.1):
        centre = np.tile(around.mean(axis=0) + away, (3, 1))
        force = -contrastive(centre, around, np.zeros(3, int), 1.0)[1].sum(axis=0)
        np.testing.assert_allclose(force, -3 * away, atol=1e-15)  # three springs pull it back


# ---- Section 2.1: the algorithm ----


@pytest.mark.line("step-1-neighbours")
def test_step_1_each_sample_is_paired_with_all_others_and_y_is_0_for_those_in_its_set():
    graph = SimilarityGraph(5, [[0, 1], [3, 1]])
    paired = {frozenset((i, j)): y for i, j, y in zip(*pair_table(graph), strict=True)}
    assert len(paired) == 5 * 4 // 2 == len(graph.edges) + graph.dissimilar_count
    assert [set(pair) for pair, y in paired.items() if y == 0] == [{0, 1}, {1, 3}]


@pytest.mark.line("step-2")
@pytest.mark.parametrize(("y", "grows"), [(0, False), (1, True)])
def test_step_2_a_similar_pair_is_brought_nearer_and_a_dissimilar_one_taken_farther(y, grows):
    ours, m = verbatim.first_weights(np.random.default_rng(2), inputs=5), 5.0
    before = verbatim.loss(ours, X1[0], X2[0], 0, m)  # ½ D²
    verbatim.update(ours, X1[0], X2[0], y, m, rate=1e-3)
    assert (verbatim.loss(ours, X1[0], X2[0], 0, m) > before) == grows


@pytest.mark.line("two-towers")
def test_the_two_copies_share_w_and_its_gradient_is_the_sum_of_what_they_contribute():
    assert_close(gradient(SIMILAR, margin=1.0), distance() * (of_distance("one") + of_distance("other")))


# ---- Section 3: networks and protocol ----


@pytest.mark.line("fig-3")
def test_figure_3_prints_the_size_of_every_layer():
    network, x, sizes = convnet(), np.zeros((1, *CONVNET_INPUT)), {}
    params = network.init(RNG, np.float64)
    for name, layer in network.layers.items():
        x, _ = layer(params[name], x)
        sizes[name] = x.shape[1:]
    assert CONVNET_INPUT == (1, 32, 32)
    assert [sizes[name] for name in ("C1", "S2", "C3", "F4")] == [(15, 27, 27), (15, 9, 9), (30, 1, 1), (2,)]


@pytest.mark.line("sec-3-4-network")
def test_section_3_4_the_airplanes_network_has_96_by_96_inputs_20_hidden_units_and_3_outputs():
    params = two_layer().init(RNG)
    assert params["hidden"]["weight"].shape == (20, 96 * 96) and params["output"]["weight"].shape == (3, 20)


@pytest.mark.line("step-1-neighbours")
def test_section_3_2_6000_digits_with_5_nearest_neighbours_each_list_30_000_similar_pairs_among_18_million():
    assert figure4.TRAIN_PER_CLASS == figure5.TRAIN_PER_CLASS == 3000
    graph = nearest_neighbour_graph(RNG.random((6000, 2)))
    assert graph.listed_count == 6000 * 5 == 30_000
    assert len(graph.edges) + graph.dissimilar_count == 6000 * 5999 // 2 == 17_997_000


@pytest.mark.line("sec-3-3-shifts")
def test_section_3_3_each_digit_stands_beside_its_copies_3_and_6_pixels_to_either_side():
    assert sorted(SHIFTS) == [-6, -3, 0, 3, 6] and 6000 * len(SHIFTS) == 30_000
    image = RNG.random((1, 1, 32, 32)) * (np.abs(np.arange(32) - 15) < 9)  # blank where a shift could lose ink
    assert all((copy == np.roll(image[0], by, axis=2)).all() for copy, by in zip(shifted(image), SHIFTS, strict=True))


@pytest.mark.line("step-1-shifts", "requirement-invariance")
def test_section_3_3_a_sample_is_similar_to_its_neighbours_its_shifts_and_the_shifts_of_its_neighbours():
    graph = alike_in_any_copy(SimilarityGraph(3, [[0, 2]]), copies=5)
    assert set(figure9.neighbour_lists(graph)[0]) == {*range(1, 5), *range(10, 15)}


@pytest.mark.line("sec-3-4-views")
def test_section_3_4_972_views_of_18_azimuths_9_elevations_6_lightings_split_into_660_and_312():
    _, train, test = split(VIEWS, RNG)
    assert len(set(zip(VIEWS.azimuth, VIEWS.elevation, VIEWS.lighting, strict=True))) == 18 * 9 * 6 == 972
    assert (VIEWS.azimuth.max(), VIEWS.elevation.max(), VIEWS.lighting.max()) == (17, 8, 5)
    assert (len(train), len(test)) == (TRAIN, 972 - TRAIN) == (660, 312)


@pytest.mark.line("step-1-views")
def test_section_3_4_of_217_470_pairs_of_training_views_10_974_are_similar_on_average():
    assert 10_989 + 206_481 == 660 * 659 // 2 == 217_470  # the paper's own
    similar = contiguous_views(VIEWS.azimuth, VIEWS.elevation, AZIMUTHS).listed_count
    assert round(similar * (660 * 659) / (972 * 971)) == 10_974


def test_every_line_of_the_index_has_a_test_and_no_test_names_another_line():
    assert set(index._tests(index.HERE)) == {line.anchor for line in index.LINES}
