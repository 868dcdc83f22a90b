"""The checks of numbers: what they let through comes out exact, the rest is refused in one line."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from drlim_np.checks.numbers import (
    finite,
    plain_array,
    positive_number,
    real_array,
    real_number,
    require_generator,
    same_length,
    whole_number,
    whole_numbers,
)
from tests.help.refusals import refuses

BEYOND = "holds numbers that float64 does not: round or scale them first"
MASKED = np.ma.masked_array([1.0, 2.0], [False, True])
INF, NAN = float("inf"), float("nan")


# ---- what is let through ----


@pytest.mark.parametrize("value", [3, np.uint8(3), np.int64(3), np.uint64(3)])
def test_a_whole_number_of_numpy_is_one_and_comes_out_as_an_int(value):
    assert type(whole_number("k", value, 1)) is int
    assert whole_number("k", value, 3, 3) == 3
    assert whole_number("steps", 10**30, 1) == 10**30


@pytest.mark.parametrize("value", [1e-300, 0.5, 3, np.float32(0.5), np.int8(3), Fraction(1, 2)])
def test_a_real_or_positive_number_comes_out_as_pythons_own(value):
    for check in (real_number, positive_number):
        assert type(check("rate", value)) is float and check("rate", value) == value
    assert np.isnan(real_number("progress", NAN))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int64, np.uint64, np.float16, np.float32, bool])
def test_real_numbers_of_any_dtype_come_out_as_they_are_in_float64(dtype):
    x = np.array([[0, 1], [1, 0]], dtype)
    found = real_array("x", x, "samples", "features")
    assert found.dtype == np.float64 and found.tolist() == [[0, 1], [1, 0]]
    found[0, 0] = 7
    assert x[0, 0] == 0


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_of_numpy_is_the_array_that_it_shows():
    found = real_array("x", np.asmatrix([[1.0, 2.0]]), "samples", "features")
    assert type(found) is np.ndarray and found.tolist() == [[1, 2]]


@pytest.mark.skipif(np.finfo(np.longdouble).nmant == 52, reason="long double is float64 here")
def test_a_long_double_passes_where_float64_holds_its_value_and_is_refused_where_not():
    x = np.array([0.1, 2], np.longdouble)
    assert real_array("x", x.astype(np.float64).astype(np.longdouble), "samples").tolist() == [0.1, 2]
    for beyond in (np.longdouble(1) / 3, np.longdouble("1e4000")):
        refuses(partial(real_array, "x", np.array([beyond]), "samples"), BEYOND)


def test_the_largest_whole_numbers_that_pass_are_exact():
    largest = 2**53 - 1
    assert real_array("x", [largest, -largest], "samples").tolist() == [largest, -largest]
    assert whole_numbers("pairs", np.array([2**63 - 1], np.uint64), "pairs").tolist() == [2**63 - 1]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64, np.int64])
def test_whole_numbers_come_out_as_int64_so_that_their_differences_do_not_wrap(dtype):
    found = whole_numbers("azimuth", np.array([0, 17], dtype), "views")
    assert found.dtype == np.int64 and (found[0] - found[1]) == -17


def test_labels_of_any_kind_equal_lengths_finite_numbers_and_generators_are_let_through():
    assert plain_array("labels", ["a", "b"], "samples").tolist() == ["a", "b"]
    assert plain_array("labels", np.ma.masked_array([1, 2]), "samples").tolist() == [1, 2]
    same_length(z=np.ones((3, 2)), labels=[0, 1, 2])
    finite("z", np.zeros((4, 2)))
    require_generator(np.random.default_rng(0))


# ---- what is refused ----

NO_NUMBERS = ["3", None, True, 1j, [1.0], np.array(1.0)]
HOLES = np.array([[0, 0], [0, 0], [0, NAN], [NAN, 0]])
REFUSED = [
    *((partial(whole_number, "k", v, 3, 5), f"k is {v!r}: it must be a whole number from 3 to 5")
      for v in (2, 6, -3, 3.0, "3", None, True, np.float64(3), np.bool_(True), [3])),
    *((partial(whole_number, "k", v, 0), "it must be a whole number of at least 0") for v in (True, False, np.True_)),
    (partial(whole_number, "steps", 0, 1), "steps is 0: it must be a whole number of at least 1"),
    *((partial(real_number, "progress", v), f"progress is {v!r}: it must be a number") for v in NO_NUMBERS),
    *((partial(positive_number, "rate", v), f"rate is {v!r}: it must be a finite number greater than 0")
      for v in [*NO_NUMBERS, 0, -1, NAN, INF]),
    *((partial(whole_numbers, "a", x, "views"), f"{np.asarray(x).dtype}: it must hold whole numbers that fit int64")
      for x in ([1.0], [True], np.array([2**63], np.uint64), ["1"])),
    *((partial(real_array, "x", x, "samples"), message) for x, message in (
        ([[1.0, 2.0]], "x has shape (1, 2): it must be (samples,)"),
        (1.0, "x has shape (): it must be (samples,)"),
        ([1j, 2], "x has dtype complex128: it must hold real numbers"),
        (["a", "b"], "x has dtype <U1: it must hold real numbers"),
        ([None, 1], "x has dtype object: it must hold real numbers"),
        (np.array([0, 1], "m8[s]"), "x has dtype timedelta64[s]: it must hold real numbers"),
        ([1.0, NAN, INF], "sample 1 of x holds NaN or infinite values: remove it"),
        ([1.0, -INF], "sample 1 of x holds NaN or infinite values: remove it"),
        ([1, 2**53], f"x is int64 and {BEYOND}"),
        ([1, -(2**63)], f"x is int64 and {BEYOND}"),
        (np.array([2**64 - 1], np.uint64), f"x is uint64 and {BEYOND}"),
        (MASKED, "x has masked entries: leave them out, or fill them in"),
    )),
    (partial(plain_array, "x", np.ones(2), "samples", "features"), "x has shape (2,): it must be (samples, features)"),
    (partial(plain_array, "z", np.ones((4, 2)), "samples", "3"), "z has shape (4, 2): it must be (samples, 3)"),
    (partial(plain_array, "labels", MASKED, "samples"), "labels has masked entries"),
    (partial(finite, "z", HOLES), "sample 2 of z holds NaN"),
    (partial(same_length, z=np.ones((3, 2)), labels=[0, 1]), "the numbers of samples differ (z 3, labels 2)"),
    *((partial(require_generator, v), f"rng is {v!r}: give a generator") for v in (0, None, np.random.RandomState(0))),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_is_no_such_number_is_refused(call, message):
    refuses(call, message)
