import math
import sys

import numpy as np
import pytest

from drlim_np.audit import catalogue
from drlim_np.audit.gradcheck import (
    CENTRAL_BOUND,
    COMPLEX_BOUND,
    Row,
    central_difference,
    check,
    check_layer,
    complex_step,
)
from drlim_np.errors import InputError
from drlim_np.layers import Gradient, Linear


def rng():
    return np.random.default_rng(0)


def cube(arguments):
    return (arguments["x"] ** 3).sum()


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


def test_each_tensor_is_judged_by_its_own_gradient():
    arguments = {"large": np.array([3.0]), "small": np.array([0.5])}
    wrong = {"large": np.array([27.0]), "small": np.array([0.75075])}
    rows = check(lambda a: (a["large"] ** 3).sum() + (a["small"] ** 3).sum(), arguments, wrong, rng())
    assert rows[0].holds and rows[1].complex_error == pytest.approx(1e-3, rel=1e-2)


def test_a_gradient_below_a_hundredth_of_the_whole_is_measured_against_that_hundredth():
    arguments = {"large": np.array([10.0]), "small": np.array([0.1])}
    wrong = {"large": np.array([300.0]), "small": np.array([0.06])}
    rows = check(lambda a: (a["large"] ** 3).sum() + (a["small"] ** 3).sum(), arguments, wrong, rng())
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
    for claimed in ({"x": np.zeros(2), "y": np.array([12.0])}, {"x": np.zeros(2), "y": np.zeros(1)}):
        arguments = {"x": np.array([1.0, 2.0]), "y": np.array([2.0])}
        rows = check(lambda a: (a["x"] ** 3).sum() + (a["y"] ** 3).sum(), arguments, claimed, rng())
        assert not rows[0].holds


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


def test_float32_and_mismatched_trees_are_refused():
    x = np.ones(2)
    with pytest.raises(InputError, match=r"^x must be a float64 NumPy array to be checked, got float32$"):
        check(cube, {"x": x.astype(np.float32)}, {"x": x}, rng())
    with pytest.raises(InputError, match="differ in name or shape"):
        check(cube, {"x": x}, {"y": x}, rng())
    with pytest.raises(InputError, match="differ in name or shape"):
        check(cube, {"x": x}, {"x": np.ones(3)}, rng())


def test_the_command_prints_every_finding_and_its_status_tells_of_surprises(capsys, monkeypatch):
    right = catalogue.Finding("a layer", Row("weight", 2, 1e-16, 1e-10))
    caught = catalogue.Finding("wrong: a sign", Row("weight", 2, 1.0, 1.0), wrong_on_purpose=True)
    missed = catalogue.Finding("wrong: a factor", Row("weight", 2, 1e-16, 1e-10), wrong_on_purpose=True)
    fails = catalogue.Finding("a loss", Row("z", 2, 1e-3, 1e-3))
    for found, status in [([right, caught], 0), ([right, missed], 1), ([fails, caught], 1)]:
        monkeypatch.setattr(catalogue, "findings", lambda seed, backend, found=found: iter(found))
        assert catalogue.main(["--seed", "3"]) == status
        printed = capsys.readouterr().out
        assert all(finding.subject in printed for finding in found)
        assert ("FAILS" in printed) == (status == 1)


def test_the_command_says_in_one_line_what_keeps_it_from_a_gpu(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert catalogue.main(["--backend", "cupy"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and "CuPy, which is not installed" in printed.err


def test_the_command_says_in_one_line_that_a_second_opinion_needs_pytorch(capsys, monkeypatch):
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None)
    assert catalogue.main(["--autograd"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and "pip install torch" in printed.err
