"""A small layer of every kind, and the paper's two networks, each with the shape of an input: one list for all tests.

Height and width differ, so that an exchange of the two cannot pass.
"""

import numpy as np

from drlim_np.fast.blocks import Blockwise
from drlim_np.layers import Conv2d, Flatten, Linear, Positions, Sequential, Subsample, Tanh
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.tree import tree_map

STACK = Sequential(
    conv=Conv2d(2, 3, 3), squash=Tanh(), subsample=Subsample(3, 2), flatten=Flatten(), linear=Linear(18, 2)
)
STACK_INPUT = (2, 8, 6)

EVERY_LAYER = {
    "Linear": (Linear(5, 3), (4, 5)),
    "Conv2d": (Conv2d(2, 3, 3), (4, 2, 6, 5)),
    "Conv2d at one position": (Conv2d(2, 3, 3), (4, 2, 3, 3)),
    "Subsample": (Subsample(2, 3), (4, 2, 9, 6)),
    "Subsample of single pixels": (Subsample(2, 1), (5, 2, 4, 2)),
    "Tanh": (Tanh(), (4, 3)),
    "Flatten": (Flatten(), (4, 2, 3, 5)),
    "Positions": (Positions(), (4, 2, 3, 5)),
    "Sequential": (STACK, (5, *STACK_INPUT)),
    "Blockwise": (Blockwise(STACK, size=2), (5, *STACK_INPUT)),
    "Blockwise on threads": (Blockwise(STACK, size=2, threads=2), (5, *STACK_INPUT)),
    "convnet": (convnet(), (2, *CONVNET_INPUT)),
    "convnet, slid": (convnet(), (2, 1, 32, 38)),
    "two_layer": (two_layer(30, 5, 3), (4, 30)),
}


def drawn(layer, rng, dtype=np.float64):
    """Parameters with entries from N(0, 1), so that no bias is 0 and no coefficient 1."""
    return tree_map(lambda p: rng.standard_normal(p.shape).astype(dtype), layer.init(rng, dtype))
