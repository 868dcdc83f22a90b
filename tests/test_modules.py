"""One table, module by function: what NumPy computes, the other array modules compute too, and what they cannot is
refused in one line. And what an array brings, and the audit on a device.

A module that is not installed is skipped with the reason. array_api_strict and a stand-in for CuPy are always there,
each on a device that is not the host's, as a GPU is not. There numpy.asarray of an array raises, as do mixed dtypes.
array_api_strict also refuses what the standard does not cover, and the stand-in has CuPy's peculiarities.
"""

import sys
from functools import partial
from unittest import mock

import array_api_strict
import numpy as np
import pytest

from drlim_np.audit import catalogue
from drlim_np.audit.gradcheck import check, check_layer
from drlim_np.backend import kind, library, like, namespace, real, to_host, zeros
from drlim_np.checks.arrays import require_floating
from drlim_np.errors import DivergedError
from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum, similar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.devices import BACKENDS, device_of, origin, origin_of_complex
from drlim_np.files import weights
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Flatten, Linear, Tanh
from drlim_np.loss import contrastive, dissimilar_loss, energy, similar_loss
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.objective import EveryPair
from drlim_np.runs import command
from drlim_np.sampled import SampledCopies, SampledPairs
from drlim_np.siamese import one_tower, two_towers
from drlim_np.training import SGD, descend, embed, minimise
from drlim_np.tree import leaves, tree_map
from tests.help.comparing import bits
from tests.help.every_layer import EVERY_LAYER
from tests.help.refusals import refuses

BOUNDS = {"float32": 2e-5, "float64": 1e-11}
CLOSE = {"float32": 1e-5, "float64": 1e-12, "complex128": 1e-12}  # of NumPy underneath, and of a GPU
GPU = pytest.param("gpu", marks=pytest.mark.gpu)
modules = pytest.mark.parametrize("xp", [np, array_api_strict])
everywhere = pytest.mark.parametrize("model", ["strict", "stand-in", GPU, "jax", "mlx", "torch"], indirect=True)

PAIRS = SimilarityGraph(6, np.array([[0, 1], [1, 0], [2, 5], [3, 5], [4, 0]]))
Y = np.array([0, 1, 1, 0, 1, 1])
SMALL = two_layer(5, 4, 2)


def near_init(layer, rng, dtype):
    """Parameters with no bias at 0, but where tanh is not flat: there 1 - y² keeps few digits in any module."""
    return tree_map(lambda w: (w + 0.1 * rng.standard_normal(w.shape)).astype(dtype), layer.init(rng, dtype))


def back_and_forth(layer, shape):
    """Forward and back of a layer: a function of where its arrays are."""

    def run(there, dtype):
        rng = np.random.default_rng(0)
        params, x = near_init(layer, rng, dtype), rng.standard_normal(shape).astype(dtype)
        y, pullback = layer(tree_map(there, params), there(x))
        dy = there(rng.standard_normal(y.shape).astype(dtype))
        return {"y": y, "weights alone": pullback(dy).params, **pullback(dy, wrt_input=True)._asdict()}

    return run


def of_z(function):
    """A function of two sets of embeddings, of which one pair is at D = 0."""

    def run(there, dtype):
        z1, z2 = np.random.default_rng(0).standard_normal((2, 6, 3)).astype(dtype)
        z2[1] = z1[1]
        return function(there(z1), there(z2))

    return run


def of_network(function, network=SMALL, shape=(5,)):
    """A function of a network, its parameters and six samples."""

    def run(there, dtype):
        rng = np.random.default_rng(0)
        params, x = near_init(network, rng, dtype), rng.standard_normal((6, *shape)).astype(dtype)
        return function(network, tree_map(there, params), there(x))

    return run


def descent(objective, momentum, network, params, x):
    """Three steps, and the map that they end in. The loss leaves open where a map is."""
    rng = np.random.default_rng(1)
    params, losses = minimise(objective(network, x, PAIRS), params, SGD(0.1, momentum), 3, rng)
    z = embed(network, params, x, block=4)
    return {"losses": like(losses.astype(to_host(z).dtype), x), "z": z - z[:1, ...]}


def but_the_last_bias(found):
    """Its gradient is the rounding of a sum that is zero, which cannot be compared relative to its size."""
    loss, dparams = found
    return {"loss": loss} | dict(list(leaves(dparams))[:-1])


OBJECTIVES = {"EveryPair": EveryPair, "SampledPairs": partial(SampledPairs, batch=4)}
OBJECTIVES |= {"SampledCopies": partial(SampledCopies, batch=4)}
NETWORKS = {"two_layer": (SMALL, (5,)), "convnet": (Blockwise(convnet(), size=4), CONVNET_INPUT)}
FUNCTIONS = {name: back_and_forth(*layer) for name, layer in EVERY_LAYER.items()}
FUNCTIONS |= {
    "energy": of_z(energy),
    "similar_loss": of_z(lambda z1, z2: similar_loss(z1)),
    "dissimilar_loss": of_z(lambda z1, z2: dissimilar_loss(z1, 1.0)),
    "contrastive": of_z(lambda z1, z2: contrastive(z1, z2, Y, 2)),
    "contrastive, a list": of_z(lambda z1, z2: contrastive(z1, z2, Y.tolist(), np.float64(2))),
    "contrastive_all_pairs": of_z(lambda z1, z2: contrastive_all_pairs(z1, PAIRS, 2.0)),
    "similar_sum": of_z(lambda z1, z2: similar_sum(z1, PAIRS)),
    "dissimilar_sum": of_z(lambda z1, z2: dissimilar_sum(z1, PAIRS, 2.0, z2[:, 0] * z2[:, 0])),
}
for code in ("i8", "f4", "?"):
    labels = Y.astype(code)
    there = partial(lambda labels, z1, z2: contrastive(z1, z2, like(labels, z1), 2.0), labels)
    FUNCTIONS[f"contrastive, labels there, {labels.dtype}"] = of_z(there)
for name, on in NETWORKS.items():
    FUNCTIONS[f"one_tower, {name}"] = of_network(lambda *given: but_the_last_bias(one_tower(*given, PAIRS, 1.0)), *on)
    FUNCTIONS[f"two_towers, {name}"] = of_network(
        lambda G, W, x: but_the_last_bias(two_towers(G, W, x[:3, ...], x[3:, ...], [0, 1, 1], 1.0)), *on
    )
    for way, objective in OBJECTIVES.items():
        for momentum in (0, 0.9):
            function = partial(descent, objective, momentum)
            FUNCTIONS[f"descent on {way} of {name}, momentum {momentum}"] = of_network(function, *on)
HOST = partial(like, x=np.empty(0))


def named(result):
    """Every array of a result, a tuple or a tree, by its name."""
    return dict(leaves(dict(enumerate(result)) if isinstance(result, tuple) else {"": result}))


def agree(function, dtype, model):
    """That it gives the same on the model's device and on the host: names, device, dtype, shape and values."""
    bounds = CLOSE if namespace(model).__name__ in ("array_api_strict", "cupy") else BOUNDS
    if dtype not in bounds:
        pytest.skip(f"{dtype} is not asked of this")
    theirs, ours = (named(function(there, np.dtype(dtype))) for there in (partial(like, x=model), HOST))
    assert theirs.keys() == ours.keys() and len(ours) > 0
    for leaf, expected in ours.items():
        assert namespace(theirs[leaf]) is namespace(model) and device_of(theirs[leaf]) == device_of(model), leaf
        actual, expected = to_host(theirs[leaf]), np.asarray(expected)
        assert actual.dtype == expected.dtype and actual.shape == expected.shape, leaf
        assert np.linalg.norm(actual - expected) <= bounds[dtype] * np.linalg.norm(expected), leaf


CASES = [(name, dtype) for name in FUNCTIONS for dtype in CLOSE if dtype != "complex128" or "descent" not in name]


@everywhere
@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_every_function_equals_numpys_on_every_module(name, dtype, model):
    agree(FUNCTIONS[name], dtype, model)


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("samples", [7, 100])
def test_the_losses_over_a_set_equal_numpys_whatever_the_tiles(samples, dtype, model, rng, monkeypatch):
    pairs = np.concatenate([[[0, 1], [1, 0], [2, 5], [6, 5], [5, 1]], rng.integers(0, samples, (samples // 2, 2))])
    similar = SimilarityGraph(samples, pairs[pairs[:, 0] != pairs[:, 1]])
    points, weight = rng.standard_normal((samples, 2)), rng.uniform(0.5, 2, samples)
    points[3] = points[4]

    def over_the_set(there, dtype):
        z, given = there(points.astype(dtype)), (similar, 2.0)
        far, weighted = dissimilar_sum(z, *given), dissimilar_sum(z, *given, there(weight.astype(dtype)))
        return (*contrastive_all_pairs(z, *given), *similar_sum(z, similar), *far, *weighted)

    for tile in (1, 3, 256) if samples < 10 else (7, 2048):
        for constant in ("TILE", "DEVICE_TILE"):
            monkeypatch.setattr(f"drlim_np.fast.all_pairs.{constant}", tile)
        agree(over_the_set, dtype, model)


@everywhere
@pytest.mark.parametrize("dtype", BOUNDS)
def test_weights_of_every_module_are_saved_and_loaded_bit_for_bit(dtype, model, tmp_path):
    params = SMALL.init(np.random.default_rng(0), np.dtype(dtype))
    weights.save(tmp_path / "W.npz", tree_map(partial(like, x=model), params))
    assert bits(weights.load(tmp_path / "W.npz")) == bits(params)


@everywhere
def test_samples_on_the_host_are_embedded_by_weights_elsewhere_and_come_back(model):
    params, x = SMALL.init(np.random.default_rng(0)), np.ones((7, 5), np.float32)
    z = embed(SMALL, tree_map(partial(like, x=model), params), x, block=3)
    assert type(z) is np.ndarray and z.dtype == np.float32
    np.testing.assert_allclose(z, embed(SMALL, params, x), rtol=2e-5)


# ---- what is refused ----


PARAMS = SMALL.init(np.random.default_rng(0))
HOSTS, PLACES = np.ones((4, 5), np.float32), np.ones(6, np.float32)
MIXED = [
    (lambda there: SMALL(tree_map(there, PARAMS), HOSTS), "mixed modules or devices (x nu"),
    (lambda there: SMALL(PARAMS, there(HOSTS)), "weight numpy"),
    (lambda there: energy(there(HOSTS), HOSTS), "z2 numpy on cpu): move them to one"),
    (lambda there: dissimilar_sum(there(np.eye(6)), PAIRS, 1.0, PLACES), "weight numpy on cpu"),
    (lambda there: Tanh()({}, there(HOSTS))[1](HOSTS), "dy is of numpy, the output of "),
    (lambda there: contrastive(HOSTS, HOSTS, there(PLACES[:4]), 1.0), "z numpy on cpu"),
    (lambda there: Flatten()({}, there(PLACES[0, ...])), "Flatten() takes an array of samples"),
    (lambda there: energy(there(HOSTS), 1.0), "expected an array, got float"),
]


@everywhere
@pytest.mark.parametrize(("call", "message"), MIXED)
def test_modules_are_not_mixed(call, message, model):
    refuses(lambda: call(lambda x: like(x.astype(np.float32), model)), message)


def test_devices_of_one_module_are_not_mixed():
    here, there = (
        array_api_strict.asarray(HOSTS, device=array_api_strict.Device(name)) for name in ("CPU_DEVICE", "device1")
    )
    refuses(lambda: energy(here, there), "mixed modules or devices (z1 array_api_strict on ")


TWELVE, RNG = np.ones((12, 12), np.float32), np.random.default_rng(0)
NO_GRADIENT = "the gradient of x must be a float64 NumPy array to be checked, got float32"
FIT = [
    (lambda: contrastive(HOSTS, HOSTS, [0, 1, 1, 0], TWELVE), "margin is an array of shape (12, 12)"),
    (lambda: SGD(TWELVE), "rate is an array of shape (12, 12)"),
    (lambda: SGD(0.1, TWELVE), "momentum is an array of shape (12, 12)"),
    (lambda: Linear(TWELVE, 2), "inputs is an array of shape (12, 12)"),
    (lambda: SMALL({1: {}, "a": {}}, HOSTS), "got [1, 'a']: is it another network's?"),
    (lambda: check_layer(SMALL, PARAMS, HOSTS, RNG), "must be a float64 NumPy array"),
    (lambda: check(sum, {"x": np.ones(2)}, {"x": np.ones(2, np.float32)}, RNG), NO_GRADIENT),
]


def jaxs_float64():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    before = jax.config.jax_enable_x64
    try:
        jax.config.update("jax_enable_x64", False)
        like(np.ones(2), jax.numpy.zeros(0))
    finally:
        jax.config.update("jax_enable_x64", before)


def inside_jit(function):
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    return jax.jit(function)(like(np.ones((6, 2), np.float32), origin("jax")))


def marrays(function):
    marray = pytest.importorskip("marray", reason="marray is not installed")
    masked = marray.masked_namespace(pytest.importorskip("array_api_strict"))
    return function(masked.asarray(np.ones((4, 5), np.float32), mask=np.zeros((4, 5), bool)))


def of_sparse():
    sparse = pytest.importorskip("sparse", reason="sparse is not installed")
    return energy(sparse.COO.from_numpy(np.eye(3)), sparse.COO.from_numpy(np.eye(3)))


def pytorchs_without_its_helper():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    with mock.patch.dict(sys.modules, {"array_api_compat.torch": None}):
        return namespace(torch.zeros(1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        *FIT,
        (jaxs_float64, "jax.numpy would make float32 of float64: convert to float32 first, or"),
        (partial(inside_jit, lambda z: contrastive(z, z, z[:, 0] > 0, 1.0)[0] + to_host(z)), "outside jax.jit"),
        (partial(inside_jit, lambda z: contrastive(z, z, z[:, 0], 1.0)), "y has no values inside jax.jit: pass boolea"),
        (partial(inside_jit, lambda z: similar_sum(z, PAIRS)[0] + dissimilar_sum(z, PAIRS, 1.0)[0]), "outside jax.jit"),
        (partial(marrays, lambda x: energy(x, x)), "convert it to a plain array"),
        (partial(marrays, to_host), "does not convert to a NumPy array"),
        (of_sparse, "give a dense array"),
        (
            pytorchs_without_its_helper,
            "PyTorch's arrays need array-api-compat, which is not installed: run pip install arr",
        ),
    ],
)
def test_what_does_not_fit_and_what_a_module_cannot_do_is_refused_in_one_line(call, message):
    refuses(call, message)


@pytest.mark.parametrize(
    ("backend", "there"), [("numpy", "numpy"), ("jax", "jaxlib"), ("mlx", "numpy"), ("torch", "torch")]
)
def test_the_audit_is_where_the_backend_has_complex_numbers_and_else_on_the_host(backend, there):
    pytest.importorskip(BACKENDS[backend], reason=f"{backend} is not installed")
    assert library(origin_of_complex(backend)) == there


@pytest.mark.parametrize("library", ["jax", "mlx", "torch"])
def test_a_backend_that_is_not_installed_is_refused_in_one_line_by_the_command(library, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, BACKENDS[library], None)
    assert command.main(["--backend", library]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"the backend {library} need {library}, which is not installed: run pip install {library}" in said


DEVICES = [
    (lambda z: contrastive(z(3, 2), z(3, 2), [0, 1, 2], 1.0), "labels other than 0 and 1"),
    (lambda z: contrastive(z(3, 2), z(3, 2), [0, 1], 1.0), "y has shape"),
    (lambda z: contrastive(z(3, 2), z(3, 2), [0, 1, 1], -1.0), "margin is -1.0"),
    (lambda z: contrastive(z(3, 2), z(3, 2, dtype=int), [0, 1, 1], 1.0), "z2 has dtype"),
    (lambda z: contrastive(z(3, 2), z(3, 2, dtype=np.float32), [0, 1, 1], 1.0), "mismatched dtypes"),
    (lambda z: Linear(5, 4)({"weight": z(4, 5), "bias": z(4)}, z(3, 2)), "Linear(inputs=5, outputs=4) takes"),
]


@pytest.mark.parametrize(("call", "message"), DEVICES)
def test_what_numpy_refuses_is_refused_on_the_device(call, message, model):
    refuses(lambda: call(lambda *shape, dtype=float: like(np.zeros(shape, dtype), model)), message)


def test_a_descent_that_diverges_on_the_device_is_reported(model, rng):
    params, x = tree_map(partial(like, x=model), SMALL.init(rng, np.float64)), like(np.full((6, 5), np.nan), model)
    steps = descend(EveryPair(SMALL, x, PAIRS), params, SGD(0.1), 1, rng)
    refuses(lambda: next(steps), "the objective is not finite at step 1", DivergedError)


def test_labels_as_booleans_pass_through_jit_and_grad():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    origin("jax")
    z1, z2 = np.random.default_rng(0).standard_normal((2, 6, 3))
    loss = jax.jit(lambda z1, z2: contrastive(z1, z2, Y == 1, 2.0)[0])
    np.testing.assert_allclose(loss(z1, z2), contrastive(z1, z2, Y, 2.0)[0], rtol=1e-12)
    np.testing.assert_allclose(jax.grad(loss)(z1, z2), contrastive(z1, z2, Y, 2.0)[1], rtol=1e-12)


# ---- the audit, and what an array brings ----


def test_the_audit_of_layers_and_losses_holds_where_they_are_computed_on_the_device(model, rng, monkeypatch):
    seen = []
    compute = catalogue.contrastive
    monkeypatch.setattr(catalogue, "contrastive", lambda *args: seen.append(namespace(args[0])) or compute(*args))
    found = [*catalogue._layers(rng, model), *catalogue._losses(rng, model)]
    assert len(found) > 15 and all(finding.as_it_should_be for finding in found)
    assert set(seen) == {namespace(model)}
    with pytest.raises((RuntimeError, TypeError)):
        np.asarray(like(np.zeros(2), model))  # so none was computed on the host in secret


@pytest.mark.parametrize("model", [GPU], indirect=True)
def test_the_whole_audit_on_the_gpu_finds_what_it_should(model):
    found = list(catalogue.findings(backend="cupy"))
    assert len(found) > 100
    assert [finding for finding in found if not finding.as_it_should_be] == []


@modules
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int64", "bool"])
def test_an_array_comes_back_from_the_device_as_it_left_the_host_and_zeros_like_it_have_its_dtype(xp, dtype):
    host = np.array([[0, 1], [2, 3]]).astype(dtype)
    there = like(host, xp.asarray([0.5]))
    for here, back in ((host, to_host(there)), (0 * host, to_host(zeros((2, 2), there)))):
        assert namespace(there) is xp and type(back) is np.ndarray
        assert back.dtype == host.dtype and back.tolist() == here.tolist()


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
