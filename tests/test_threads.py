"""Threads that share a network, a graph, a pool and a DrLIM get what one thread alone gets, bit for bit."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from drlim_np import DrLIM
from drlim_np.fast import blocks
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Linear, Sequential, Tanh
from drlim_np.objective import EveryPair
from drlim_np.sampled import SampledPairs
from tests.help.comparing import bits

THREADS, TIMES = 4, 5
RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 6)).astype(np.float32)
PAIRS = np.stack([np.arange(200), np.roll(np.arange(200), 1)], axis=1)
NETWORK = Blockwise(Sequential(hidden=Linear(6, 5), squash=Tanh(), output=Linear(5, 2)), size=32, threads=2)
W = NETWORK.init(RNG)
MODEL = DrLIM(max_iter=3, random_state=0).fit(X)


@pytest.fixture(autouse=True)
def often_interrupted():
    """Python turns to another thread a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def of(form, **options):
    return lambda graph: dict(enumerate(form(NETWORK, X, graph, **options)(W, np.random.default_rng(0), 1.0)))


SHARED = {
    "a new graph's lazy properties": lambda graph: dict(enumerate((graph.edges, graph.degree, *graph.adjacency))),
    "a network on blocks and every pair": of(EveryPair, threads=2),
    "a network on blocks and sampled pairs": of(SampledPairs),
    "a fitted DrLIM": lambda _: {"map": MODEL.transform(X), "score": MODEL.score(X)},
    "fits": lambda _: DrLIM(max_iter=3, random_state=0).fit(X).weights_,
    "nearest neighbours": lambda _: {"near": nearest_neighbours(X, 5, threads=2)},
}


@pytest.mark.parametrize("name", SHARED)
def test_threads_that_share_what_is_cached_or_pooled_get_the_bits_of_one_alone(name):
    work = SHARED[name]
    expected = bits(work(SimilarityGraph(200, PAIRS)))
    for _ in range(TIMES):
        blocks._pool.cache_clear()
        graph, together = SimilarityGraph(200, PAIRS), Barrier(THREADS)

        def at_once(_, graph=graph, together=together):
            together.wait()
            return bits(work(graph))

        with ThreadPoolExecutor(THREADS) as pool:
            assert list(pool.map(at_once, range(THREADS))) == [expected] * THREADS
