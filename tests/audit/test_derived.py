"""Derivations by SymPy refute what is wrong."""

import numpy as np
import pytest

from drlim_np.audit import wrong
from drlim_np.audit.derived import is_gradient, symbols
from drlim_np.audit.numbers import Exact
from drlim_np.layers import Tanh
from drlim_np.loss import contrastive
from drlim_np.networks import two_layer
from drlim_np.tree import tree_map


def test_no_two_symbols_are_the_same():
    assert len({*symbols((2, 3)).entries.flat, *symbols((4,)).entries.flat}) == 10


@pytest.mark.parametrize("y", [0, 1])
@pytest.mark.parametrize("times", [1, 2, -1])
def test_the_force_of_a_pair_is_refuted_with_another_factor_or_sign(y, times):
    z1, z2 = symbols((1, 2)), symbols((1, 2))
    loss, dz1, _ = contrastive(z1, z2, [y], 1.0)
    assert is_gradient(loss.entries.item(), times * dz1, z1) == (times == 1)


def test_a_slope_of_1_minus_y_for_tanh_is_refuted():
    x, v = symbols((3,)), symbols((3,))
    y, pullback = Tanh()({}, x)
    assert is_gradient(np.sum((v * y).entries), pullback(v, wrt_input=True).input, x)
    assert not is_gradient(np.sum((v * y).entries), v * (1 - y), x)


@pytest.mark.parametrize("mistake", wrong.TOWERS)
def test_a_wrong_sum_of_two_towers_is_refuted(mistake):
    network = two_layer(2, 2, 1)
    params = tree_map(lambda w: symbols(w.shape), network.init(np.random.default_rng(0)))
    x1, x2 = symbols((1, 2)), symbols((1, 2))
    (z1, _), (z2, _) = network(params, x1), network(params, x2)
    loss, *_ = contrastive(z1, z2, [0], 1.0)
    assert isinstance(loss, Exact)
    assert not is_gradient(loss.entries.item(), wrong.TOWERS[mistake](network, params, x1, x2, [0], 1.0), params)
