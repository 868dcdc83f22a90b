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


DTYPES = [np.uint8, np.int8, np.uint16, np.int64, np.uint64, np.float16, np.float32, np.float64, bool]
REAL = [1e-300, 0.5, 3, np.float32(0.5), np.int8(3), Fraction(1, 2)]
LARGEST = 2**53 - 1
PASSED = [
    *((partial(whole_number, "k", v, 3, 3), 3) for v in (3, np.uint8(3), np.int64(3), np.uint64(3))),
    (partial(whole_number, "steps", 10**30, 1), 10**30),
    *((partial(check, "rate", v), float(v)) for v in REAL for check in (real_number, positive_number)),
    (partial(real_number, "progress", NAN), NAN),
    *((partial(real_array, "x", np.array([0, 1], d), "samples"), np.array([0.0, 1.0])) for d in DTYPES),
    (partial(real_array, "x", np.zeros((0, 2), int), "samples", "features"), np.zeros((0, 2))),
    (partial(real_array, "x", [LARGEST, -LARGEST], "samples"), np.array([LARGEST, -LARGEST], float)),
    (lambda: real_array("x", np.asmatrix([[1.0, 2.0]]), "samples", "features"), np.array([[1.0, 2.0]])),
    *((partial(whole_numbers, "a", np.array([0, 17], d), "views"), np.array([0, 17], np.int64)) for d in DTYPES[:5]),
    (partial(whole_numbers, "a", np.array([2**63 - 1], np.uint64), "views"), np.array([2**63 - 1])),
    (partial(plain_array, "labels", ["a", "b"], "samples"), np.array(["a", "b"])),
    (partial(plain_array, "labels", np.ma.masked_array([1, 2]), "samples"), np.array([1, 2])),
    (partial(same_length, z=np.ones((3, 2)), labels=[0, 1, 2]), None),
    (partial(finite, "z", np.zeros((4, 2))), None),
    (partial(require_generator, np.random.default_rng(0)), None),
]


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(("call", "expected"), PASSED)
def test_what_passes_comes_out_exact(call, expected):
    found = call()
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected, strict=True)


def test_an_array_that_passes_is_a_copy():
    x = np.zeros(2)
    real_array("x", x, "samples")[0] = 7
    assert x[0] == 0


@pytest.mark.skipif(np.finfo(np.longdouble).nmant == 52, reason="long double is float64 here")
def test_a_long_double_passes_where_float64_holds_its_value_and_is_refused_where_not():
    x = np.array([0.1, 2], np.longdouble)
    assert real_array("x", x.astype(np.float64).astype(np.longdouble), "samples").tolist() == [0.1, 2]
    for beyond in (np.longdouble(1) / 3, np.longdouble("1e4000")):
        refuses(partial(real_array, "x", np.array([beyond]), "samples"), BEYOND)


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
        (["a", "b"], f"x has dtype {np.array('a').dtype}: it must hold real numbers"),
        ([None, 1], "x has dtype object: it must hold real numbers"),
        (np.array([0, 1], "m8[s]"), "x has dtype timedelta64[s]: it must hold real numbers"),
        ([1.0, NAN, INF], "sample 1 of x holds NaN, infinite or missing values: remove it"),
        ([1.0, -INF], "sample 1 of x holds NaN, infinite or missing values: remove it"),
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
