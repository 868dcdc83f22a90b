"""Peak memory of the two steps that would need most of it, each alone in its process."""

import resource
import sys
from time import perf_counter

import numpy as np

from drlim_np.bench.cases import MARGIN, NEAREST, images
from drlim_np.bench.race import clock
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.neighbours import nearest_neighbour_graph
from drlim_np.networks import convnet
from drlim_np.siamese import embed_once


def gradient(digits: int = 6_000) -> float:
    """exact gradient over all pairs of 6,000 digits, 18 million, one thread"""
    x = images(digits)
    similar = nearest_neighbour_graph(x.reshape(digits, -1), NEAREST)
    network = Blockwise(convnet())
    params = network.init(np.random.default_rng(0))
    return clock(lambda: embed_once(network, params, x, similar, MARGIN), perf_counter)[0]


def neighbours(digits: int = 30_000) -> float:
    """five nearest neighbours among 30,000 × 1,024 pixels, two threads"""
    x = images(digits).reshape(digits, -1)
    return clock(lambda: nearest_neighbours(x, NEAREST, threads=2), perf_counter)[0]


STEPS = {"gradient": gradient, "neighbours": neighbours}


def peak(name: str) -> dict[str, float]:
    """Of one of STEPS, run in this process: seconds, and bytes that the process held at most."""
    seconds = STEPS[name]()
    unit = 1 if sys.platform == "darwin" else 1024
    return {"seconds": seconds, "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}
