import math
import sys

import numpy as np
import pytest

from drlim_np.audit import __main__ as command
from drlim_np.audit.gradcheck import (
    CENTRAL_BOUND,
    COMPLEX_BOUND,
    Row,
    central_difference,
    check,
    check_layer,
    complex_step,
)
from drlim_np.layers import Linear
from drlim_np.tree import Gradient
from tests.help.refusals import refuses

LAYER = Linear(3, 2)


def rng():
    return np.random.default_rng(0)


def cube(arguments):
    return sum((x**3).sum() for x in arguments.values())


@pytest.mark.parametrize(("oracle", "within"), [(complex_step, 1e-15), (central_difference, 1e-9)])
def test_the_oracles_know_the_derivative_of_a_polynomial(oracle, within):
    x, u = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.7, -1.1])
    exact = (3 * x**2 * u).sum()
    assert oracle(lambda v: (v**3).sum(), x, u) == pytest.approx(exact, rel=within)


def test_the_bounds_are_the_projects_own():
    assert (COMPLEX_BOUND, CENTRAL_BOUND) == (1e-12, 1e-7)


@pytest.mark.parametrize("size", [3, 16, 17, 400])
def test_a_right_gradient_holds_whether_by_entries_or_by_directions(size):
    x = rng().standard_normal(size)
    (row,) = check(cube, {"x": x}, {"x": 3 * x**2}, rng())
    assert row.holds and row.size == size and row.tensor == "x"


@pytest.mark.parametrize("size", [3, 16, 17, 400])
@pytest.mark.parametrize("error", [1e-6, 1e-3, 1.0])
def test_one_wrong_entry_is_rejected_and_its_size_is_reported(size, error):
    x = rng().standard_normal(size) + 2
    gradient = 3 * x**2
    gradient[1] += error * np.linalg.norm(gradient)
    (row,) = check(cube, {"x": x}, {"x": gradient}, rng())
    assert not row.holds
    # Sixteen directions estimate a norm to about 1/sqrt(32) of itself; single entries give it exactly.
    assert row.complex_error == pytest.approx(error * np.linalg.norm(3 * x**2) / np.linalg.norm(gradient), rel=0.6)


def test_each_tensor_is_judged_by_its_own_gradient_but_by_no_less_than_a_hundredth_of_the_whole():
    arguments = {"large": np.array([3.0]), "small": np.array([0.5])}
    rows = check(cube, arguments, {"large": np.array([27.0]), "small": np.array([0.75075])}, rng())
    assert rows[0].holds and rows[1].complex_error == pytest.approx(1e-3, rel=1e-2)
    arguments = {"large": np.array([10.0]), "small": np.array([0.1])}
    rows = check(cube, arguments, {"large": np.array([300.0]), "small": np.array([0.06])}, rng())
    assert rows[1].complex_error == pytest.approx(0.03 / 3)


def test_a_gradient_that_vanishes_is_measured_against_the_whole():
    arguments = {"a": np.array([1.0, 2.0]), "shift": np.array([5.0])}

    def translation_invariant(t):
        moved = t["a"] + t["shift"]
        return ((moved[0] - moved[1]) ** 2) / 2

    right = {"a": np.array([-1.0, 1.0]), "shift": np.array([1e-17])}
    assert all(row.holds for row in check(translation_invariant, arguments, right, rng()))
    small = right | {"shift": np.array([1e-6])}
    assert not check(translation_invariant, arguments, small, rng())[1].holds


def test_claiming_zero_where_the_derivative_is_not_is_rejected():
    arguments = {"x": np.array([1.0, 2.0]), "y": np.array([2.0])}
    for y in (12.0, 0.0):
        assert not check(cube, arguments, {"x": np.zeros(2), "y": np.array([y])}, rng())[0].holds


def test_nan_is_rejected():
    assert not Row("x", 1, math.nan, 0.0).holds and not Row("x", 1, 0.0, math.nan).holds
    assert not check(cube, {"x": np.ones(2)}, {"x": np.array([np.nan, 3.0])}, rng())[0].holds


def test_a_layer_with_a_wrong_pullback_is_rejected_tensor_by_tensor():
    class ForgetsTheBias(Linear):
        def __call__(self, params, x):
            y, pullback = super().__call__(params, x)

            def wrong(dy, wrt_input=False):
                gradient = pullback(dy, wrt_input)
                return Gradient(gradient.params | {"bias": 0 * gradient.params["bias"]}, gradient.input)

            return y, wrong

    layer = ForgetsTheBias(3, 2)
    rows = check_layer(layer, layer.init(rng(), np.float64), rng().standard_normal((4, 3)), rng())
    assert {row.tensor: row.holds for row in rows} == {"params.weight": True, "params.bias": False, "input": True}


def hinge(arguments):
    """Half the square of each positive entry: its slope is continuous and bends at 0."""
    x = arguments["x"]
    return (np.where(np.real(x) > 0, x, 0) ** 2).sum() / 2


def test_a_central_difference_across_a_kink_does_not_reject_what_the_complex_step_confirms():
    (row,) = check(hinge, {"x": np.array([2e-6])}, {"x": np.array([2e-6])}, rng())
    assert row.complex_error <= COMPLEX_BOUND and row.central_error > CENTRAL_BOUND
    assert row.near_a_kink and row.holds


def test_a_central_difference_whose_step_is_too_long_or_too_short_does_not_reject_either():
    too_long = check(lambda a: np.sin(3e3 * a["x"]).sum(), {"x": np.ones(1)}, {"x": 3e3 * np.cos([3e3])}, rng())
    too_short = check(lambda a: (1e6 + a["x"]).sum(), {"x": np.ones(1)}, {"x": np.ones(1)}, rng())
    assert all(row.central_error > CENTRAL_BOUND and row.near_a_kink and row.holds for row in (*too_long, *too_short))


def test_a_central_difference_that_other_steps_confirm_rejects_whatever_the_complex_step_says():
    blind = lambda a: cube(a) + (np.real(a["x"]) ** 2).sum()  # noqa: E731 - no analytic function
    x = np.array([1.5, -0.7])
    (row,) = check(blind, {"x": x}, {"x": 3 * x**2}, rng())
    assert row.complex_error <= COMPLEX_BOUND
    assert not row.near_a_kink and not row.holds and 0 < row.central_doubt < 1e-3


def test_near_a_kink_a_wrong_gradient_is_rejected_as_anywhere():
    for wrong in (0.0, 1e-6, 2.1e-6):
        (row,) = check(hinge, {"x": np.array([2e-6])}, {"x": np.array([wrong])}, rng())
        assert not row.near_a_kink and not row.holds


def test_a_doubt_as_large_as_half_the_error_is_what_saves():
    row = Row("x", 1, 0.0, 4e-7, 2e-7)
    assert row.near_a_kink and row.holds
    assert not row._replace(central_doubt=1.9e-7).holds
    assert not row._replace(complex_error=1e-11).holds and not row._replace(complex_error=1e-11).near_a_kink
    assert not row._replace(central_error=1e-8).near_a_kink and row._replace(central_error=1e-8).holds
    assert not row._replace(central_error=math.nan).holds and not row._replace(central_doubt=math.nan).holds


def test_one_array_at_two_leaves_is_two_arguments_and_given_once_its_gradient_is_the_sum():
    w, x = np.array([0.3, -1.2]), np.array([2.0, 0.5])
    for arguments in ({"first": w, "second": w}, {"first": w, "second": w.copy()}):
        product = lambda a: (a["first"] ** 2 * a["second"] * x).sum()  # noqa: E731
        shares = {"first": 2 * w * w * x, "second": w**2 * x}
        assert all(row.holds for row in check(product, arguments, shares, rng()))
        assert not any(row.holds for row in check(product, arguments, dict.fromkeys(shares, 3 * w**2 * x), rng()))
    (row,) = check(lambda a: (a["w"] ** 2 * a["w"] * x).sum(), {"w": w}, {"w": 3 * w**2 * x}, rng())
    assert row.holds


ONES, NOTHING = {"x": np.ones(2)}, "has no entries: there is nothing to check"
A_SEED = "rng is 0: give a generator, such as numpy.random.default_rng(0)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check(cube, {}, {}, rng()), f"the tree {NOTHING}"),
        (lambda: check(cube, {"x": np.ones((0, 3))}, {"x": np.ones((0, 3))}, rng()), f"x {NOTHING}"),
        (lambda: check(cube, ONES | {"y": np.ones(0)}, ONES | {"y": np.ones(0)}, rng()), f"y {NOTHING}"),
        (lambda: check_layer(LAYER, LAYER.init(rng(), np.float64), np.empty((0, 3)), rng()), f"input {NOTHING}"),
        (lambda: check(cube, ONES, ONES, 0), A_SEED),
        (lambda: check_layer(LAYER, {}, np.ones((1, 3)), 0), A_SEED),
        (
            lambda: check(cube, {"x": np.ones(2, np.float32)}, ONES, rng()),
            "x must be a float64 NumPy array to be checked, got float32",
        ),
        (lambda: check(cube, ONES, {"y": np.ones(2)}, rng()), "differ in name or shape"),
        (lambda: check(cube, ONES, {"x": np.ones(3)}, rng()), "differ in name or shape"),
    ],
)
def test_what_cannot_be_checked_is_refused(call, message):
    refuses(call, message)


def test_the_command_says_in_one_line_what_keeps_it_from_a_gpu(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert command.main(["--backend", "cupy"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and "CuPy, which is not installed" in printed.err
