"""How time and peak memory grow with the samples: each step at each size alone in its process."""

import resource
import sys
from time import perf_counter

import numpy as np

from drlim_np.bench.cases import MARGIN, NEAREST, WIDE, images, neighbours_on_the_map
from drlim_np.bench.race import clock
from drlim_np.fast.all_pairs import dissimilar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.neighbours import nearest_neighbour_graph
from drlim_np.networks import convnet
from drlim_np.objective import SampledPairs
from drlim_np.siamese import one_tower
from drlim_np.tree import Gradient

STEPS_DRAWN = 100


def gradient(samples: int) -> float:
    """exact gradient over all pairs of digits, one thread"""
    x = images(samples)
    similar = nearest_neighbour_graph(x.reshape(samples, -1), NEAREST)
    network = Blockwise(convnet())
    params = network.init(np.random.default_rng(0))
    return clock(lambda: one_tower(network, params, x, similar, MARGIN), perf_counter)[0]


def neighbours(samples: int) -> float:
    """five nearest neighbours in 1,024 pixels, two threads"""
    x = images(samples).reshape(samples, -1)
    return clock(lambda: nearest_neighbours(x, NEAREST, threads=2), perf_counter)[0]


def all_pairs(samples: int) -> float:
    """loss and gradient over all pairs of a map 16 margins wide with its graph, two threads"""
    z = WIDE * np.random.default_rng(0).random((samples, 2), dtype=np.float32)
    similar = neighbours_on_the_map(z)
    return clock(lambda: dissimilar_sum(z, similar, MARGIN, threads=2), perf_counter)[0]


def drawn(samples: int) -> float:
    """100 objectives from 128 drawn pairs of such a map, no network, with its graph"""
    z, rng = WIDE * np.random.default_rng(0).random((samples, 2), dtype=np.float32), np.random.default_rng(1)
    objective = SampledPairs(_itself, z, neighbours_on_the_map(z), MARGIN)
    return clock(lambda: [objective({}, rng, 1.0) for _ in range(STEPS_DRAWN)], perf_counter)[0]


SIZES = {
    "gradient": (6_000,),
    "neighbours": (6_000, 30_000, 60_000),
    "all_pairs": (6_000, 30_000, 60_000, 300_000),
    "drawn": (6_000, 30_000, 60_000, 300_000),
}
STEPS = {"gradient": gradient, "neighbours": neighbours, "all_pairs": all_pairs, "drawn": drawn}


def peak(name: str, samples: str) -> dict[str, float]:
    """Of one of STEPS, run in this process: seconds, and bytes that the process held at most."""
    seconds = STEPS[name](int(samples))
    unit = 1 if sys.platform == "darwin" else 1024
    return {"seconds": seconds, "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}


def _itself(params, x):
    return x, lambda dz: Gradient({"z": dz}, dz)
