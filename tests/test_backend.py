"""Arrays bring their module: NumPy, and a module that holds strictly to the array API standard."""

import array_api_strict
import numpy as np
import pytest

from drlim_np.backend import kind, like, namespace, real, to_host, zeros
from drlim_np.checks.arrays import require_floating
from tests.help.refusals import refuses

modules = pytest.mark.parametrize("xp", [np, array_api_strict])


@modules
def test_an_array_names_its_module(xp):
    assert namespace(xp.asarray([1.0])) is xp


@pytest.mark.parametrize("x", [[1.0], 1.0, None, "array"])
def test_what_is_no_array_is_refused_in_one_line_that_names_its_type(x):
    refuses(lambda: namespace(x), f"expected an array, got {type(x).__name__}: convert it first")


@modules
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int64", "bool"])
def test_an_array_comes_back_from_the_device_as_it_left_the_host(xp, dtype):
    host = np.array([[0, 1], [2, 3]]).astype(dtype)
    there = like(host, xp.asarray([0.5]))
    back = to_host(there)
    assert type(there) is type(xp.asarray([0.5])) and type(back) is np.ndarray
    assert back.dtype == host.dtype and back.tolist() == host.tolist()


@modules
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_new_arrays_have_the_dtype_of_their_model(xp, dtype):
    model = xp.asarray([1.0], dtype=getattr(xp, dtype))
    new = zeros((2, 3), model)
    assert to_host(new).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert new.dtype == model.dtype


@modules
def test_the_real_part_of_real_numbers_is_themselves_and_of_complex_ones_real(xp):
    x = xp.asarray([1.0, -2.0])
    assert real(x) is x
    z = real(xp.asarray([3 + 4j, -5 - 6j]))
    assert z.dtype == xp.float64
    assert to_host(z).tolist() == [3, -5]


# ---- precision ----


@modules
def test_integers_and_mixed_precisions_are_refused_and_complex128_counts_as_float64(xp):
    names = "float32", "float64", "complex128", "int64", "uint8", "bool"
    f4, f8, c16, i8, u1, truths = (xp.asarray([1], dtype=getattr(xp, name)) for name in names)
    require_floating(x=c16, w=f8)
    for whole in (i8, u1, truths):
        refuses(lambda whole=whole: require_floating(weight=f8, pixels=whole), f"pixels has dtype {whole.dtype}")
    mixed = f"mismatched dtypes (x {f4.dtype}, w {f8.dtype}): convert them to one dtype"
    refuses(lambda: require_floating(x=f4, w=f8), mixed)
    refuses(lambda: require_floating(x=c16, w=f4), "mismatched dtypes")


def test_a_kind_has_the_bits_of_a_real_number_and_none_for_whole_numbers():
    kinds = {dtype: kind(np.zeros(1, dtype)) for dtype in ("f4", "f8", "c8", "c16", "i8", "u1", "?")}
    assert [found.bits for found in kinds.values()] == [32, 64, 32, 64, 0, 0, 0]
    assert [found.complex for found in kinds.values()] == [False, False, True, True, False, False, False]
    assert kinds["f4"].least_root ** 2 == np.finfo("f4").smallest_normal and kinds["i8"].least_root == 0
