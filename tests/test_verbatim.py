"""The paper on one page does what the other modules do: each update, each pair and each rate."""

import ast
import inspect
import runpy
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from drlim_np import data, verbatim
from drlim_np.data import AZIMUTHS, rendering
from drlim_np.graph import SimilarityGraph, contiguous_views, pair_table
from drlim_np.measure import cylinder
from drlim_np.networks import two_layer
from drlim_np.siamese import two_towers
from drlim_np.training import SGD
from tests.help.comparing import assert_close, bits
from tests.help.small_views import blobs

INPUTS, HIDDEN, OUTPUTS, RATE = 6, 5, 3, 0.3
NETWORK = two_layer(INPUTS, HIDDEN, OUTPUTS)


def drawn(seed=0, apart=1.0):
    """W with biases other than 0, and the two samples of a pair, so far apart."""
    rng = np.random.default_rng(seed)
    shapes = ((HIDDEN, INPUTS), (HIDDEN,), (OUTPUTS, HIDDEN), (OUTPUTS,))
    W, (x1, x2) = tuple(rng.standard_normal(shape) for shape in shapes), rng.standard_normal((2, INPUTS))
    return W, x1, x1 + apart * (x2 - x1)


def updated(W, x1, x2, y, m):
    W = tuple(w.copy() for w in W)
    verbatim.update(W, x1, x2, y, m, RATE)
    return W


@pytest.mark.line("step-2")
@pytest.mark.parametrize(
    ("y", "margin", "apart"),
    [(0, 1.0, 1.0), (1, 2.0, 1.0), (1, 2.0, 1e-3), (1, 0.5, 1.0)],
    ids=["similar", "dissimilar", "dissimilar and near", "beyond the margin"],
)  # margins in units of the pair's distance
@pytest.mark.parametrize("seed", range(3))
def test_an_update_is_a_step_of_plain_sgd_along_the_gradient_of_two_towers(y, margin, apart, seed):
    W, x1, x2 = drawn(seed, apart)
    m = margin * np.sqrt(2 * verbatim.loss(W, x1, x2, 0, 1.0))
    A, a, B, b = W
    params = {"hidden": {"weight": A, "bias": a}, "squash": {}, "output": {"weight": B, "bias": b}}
    loss, gradient = two_towers(NETWORK, params, x1[None], x2[None], np.array([y]), m)
    descent = SGD(RATE)
    after, _ = descent.update(params, gradient, descent.init(params), 1.0)
    expected = [after[layer][name] for layer, name in product(("hidden", "output"), ("weight", "bias"))]
    for moved, there in zip(updated(W, x1, x2, y, m), expected, strict=True):
        assert_close(moved, there)
    assert_close(verbatim.loss(W, x1, x2, y, m), loss)


@pytest.mark.parametrize("y", [0, 1])
def test_at_distance_0_nothing_moves_and_nothing_is_nan(y):
    W, x, _ = drawn()
    with np.errstate(all="raise"):
        assert verbatim.loss(W, x, x, y, 1.0) == y / 2
        assert bits(*updated(W, x, x, y, 1.0)) == bits(*W)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.uint64, np.int64])
@pytest.mark.parametrize("around", [3, 5, AZIMUTHS])
def test_similar_views_are_the_contiguous_ones_whatever_the_dtype_of_their_steps(around, dtype):
    azimuth, elevation = (grid.ravel().astype(dtype) for grid in np.meshgrid(np.arange(around), np.arange(4)))
    azimuth, elevation = np.tile(azimuth, 2), np.tile(elevation, 2)  # each pose under two lights
    similar = verbatim.similar_views(azimuth, elevation, dtype(around))
    assert similar.diagonal().all() and (similar == similar.T).all()
    for steps in ((azimuth, elevation, dtype(around)), (azimuth.astype(int), elevation.astype(int), around)):
        assert np.argwhere(np.triu(similar, k=1)).tolist() == contiguous_views(*steps).pairs.tolist()


@pytest.mark.parametrize("similar", [np.eye(3), np.eye(3, dtype=bool), np.ones((3, 3), np.uint8)])
def test_y_is_0_for_a_pair_in_the_set_and_1_for_every_other(similar):
    graph = SimilarityGraph(3, np.argwhere(np.triu(similar, k=1)))
    assert verbatim.pair_up(similar).shape == (3, 3 * 2 // 2)
    assert sorted(verbatim.pair_up(similar).T.tolist()) == sorted(np.stack(pair_table(graph), axis=1).tolist())


def test_a_sweep_is_one_update_after_the_other_in_the_order_given():
    W, *_ = drawn()
    x, rng = np.random.default_rng(1).standard_normal((5, INPUTS)), np.random.default_rng(2)
    pairs = rng.permutation(verbatim.pair_up(np.abs(np.subtract.outer(range(5), range(5))) <= 1), axis=1)
    rates = 0.2 * rng.random(10)
    swept, expected, backwards = (tuple(w.copy() for w in W) for _ in range(3))
    verbatim.sweep(swept, x, pairs, 4.0, rates)
    verbatim.sweep(backwards, x, pairs[:, ::-1], 4.0, rates[::-1])
    for (i, j, y), rate in zip(pairs.T, rates, strict=True):
        verbatim.update(expected, x[i], x[j], y, 4.0, rate)
    assert bits(*swept) == bits(*expected)
    assert (swept[0] != backwards[0]).any(), "or the order could not be told"


def test_the_rate_falls_by_equal_steps_from_the_first_update_of_all_to_the_last_as_the_page_says():
    rates = np.concatenate([verbatim.falling(epoch, 4, 250) for epoch in range(4)])
    assert rates[0] == verbatim.RATE and rates[-1] > 0
    np.testing.assert_allclose(np.diff(rates), -verbatim.RATE / 1000, rtol=1e-9)
    assert rates[-1] == pytest.approx(verbatim.RATE / 1000)
    page = " ".join(Path(verbatim.__file__).with_name("README.md").read_text(encoding="utf-8").split())
    assert "8 times, from one start; rate 2e-2 falling" in page and "| m = 1 |" in page
    assert (verbatim.MARGIN, verbatim.RATE, verbatim.EPOCHS) == (1.0, 2e-2, 8)


def test_first_weights_are_small_in_the_first_layer_one_over_the_root_of_the_fan_in_after_it_and_there_is_no_bias():
    A, a, B, b = verbatim.first_weights(np.random.default_rng(0), 4000, hidden=100, outputs=50)
    assert (A.shape, a.shape, B.shape, b.shape) == ((100, 4000), (100,), (50, 100), (50,))
    assert A.std() == pytest.approx(1e-3, rel=0.02) and B.std() == pytest.approx(0.1, rel=0.05)
    assert not a.any() and not b.any()
    assert [w.shape for w in verbatim.first_weights(np.random.default_rng(0), 7)] == [(20, 7), (20,), (3, 20), (3,)]


def test_it_is_one_page_that_needs_numpy_alone_until_it_runs_as_a_program():
    source = inspect.getsource(verbatim)
    assert source.count("\n") <= 80 and max(map(len, source.splitlines())) <= 120
    top = [node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in top] == ["import numpy as np"]
    inside = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {node.module.split(".")[1] for node in inside[1:]} == {"data", "measure"}


def test_as_a_program_it_prints_the_four_numbers_of_figure_8_after_every_epoch(capsys, monkeypatch):
    monkeypatch.setattr(rendering, "generate", blobs)
    monkeypatch.setattr(data, "TRAIN", 40)
    in_words, maps, said = cylinder.in_words, [], []

    def listening(z, *others):
        maps.append(z)
        said.append(in_words(z, *others))
        return said[-1]

    monkeypatch.setattr(cylinder, "in_words", listening)
    runpy.run_path(verbatim.__file__, run_name="__main__")
    assert capsys.readouterr().out == "".join(f"epoch {number}: {words}\n" for number, words in enumerate(said, 1))
    assert len(said) == verbatim.EPOCHS
    names = ("elevation R²", "azimuth resultant length", "lighting's share", "neighbours that adjoin")
    assert all(name in words for words in said for name in names)
    assert maps[0].shape == (972, 3) and (maps[0] != maps[-1]).any()
