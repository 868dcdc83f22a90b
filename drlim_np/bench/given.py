"""What the cases work on: weights, images and graphs."""

import numpy as np

from drlim_np.data import handwriting
from drlim_np.data.canvas import on_canvas
from drlim_np.fast.tiles import near_together
from drlim_np.graph import SimilarityGraph
from drlim_np.networks import CONVNET_INPUT, convnet
from drlim_np.tree import Tree

# Multiplications and additions that an image needs: C1 forward and for its weights; C3 these and back to its input; the
# rest is less than a thousandth.
FLOP = 2 * (2 * 27**2 * 15 * 36 + 3 * 30 * 15 * 81)


def problem(images: int) -> tuple[Tree, np.ndarray, np.ndarray]:
    """Parameters of the network of Fig. 3, images, and a gradient at its output."""
    rng = np.random.default_rng(0)
    params = convnet().init(rng)
    return params, rng.random((images, *CONVNET_INPUT), dtype=np.float32), rng.standard_normal((images, 2), np.float32)


def neighbours_on_the_map(z: np.ndarray) -> SimilarityGraph:
    """A graph as a trained map shows it: of each sample the next few in an order of near ones."""
    order = near_together(z, 8)
    return SimilarityGraph(len(z), np.concatenate([np.stack([order, np.roll(order, k)], 1) for k in range(1, 6)]))


def images(samples: int) -> np.ndarray:
    """Generated digits on their canvas, (samples, 1, 32, 32) float32."""
    halves = (samples + 1) // 2, samples // 2
    return on_canvas(handwriting.generate(train=halves, test=(1, 1)).train.images)
