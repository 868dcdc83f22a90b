"""CuPy: what can be proven without a GPU, by its names and by a stand-in; and, marked `gpu`, the real thing on one."""

import ast
import inspect
import os
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import drlim_np
from drlim_np.audit import catalogue
from drlim_np.backend import HOST, like, namespace, to_host, zeros
from drlim_np.data import handwriting, rendering
from drlim_np.errors import InputError
from drlim_np.fast import all_pairs
from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum, zero_at
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.devices import device_of, origin, processors
from drlim_np.figures import digits as of_digits
from drlim_np.figures import figure4, figure8
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Linear, Sequential, Tanh
from drlim_np.loss import contrastive
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.objective import EveryPair, SampledPairs
from drlim_np.runs.record import Result, Run, entry
from drlim_np.training import SGD, embed, minimise
from drlim_np.tree import leaves, tree_map
from tests.help import cupy_standin
from tests.help.every_layer import EVERY_LAYER, random_tree

CORE = ("backend", "layers", "loss", "siamese", "objective", "training", "tree", "networks")
CORE += tuple(f"fast/{name}" for name in ("all_pairs", "blocks", "maps", "memory", "patches"))
NOBODYS = Run(seed=0, quick=True, threads=1, digits=None, views=None)


@pytest.fixture
def standin(monkeypatch):
    module = cupy_standin.module()
    monkeypatch.setitem(sys.modules, "cupy", module)
    for variable in ("CUPY_TF32", "NVIDIA_TF32_OVERRIDE"):
        monkeypatch.delenv(variable, raising=False)
    return module


# ---- its names ----


def calls_of_array_modules():
    """Every `xp.name` and `namespace(x).name` in the core, and the call it stands in, if any."""
    for name in CORE:
        tree = ast.parse((Path(drlim_np.__file__).parent / f"{name}.py").read_text(encoding="utf-8"))
        calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and is_array_module(node.value):
                yield f"{name}.py:{node.lineno}", node.attr, calls.get(id(node))


def is_array_module(node):
    called = node.func if isinstance(node, ast.Call) else None
    return (isinstance(node, ast.Name) and node.id == "xp") or (
        isinstance(called, ast.Name) and called.id == "namespace"
    )


def test_the_core_asks_array_modules_for_many_names():
    names = {name for _, name, _ in calls_of_array_modules()}
    assert {"permute_dims", "isdtype", "concat", "take", "where", "isfinite", "zeros_like", "triu"} <= names
    assert len(names) > 20


def test_every_name_that_the_core_asks_array_modules_for_is_in_cupy():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    missing = [(where, name) for where, name, _ in calls_of_array_modules() if not hasattr(cupy, name)]
    assert [name for _, name in missing] == ["__array_namespace_info__"], (
        missing
    )  # in to_host, once CuPy's had their way
    for name in ("T", "mT", "shape", "ndim", "dtype", "device", "get"):
        assert hasattr(cupy.ndarray, name)


def test_cupys_functions_take_the_arguments_that_the_core_gives_them():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    bound = 0
    for where, name, call in calls_of_array_modules():
        try:
            signature = inspect.signature(getattr(cupy, name))
        except (AttributeError, TypeError, ValueError):  # a constant, or a compiled function without a signature
            continue
        if call is None:
            continue
        options = {keyword.arg: None for keyword in call.keywords if keyword.arg}
        try:
            signature.bind(*call.args, **options)
        except TypeError as fault:
            pytest.fail(f"{where}: cupy.{name}: {fault}")
        bound += 1
    assert bound > 40


def test_cupys_arrays_are_known_by_their_module():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    assert cupy.ndarray.__module__ == "cupy"
    assert not hasattr(cupy.ndarray, "__array_namespace__")  # if it has one some day, namespace() needs no exception


# ---- what is said where it cannot be ----


def test_without_cupy_one_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert refusal() == (
        'the backend cupy needs CuPy, which is not installed: run pip install "cupy-cuda12x[ctk]>=14",'
        ' or for CUDA 13 "cupy-cuda13x[ctk]>=14"'
    )


def test_without_a_gpu_one_line_says_so(standin):
    standin.is_available = lambda: False
    assert refusal().startswith("CuPy is installed, but finds no GPU: install NVIDIA's driver")


def test_the_cupy_installed_here_says_that_it_finds_no_gpu():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    if cupy.is_available():
        pytest.skip("there is a GPU")
    assert refusal().startswith("CuPy is installed, but finds no GPU")


def test_an_old_cupy_is_named_with_its_remedy(standin):
    standin.__version__ = "13.6.0"
    assert refusal().startswith("CuPy 13.6.0 is too old: run pip install")


@pytest.mark.parametrize("variable", ["CUPY_TF32", "NVIDIA_TF32_OVERRIDE"])
def test_products_rounded_to_tf32_are_refused(standin, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    assert refusal() == f"{variable} is set, which rounds the products of float32 to 10 bits: unset it"
    monkeypatch.setenv(variable, "0")
    assert namespace(origin("cupy")) is standin


def test_whether_it_can_compute_is_seen_by_one_small_product(standin, monkeypatch):
    asked = []
    monkeypatch.setattr(standin, "ones", lambda shape: asked.append(shape) or np.ones(shape), raising=False)
    origin("cupy")
    assert asked == [(2, 2), (2, 2)]


def test_a_gpu_that_cannot_compute_is_named_with_the_first_line_of_its_reason(standin):
    def ones(shape):
        raise RuntimeError("nvrtc not found\nand much more")

    standin.ones = ones
    assert refusal().startswith("CuPy finds a GPU, but cannot compute on it (nvrtc not found): run pip install")


def test_the_processors_that_count_are_those_of_this_very_process(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0: {1, 4, 5}}[process], raising=False)
    assert processors() == 3


@pytest.mark.parametrize(("told", "count"), [(3, 3), (None, 1)])
def test_where_the_system_does_not_say_which_processors_it_lends_all_count(monkeypatch, told, count):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    assert processors() == count


def test_the_origin_of_numpy_is_an_empty_array_on_the_host():
    assert isinstance(origin("numpy"), np.ndarray) and origin("numpy").shape == (0,)


def test_an_unknown_backend_is_refused():
    with pytest.raises(InputError, match="backend is 'jax': choose numpy or cupy"):
        origin("jax")


def refusal():
    with pytest.raises(InputError) as said:
        origin("cupy")
    assert "\n" not in str(said.value)
    return str(said.value)


# ---- the same source on its stand-in, and on a GPU ----


def test_numpy_and_cupy_live_side_by_side(standin):
    ours, theirs = np.ones(2), like(np.ones(2), origin("cupy"))
    assert namespace(ours) is HOST and namespace(theirs) is standin
    assert namespace(zeros((2,), theirs)) is standin
    assert (device_of(ours), device_of(theirs)) == ("cpu", "stand-in for a GPU")
    with pytest.raises((AssertionError, TypeError)):
        theirs + ours


def test_listed_places_are_set_to_zero_and_no_others(standin):
    x, places = np.arange(1.0, 13).reshape(3, 4), np.array([[0, 1], [2, 3], [0, 1]])
    expected = x.copy()
    expected[0, 1] = expected[2, 3] = 0
    for beside in (x, origin("cupy")):
        assert to_host(zero_at(like(x.copy(), beside), places)).tolist() == expected.tolist()


def test_a_device_is_given_larger_tiles(standin, monkeypatch):
    sizes, z = [], np.zeros((3, 2))
    monkeypatch.setattr(all_pairs, "near_together", lambda z, size: sizes.append(size) or np.arange(3))
    for beside in (origin("cupy"), z):
        dissimilar_sum(like(z, beside), SimilarityGraph(3, np.array([[0, 1]])), 1.0)
    assert sizes[0] > sizes[1]


def test_a_device_is_given_its_samples_in_one_block(standin, rng):
    sizes = []

    def network(params, x):
        sizes.append(x.shape[0])
        return x, None

    blocks = Blockwise(network, size=3)
    blocks({}, np.ones((7, 2)))
    blocks({}, like(np.ones((7, 2)), origin("cupy")))
    assert sizes == [3, 3, 1, 7]


def test_a_training_step_is_few_launches_whatever_the_batch(standin, rng):
    """Small kernels cost their launch. Counted here is what computes; a GPU may need more than one kernel for each."""
    network, x = Blockwise(convnet()), rng.random((64, 1, 32, 32), np.float32)
    params, counts = beside(network.init(rng), origin("cupy")), []
    for batch in (8, 64):
        objective = SampledPairs(network, like(x, origin("cupy")), ring_graph(64), batch=batch)
        cupy_standin.launched.clear()
        minimise(objective, params, SGD(0.1), 1, rng)
        counts.append(len(cupy_standin.launched))
    assert 50 < counts[0] == counts[1] < 200


def gpu():
    """A model on the real GPU; skips, with the reason, where there is none."""
    pytest.importorskip("cupy", reason="CuPy is not installed")
    try:
        return origin("cupy")
    except InputError as reason:
        pytest.skip(str(reason))


@pytest.fixture(params=["stand-in", pytest.param("gpu", marks=pytest.mark.gpu)])
def model(request):
    """An array of CuPy to put others beside: of the stand-in, and of CuPy itself where there is a GPU."""
    if request.param == "gpu":
        return gpu()
    request.getfixturevalue("standin")
    return origin("cupy")


BOUNDS = {"float32": 1e-5, "float64": 1e-12}  # relative to the norm
precisions = pytest.mark.parametrize("dtype", list(BOUNDS))
SMALL = Sequential(hidden=Linear(5, 4), squash=Tanh(), out=Linear(4, 2))


def beside(tree, model):
    return tree_map(lambda x: like(x, model), tree)


def assert_close(theirs, ours, bound=None):
    """Every array on the device against its twin on the host: dtype, shape, and values relative to the norm."""
    theirs, ours = dict(leaves(theirs)), dict(leaves(ours))
    assert theirs.keys() == ours.keys()
    for name, expected in ours.items():
        assert namespace(theirs[name]) is sys.modules["cupy"], name
        actual, expected = to_host(theirs[name]), np.asarray(expected)
        assert actual.dtype == expected.dtype and actual.shape == expected.shape, name
        error, size = np.linalg.norm(actual - expected), np.linalg.norm(expected)
        assert error <= (bound or BOUNDS[expected.dtype.name]) * size, name


@precisions
@pytest.mark.parametrize("name", EVERY_LAYER)
def test_layers_and_networks_equal_numpys_forward_and_back(name, dtype, model, rng):
    layer, shape = EVERY_LAYER[name]
    params, x = random_tree(layer.init(rng), rng, dtype), rng.standard_normal(shape).astype(dtype)
    y, pullback = layer(params, x)
    dy = rng.standard_normal(y.shape).astype(dtype)
    their_y, their_pullback = layer(beside(params, model), like(x, model))
    assert_close(their_y, y)
    theirs = their_pullback(like(dy, model), wrt_input=True)
    assert_close(theirs._asdict(), pullback(dy, wrt_input=True)._asdict())


def tree_of(values):
    return dict(zip(("loss", "dz1", "dz2"), values, strict=False))


@precisions
def test_the_loss_over_given_pairs_equals_numpys_wherever_the_labels_are(dtype, model, rng):
    z1, z2 = rng.standard_normal((2, 64, 3)).astype(dtype)
    z2[1], y = z1[1], np.arange(64) % 2
    ours = tree_of(contrastive(z1, z2, y, 2.0))
    for labels in (y, y.tolist(), like(y, model)):
        assert_close(tree_of(contrastive(like(z1, model), like(z2, model), labels, 2.0)), ours)


@precisions
@pytest.mark.parametrize("tile", [7, 2048])
def test_the_loss_over_all_pairs_equals_numpys_whatever_the_tiles(dtype, tile, model, rng, monkeypatch):
    monkeypatch.setattr("drlim_np.fast.all_pairs.DEVICE_TILE", tile)
    pairs = rng.integers(0, 100, (300, 2))
    similar = SimilarityGraph(100, pairs[pairs[:, 0] != pairs[:, 1]])
    z, weight = rng.standard_normal((100, 2)).astype(dtype), rng.uniform(0.5, 2, 100).astype(dtype)
    assert_close(
        tree_of(contrastive_all_pairs(like(z, model), similar, 1.0)), tree_of(contrastive_all_pairs(z, similar, 1.0))
    )
    theirs = dissimilar_sum(like(z, model), similar, 1.0, like(weight, model))
    assert_close(tree_of(theirs), tree_of(dissimilar_sum(z, similar, 1.0, weight)))


def ring_graph(size):
    i = np.arange(size)
    return SimilarityGraph(size, np.concatenate([np.stack([i, (i + 1) % size], axis=1), [[1, 0], [3, 0]]]))


@pytest.mark.parametrize("optimiser", [SGD(0.1), SGD(0.1, 0.9)], ids=["plain", "momentum"])
@pytest.mark.parametrize("kind", [EveryPair, SampledPairs])
@pytest.mark.parametrize(
    ("network", "shape"),
    [(Blockwise(convnet(), size=4), CONVNET_INPUT), (two_layer(30, 5, 3), (30,))],
    ids=["convnet", "two-layer"],
)
def test_training_from_one_seed_equals_numpys(network, shape, kind, optimiser, model):
    x = np.random.default_rng(1).random((12, *shape))
    ends = []
    for inputs in (x, like(x, model)):
        rng = np.random.default_rng(0)
        start = beside(network.init(rng, np.float64), inputs)
        options = {"batch": 8} if kind is SampledPairs else {}
        params, losses = minimise(kind(network, inputs, ring_graph(12), **options), start, optimiser, 4, rng)
        ends.append((params, losses, rng.random()))
    (ours, our_losses, our_next), (theirs, their_losses, their_next) = ends
    assert their_next == our_next, "the generators were not asked for the same numbers"
    np.testing.assert_allclose(their_losses, our_losses, rtol=1e-10)
    assert_close(embed(network, beside(ours, model), like(x, model), 5), embed(network, ours, x))
    last = list(ours)[-1]
    ours[last].pop("bias"), theirs[last].pop("bias")  # its gradient is rounding
    assert_close(theirs, ours, 1e-9)


def test_the_audit_of_layers_and_losses_holds_where_they_are_computed_on_the_device(model, rng, monkeypatch):
    seen = []
    compute = catalogue.contrastive
    monkeypatch.setattr(catalogue, "contrastive", lambda *args: seen.append(namespace(args[0])) or compute(*args))
    found = [*catalogue._layers(rng, model), *catalogue._losses(rng, model)]
    assert len(found) > 15 and all(finding.as_it_should_be for finding in found)
    assert set(seen) == {sys.modules["cupy"]}


@pytest.mark.gpu
def test_the_whole_audit_on_the_gpu_finds_what_it_should():
    gpu()
    found = list(catalogue.findings(backend="cupy"))
    assert len(found) > 100
    assert [finding for finding in found if not finding.as_it_should_be] == []


def test_samples_on_the_host_are_embedded_by_weights_on_a_device_and_come_back(model, rng):
    params, x = SMALL.init(rng, np.float64), rng.standard_normal((7, 5))
    z = embed(SMALL, beside(params, model), x, block=3)
    assert type(z) is np.ndarray
    np.testing.assert_allclose(z, embed(SMALL, params, x), rtol=1e-12)


# ---- figures ----


def assert_one_map(theirs, ours):
    """The loss leaves it open where a map lies: the gradient of the last bias is rounding."""
    theirs, ours = theirs - theirs.mean(axis=0), ours - ours.mean(axis=0)
    assert np.linalg.norm(theirs - ours) < 1e-3 * np.linalg.norm(ours)


def test_digits_are_learned_on_the_device_from_the_weights_and_batches_of_the_host(model, monkeypatch):
    starts = []
    monkeypatch.setattr(
        of_digits, "minimise", lambda *args, **named: starts.append(args[1]) or minimise(*args, **named)
    )
    rng = np.random.default_rng(1)
    x, unseen, similar = rng.random((24, 1, 32, 32), np.float32), rng.random((5, 1, 32, 32), np.float32), ring_graph(24)
    maps, courses = [], []
    for backend in ("numpy", "cupy"):
        run, rng = replace(NOBODYS, backend=backend), np.random.default_rng(0)
        network, params, losses = of_digits.learn(x, similar, "balanced", of_digits.Training(3, batch=8), run, rng, "")
        maps.append(embed(network, params, unseen))
        courses.append(losses)
    assert_close(starts[1], starts[0], bound=1e-30)
    np.testing.assert_allclose(courses[1], courses[0], rtol=1e-4)
    assert type(maps[1]) is np.ndarray
    assert_one_map(maps[1], maps[0])


def test_the_record_of_a_figure_names_the_device(model):
    ours = entry(Result(Figure(), []), NOBODYS, 1.0)
    theirs = entry(Result(Figure(), []), replace(NOBODYS, backend="cupy"), 1.0)
    assert (ours["machine"]["backend"], ours["machine"]["device"]) == ("numpy", "cpu")
    assert (theirs["machine"]["backend"], theirs["machine"]["device"]) == ("cupy", device_of(model))
    assert theirs["versions"]["cupy"] == sys.modules["cupy"].__version__ and "cupy" not in ours["versions"]


@pytest.mark.gpu
@pytest.mark.parametrize("make", [figure4.make, figure8.make], ids=["figure 4", "figure 8"])
def test_every_claim_of_a_whole_figure_holds_when_trained_on_the_gpu(make):
    gpu()
    run = Run(0, False, 2, digits=cache(handwriting.generate), views=cache(rendering.generate), backend="cupy")
    assert [claim for claim in make(run).claims if not claim.holds] == []
