"""Arrays bring their module: NumPy, and a module that holds strictly to the array API standard."""

import array_api_strict
import numpy as np
import pytest

from drlim_np.backend import HOST, kind, like, namespace, real, to_host, zeros
from drlim_np.checks.arrays import require_floating
from drlim_np.errors import InputError

MODULES = [np, array_api_strict]


@pytest.mark.parametrize("xp", MODULES)
def test_an_array_names_its_module(xp):
    assert namespace(xp.asarray([1.0])) is (HOST if xp is np else xp)


@pytest.mark.parametrize(
    "call",
    [
        lambda xp, x: xp.reshape(x, (4, -1)),
        lambda xp, x: xp.permute_dims(x, (2, 0, 1)),
        lambda xp, x: xp.repeat(x, 3),
        lambda xp, x: xp.repeat(x, 3, axis=1),
        lambda xp, x: xp.sum(x),
        lambda xp, x: xp.sum(x, axis=0),
        lambda xp, x: xp.sum(x, axis=1),
    ],
)
def test_the_methods_of_an_array_give_what_the_functions_of_numpy_do_to_the_last_bit(call):
    x = np.random.default_rng(0).standard_normal((2, 3, 1000), np.float32)
    ours, numpys = call(HOST, x), call(np, x)
    assert type(ours) is type(numpys) and ours.dtype == numpys.dtype
    assert np.array_equal(ours, numpys)
    assert np.shares_memory(ours, x) == np.shares_memory(numpys, x)


def test_the_rest_is_numpy_itself():
    others = {name for name, value in vars(HOST).items() if vars(np).get(name) is not value}
    assert others == {"permute_dims", "repeat", "reshape", "sum"}


@pytest.mark.parametrize("x", [[1.0], 1.0, None, "array"])
def test_what_is_no_array_is_refused_in_one_line_that_names_its_type(x):
    with pytest.raises(InputError, match=f"got {type(x).__name__}") as error:
        namespace(x)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("xp", MODULES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int64", "bool"])
def test_an_array_comes_back_from_the_device_as_it_left_the_host(xp, dtype):
    host = np.array([[0, 1], [2, 3]]).astype(dtype)
    there = like(host, xp.asarray([0.5]))
    back = to_host(there)
    assert type(there) is type(xp.asarray([0.5]))
    assert type(back) is np.ndarray
    assert back.dtype == host.dtype
    assert back.tolist() == host.tolist()


def test_a_device_that_refuses_implicit_conversion_is_crossed_by_get():
    class OnDevice:
        def __array__(self, dtype=None, copy=None):
            raise TypeError("implicit conversion")

        def get(self):
            return np.array([1.0, 2.0])

    assert to_host(OnDevice()).tolist() == [1, 2]


def test_an_array_is_put_on_the_device_of_its_model():
    device = array_api_strict.Device("device1")
    model = array_api_strict.asarray([1.0], device=device)
    assert like(np.array([2.0]), model).device == device
    assert zeros((2,), model).device == device


@pytest.mark.parametrize("xp", MODULES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_new_arrays_have_the_dtype_of_their_model(xp, dtype):
    model = xp.asarray([1.0], dtype=getattr(xp, dtype))
    new = zeros((2, 3), model)
    assert to_host(new).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert new.dtype == model.dtype


@pytest.mark.parametrize("xp", MODULES)
def test_the_real_part_of_real_numbers_is_themselves_and_of_complex_ones_real(xp):
    x = xp.asarray([1.0, -2.0])
    assert real(x) is x
    z = real(xp.asarray([3 + 4j, -5 - 6j]))
    assert z.dtype == xp.float64
    assert to_host(z).tolist() == [3, -5]


# ---- precision ----


@pytest.mark.parametrize("xp", MODULES)
@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_integers_are_refused_in_one_line_that_names_them(xp, dtype):
    with pytest.raises(InputError, match=f"pixels has dtype .*{dtype}: convert it to a floating dtype") as error:
        require_floating(weight=xp.asarray([1.0]), pixels=xp.asarray([1], dtype=getattr(xp, dtype)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("xp", MODULES)
def test_two_precisions_are_refused_in_one_line_that_names_both(xp):
    with pytest.raises(InputError, match=r"mismatched dtypes \(x .*float32, w .*float64\)") as error:
        require_floating(x=xp.asarray([1.0], dtype=xp.float32), w=xp.asarray([1.0], dtype=xp.float64))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("xp", MODULES)
def test_complex128_has_the_precision_of_float64_and_not_of_float32(xp):
    perturbed = xp.asarray([1j], dtype=xp.complex128)
    require_floating(x=perturbed, w=xp.asarray([1.0], dtype=xp.float64))
    with pytest.raises(InputError, match="mismatched"):
        require_floating(x=perturbed, w=xp.asarray([1.0], dtype=xp.float32))


def test_a_kind_has_the_bits_of_a_real_number_and_none_for_whole_numbers():
    kinds = {dtype: kind(np.zeros(1, dtype)) for dtype in ("f4", "f8", "c8", "c16", "i8", "u1", "?")}
    assert [found.bits for found in kinds.values()] == [32, 64, 32, 64, 0, 0, 0]
    assert [found.complex for found in kinds.values()] == [False, False, True, True, False, False, False]
    assert kinds["f4"].least_root ** 2 == np.finfo("f4").smallest_normal and kinds["i8"].least_root == 0
