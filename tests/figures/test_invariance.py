"""The figures that the paper does not print: invariance, collapse, the sheet of generated handwriting, two towers."""

from dataclasses import replace

import numpy as np
import pytest

from drlim_np.data import moved
from drlim_np.data.handwriting import generate
from drlim_np.figures import Train, invariance, sheets, towers
from drlim_np.figures.collapse import NO_MARGIN, spread
from drlim_np.figures.figure5 import unseen_digits
from drlim_np.figures.invariance import BETWEEN, MOVES, at, claims, curves, make
from drlim_np.graph import SimilarityGraph
from drlim_np.measure import metrics
from drlim_np.networks import two_layer
from drlim_np.objective import EveryPair
from drlim_np.training import embed
from drlim_np.tree import tree_map
from tests.help.drawings import failing, texts

WRITTEN = generate(3, train=(30, 30), test=(20, 20))
QUICK = Train(quick=True)
ACROSS = sheets.DIGITS_ACROSS


@pytest.fixture(scope="module")
def images(few_digits):
    unseen = unseen_digits(WRITTEN, QUICK)
    return unseen.inputs[unseen.shift == 0]


@pytest.fixture(scope="module")
def result(few_digits):
    return make(WRITTEN, QUICK)


def by_rows(images):
    """A map that no shift to the right moves, as long as no ink is lost: how high the ink is, and how spread."""
    ink = images[:, 0].sum(axis=2)
    y = np.arange(ink.shape[1])
    mean = ink @ y / ink.sum(axis=1)
    return np.stack([mean, np.sqrt(ink @ y**2 / ink.sum(axis=1) - mean**2)], axis=1)


def by_middle(images):
    """One that every move moves: the mean place of the ink."""
    return np.stack([by_rows(images)[:, 0], by_rows(images.swapaxes(2, 3))[:, 0]], axis=1)


def broken(*of):
    return [text.split(":")[0] for text in failing(claims(*of))]


def test_where_nothing_moves_the_curve_is_0_to_the_last_bit(images, result):
    for kind in MOVES:
        assert {result.measured["displacement"][name][kind]["0.0"] for name in ("figure5", "figure7")} == {0}
        assert at(curves(by_rows, images), kind, 0) == at(curves(by_middle, images), kind, 0) == [0]


def test_a_map_of_rows_follows_what_goes_down_and_not_what_goes_right(images):
    found = curves(by_rows, images)
    assert max(at(found, "right", *BETWEEN)) < 1e-4 and min(at(found, "down", 3)) > 0.5
    still = by_rows(images)
    apart = [np.linalg.norm(one - other) for k, one in enumerate(still) for other in still[:k]]
    lowered = np.linalg.norm(by_rows(moved(images, down=1.5)) - still, axis=1)
    assert at(found, "down", 1.5)[0] == pytest.approx(np.median(lowered) / np.median(apart))


@pytest.mark.line("claim-smooth")
def test_the_claims_fail_when_the_two_networks_are_exchanged(images):
    told, untold = curves(by_rows, images), curves(by_middle, images)
    for quick in (False, True):
        assert not failing(claims(untold, told, quick)[:2])
        assert broken(told, untold, quick)[:2] == ["between trained shifts it holds", "untold, there is none"]


@pytest.mark.parametrize(
    ("kind", "amount", "value", "fails"),
    [
        ("right", 1.5, 0.11, "between trained shifts it holds"),
        ("right", -8, 0.05, "beyond it frays"),
        ("down", 3, 0.7, "elsewhere it is absent"),
        ("turn", -15, 0.7, "elsewhere it is absent"),
    ],
)
def test_each_claim_about_figure_7_rests_on_its_part_of_the_curve(kind, amount, value, fails):
    five, seven = ({name: np.full(len(by), height) for name, by in MOVES.items()} for height in (2.0, 1.0))
    seven["right"][np.abs(MOVES["right"]) <= 6] = 0.05
    assert broken(five, seven, False) == []
    seven[kind][MOVES[kind] == amount] = value
    assert fails in broken(five, seven, False)


def test_every_amount_is_recorded_and_drawn_and_trained_shifts_are_marked(result):
    recorded = result.measured["displacement"]
    assert list(recorded["figure7"]["right"]) == [str(shift) for shift in np.arange(-8, 8.5, 0.5)]
    panels = [axes for axes in result.drawing.axes if not axes.images]
    for name, colour in (("figure5", invariance.VERMILLION), ("figure7", invariance.BLUE)):
        for kind, axes in zip(MOVES, panels, strict=True):
            line = next(line for line in axes.get_lines() if line.get_color() == colour)
            np.testing.assert_array_equal(line.get_xdata(), MOVES[kind])
            assert line.get_ydata().tolist() == list(recorded[name][kind].values())
    marks = [line.get_xdata().tolist() for line in panels[0].get_lines() if line.get_marker() == "o"]
    assert marks == [[-6, -3, 0, 3, 6]] * 2


def test_other_data_get_no_claims(result):
    assert len(result.claims) == 4
    assert make(replace(WRITTEN, name="idx-1a2b3c4d", title="IDX data 1a2b3c4d"), QUICK).claims == []


def test_the_spread_is_the_root_of_the_mean_square_distance_from_the_mean():
    z = np.array([[1.0, 0.0, 5.0], [-1.0, 0.0, 5.0], [0.0, 2.0, 5.0], [0.0, -2.0, 5.0]])
    assert spread(z) == pytest.approx(np.sqrt((1 + 1 + 4 + 4) / 4))
    assert spread(z + 7) == pytest.approx(spread(z))


def test_without_a_margin_the_balanced_objective_is_its_similar_half(rng):
    network, x = two_layer(5, 8, 3), rng.standard_normal((12, 5)).astype(np.float32)
    ring = SimilarityGraph(12, np.array([(i, (i + 1) % 12) for i in range(12)]))
    params = network.init(np.random.default_rng(1))
    z = embed(network, params, x).astype(float)
    d = np.linalg.norm(z[:, None] - z, axis=2)
    near = [d[i, j] for i, j in ring.pairs]
    far = [d[i, j] for i in range(12) for j in range(i) if j + 1 != i and (j, i) != (0, 11)]
    alone, whole = (EveryPair(network, x, ring, m, "balanced")(params, None, 1.0)[0] for m in (NO_MARGIN, 1.0))
    assert alone == pytest.approx(np.mean(np.square(near)) / 4, rel=1e-5)
    assert whole - alone == pytest.approx(np.mean(np.square(np.maximum(0, 1 - np.array(far)))) / 4, rel=1e-4)


@pytest.fixture(scope="module")
def written():
    """The sheet of less handwriting, and the half of it that is trained on."""
    digits = generate(0, train=(150, 150), test=(1, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheets.handwriting, "generate", lambda **_: digits)
        return sheets.make(None, Train()), digits.train


def test_the_sheet_shows_4s_and_9s_of_the_training_set_upright_keeps_its_claims_and_names_its_data(written):
    result, train = written
    for axes, digit in zip(result.drawing.axes, (4, 9), strict=False):
        (shown,) = axes.get_images()
        tiles = shown.get_array().reshape(sheets.WRITTEN, 28, ACROSS, 28).swapaxes(1, 2).reshape(-1, 28, 28)
        of_digit = {image.tobytes() for image in train.images[train.labels == digit]}
        assert len({tile.tobytes() for tile in tiles} & of_digit) == sheets.WRITTEN * ACROSS
        assert axes.get_ylabel().startswith(str(digit))
    assert not failing(result.claims)
    assert result.data.name == "handwriting"


def test_each_row_of_the_sheet_varies_what_it_says(written):
    result, _ = written
    rows = {axes.get_ylabel().split()[0]: axes.get_images()[0].get_array() for axes in result.drawing.axes[2:]}
    assert list(rows) == ["slant", "width", "openness", "roundness"]
    slants = metrics.slant(rows["slant"].reshape(28, ACROSS, 28).swapaxes(0, 1))
    assert (np.diff(slants) > 0).all() and slants[0] < -0.2 and slants[-1] > 0.5


@pytest.fixture(scope="module")
def pair():
    return towers.make(None, Train())


def test_the_claims_of_the_towers_fail_with_the_gradient_of_one_tower_or_ends_that_feel_one_force(pair, monkeypatch):
    assert len(pair.claims) == 2 and not failing(pair.claims)
    whole = towers.two_towers

    def halved(*arguments, **more):
        loss, gradient = whole(*arguments, **more)
        return loss, tree_map(lambda g: 0.5 * g, gradient)

    monkeypatch.setattr(towers, "two_towers", halved)
    monkeypatch.setattr(towers, "contrastive", lambda z1, *_, **__: (0.0, z1, z1))
    assert len(failing(found := towers.make(None, Train()).claims)) == 2
    assert min(claim.value for claim in found) > 0.1


def test_the_towers_show_all_that_a_pair_passes(pair):
    (axes,) = pair.drawing.axes
    said = " ".join(texts(axes))
    for part in ("x_1", "x_2", "G_W", "z_1", "z_2", "$D$", "$L$", "same $W$", "+", "partial L/\\partial W"):
        assert part in said
