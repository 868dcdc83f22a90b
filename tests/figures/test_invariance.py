"""The curves of invariance, on maps whose invariance is known, and on trained ones."""

from dataclasses import replace

import numpy as np
import pytest

from drlim_np.data.handwriting import generate
from drlim_np.data.moved import moved
from drlim_np.figures import Train, invariance
from drlim_np.figures.invariance import BETWEEN, MOVES, at, claims, curves, make
from drlim_np.figures.shifted_maps import unseen_digits
from tests.help import drawings

WRITTEN = generate(3, train=(30, 30), test=(20, 20))
QUICK = Train(quick=True)
pytestmark = pytest.mark.usefixtures("few_digits")


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


def failing(claims):
    return [text.split(":")[0] for text in drawings.failing(claims)]


def test_where_nothing_moves_the_curve_is_0_to_the_last_bit(images, result):
    for kind in MOVES:
        assert {result.measured["displacement"][name][kind]["0.0"] for name in ("figure5", "figure7")} == {0}
        assert at(curves(by_rows, images), kind, 0) == at(curves(by_middle, images), kind, 0) == [0]


def test_a_map_of_rows_follows_what_goes_down_and_not_what_goes_right(images):
    found = curves(by_rows, images)
    assert max(at(found, "right", *BETWEEN)) < 1e-4
    assert min(at(found, "down", 3)) > 0.5
    still = by_rows(images)
    apart = [np.linalg.norm(one - other) for k, one in enumerate(still) for other in still[:k]]
    lowered = np.linalg.norm(by_rows(moved(images, down=1.5)) - still, axis=1)
    assert at(found, "down", 1.5)[0] == pytest.approx(np.median(lowered) / np.median(apart))


@pytest.mark.line("claim-smooth")
def test_the_claims_fail_when_the_two_networks_are_exchanged(images):
    told, untold = curves(by_rows, images), curves(by_middle, images)
    for quick in (False, True):
        assert not failing(claims(untold, told, quick)[:2])
        assert failing(claims(told, untold, quick))[:2] == ["between trained shifts it holds", "untold, there is none"]


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
    assert failing(claims(five, seven, False)) == []
    seven[kind][MOVES[kind] == amount] = value
    assert fails in failing(claims(five, seven, False))


def test_quick_bounds_are_looser():
    most, *least = zip(invariance.BOUNDS[False], invariance.BOUNDS[True], strict=True)
    assert most[1] > most[0] and all(quick < full for full, quick in least)


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


def test_the_strip_shows_one_digit_as_it_is_moved(result, images):
    shown = [axes.images[0].get_array() for axes in result.drawing.axes if axes.images]
    for image, shift in zip(shown, (-8, -6, -3, 0, 3, 6, 8), strict=False):
        np.testing.assert_array_equal(image, moved(images[:1], right=shift)[0, 0])
    np.testing.assert_array_equal(shown[-1], moved(images[:1], turn=15)[0, 0])


def test_other_data_get_no_claims(result):
    assert len(result.claims) == 4
    assert make(replace(WRITTEN, name="idx-1a2b3c4d", title="IDX data 1a2b3c4d"), QUICK).claims == []
