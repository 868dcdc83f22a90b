"""CuPy: what can be proven without a GPU, by its names and by a stand-in. test_modules.py holds it to NumPy."""

import ast
import inspect
import os
import re
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import drlim_np
from drlim_np.backend import like, namespace, zeros
from drlim_np.fast import all_pairs
from drlim_np.fast.all_pairs import dissimilar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.devices import device_of, origin, processors
from drlim_np.graph import SimilarityGraph
from drlim_np.networks import convnet
from drlim_np.sampled import SampledPairs
from drlim_np.training import SGD, minimise
from drlim_np.tree import tree_map
from tests.help import cupy_standin
from tests.help.refusals import refuses

CORE = ("backend", "layers", "loss", "siamese", "objective", "training", "tree", "networks")
CORE += ("checks/arrays", *(f"fast/{name}" for name in ("all_pairs", "blocks", "maps", "patches")))


# ---- its names ----


def calls_of_array_modules():
    """Every `xp.name` and `namespace(x).name` in the core, and the call it stands in, if any."""
    for name in CORE:
        tree = ast.parse((Path(drlim_np.__file__).parent / f"{name}.py").read_text(encoding="utf-8"))
        calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and re.fullmatch(r"xp|namespace\([^()]*\)", ast.unparse(node.value)):
                yield f"{name}.py:{node.lineno}", node.attr, calls.get(id(node))


def test_cupy_has_every_name_that_the_core_asks_for_and_takes_the_arguments_that_it_gives():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    missing, bound = [], 0
    for where, name, call in calls_of_array_modules():
        if not hasattr(cupy, name):
            missing.append(name)
            continue
        try:
            signature = inspect.signature(getattr(cupy, name))
        except (TypeError, ValueError):  # a constant, or a compiled function without a signature
            continue
        if call is not None:
            try:
                signature.bind(*call.args, **{keyword.arg: None for keyword in call.keywords if keyword.arg})
            except TypeError as fault:
                pytest.fail(f"{where}: cupy.{name}: {fault}")
            bound += 1
    assert missing == ["__array_namespace_info__"] and bound > 40  # in to_host, once CuPy's had their way
    assert all(hasattr(cupy.ndarray, name) for name in ("T", "mT", "shape", "ndim", "dtype", "device", "get"))
    # Known by its module: if it has a namespace some day, namespace() needs no exception.
    assert cupy.ndarray.__module__ == "cupy" and not hasattr(cupy.ndarray, "__array_namespace__")


# ---- what is said where it cannot be ----

INSTALL = 'run pip install "cupy-cuda12x[ctk]>=14", or for CUDA 13 "cupy-cuda13x[ctk]>=14"'
asked = partial(origin, "cupy")


def test_without_cupy_one_line_says_how_to_install_it_and_another_backend_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    refuses(asked, f"the backend cupy needs CuPy, which is not installed: {INSTALL}")
    refuses(lambda: origin("gpu"), "backend is 'gpu': choose numpy, cupy, jax, mlx, torch")


def broken(shape):
    raise RuntimeError("nvrtc not found\nand much more")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("is_available", lambda: False, "CuPy is installed, but finds no GPU: install NVIDIA's driver"),
        ("__version__", "13.6.0", f"CuPy 13.6.0 is too old: {INSTALL}"),
        ("ones", broken, f"CuPy finds a GPU, but cannot compute on it (nvrtc not found): {INSTALL}"),
    ],
)
def test_a_cupy_that_cannot_be_used_is_refused_with_its_remedy(standin, name, value, message):
    setattr(standin, name, value)
    refuses(asked, message)


@pytest.mark.parametrize("variable", ["CUPY_TF32", "NVIDIA_TF32_OVERRIDE"])
def test_products_rounded_to_tf32_are_refused(standin, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    refuses(asked, f"{variable} is set, which rounds the products of float32 to 10 bits: unset it")
    monkeypatch.setenv(variable, "0")
    assert namespace(origin("cupy")) is standin


@pytest.mark.parametrize(("lent", "told", "count"), [({1, 4, 5}, 8, 3), (None, 3, 3), (None, None, 1)])
def test_the_processors_that_count_are_those_lent_to_this_process_or_all_if_none_are_named(
    monkeypatch, lent, told, count
):
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    monkeypatch.setattr(os, "sched_getaffinity", {0: lent}.get, raising=False)
    if lent is None:
        monkeypatch.delattr(os, "sched_getaffinity")
    assert processors() == count


# ---- what it does otherwise, on its stand-in ----


def test_numpy_and_cupy_live_side_by_side(standin):
    ours, theirs = like(np.ones(2), origin("numpy")), like(np.ones(2), origin("cupy"))
    assert namespace(ours) is np and namespace(theirs) is namespace(zeros((2,), theirs)) is standin
    assert (device_of(ours), device_of(theirs)) == ("cpu", "stand-in for a GPU")
    with pytest.raises((AssertionError, TypeError)):
        theirs + ours


def test_a_device_is_given_larger_tiles_and_its_samples_in_one_block(standin, monkeypatch):
    tiles, blocks = [], []
    monkeypatch.setattr(all_pairs, "near_together", lambda z, size: tiles.append(size) or np.arange(3))
    network = Blockwise(lambda params, x: blocks.append(x.shape[0]) or (x, None), size=3)
    for beside in (origin("cupy"), np.empty(0)):
        dissimilar_sum(like(np.zeros((3, 2)), beside), SimilarityGraph(3, np.array([[0, 1]])), 1.0)
        network({}, like(np.ones((7, 2)), beside))
    assert tiles[0] > tiles[1] and blocks == [7, 3, 3, 1]


def test_a_training_step_is_few_launches_whatever_the_batch(standin, rng):
    """Small kernels cost their launch. Counted here is what computes; a GPU may need more than one kernel for each."""
    network, x = Blockwise(convnet()), rng.random((64, 1, 32, 32), np.float32)
    params = tree_map(lambda w: like(w, origin("cupy")), network.init(rng))
    ring, counts = SimilarityGraph.of_neighbours(np.roll(np.arange(64), -1)[:, None]), []
    for batch in (8, 64):
        objective = SampledPairs(network, like(x, origin("cupy")), ring, batch=batch)
        cupy_standin.launched.clear()
        minimise(objective, params, SGD(0.1), 1, rng)
        counts.append(len(cupy_standin.launched))
    assert 50 < counts[0] == counts[1] < 200
