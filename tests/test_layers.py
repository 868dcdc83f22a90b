"""Every layer against its definition written as loops, and the two networks against the paper's figures."""

from copy import deepcopy
from itertools import product

import numpy as np
import pytest

from drlim_np.audit.exact import convolution, convolution_pullback
from drlim_np.fast.blocks import Blockwise
from drlim_np.layers import Conv2d, Flatten, Linear, Positions, Sequential, Subsample, Tanh
from drlim_np.networks import convnet, two_layer
from drlim_np.tree import leaves, tree_map
from tests.help.comparing import assert_close, assert_same, bits
from tests.help.every_layer import EVERY_LAYER, drawn
from tests.help.refusals import refuses


@pytest.fixture(params=EVERY_LAYER)
def called(request, rng):
    """A layer, its parameters and an input."""
    layer, shape = EVERY_LAYER[request.param]
    return layer, drawn(layer, rng), rng.standard_normal(shape)


# ---- definitions as loops ----


def test_the_textbook_convolution_is_a_sum_over_the_patch_and_does_not_flip_the_kernel():
    x = np.array([[[[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]]])
    weight, bias = np.array([[[[1.0, 10], [100, 1000]]]]), np.array([0.5])
    assert convolution(weight, bias, x).tolist() == [[[[5421.5, 6532.5], [8754.5, 9865.5]]]]
    dweight, dbias, dx = convolution_pullback(weight, x, np.array([[[[0.0, 1], [0, 0]]]]))
    assert dweight.tolist() == [[[[2, 3], [5, 6]]]]
    assert dbias.tolist() == [1]
    assert dx.tolist() == [[[[0, 1, 10], [0, 100, 1000], [0, 0, 0]]]]


@pytest.mark.line("sec-3-4-network")
@pytest.mark.parametrize(("samples", "inputs", "outputs"), [(1, 1, 1), (3, 4, 2), (2, 1, 5)])
def test_linear_is_a_weighted_sum_of_the_inputs_plus_a_bias(samples, inputs, outputs, rng):
    layer = Linear(inputs, outputs)
    params, x = drawn(layer, rng), rng.standard_normal((samples, inputs))
    expected = np.empty((samples, outputs))
    for n, o in product(range(samples), range(outputs)):
        expected[n, o] = params["bias"][o] + sum(params["weight"][o, i] * x[n, i] for i in range(inputs))
    assert_close(layer(params, x)[0], expected)


@pytest.mark.line("fig-3-convolution")
@pytest.mark.parametrize(
    ("samples", "channels", "maps", "kernel", "height", "width"),
    [(1, 1, 1, 1, 1, 1), (2, 3, 2, 2, 4, 3), (3, 1, 2, 3, 3, 5), (2, 2, 3, 3, 5, 3), (1, 2, 4, 1, 2, 3)]
    + [(2, 2, 3, 2, height, 4) for height in range(3, 9)]  # as many positions as the kernel has rows, fewer and more
    + [(2, 2, 3, 3, height, 4) for height in range(3, 12)],
)
def test_conv2d_is_the_textbook_convolution(samples, channels, maps, kernel, height, width, rng):
    layer = Conv2d(channels, maps, kernel)
    params, x = drawn(layer, rng), rng.standard_normal((samples, channels, height, width))
    y, pullback = layer(params, x)
    assert_close(y, convolution(params["weight"], params["bias"], x))
    dy = rng.standard_normal(y.shape)
    gradient = pullback(dy, wrt_input=True)
    dweight, dbias, dx = convolution_pullback(params["weight"], x, dy)
    assert_close(gradient._asdict(), {"params": {"weight": dweight, "bias": dbias}, "input": dx})


@pytest.mark.line("fig-3-subsampling")
@pytest.mark.parametrize(
    ("samples", "maps", "window", "height", "width"),
    [(1, 1, 1, 1, 1), (2, 3, 2, 4, 2), (3, 2, 3, 3, 9), (2, 2, 1, 3, 2)],
)
def test_subsample_is_the_mean_over_each_window_times_a_coefficient_plus_a_bias(
    samples, maps, window, height, width, rng
):
    layer = Subsample(maps, window)
    params, x = drawn(layer, rng), rng.standard_normal((samples, maps, height, width))
    expected = np.empty((samples, maps, height // window, width // window))
    for n, c, i, j in np.ndindex(expected.shape):
        seen = [x[n, c, i * window + u, j * window + v] for u, v in product(range(window), range(window))]
        expected[n, c, i, j] = params["coefficient"][c] * (sum(seen) / window**2) + params["bias"][c]
    assert_close(layer(params, x)[0], expected)


def test_tanh_is_the_hyperbolic_tangent_and_its_slope_one_over_cosh_squared(rng):
    x, dy = rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
    y, pullback = Tanh()({}, x)
    assert_close(y, np.sinh(x) / np.cosh(x))
    assert_close(pullback(dy, wrt_input=True).input, dy / np.cosh(x) ** 2)
    assert pullback(dy).params == {}


def test_flatten_orders_the_features_by_map_then_row_then_column_and_positions_are_rows_with_a_number_for_each_map():
    x = np.arange(2 * 3 * 4 * 5, dtype=float).reshape(2, 3, 4, 5)
    (flat, unflatten), (rows, back) = Flatten()({}, x), Positions()({}, x)
    assert flat.shape == (2, 60) and rows.shape == (40, 3)
    for n, c, i, j in np.ndindex(x.shape):
        assert flat[n, c * 20 + i * 5 + j] == rows[n * 20 + i * 5 + j, c] == x[n, c, i, j]
    for y, pullback in ((flat, unflatten), (rows, back)):
        assert np.array_equal(pullback(y, wrt_input=True).input, x)
        assert pullback(y).params == {} and pullback(y).input is None


# ---- pullbacks ----


def test_gradients_have_the_structure_of_the_parameters_and_that_of_the_input_comes_only_when_asked_for(called, rng):
    layer, params, x = called
    y, pullback = layer(params, x)
    dy = rng.standard_normal(y.shape)
    alone, both = pullback(dy), pullback(dy, wrt_input=True)
    assert alone.input is None and both.input.shape == x.shape
    assert_same(alone.params, both.params)
    given = {name: (p.shape, p.dtype) for name, p in leaves(params)}
    assert {name: (p.shape, p.dtype) for name, p in leaves(alone.params)} == given


def test_the_first_layer_of_a_sequence_is_spared_the_input_gradient(rng):
    asked = []

    class Probe(Tanh):
        def __call__(self, params, x):
            y, pullback = super().__call__(params, x)
            return y, lambda dy, wrt_input=False: asked.append(wrt_input) or pullback(dy, wrt_input=wrt_input)

    network = Sequential(first=Probe(), second=Probe())
    _, pullback = network({"first": {}, "second": {}}, rng.standard_normal((2, 3)))
    pullback(np.ones((2, 3)))
    assert asked == [True, False]


def test_the_pullbacks_of_a_shared_layer_stay_apart_and_give_the_same_when_called_again(called, rng):
    layer, params, x = called
    inputs = x, rng.standard_normal(x.shape)
    (y, first), (_, second) = (layer(params, x) for x in inputs)
    dy = rng.standard_normal(y.shape)
    for x, pullback in zip(inputs, (first, second), strict=True):
        alone = layer(params, x)[1](dy, wrt_input=True)
        assert_same(alone, pullback(dy, wrt_input=True))
        pullback(rng.standard_normal(y.shape), wrt_input=True)
        assert_same(alone, pullback(dy, wrt_input=True))


def test_a_layer_equals_its_like():
    alike = Linear(5, 3), Conv2d(2, 3, 3), Subsample(2, 3), Tanh(), Flatten(), Blockwise(Tanh(), 2)
    for layer, other in zip(alike, deepcopy(alike), strict=True):
        assert layer == other and hash(layer) == hash(other)


def test_memory_order_of_the_input_does_not_matter(called, rng):
    layer, params, x = called
    y, pullback = layer(params, x)
    dy = rng.standard_normal(y.shape)
    same_y, same_pullback = layer(params, np.asfortranarray(x))
    assert_close(same_y, y)
    assert_close(same_pullback(dy.copy("F"), wrt_input=True)._asdict(), pullback(dy, wrt_input=True)._asdict())


# ---- layers in sequence ----


def test_sequential_is_the_composition_of_its_layers_and_its_pullback_the_reverse(rng):
    conv, squash, flatten, linear = Conv2d(1, 2, 2), Tanh(), Flatten(), Linear(12, 3)
    network = Sequential(conv=conv, squash=squash, flatten=flatten, linear=linear)
    params, x, dy = drawn(network, rng), rng.standard_normal((2, 1, 4, 3)), rng.standard_normal((2, 3))
    y1, back1 = conv(params["conv"], x)
    y2, back2 = squash({}, y1)
    y3, back3 = flatten({}, y2)
    y4, back4 = linear(params["linear"], y3)
    d3 = back4(dy, wrt_input=True)
    d2 = back3(d3.input, wrt_input=True)
    d1 = back2(d2.input, wrt_input=True)
    d0 = back1(d1.input, wrt_input=True)
    y, pullback = network(params, x)
    gradient = pullback(dy, wrt_input=True)
    assert np.array_equal(y, y4)
    assert list(gradient.params) == ["conv", "squash", "flatten", "linear"]
    assert_same(gradient.params, {"conv": d0.params, "squash": {}, "flatten": {}, "linear": d3.params})
    assert np.array_equal(gradient.input, d0.input)
    refuses(Sequential, "a Sequential needs at least one layer")


# ---- initial parameters ----


@pytest.mark.parametrize(
    ("layer", "fan_in"), [(Linear(50, 4000), 50), (Linear(400, 500), 400), (Conv2d(4, 2000, 5), 100)]
)
def test_initial_weights_are_normal_with_variance_one_over_fan_in(layer, fan_in):
    weight = layer.init(np.random.default_rng(0), np.float64)["weight"] * np.sqrt(fan_in)
    # 2e5 entries: five standard errors of their mean, their variance, and the share within one standard deviation.
    assert weight.size == 200_000
    assert abs(weight.mean()) < 5 / np.sqrt(weight.size)
    assert abs(weight.var() - 1) < 5 * np.sqrt(2 / weight.size)
    assert abs(np.mean(np.abs(weight) < 1) - 0.682689) < 5 * np.sqrt(0.682689 * 0.317311 / weight.size)


@pytest.mark.parametrize(
    ("layer", "shapes"),
    [
        (Linear(5, 3), {"weight": (3, 5), "bias": (3,)}),
        (Conv2d(2, 3, 4), {"weight": (3, 2, 4, 4), "bias": (3,)}),
        (Subsample(6, 2), {"coefficient": (6,), "bias": (6,)}),
    ],
)
def test_initial_shapes_biases_and_coefficients(layer, shapes):
    params = layer.init(np.random.default_rng(0))
    assert {name: p.shape for name, p in params.items()} == shapes
    assert not params["bias"].any() and (params.get("coefficient", np.ones(1)) == 1).all()


@pytest.mark.parametrize("network", [convnet(), two_layer(12, 5, 3)])
def test_initial_parameters_depend_on_the_generator_alone_and_are_rounded_to_the_dtype(network):
    np.random.seed(0)  # noqa: NPY002 - the global state is what must have no say
    first = network.init(np.random.default_rng(5), np.float64)
    np.random.seed(1)  # noqa: NPY002
    assert_same(first, network.init(np.random.default_rng(5), np.float64))
    by_default, float32 = network.init(np.random.default_rng(5)), tree_map(lambda p: p.astype(np.float32), first)
    assert bits(by_default) == bits(network.init(np.random.default_rng(5), np.float32)) == bits(float32)
    other = dict(leaves(network.init(np.random.default_rng(6), np.float64)))
    assert all((first_p != other[name]).all() for name, first_p in leaves(first) if name.endswith("weight"))


# ---- the networks of the paper ----


@pytest.mark.parametrize(
    ("network", "by_hand"),
    [
        (convnet(), (15 * 36 + 15) + (15 + 15) + (30 * 15 * 81 + 30) + (2 * 30 + 2)),
        (convnet(outputs=3), 37127 + 31),
        (two_layer(), (9216 * 20 + 20) + (20 * 3 + 3)),
    ],
)
def test_number_of_trainable_parameters_worked_by_hand(network, by_hand):
    assert sum(p.size for _, p in leaves(network.init(np.random.default_rng(0)))) == by_hand


# ---- what is refused ----

IMAGES = "with height and width"
SHAPES = [
    *((Linear(3, 2), shape, "takes (samples, 3)") for shape in [(4, 2), (3,), (4, 3, 1)]),
    *((Conv2d(2, 3, 4), shape, f"takes (samples, 2, height, width) {IMAGES} of at least 4")
      for shape in [(1, 3, 5, 5), (2, 5, 5), (1, 2, 3, 5), (1, 2, 5, 3), (1, 2, 5, 5, 1)]),
    *((Subsample(2, 3), shape, f"takes (samples, 2, height, width) {IMAGES} multiples of 3")
      for shape in [(1, 3, 6, 6), (2, 6, 6), (1, 2, 5, 6), (1, 2, 6, 5), (1, 2, 6, 6, 1)]),
    (convnet(), (1, 1, 28, 28), "Subsample(maps=15, window=3) takes"),
    (Positions(), (2, 30), "takes (samples, maps, height, width)"),
    (convnet(), (1, 1, 5, 5), "Conv2d(channels=1, maps=15, kernel=6) takes"),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "shape", "message"), SHAPES)
def test_a_wrong_shape_is_refused_with_the_layers_name_and_what_it_takes(layer, shape, message, rng):
    named = message if isinstance(layer, Sequential) else f"{layer} {message}, got {shape}"
    refuses(lambda: layer(layer.init(rng, np.float64), np.zeros(shape)), named)


@pytest.mark.parametrize("layer", [Linear(3, 2), Conv2d(3, 2, 1), Subsample(3, 1), Tanh(), Flatten(), Positions()])
def test_lists_integers_and_mixed_precisions_are_refused(layer, rng):
    shape = (2, 3) if isinstance(layer, Linear | Tanh) else (2, 3, 1, 1)
    narrow, wide = layer.init(rng, np.float32), layer.init(rng, np.float64)
    refuses(lambda: layer(narrow, [[1.0, 2.0, 3.0]]), "expected an array, got list: convert it first")
    for x in (np.zeros(shape, dtype) for dtype in (np.int64, np.uint8, bool)):
        refuses(lambda x=x: layer(narrow, x), f"x has dtype {x.dtype}: convert it to a floating dtype")
    if narrow:
        refuses(lambda: layer(narrow, np.zeros(shape)), "x float64")
        refuses(lambda: layer(wide, np.zeros(shape, np.float32)), "x float32")
        of_two = narrow | {"bias": wide["bias"]}
        refuses(lambda: layer(of_two, np.zeros(shape, np.float32)), "bias float64")
