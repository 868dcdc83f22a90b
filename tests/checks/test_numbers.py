"""The checks at the doors: what they let through comes out exact, the rest is named in one line."""

from fractions import Fraction

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
from drlim_np.errors import InputError

BEYOND = "holds numbers that float64 does not: round or scale them first"
MASKED = np.ma.masked_array([1.0, 2.0], [False, True])


def refused(check, *arguments, **named):
    with pytest.raises(InputError) as caught:
        check(*arguments, **named)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize("value", [3, np.uint8(3), np.int64(3), np.uint64(3)])
def test_a_whole_number_of_numpy_is_one_and_comes_out_as_an_int(value):
    assert type(whole_number("k", value, 1)) is int
    assert whole_number("k", value, 3, 3) == 3


@pytest.mark.parametrize("value", [2, 6, -3, 3.0, "3", None, True, np.float64(3), np.bool_(True), [3]])
def test_what_is_no_whole_number_within_its_bounds_is_refused_with_them(value):
    assert refused(whole_number, "k", value, 3, 5) == f"k is {value!r}: it must be a whole number from 3 to 5"


def test_a_truth_is_no_whole_number():
    for value in (True, False, np.True_):
        assert "must be a whole number of at least 0" in refused(whole_number, "k", value, 0)


def test_a_whole_number_may_have_no_upper_bound():
    assert whole_number("steps", 10**30, 1) == 10**30
    assert refused(whole_number, "steps", 0, 1) == "steps is 0: it must be a whole number of at least 1"


@pytest.mark.parametrize("value", [0.5, 3, np.float32(0.5), np.int8(3), float("nan"), Fraction(1, 2)])
def test_a_real_number_comes_out_as_pythons_own(value):
    found = real_number("progress", value)
    assert type(found) is float and (found == value or value != value)


@pytest.mark.parametrize("value", ["3", None, True, 1j, [1.0], np.array(1.0)])
def test_what_is_no_real_number_is_refused(value):
    assert refused(real_number, "progress", value) == f"progress is {value!r}: it must be a number"


@pytest.mark.parametrize("value", [1e-300, 3, np.float32(0.5), np.int8(3), Fraction(1, 2)])
def test_a_positive_number_comes_out_as_pythons_own(value):
    assert type(positive_number("rate", value)) is float and positive_number("rate", value) == value


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "3", None, True, 1j, [1.0], np.array(1.0)])
def test_what_is_not_positive_and_finite_is_refused(value):
    expected = f"rate is {value!r}: it must be a finite number greater than 0"
    assert refused(positive_number, "rate", value) == expected


def test_whole_numbers_may_be_as_large_as_int64_holds():
    largest = np.array([2**63 - 1], np.uint64)
    assert whole_numbers("pairs", largest, "pairs").tolist() == [2**63 - 1]
    assert "that fit int64" in refused(whole_numbers, "pairs", largest + np.uint64(1), "pairs")


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


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1.0, 2.0]], "x has shape (1, 2): it must be (samples,)"),
        (1.0, "x has shape (): it must be (samples,)"),
        ([1j, 2], "x has dtype complex128: it must hold real numbers"),
        (["a", "b"], "x has dtype <U1: it must hold real numbers"),
        ([None, 1], "x has dtype object: it must hold real numbers"),
        (np.array([0, 1], "m8[s]"), "x has dtype timedelta64[s]: it must hold real numbers"),
        ([1.0, np.nan, np.inf], "sample 1 of x holds NaN or infinite values: remove it"),
        ([1.0, -np.inf], "sample 1 of x holds NaN or infinite values: remove it"),
        ([1, 2**53], f"x is int64 and {BEYOND}"),
        ([1, -(2**63)], f"x is int64 and {BEYOND}"),
        (
            np.array([2**64 - 1], np.uint64),
            f"x is uint64 and {BEYOND}",
        ),
        (MASKED, "x has masked entries: leave them out, or fill them in"),
    ],
)
def test_what_float64_cannot_hold_as_it_is_is_refused(x, message):
    assert refused(real_array, "x", x, "samples") == message


@pytest.mark.skipif(np.finfo(np.longdouble).nmant == 52, reason="long double is float64 here")
def test_a_long_double_passes_where_float64_holds_its_value_and_is_refused_where_not():
    x = np.array([0.1, 2], np.longdouble)
    assert real_array("x", x.astype(np.float64).astype(np.longdouble), "samples").tolist() == [0.1, 2]
    for beyond in (np.longdouble(1) / 3, np.longdouble("1e4000")):
        assert "holds numbers that float64 does not" in refused(real_array, "x", np.array([beyond]), "samples")


def test_the_largest_whole_numbers_that_pass_are_exact():
    largest = 2**53 - 1
    assert real_array("x", [largest, -largest], "samples").tolist() == [largest, -largest]


def test_a_shape_is_named_by_its_axes():
    message = refused(plain_array, "x", np.ones(2), "samples", "features")
    assert message == "x has shape (2,): it must be (samples, features)"
    assert "masked entries" in refused(plain_array, "labels", MASKED, "samples")
    assert plain_array("labels", ["a", "b"], "samples").tolist() == ["a", "b"]
    assert plain_array("labels", np.ma.masked_array([1, 2]), "samples").tolist() == [1, 2]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64, np.int64])
def test_whole_numbers_come_out_as_int64_so_that_their_differences_do_not_wrap(dtype):
    found = whole_numbers("azimuth", np.array([0, 17], dtype), "views")
    assert found.dtype == np.int64 and (found[0] - found[1]) == -17


@pytest.mark.parametrize("x", [[1.0], [True], np.array([2**63], np.uint64), ["1"]])
def test_what_are_no_whole_numbers_of_int64_are_refused(x):
    named = np.asarray(x).dtype
    assert refused(whole_numbers, "a", x, "views") == f"a is {named}: it must hold whole numbers that fit int64"


def test_the_first_sample_that_is_not_finite_is_named():
    x = np.zeros((4, 2))
    finite("z", x)
    x[2, 1] = x[3, 0] = np.nan
    assert refused(finite, "z", x).startswith("sample 2 of z holds NaN")


def test_lengths_that_differ_are_listed():
    same_length(z=np.ones((3, 2)), labels=[0, 1, 2])
    message = refused(same_length, z=np.ones((3, 2)), labels=[0, 1])
    assert message.startswith("the numbers of samples differ (z 3, labels 2)")


def test_a_seed_is_no_generator():
    require_generator(np.random.default_rng(0))
    for rng in (0, None, np.random.RandomState(0)):
        assert refused(require_generator, rng).startswith("rng is ")
