"""What an array brings; and sums over many tiles, refusals and the audit on a device that is not the host's.

That is one of array_api_strict, of a stand-in for CuPy and, marked `gpu`, of CuPy. test_modules.py has the functions.
"""

from functools import partial

import array_api_strict
import numpy as np
import pytest

from drlim_np.audit import catalogue
from drlim_np.backend import kind, like, namespace, real, to_host, zeros
from drlim_np.checks.arrays import require_floating
from drlim_np.errors import DivergedError
from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum, similar_sum
from drlim_np.graph import SimilarityGraph
from drlim_np.loss import contrastive
from drlim_np.networks import two_layer
from drlim_np.objective import EveryPair
from drlim_np.training import SGD, descend
from drlim_np.tree import tree_map
from tests.help.refusals import refuses

ROUNDING = {"float32": 1e-5, "float64": 1e-12, "complex128": 1e-12}
SMALL = two_layer(5, 4, 2)
GRAPH = SimilarityGraph(9, np.array([[0, 1], [1, 0], [2, 5], [3, 5], [4, 6], [7, 8], [8, 0]]))

modules = pytest.mark.parametrize("xp", [np, array_api_strict])
precisions = pytest.mark.parametrize("dtype", ROUNDING)


def test_the_device_refuses_to_be_read_as_numpy(model):
    with pytest.raises((RuntimeError, TypeError)):
        np.asarray(like(np.zeros(2), model))


@precisions
@pytest.mark.parametrize("name", ["all pairs", "similar", "dissimilar", "weighted"])
@pytest.mark.parametrize("samples", [7, 100])
def test_the_losses_over_a_set_equal_numpys_whatever_the_tiles(samples, name, dtype, model, rng, monkeypatch):
    pairs = np.concatenate([[[0, 1], [1, 0], [2, 5], [6, 5], [5, 1]], rng.integers(0, samples, (samples // 2, 2))])
    similar = SimilarityGraph(samples, pairs[pairs[:, 0] != pairs[:, 1]])
    z, weight = rng.standard_normal((samples, 2)).astype(dtype), rng.uniform(0.5, 2, samples).astype(dtype)
    z[3] = z[4]

    def found(z, weight):
        if name == "all pairs":
            return contrastive_all_pairs(z, similar, 2.0)
        if name == "similar":
            return similar_sum(z, similar)
        return dissimilar_sum(z, similar, 2.0, weight if name == "weighted" else None)

    for tile in (1, 3, 256) if samples < 10 else (7, 2048):
        for constant in ("TILE", "DEVICE_TILE"):
            monkeypatch.setattr(f"drlim_np.fast.all_pairs.{constant}", tile)
        for theirs, ours in zip(found(like(z, model), like(weight, model)), found(z, weight), strict=True):
            assert namespace(theirs) is namespace(model) and theirs.device == model.device
            actual, expected = to_host(theirs), np.asarray(ours)
            assert actual.dtype == expected.dtype and actual.shape == expected.shape
            assert np.linalg.norm(actual - expected) <= ROUNDING[dtype] * np.linalg.norm(expected)


@pytest.mark.parametrize(
    ("dtypes", "y", "margin", "message"),
    [
        ((float, float), [0, 1, 2], 1.0, "labels other than 0 and 1"),
        ((float, float), [0, 1], 1.0, "y has shape"),
        ((float, float), [0, 1, 1], -1.0, "margin is -1.0"),
        ((float, int), [0, 1, 1], 1.0, "z2 has dtype"),
        ((float, np.float32), [0, 1, 1], 1.0, "mismatched dtypes"),
    ],
)
def test_what_numpy_refuses_of_pairs_is_refused_on_the_device(dtypes, y, margin, message, model):
    z1, z2 = (like(np.zeros((3, 2), dtype), model) for dtype in dtypes)
    refuses(lambda: contrastive(z1, z2, y, margin), message)


def test_what_numpy_refuses_of_a_network_is_refused_on_the_device(model, rng):
    params = tree_map(partial(like, x=model), SMALL.init(rng, np.float64))
    layer, x = SMALL.layers["hidden"], like(np.full((9, 5), np.nan), model)
    refuses(lambda: layer(params["hidden"], like(np.zeros((3, 2)), model)), "Linear(inputs=5, outputs=4) takes")
    steps = descend(EveryPair(SMALL, x, GRAPH), params, SGD(0.1), 1, rng)
    refuses(lambda: next(steps), "the objective is not finite at step 1", DivergedError)


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


@modules
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128", "int64", "bool"])
def test_an_array_comes_back_from_the_device_as_it_left_the_host(xp, dtype):
    host = np.array([[0, 1], [2, 3]]).astype(dtype)
    there = like(host, xp.asarray([0.5]))
    back = to_host(there)
    assert namespace(there) is xp and type(back) is np.ndarray
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
