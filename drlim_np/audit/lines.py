"""The paper, line by line: each equation, step, protocol number, requirement and claim, and what stands for it here.

From these lines come the first table of drlim_np/README.md (`python -m drlim_np.runs.results` writes it) and the
audit page. Functions are named as themselves, tests by their file in tests/, audited gradients by their subject in
`audit.catalogue`, figures as `run_all.py --only` knows them.
"""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import NamedTuple

from drlim_np import verbatim
from drlim_np.audit.proof import WHY_NOT, Proof, supporting
from drlim_np.audit.textbook import convolution
from drlim_np.data.moved import moved
from drlim_np.data.shifts import shifted
from drlim_np.fast.all_pairs import contrastive_all_pairs
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.fast.patches import patches
from drlim_np.fast.tiles import within_reach
from drlim_np.figures import figure2
from drlim_np.figures.airplane_map import setting
from drlim_np.figures.collapse import attraction_alone
from drlim_np.figures.digits import draw_at_random
from drlim_np.figures.invariance import curves
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Conv2d, Linear, Subsample, Tanh
from drlim_np.loss import all_pairs_by_definition, contrastive, dissimilar_loss, energy, similar_loss
from drlim_np.measure import cylinder
from drlim_np.measure.lle import lle
from drlim_np.measure.metrics import share_within, similar_neighbours, trustworthiness, unevenness
from drlim_np.neighbours import alike_in_any_copy, contiguous_views, nearest_neighbour_graph
from drlim_np.networks import convnet, two_layer
from drlim_np.objective import EveryPair, SampledPairs
from drlim_np.runs.index import FIGURES
from drlim_np.runs.record import Claim
from drlim_np.siamese import one_tower, two_towers
from drlim_np.training import SGD, descend, embed


class Line(NamedTuple):
    """A line of the paper.

    anchor:     its address on the audit page, which others cite: it stays, whatever becomes of the wording.
    said:       what the line is about, beginning with its name in the paper.
    formulas:   in the notation of `mathml`, one below the other.
    functions:  what carries it, the first before all.
    tests:      "test_loss.py::test_…", under tests/, the plainest statement first.
    figures:    where it is seen.
    audited:    patterns of subjects of the gradient audit.
    exact:      which of "derived" and "proven" it is; neither where `audit.proof.WHY_NOT` says why.
    proofs:     patterns of names, of what supports all lines that begin as this one does.
    """

    anchor: str
    said: str
    formulas: tuple[str, ...]
    functions: tuple[Callable, ...]
    tests: tuple[str, ...]
    figures: tuple[str, ...] = ()
    audited: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ("*",)

    def audits(self, subject: str) -> bool:
        """Whether a subject of the gradient audit belongs to this line."""
        return any(fnmatchcase(subject, pattern) for pattern in self.audited)

    def supported_by(self, proofs: Iterable[Proof]) -> list[Proof]:
        """What is derived and proven for this line."""
        named = supporting(proofs, self.said)
        return [one for one in named if any(fnmatchcase(one.name, pattern) for pattern in self.proofs)]

    @property
    def why_not(self) -> str:
        """Why there is nothing to derive or to prove; "" where there is."""
        return next((reason for beginning, reason in WHY_NOT.items() if self.said.startswith(beginning)), "")


BOTH, DERIVED, PROVEN = ("derived", "proven"), ("derived",), ("proven",)
LOSS = "contrastive, Eqs. 2 to 4"

LINES = (
    Line(
        "eq-1",
        "Eq. 1, the energy D_W",
        ("D_W(X_1, X_2) = ‖G_W(X_1) − G_W(X_2)‖_2",),
        (energy,),
        (
            "test_paper.py::test_equation_1_the_energy_is_the_distance_of_what_the_two_copies_give",
            "test_loss.py::test_energy_is_the_euclidean_distance",
        ),
        ("figure1",),
        ("wrong: an epsilon *", "wrong: a sigmoid on the distance"),
        exact=BOTH,
    ),
    Line(
        "eq-2",
        "Eq. 2, the sum over given pairs",
        ("𝓛(W) = ∑_{i=1}^P L(W, (Y, X_1, X_2)^i)",),
        (contrastive,),
        (
            "test_paper.py::test_equation_2_the_loss_of_a_set_is_the_sum_over_its_pairs",
            "test_loss.py::test_pairs_are_summed_and_not_averaged",
        ),
        (),
        (LOSS, "wrong: mean in the loss, sum in the gradient"),
        exact=PROVEN,
    ),
    Line(
        "eq-2-all-pairs",
        "Eq. 2, over every pair of a set",
        ("𝓛(W) = ∑_{i<j} L(W, (Y_{ij}, X_i, X_j))",),
        (all_pairs_by_definition, contrastive_all_pairs, within_reach),
        (
            "fast/test_all_pairs.py::test_the_loss_over_all_pairs_in_tiles_is_its_definition",
            "audit/test_properties.py::test_the_loss_over_all_pairs_is_the_sum_over_every_pair",
            "fast/test_tiles.py::"
            "test_skipping_tiles_beyond_the_margin_leaves_the_loss_and_its_gradient_as_they_are",
        ),
        ("figure4", "figure8"),
        ("all pairs, Eq. 2",),
        exact=PROVEN,
    ),
    Line(
        "eq-3",
        "Eq. 3, Y = 0 similar, Y = 1 dissimilar",
        ("L = (1 − Y) L_S(D_W) + Y L_D(D_W)",),
        (contrastive,),
        (
            "test_loss.py::test_y_is_0_for_the_similar_loss_and_1_for_the_dissimilar_one",
            "test_paper.py::test_equation_3_y_chooses_the_partial_loss",
        ),
        ("figure1",),
        ("wrong: the labels' convention flipped",),
        exact=BOTH,
    ),
    Line(
        "eq-4-l_s",
        "Eq. 4, L_S",
        (r"L_S(D_W) = \frac{1}{2} D_W^2",),
        (similar_loss,),
        (
            "test_paper.py::"
            "test_equation_4_the_partial_losses_are_half_squares_of_distance_and_of_what_is_missing_to_the_margin",
            "test_loss.py::test_similar_loss_is_half_the_square_of_the_energy",
        ),
        ("figure1", "figure2"),
        (LOSS, "wrong: the similar term not squared", "wrong: the ½ missing"),
        exact=BOTH,
    ),
    Line(
        "eq-4-l_d",
        "Eq. 4, L_D",
        (r"L_D(D_W) = \frac{1}{2} \max(0, m − D_W)^2",),
        (dissimilar_loss,),
        (
            "test_paper.py::"
            "test_equation_4_the_partial_losses_are_half_squares_of_distance_and_of_what_is_missing_to_the_margin",
            "test_loss.py::test_dissimilar_loss_is_half_the_square_of_what_is_missing_to_the_margin",
        ),
        ("figure1", "figure2"),
        (LOSS, "wrong: margin - D² for (margin - D)²", "wrong: the ½ missing"),
        exact=BOTH,
    ),
    Line(
        "eq-5",
        "Eq. 5, springs",
        ("F = −K X",),
        (figure2.springs,),
        (
            "test_paper.py::test_equation_5_the_force_is_minus_stiffness_times_displacement_from_the_rest_length",
            "figures/test_figure2.py::test_arrows_on_the_points_are_the_forces_of_their_springs",
        ),
        ("figure2",),
        ("wrong: the second tower's sign",),
        exact=DERIVED,
    ),
    Line(
        "eq-6",
        "Eq. 6, attract-only",
        (r"\frac{∂L_S}{∂W} = D_W \frac{∂D_W}{∂W}",),
        (two_towers, contrastive),
        (
            "test_paper.py::test_equation_6_a_similar_pair_is_pulled_together_in_proportion_to_its_distance",
            "test_loss.py::test_a_similar_pair_is_pulled_together_with_its_difference",
            "audit/test_gradients.py::test_gradients_of_the_contrastive_loss_over_given_pairs",
        ),
        ("figure2", "towers"),
        (LOSS, "Siamese *, two towers"),
        exact=BOTH,
    ),
    Line(
        "eq-7",
        "Eq. 7, m-repulse-only, nothing from m on",
        (
            r"\frac{∂L_D}{∂W} = −(m − D_W) \frac{∂D_W}{∂W} \text{ for } D_W < m",
            r"\frac{∂L_D}{∂W} = 0 \text{ for } D_W ≥ m",
        ),
        (two_towers, contrastive),
        (
            "test_paper.py::test_equation_7_a_dissimilar_pair_nearer_than_the_margin_is_pushed_apart_by_what_is_missing",
            "test_paper.py::test_equation_7_a_dissimilar_pair_farther_apart_than_the_margin_exerts_no_force",
            "test_loss.py::test_a_dissimilar_pair_within_the_margin_is_pushed_apart_by_what_is_missing",
            "audit/test_properties.py::test_loss_and_gradients_are_exactly_zero_beyond_the_margin",
        ),
        ("figure2", "towers"),
        (LOSS, "Siamese *, two towers", "wrong: a push beyond the margin"),
        exact=BOTH,
    ),
    Line(
        "cone-point",
        "the cone point at D_W = 0",
        (r"\frac{∂L}{∂z_1} = \frac{∂L}{∂z_2} = 0 \text{ at } z_1 = z_2",),
        (contrastive,),
        (
            "test_loss.py::test_the_gradient_at_zero_distance_is_the_zero_subgradient",
            "test_paper.py::"
            "test_at_distance_0_similar_pairs_rest_and_dissimilar_ones_take_the_zero_of_the_cones_subgradients",
        ),
        exact=PROVEN,
    ),
    Line(
        "equilibrium",
        "equilibrium",
        (r"∑_j F_j = −∑_j \frac{∂L_j}{∂z} = 0",),
        (figure2.relax,),
        (
            "test_paper.py::test_at_equilibrium_the_springs_on_a_point_cancel",
            "figures/test_figure2.py::"
            "test_at_equilibrium_the_forces_balance_and_every_step_of_the_free_point_raises_the_loss",
        ),
        ("figure2",),
    ),
    Line(
        "collapse",
        "collapse without dissimilar pairs",
        (r"∑ L_S = 0 \text{ for constant } G_W,", r"∑ (L_S + L_D) = \frac{1}{2} m^2 P_D > 0"),
        (EveryPair, attraction_alone),
        (
            "test_paper.py::"
            "test_a_constant_map_costs_nothing_without_the_dissimilar_term_and_is_no_minimum_with_it",
            "test_training.py::test_attraction_alone_collapses_to_a_point_and_both_terms_do_not",
        ),
        ("collapse",),
        exact=PROVEN,
    ),
    Line(
        "step-1-neighbours",
        "Step 1, nearest neighbours; 30,000 pairs, 18 million others",
        (
            r"Y_{ij} = 0 \text{ if } X_j ∈ S_i, \text{ else } 1",
            "6000 · 5 = 30,000",
            "6000 · 5999 / 2 = 17,997,000",
        ),
        (nearest_neighbour_graph, nearest_neighbours, SimilarityGraph),
        (
            "test_paper.py::"
            "test_step_1b_each_sample_is_paired_with_all_others_and_y_is_0_for_those_in_its_set",
            "test_paper.py::test_section_3_2_6000_digits_with_5_nearest_neighbours"
            "_each_list_30_000_similar_pairs_among_18_million",
            "fast/test_knn.py::test_pixels_have_the_neighbours_that_scikit_learn_finds",
            "figures/test_figures.py::test_figure_4_counts_its_pairs",
        ),
        ("figure4", "figure5"),
        exact=PROVEN,
    ),
    Line(
        "step-1-shifts",
        "Step 1, (a) to (c) of Fig. 7",
        ("|S_i| = 5 + 4 + 5 · 4 = 29", "30,000 · 29 = 870,000"),
        (alike_in_any_copy,),
        (
            "test_paper.py::"
            "test_section_3_3_a_sample_is_similar_to_its_neighbours_its_shifts_and_the_shifts_of_its_neighbours",
            "test_copies.py::test_each_sample_is_listed_with_exactly_those_that_the_paper_names",
        ),
        ("figure7",),
        exact=PROVEN,
    ),
    Line(
        "step-1-views",
        "Step 1, contiguous views; 10,989 similar pairs of 217,470 in the paper, 10,974 expected of a random split,"
        " 10,884 in ours at seed 0",
        (
            "660 · 659 / 2 = 217,470",
            r"23,814 · \frac{660 · 659}{972 · 971} ≈ 10,974",
        ),
        (contiguous_views, verbatim.similar_views),
        (
            "test_paper.py::test_section_3_4_of_217_470_pairs_of_training_views_10_974_are_similar_on_average",
            "test_contiguous_views.py::test_of_660_views_drawn_at_random_10_974_pairs_are_similar_on_average",
            "figures/test_airplane_figures.py::"
            "test_every_pair_of_training_views_is_counted_as_similar_or_dissimilar",
        ),
        ("figure8",),
        exact=PROVEN,
    ),
    Line(
        "step-2",
        "Step 2, for each pair, i. and ii.",
        (r"W ← W − η \frac{∂L}{∂W}",),
        (verbatim.update, verbatim.sweep),
        (
            "test_paper.py::test_step_2_a_similar_pair_is_brought_nearer_and_a_dissimilar_one_taken_farther",
            "test_verbatim.py::test_an_update_is_a_step_of_plain_sgd_along_the_gradient_of_two_towers",
            "test_verbatim.py::test_an_update_follows_the_complex_step_of_the_loss_entry_by_entry",
        ),
        ("figure8", "figure10"),
        exact=BOTH,
    ),
    Line(
        "step-2-descent",
        "Step 2, gradient descent on many pairs at once",
        (r"v ← μ v + \frac{∂𝓛}{∂W},", "W ← W − η v"),
        (SGD, descend),
        ("test_training.py::test_three_steps_of_gradient_descent_are_the_arithmetic_by_hand",),
        exact=DERIVED,
        proofs=("SGD*",),
    ),
    Line(
        "step-2-drawn-pairs",
        "Step 2, gradient descent on many pairs drawn at random, which stand for all",
        (r"E \frac{∂𝓛_\text{drawn}}{∂W} = \frac{∂𝓛}{∂W}",),
        (SampledPairs,),
        ("test_objective.py::test_the_average_over_all_draws_of_two_pairs_is_the_objective",),
        (),
        ("Siamese *, sampled pairs",),
        exact=PROVEN,
        proofs=("pairs drawn",),
    ),
    Line(
        "two-towers",
        "Step 2, two copies share W",
        (
            r"\frac{∂L}{∂W} = {(\frac{∂z_1}{∂W})}^T \frac{∂L}{∂z_1} + {(\frac{∂z_2}{∂W})}^T \frac{∂L}{∂z_2}",
        ),
        (two_towers,),
        (
            "test_paper.py::test_the_two_copies_share_w_and_its_gradient_is_the_sum_of_what_they_contribute",
            "test_siamese.py::test_the_gradient_is_the_sum_of_what_the_two_towers_contribute_and_neither_alone",
        ),
        ("towers",),
        ("Siamese *, two towers", "wrong: one tower's gradient forgotten", "wrong: a cache shared by the towers"),
        exact=BOTH,
    ),
    Line(
        "one-copy",
        "one copy is enough",
        (r"\frac{∂𝓛}{∂W} = ∑_i {(\frac{∂z_i}{∂W})}^T ∑_j \frac{∂L_{ij}}{∂z_i}",),
        (one_tower,),
        ("test_siamese.py::test_embedding_each_sample_once_is_two_towers_on_every_pair",),
        (),
        ("Siamese *, embed once",),
        exact=PROVEN,
    ),
    Line(
        "fig-3",
        "Fig. 3, G_W for digits",
        (r"1×32×32 → 15×27×27 → 15×9×9", r"→ 30×1×1 → 2"),
        (convnet,),
        (
            "test_paper.py::test_figure_3_prints_the_size_of_every_layer",
            "figures/test_figures.py::test_figure_3_shows_the_sizes_and_kernels_of_the_paper",
            "audit/test_gradients.py::test_gradients_of_the_two_networks_of_the_paper",
        ),
        ("figure3",),
        ("convnet, Fig. 3, *", "Sequential", "Flatten", "Blockwise"),
        exact=BOTH,
        proofs=("Sequential*", "Flatten*", "Linear, F4 *", "Linear, small", "Tanh*", "tanh"),
    ),
    Line(
        "fig-3-convolution",
        "Fig. 3, G_W's convolutions, C1 and C3",
        ("y_{oij} = b_o + ∑_{cuv} w_{ocuv} x_{c,i+u,j+v}",),
        (Conv2d, patches, convolution),
        (
            "test_layers.py::test_conv2d_is_the_textbook_convolution",
            "audit/test_gradients.py::test_gradients_of_conv2d",
        ),
        ("figure3",),
        ("Conv2d", "Conv2d, *"),
        exact=BOTH,
        proofs=("Conv2d*", "patches and fold*"),
    ),
    Line(
        "fig-3-subsampling",
        "Fig. 3, G_W's subsampling, S2",
        (r"y_{cij} = b_c + \frac{a_c}{9} ∑_{u,v<3} x_{c,3i+u,3j+v}",),
        (Subsample,),
        (
            "test_layers.py::"
            "test_subsample_is_the_mean_over_each_window_times_a_coefficient_plus_a_bias",
            "test_layers.py::test_subsample_gradients_are_the_sums_in_its_docstring",
        ),
        ("figure3",),
        ("Subsample",),
        exact=BOTH,
        proofs=("Subsample*", "window_sums*"),
    ),
    Line(
        "sec-3-4-network",
        "Sec. 3.4, G_W for the airplane",
        (r"G_W(x) = B \tanh(A x + a) + b", "96·96 → 20 → 3"),
        (two_layer, Linear, Tanh),
        (
            "test_paper.py::"
            "test_section_3_4_the_airplanes_network_has_96_by_96_inputs_20_hidden_units_and_3_outputs",
            "test_layers.py::test_linear_gradients_are_the_sums_in_its_docstring",
            "audit/test_gradients.py::test_gradients_of_the_two_networks_of_the_paper",
        ),
        ("figure10",),
        ("two-layer, Sec. 3.4, *", "Linear", "Tanh"),
        exact=BOTH,
        proofs=("Linear, hidden *", "Linear, output *", "Linear, small", "Sequential*", "Tanh*", "tanh"),
    ),
    Line(
        "sec-3-2-digits",
        "Sec. 3.2, 3,000 of each digit, about 1,000 unseen",
        ("2 · 3000 = 6000",),
        (draw_at_random,),
        ("figures/test_figures.py::test_as_many_of_each_class_are_drawn_as_asked_for_and_none_twice",),
        ("figure4",),
    ),
    Line(
        "sec-3-3-shifts",
        "Sec. 3.3, shifts by ±3 and ±6 pixels",
        ("5 · 6000 = 30,000",),
        (shifted,),
        (
            "test_paper.py::test_section_3_3_each_digit_stands_beside_its_copies_3_and_6_pixels_to_either_side",
            "data/test_shifts.py::test_the_shifts_are_those_of_the_paper_and_none",
        ),
        ("figure5", "figure6", "figure7"),
    ),
    Line(
        "sec-3-4-views",
        "Sec. 3.4, 972 views, 660 trained on",
        ("18 · 9 · 6 = 972 = 660 + 312",),
        (setting,),
        (
            "test_paper.py::test_section_3_4_972_views_of_18_azimuths_9_elevations_6_lightings_split_into_660_and_312",
            "figures/test_airplane_figures.py::test_660_views_are_trained_on_and_the_other_312_are_unseen",
        ),
        ("figure8", "figure9", "figure10"),
    ),
    Line(
        "lle",
        "LLE, the baseline",
        (
            r"\min_w ‖x_i − ∑_j w_{ij} x_j‖^2,",
            r"\min_z ∑_i ‖z_i − ∑_j w_{ij} z_j‖^2",
        ),
        (lle,),
        ("measure/test_lle.py::test_the_map_is_scikit_learns_up_to_rotation_and_sign",),
        ("figure6", "figure9"),
    ),
    Line(
        "fig-8",
        "Fig. 8, a cylinder",
        (r"z ≈ (r \cos φ, r \sin φ, h),", r"φ = \text{azimuth}, h ∼ \text{elevation}"),
        (cylinder.fit, share_within),
        (
            "measure/test_cylinder.py::"
            "test_angle_is_azimuth_and_height_is_elevation_wherever_the_cylinder_stands",
        ),
        ("figure8",),
    ),
    Line(
        "requirement-distances",
        "requirement: distances of the output stand for the neighbourhood relations",
        (r"D_W \text{ small } ⇔ Y = 0",),
        (trustworthiness, similar_neighbours),
        ("figures/test_airplane_figures.py::test_the_numbers_of_figure_8_are_those_of_the_unseen_views",),
        ("figure4", "figure8"),
    ),
    Line(
        "requirement-invariance",
        "requirement: not tied to a distance of the inputs, invariant to complex transforms",
        (r"Y_{ij} \text{ from } S_i, \text{ not from } ‖X_i − X_j‖",),
        (alike_in_any_copy, contiguous_views),
        ("test_copies.py::test_each_sample_is_listed_with_exactly_those_that_the_paper_names",),
        ("figure7", "figure8"),
    ),
    Line(
        "requirement-unseen",
        "requirement: faithful on samples whose neighbours are unknown",
        ("z = G_W(X)",),
        (embed,),
        ("figures/test_figures.py::test_figure_4_maps_the_unseen_digits_by_the_trained_network",),
        ("figure4", "figure5", "figure7", "figure8"),
    ),
    Line(
        "claim-smooth",
        "claim: the map is smooth and coherent in the output space",
        ("s ↦ ‖G_W(T_s X) − G_W(X)‖",),
        (curves, moved),
        ("figures/test_invariance.py::test_the_claims_fail_when_the_two_networks_are_exchanged",),
        ("invariance",),
    ),
    Line(
        "claim-even",
        "claim: samples cover the manifold evenly",
        (r"\text{standard deviation of } \log r_{10}",),
        (unevenness,),
        (
            "measure/test_metrics.py::"
            "test_clumps_are_more_uneven_than_a_random_map_and_that_more_than_a_shaken_lattice",
        ),
        ("figure4",),
    ),
    Line(
        "claims",
        "the claims of all figures",
        (),
        (Claim,),
        ("figures/test_airplane_figures.py::test_the_numbers_of_figure_8_are_those_of_the_unseen_views",),
    ),
)  # fmt: skip


def file_of(function: Callable) -> str:
    """The file of a function or class, seen from the package: "fast/knn.py"."""
    return function.__module__.removeprefix("drlim_np.").replace(".", "/") + ".py"


def name_of(figure: str) -> str:
    """The number of a figure of the paper, the name of one of ours."""
    return figure.removeprefix("figure")


def as_markdown() -> str:
    """The lines as a table, its links as seen from the package's own folder."""
    rows = [[line.said, *_cells(line)] for line in LINES]
    heading = ["the paper", "function", "derived", "proven", "tested", "figure"]
    lines = [f"| {' | '.join(row)} |" for row in (heading, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(heading), *lines[1:]])


def _cells(line: Line) -> list[str]:
    functions = [f"[`{function.__name__}`]({file_of(function)})" for function in line.functions]
    marks = [line.why_not or _mark(line, "derived"), _mark(line, "proven")]
    parted = [test.partition("::") for test in line.tests]
    tests = [f"[`{name}`]({PurePosixPath('../tests', file)})" for file, _, name in parted]
    figures = [f"[{name_of(figure)}]({file_of(FIGURES[figure])})" for figure in line.figures]
    return [", ".join(functions), *marks, ", ".join(tests), ", ".join(figures) or "–"]


def _mark(line: Line, kind: str) -> str:
    return "✓" if kind in line.exact else "–"
