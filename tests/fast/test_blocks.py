"""A network on blocks of samples: the same network, whatever the blocks and the threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from drlim_np.fast import blocks
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.layers import Conv2d, Positions, Sequential, Tanh
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.tree import leaves, tree_map
from tests.help.comparing import assert_close, assert_same
from tests.help.every_layer import STACK, STACK_INPUT, drawn

ROWS = Sequential(conv=Conv2d(1, 2, 2), rows=Positions())  # several rows of output for each sample
CASES = [*((STACK, (7, *STACK_INPUT), size) for size in range(1, 9)), (ROWS, (5, 1, 3, 4), 2)]


@pytest.mark.parametrize(("network", "shape", "size"), CASES)
def test_a_network_in_blocks_is_the_network_whatever_the_number_of_threads(network, shape, size, rng):
    params, x = drawn(network, rng), rng.standard_normal(shape)
    y, pullback = network(params, x)
    dy = rng.standard_normal(y.shape)
    whole = dict(leaves(pullback(dy, wrt_input=True)._asdict()))
    first = None
    for threads in (1, 2, 3, 8):
        block_y, block_pullback = Blockwise(network, size, threads)(params, x)
        gradient = block_pullback(dy, wrt_input=True)
        assert_close(block_y, y)
        for name, g in leaves(gradient._asdict()):
            assert_close(g, whole[name])
        first = first or (block_y, gradient)
        assert np.array_equal(block_y, first[0])
        assert_same(gradient, first[1])


def test_gradients_of_the_convnet_in_float32_are_those_in_float64(rng):
    network = Blockwise(convnet())
    params, x, dy = network.init(rng, np.float64), rng.random((130, *CONVNET_INPUT)), rng.standard_normal((130, 2))
    exact = dict(leaves(network(params, x)[1](dy).params))
    narrow = tree_map(lambda array: array.astype(np.float32), {"params": params, "x": x, "dy": dy})
    for name, gradient in leaves(network(narrow["params"], narrow["x"])[1](narrow["dy"]).params):
        assert gradient.dtype == np.float32
        assert_close(gradient, exact[name], bound=1e-5)


def through_blocks(seen, x, **options):
    """tanh of x in blocks, each of which is seen before."""

    class Probe(Tanh):
        def __call__(self, params, x):
            seen(x)
            return super().__call__(params, x)

    return Blockwise(Sequential(probe=Probe()), **options)({"probe": {}}, x)[0]


def test_blocks_hold_no_more_samples_than_their_size_in_order():
    seen = []
    through_blocks(lambda x: seen.append(x[:, 0].tolist()), np.arange(7.0)[:, None], size=3)
    assert seen == [[0, 1, 2], [3, 4, 5], [6]]


def test_blocks_run_side_by_side_on_threads_and_on_the_callers_own_if_there_is_one():
    together, ran_on = threading.Barrier(2, timeout=10), []
    # It raises unless a second block is at work at the same time.
    y = through_blocks(lambda x: together.wait(), np.ones((4, 1)), size=2, threads=2)
    assert np.array_equal(y, np.tanh(np.ones((4, 1))))
    through_blocks(lambda x: ran_on.append(threading.get_ident()), np.ones((4, 1)), size=2)
    assert ran_on == [threading.get_ident()] * 2


def test_a_network_in_blocks_has_the_networks_own_parameters():
    assert_same(Blockwise(STACK).init(np.random.default_rng(3)), STACK.init(np.random.default_rng(3)))


@pytest.mark.parametrize(("network", "shape"), [(two_layer(4, 3, 2), (4,)), (convnet(), CONVNET_INPUT)])
def test_a_network_in_blocks_embeds_no_samples_as_no_points(network, shape, rng):
    y, pullback = Blockwise(network)(network.init(rng), np.zeros((0, *shape), np.float32))
    assert y.shape == (0, 2)
    assert all(not g.any() for _, g in leaves(pullback(y).params))


@pytest.mark.parametrize("threads", [2, 3])
def test_where_no_thread_can_start_one_does_all_of_it(threads, monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.setattr(blocks, "_pool", lambda number: ThreadPoolExecutor(number))
    found = blocks.on_threads(lambda k: (k, threading.get_ident()), range(5), threads)
    assert found == [(k, threading.get_ident()) for k in range(5)]
    x = np.arange(40.0).reshape(20, 2)
    assert nearest_neighbours(x, 2, threads).tolist() == nearest_neighbours(x, 2).tolist()
