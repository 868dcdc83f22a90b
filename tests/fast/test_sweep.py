"""The fast descent pair by pair is that of the paper's page, one update after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drlim_np import verbatim
from drlim_np.fast.sweep import AHEAD, sweep
from tests.help.comparing import assert_close, bits

VIEWS, FEATURES = 12, 9


def drawn(seed):
    """W with biases other than 0, views, all their pairs in random order and a rate for each, in float64."""
    rng = np.random.default_rng(seed)
    W = tuple(rng.standard_normal(shape) for shape in ((5, FEATURES), (5,), (3, 5), (3,)))
    similar = rng.random((VIEWS, VIEWS)) < 0.2
    pairs = rng.permutation(verbatim.pair_up(similar | similar.T), axis=1)
    return W, rng.standard_normal((VIEWS, FEATURES)), pairs, 0.02 * rng.random(pairs.shape[1])


def both(W, *given):
    """W as the page and as the fast way leave it, by name."""
    plain, fast = ({name: w.copy() for name, w in zip("AaBb", W, strict=True)} for _ in range(2))
    verbatim.sweep(tuple(plain.values()), *given)
    sweep(tuple(fast.values()), *given)
    return plain, fast


@pytest.mark.line("step-2")
@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([0.5, 1.0, 4.0]))
def test_a_sweep_by_inner_products_is_one_update_after_the_other(seed, margin):
    W, x, pairs, rates = drawn(seed)
    assert pairs.shape[1] > 2 * AHEAD
    plain, fast = both(W, x, pairs, margin, rates)
    assert_close(fast, plain, 1e-10)
    assert (fast["A"] != W[0]).any()


def test_pairs_beyond_the_margin_and_dissimilar_pairs_in_one_place_move_nothing():
    W, x, (i, j, _), rates = drawn(0)
    x[:6] = x[0]
    pairs = np.stack([i, j, np.ones_like(i)])
    assert (0 in np.ptp(x[[i, j]], axis=0).max(axis=1)) and len(i) % AHEAD
    with np.errstate(all="raise"):
        _, fast = both(W, x, pairs, 1e-6, rates)
    assert bits(fast) == bits(dict(zip("AaBb", W, strict=True)))


def test_single_precision_stays_single_and_a_sweep_of_no_pair_changes_nothing():
    W, x, pairs, rates = drawn(1)
    W, x = [w.astype(np.float32) for w in W], x.astype(np.float32)
    _, fast = both(W, x, pairs[:, :0], 1.0, rates[:0])
    assert bits(fast) == bits(dict(zip("AaBb", W, strict=True)))
    plain, fast = both(W, x, pairs, 1.0, rates)
    assert {w.dtype for w in fast.values()} == {np.dtype(np.float32)}
    assert_close(fast, plain, 1e-4)
