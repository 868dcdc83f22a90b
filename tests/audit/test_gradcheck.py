import math
import sys

import numpy as np
import pytest

from drlim_np.audit import __main__ as command
from drlim_np.audit import gradcheck
from drlim_np.audit.gradcheck import CENTRAL_BOUND, COMPLEX_BOUND, Row, check, check_layer
from drlim_np.layers import Linear
from tests.help.refusals import refuses

LAYER = Linear(3, 2)


def rng():
    return np.random.default_rng(0)


def cube(arguments):
    return sum((x**3).sum() for x in arguments.values())


@pytest.mark.parametrize(("oracle", "within"), [(gradcheck.complex_step, 1e-15), (gradcheck.central_difference, 1e-9)])
def test_the_oracles_know_the_derivative_of_a_polynomial(oracle, within):
    x, u = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.7, -1.1])
    exact = (3 * x**2 * u).sum()
    assert oracle(lambda v: (v**3).sum(), x, u) == pytest.approx(exact, rel=within)


@pytest.mark.parametrize("size", [3, 16, 17, 400])
@pytest.mark.parametrize("error", [0.0, 1e-6, 1e-3, 1.0])
def test_a_gradient_holds_unless_an_entry_is_wrong_whose_size_is_reported(size, error):
    x = rng().standard_normal(size) + 2
    gradient = 3 * x**2
    gradient[1] += error * np.linalg.norm(gradient)
    (row,) = check(cube, {"x": x}, {"x": gradient}, rng())
    assert row.holds == (error == 0) and row.size == size and row.tensor == "x"
    # Sixteen directions estimate a norm to about 1/sqrt(32) of itself; single entries give it exactly.
    reported = error * np.linalg.norm(3 * x**2) / np.linalg.norm(gradient)
    assert row.complex_error == pytest.approx(reported, rel=0.6, abs=1e-15)


def test_each_tensor_is_judged_by_its_own_gradient_but_by_no_less_than_a_hundredth_of_the_whole():
    arguments = {"large": np.array([3.0]), "small": np.array([0.5])}
    rows = check(cube, arguments, {"large": np.array([27.0]), "small": np.array([0.75075])}, rng())
    assert rows[0].holds and rows[1].complex_error == pytest.approx(1e-3, rel=1e-2)
    arguments = {"large": np.array([10.0]), "small": np.array([0.1])}
    rows = check(cube, arguments, {"large": np.array([300.0]), "small": np.array([0.06])}, rng())
    assert rows[1].complex_error == pytest.approx(0.03 / 3)


@pytest.mark.parametrize(("shift", "holds"), [(1e-17, True), (1e-6, False)])
def test_a_gradient_that_vanishes_is_measured_against_the_whole(shift, holds):
    arguments = {"a": np.array([1.0, 2.0]), "shift": np.array([5.0])}
    claimed = {"a": np.array([-1.0, 1.0]), "shift": np.array([shift])}
    of_distance = lambda t: (np.diff(t["a"] + t["shift"]) ** 2).sum() / 2  # noqa: E731 - no shift changes it
    assert [row.holds for row in check(of_distance, arguments, claimed, rng())] == [True, holds]


@pytest.mark.parametrize(("x", "y"), [(0.0, 12.0), (0.0, 0.0), (np.nan, 12.0)])
def test_claiming_zero_where_the_derivative_is_not_or_nan_is_rejected(x, y):
    arguments = {"x": np.array([1.0, 2.0]), "y": np.array([2.0])}
    assert not check(cube, arguments, {"x": np.full(2, x), "y": np.array([y])}, rng())[0].holds


def test_a_layer_with_a_wrong_pullback_is_rejected_tensor_by_tensor():
    def forgets_the_bias(params, x):
        y, pullback = LAYER(params, x)
        none = {"bias": np.zeros(2)}
        return y, lambda dy, wrt_input: (right := pullback(dy, wrt_input))._replace(params=right.params | none)

    rows = check_layer(forgets_the_bias, LAYER.init(rng(), np.float64), rng().standard_normal((4, 3)), rng())
    assert {row.tensor: row.holds for row in rows} == {"params.weight": True, "params.bias": False, "input": True}


def hinge(arguments):
    """Half the square of each positive entry: its slope is continuous and bends at 0."""
    x = arguments["x"]
    return (np.where(np.real(x) > 0, x, 0) ** 2).sum() / 2


@pytest.mark.parametrize(
    ("function", "x", "slope", "saved"),
    [
        (hinge, 2e-6, 2e-6, True),  # across a kink
        (lambda a: np.sin(3e3 * a["x"]).sum(), 1.0, 3e3 * np.cos(3e3), True),  # by too long a step
        (lambda a: (1e6 + a["x"]).sum(), 1.0, 1.0, True),  # by too short a step
        # to which the complex step is blind
        (lambda a: cube(a) + (np.real(a["x"]) ** 2).sum(), 1.5, 3 * 1.5**2, False),
        *((hinge, 2e-6, wrong, False) for wrong in (0.0, 1e-6, 2.1e-6)),
    ],
)
def test_only_where_central_differences_contradict_each_other_is_the_complex_step_believed(function, x, slope, saved):
    (row,) = check(function, {"x": np.array([x])}, {"x": np.array([slope])}, rng())
    assert row.central_error > CENTRAL_BOUND == 1e-7
    assert (row.complex_error <= COMPLEX_BOUND == 1e-12) == (saved or function is not hinge)
    assert row.near_a_kink == row.holds == saved


def test_a_doubt_as_large_as_half_the_error_is_what_saves_and_nan_never_holds():
    saved, right = Row("x", 1, 0.0, 4e-7, 2e-7), Row("x", 1, 0.0, 1e-8, 2e-7)
    assert saved.near_a_kink and saved.holds and right.holds and not right.near_a_kink
    nan = math.nan
    for errors in ((0.0, 4e-7, 1.9e-7), (1e-11, 4e-7, 2e-7), (0.0, nan, 2e-7), (0.0, 4e-7, nan), (nan, 0.0)):
        assert not Row("x", 1, *errors).holds and not Row("x", 1, *errors).near_a_kink


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
            lambda: check(cube, {"x": np.ones(2, "f4")}, ONES, rng()),
            "x must be a float64 NumPy array to be checked, got",
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
