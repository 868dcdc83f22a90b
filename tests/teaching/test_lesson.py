"""The lesson's numbers: its right steps hold to 1e-12, and both its mistakes are off by orders of magnitude."""

import subprocess
import sys
from math import dist, tanh

import numpy as np
import pytest

from drlim_np.audit.gradcheck import COMPLEX_BOUND, complex_step
from drlim_np.layers import Linear, Sequential, Tanh
from drlim_np.loss import contrastive
from drlim_np.siamese import two_towers
from drlim_np.teaching import lesson
from drlim_np.teaching.lesson import MARGIN, RATE, X1, X2, W, Y
from tests.help.comparing import BOUND

STEPS = [lesson.energy_and_loss, lesson.springs, lesson.layer, lesson.both_towers, lesson.descend]
MISTAKES = [lesson.shared_cache, lesson.one_tower]


@pytest.fixture
def points():
    return lesson.layer(W, X1)[0], lesson.layer(W, X2)[0]


def test_step_1_energy_and_loss_by_hand(points):
    by_hand = [
        [[tanh(sum(w * p for w, p in zip(row, x, strict=True))) for row in W] for x in inputs] for inputs in (X1, X2)
    ]
    np.testing.assert_allclose(points, by_hand, rtol=BOUND)
    similar, dissimilar = (dist(*pair) for pair in zip(*by_hand, strict=True))
    assert Y.tolist() == [0, 1] and 0.1 < dissimilar < 0.9 * MARGIN, "a pair of either kind, both felt"
    d, loss = lesson.energy_and_loss(*points)
    np.testing.assert_allclose(d, [similar, dissimilar], rtol=BOUND)
    assert loss == pytest.approx(similar**2 / 2 + (MARGIN - dissimilar) ** 2 / 2, rel=BOUND)


def test_step_2_the_springs_are_the_librarys(points):
    _, dz1, dz2 = contrastive(*points, Y, MARGIN)
    np.testing.assert_allclose(lesson.springs(*points), [dz1, dz2], rtol=BOUND)


def test_a_dissimilar_pair_beyond_the_margin_costs_nothing_and_feels_nothing():
    z1, z2 = np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([[3.0, 4.0], [3.0, 4.0]])
    d, loss = lesson.energy_and_loss(z1, z2)
    assert d.tolist() == [5, 5] and loss == 12.5
    np.testing.assert_array_equal(lesson.springs(z1, z2)[0], [[-3, -4], [0, 0]])


def test_steps_3_and_4_the_sum_of_both_towers_is_the_gradient():
    assert lesson.error(lesson.both_towers(W)) <= BOUND
    network = Sequential(only=Linear(3, 2), squash=Tanh())
    params = {"only": {"weight": W, "bias": np.zeros(2)}, "squash": {}}
    loss, gradient = two_towers(network, params, X1, X2, Y, MARGIN)
    np.testing.assert_allclose(lesson.both_towers(W), gradient["only"]["weight"], rtol=BOUND)
    assert lesson.loss_of(W) == pytest.approx(loss, rel=BOUND)


def test_step_5_goes_down_at_the_slope_that_the_gradient_promises():
    gradient = lesson.both_towers(W)
    slope = complex_step(lambda r: lesson.loss_of(lesson.descend(W, gradient, r)), np.zeros(()), np.ones(()))
    assert slope == pytest.approx(-np.sum(gradient**2), rel=BOUND)
    np.testing.assert_array_equal(lesson.descend(W, gradient), W - RATE * gradient)
    assert lesson.loss_of(lesson.descend(W, gradient)) < 0.85 * lesson.loss_of(W)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_either_mistake_fails_by_orders_of_magnitude_and_doubled_as_well(mistake):
    assert lesson.error(mistake(W)) > 0.1 > 1e10 * BOUND
    assert lesson.error(2 * mistake(W)) > 0.1


def test_along_one_tower_alone_the_loss_falls_too_though_less():
    before, wrong, right = (
        lesson.loss_of(lesson.descend(W, g)) for g in (0, lesson.one_tower(W), lesson.both_towers(W))
    )
    assert right < wrong < before


def test_the_layer_that_remembers_is_right_as_long_as_it_is_called_once_and_shared_it_cancels_exactly():
    layer, dz = lesson.RememberingLayer(), np.array([[0.3, -1.0], [0.7, 0.2]])
    z, pullback = lesson.layer(W, X1)
    np.testing.assert_array_equal(layer.forward(W, X1), z)
    np.testing.assert_array_equal(layer.backward(dz), pullback(dz))
    np.testing.assert_array_equal(lesson.shared_cache(W), np.zeros_like(W))


def test_the_check_measures_an_error_relative_to_the_gradient_and_its_bound_is_the_projects():
    assert COMPLEX_BOUND == BOUND
    gradient = lesson.both_towers(W)
    assert lesson.error(gradient * (1 + 1e-9)) == pytest.approx(1e-9, rel=1e-3)
    assert lesson.error(np.zeros_like(W)) == pytest.approx(1, rel=BOUND)


def test_the_page_says_every_step_and_every_number_in_order(points):
    done = subprocess.run(
        [sys.executable, "-m", "drlim_np.teaching.lesson"], capture_output=True, text=True, encoding="utf-8", check=True
    )
    page = done.stdout
    assert done.stderr == "" and page == "\n".join(lesson.page()) + "\n"
    headings = [function.__doc__.partition("\n")[0] for function in STEPS + MISTAKES]
    assert [line for line in page.splitlines() if line.startswith(("Step", "Mistake"))] == headings
    assert [h.split(".")[0] for h in headings] == [f"Step {k}" for k in range(1, 6)] + ["Mistake 1", "Mistake 2"]
    assert page.count(": right\n") == 1 and page.count(": WRONG\n") == 3
    assert page.index(": right\n") < page.index("Mistake 1.") < page.index(": WRONG\n")
    for name, number in [("L before", lesson.loss_of(W)), ("D  ", lesson.energy_and_loss(*points)[0][0])]:
        assert any(line.strip().startswith(name) and f"{number:.4f}" in line for line in page.splitlines())
    assert max(map(len, page.splitlines())) <= 120
