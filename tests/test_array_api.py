"""The same code on other array modules: array_api_strict and a stand-in for CuPy, each on a device that is not the
host's, as a GPU is not; and, marked `gpu`, CuPy on one.

There numpy.asarray of an array raises, as do mixed dtypes. array_api_strict also refuses what the standard does not
cover, and the stand-in has CuPy's peculiarities.
"""

from functools import partial

import array_api_strict
import numpy as np
import pytest

from drlim_np.audit import catalogue
from drlim_np.backend import kind, like, namespace, real, to_host, zeros
from drlim_np.checks.arrays import require_floating
from drlim_np.copies import SampledCopies
from drlim_np.errors import DivergedError
from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum, similar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Linear, Sequential, Tanh
from drlim_np.loss import contrastive, energy
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.objective import EveryPair, SampledPairs
from drlim_np.siamese import one_tower, two_towers
from drlim_np.training import SGD, descend, embed, minimise
from drlim_np.tree import leaves, tree_map
from tests.help.every_layer import EVERY_LAYER, drawn
from tests.help.refusals import refuses

ROUNDING = {"float32": 1e-6, "float64": 1e-12, "complex128": 1e-12}
ON_GPU = ROUNDING | {"float32": 1e-5}
# Over all pairs the forces on a set cancel, and with them the gradients of the first layers' biases: there NumPy's own
# gradient of the convnet in float32 is 4e-6 of its norm from that in float64.
CANCELLED = ROUNDING | {"float32": 1e-5}
SMALL = Sequential(hidden=Linear(5, 4), squash=Tanh(), out=Linear(4, 2))
GRAPH = SimilarityGraph(9, np.array([[0, 1], [1, 0], [2, 5], [3, 5], [4, 6], [7, 8], [8, 0]]))

modules = pytest.mark.parametrize("xp", [np, array_api_strict])
precisions = pytest.mark.parametrize("dtype", list(ROUNDING))
networks = pytest.mark.parametrize(
    ("network", "shape"),
    [(Blockwise(convnet(), size=4), CONVNET_INPUT), (two_layer(30, 5, 3), (30,))],
    ids=["convnet", "two-layer"],
)


def there(tree, model):
    return tree_map(lambda x: like(x, model), tree)


def tree_of(values):
    return dict(zip(("loss", "first", "second"), values, strict=False))


def assert_equal(theirs, ours, model, rounding=ROUNDING):
    """Every array of a tree on the device against its twin from NumPy: device, dtype, shape and values."""
    theirs, ours = dict(leaves(theirs)), dict(leaves(ours))
    assert theirs.keys() == ours.keys()
    rounding = rounding if namespace(model).__name__ == "array_api_strict" else ON_GPU
    for name, expected in ours.items():
        assert namespace(theirs[name]) is namespace(model) and theirs[name].device == model.device, name
        actual, expected = to_host(theirs[name]), np.asarray(expected)
        assert actual.dtype == expected.dtype and actual.shape == expected.shape, name
        bound = rounding[expected.dtype.name] * np.linalg.norm(expected)
        assert np.linalg.norm(actual - expected) <= bound, name


def without_the_last_bias(tree):
    """Its gradient is the rounding of a sum that is zero, which cannot be compared relative to its size."""
    *others, last = tree
    return {name: tree[name] for name in others} | {last: {"weight": tree[last]["weight"]}}


def test_the_device_refuses_to_be_read_as_numpy(model):
    with pytest.raises((RuntimeError, TypeError)):
        np.asarray(like(np.zeros(2), model))


@precisions
@pytest.mark.parametrize("name", EVERY_LAYER)
def test_layers_and_networks_equal_numpys_forward_and_back(name, dtype, model, rng):
    layer, shape = EVERY_LAYER[name]
    params, x = drawn(layer, rng, dtype), rng.standard_normal(shape).astype(dtype)
    y, pullback = layer(params, x)
    dy = rng.standard_normal(y.shape).astype(dtype)
    their_y, their_pullback = layer(there(params, model), like(x, model))
    assert_equal(their_y, y, model)
    assert their_pullback(like(dy, model)).input is None
    assert_equal(their_pullback(like(dy, model)).params, pullback(dy).params, model)
    gradient = their_pullback(like(dy, model), wrt_input=True)
    assert_equal(gradient._asdict(), pullback(dy, wrt_input=True)._asdict(), model)


Y = [0, 1, 1, 0, 1, 1]


@precisions
@pytest.mark.parametrize(
    ("labels", "on_device", "margin"),
    [(Y, False, margin) for margin in (2.0, 2, np.float64(2))]
    + [(np.array(Y), False, 2.0)]
    + [(np.array(Y, dtype), True, 2.0) for dtype in (int, float, bool)],
)
def test_the_loss_over_given_pairs_equals_numpys_wherever_the_labels_are(labels, on_device, margin, dtype, model, rng):
    z1, z2 = rng.standard_normal((2, 6, 3)).astype(dtype)
    z2[1] = z1[1]  # D = 0, dissimilar
    with np.errstate(all="raise"):
        theirs = contrastive(like(z1, model), like(z2, model), like(labels, model) if on_device else labels, margin)
    assert_equal(tree_of(theirs), tree_of(contrastive(z1, z2, Y, 2.0)), model)
    assert_equal(energy(like(z1, model), like(z2, model)), energy(z1, z2), model)


@precisions
@pytest.mark.parametrize(
    "form",
    [
        lambda z, similar, _: contrastive_all_pairs(z, similar, 2.0),
        lambda z, similar, _: similar_sum(z, similar),
        lambda z, similar, _: dissimilar_sum(z, similar, 2.0),
        lambda z, similar, weight: dissimilar_sum(z, similar, 2.0, weight),
    ],
    ids=["all pairs", "similar", "dissimilar", "weighted"],
)
@pytest.mark.parametrize("samples", [7, 100])
def test_the_losses_over_a_set_equal_numpys_whatever_the_tiles(samples, form, dtype, model, rng, monkeypatch):
    pairs = np.concatenate([[[0, 1], [1, 0], [2, 5], [6, 5], [5, 1]], rng.integers(0, samples, (samples // 2, 2))])
    similar = SimilarityGraph(samples, pairs[pairs[:, 0] != pairs[:, 1]])
    z, weight = rng.standard_normal((samples, 2)).astype(dtype), rng.uniform(0.5, 2, samples).astype(dtype)
    z[3] = z[4]
    for tile in (1, 3, 256) if samples < 10 else (7, 2048):
        for name in ("TILE", "DEVICE_TILE"):
            monkeypatch.setattr(f"drlim_np.fast.all_pairs.{name}", tile)
        theirs = form(like(z, model), similar, like(weight, model))
        assert_equal(tree_of(theirs), tree_of(form(z, similar, weight)), model)


@precisions
@pytest.mark.parametrize(
    "form",
    [
        lambda network, params, x: two_towers(network, params, x[:4, ...], x[4:8, ...], [0, 1, 1, 0], 8.0),
        lambda network, params, x: one_tower(network, params, x, GRAPH, 2.0),
    ],
    ids=["two towers", "one tower"],
)
@pytest.mark.parametrize(("network", "shape"), [(SMALL, (5,)), (convnet(), CONVNET_INPUT)], ids=["small", "convnet"])
def test_two_towers_and_one_equal_numpys(network, shape, form, dtype, model, rng):
    params = drawn(network, rng, dtype)
    x = rng.standard_normal((9, *shape)).astype(dtype)
    loss, dparams = form(network, params, x)
    their_loss, their_dparams = form(network, there(params, model), like(x, model))
    assert_equal(their_loss, loss, model)
    assert_equal(without_the_last_bias(their_dparams), without_the_last_bias(dparams), model, CANCELLED)


# ---- training ----

OBJECTIVES = {"every": EveryPair, "pairs": partial(SampledPairs, batch=6), "copies": partial(SampledCopies, batch=6)}
objectives = pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@networks
@objectives
def test_the_objectives_equal_numpys_on_the_same_draws(objective, network, shape, dtype, model, rng):
    params, x = network.init(rng, dtype), rng.standard_normal((9, *shape)).astype(dtype)
    loss, gradient = objective(network, x, GRAPH)(params, np.random.default_rng(1), 0.5)
    theirs = objective(network, like(x, model), GRAPH)(there(params, model), np.random.default_rng(1), 0.5)
    assert_equal(theirs[0], loss, model)
    assert_equal(without_the_last_bias(theirs[1]), without_the_last_bias(gradient), model, CANCELLED)


@networks
@objectives
@pytest.mark.parametrize("optimiser", [SGD(0.1), SGD(0.1, momentum=0.9)], ids=["plain", "momentum"])
def test_training_from_one_seed_and_the_map_it_ends_in_equal_numpys(objective, network, shape, optimiser, model):
    x = np.random.default_rng(1).standard_normal((9, *shape))
    ends = []
    for inputs in (x, like(x, model)):
        rng = np.random.default_rng(0)
        start = there(network.init(rng, np.float64), inputs)
        params, losses = minimise(objective(network, inputs, GRAPH), start, optimiser, 4, rng)
        ends.append((params, losses, rng.random()))
    (ours, our_losses, our_next), (theirs, their_losses, their_next) = ends
    assert their_next == our_next, "the generators were not asked for the same numbers"
    np.testing.assert_allclose(their_losses, our_losses, rtol=1e-10)
    assert_equal(embed(network, there(ours, model), like(x, model), block=5), embed(network, ours, x), model)
    ours, theirs = without_the_last_bias(ours), without_the_last_bias(theirs)
    for (name, expected), (_, actual) in zip(leaves(ours), leaves(theirs), strict=True):
        np.testing.assert_allclose(to_host(actual), expected, rtol=0, atol=1e-9, err_msg=name)


def test_samples_on_the_host_are_embedded_by_weights_on_the_device_and_come_back(model, rng):
    params, x = SMALL.init(rng, np.float64), rng.standard_normal((7, 5))
    z = embed(SMALL, there(params, model), x, block=3)
    assert type(z) is np.ndarray
    np.testing.assert_allclose(z, embed(SMALL, params, x), rtol=1e-12)


def test_what_numpy_refuses_is_refused_on_the_device(model, rng):
    z, whole, narrow = (like(np.zeros((3, 2), dtype), model) for dtype in (float, int, np.float32))
    params, x = SMALL.init(rng, np.float64), np.full((9, 5), np.nan)
    for call, message in (
        (lambda: contrastive(z, z, [0, 1, 2], 1.0), "labels other than 0 and 1"),
        (lambda: contrastive(z, z, [0, 1], 1.0), "y has shape"),
        (lambda: contrastive(z, z, [0, 1, 1], -1.0), "margin is -1.0"),
        (lambda: contrastive(z, whole, [0, 1, 1], 1.0), "z2 has dtype"),
        (lambda: contrastive(z, narrow, [0, 1, 1], 1.0), "mismatched dtypes"),
        (lambda: SMALL.layers["hidden"](there(params["hidden"], model), z), "Linear(inputs=5, outputs=4) takes"),
    ):
        refuses(call, message)
    steps = descend(EveryPair(SMALL, like(x, model), GRAPH), there(params, model), SGD(0.1), 1, rng)
    refuses(lambda: next(steps), "the objective is not finite at step 1", DivergedError)


# ---- the audit ----


def test_the_audit_of_layers_and_losses_holds_where_they_are_computed_on_the_device(model, rng, monkeypatch):
    seen = []
    compute = catalogue.contrastive
    monkeypatch.setattr(catalogue, "contrastive", lambda *args: seen.append(namespace(args[0])) or compute(*args))
    found = [*catalogue._layers(rng, model), *catalogue._losses(rng, model)]
    assert len(found) > 15 and all(finding.as_it_should_be for finding in found)
    assert set(seen) == {namespace(model)}


@pytest.mark.gpu
def test_the_whole_audit_on_the_gpu_finds_what_it_should(gpu):
    found = list(catalogue.findings(backend="cupy"))
    assert len(found) > 100
    assert [finding for finding in found if not finding.as_it_should_be] == []


# ---- what an array brings ----


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
@precisions
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
