"""The trained networks that ship: each figure's W lies beside it, and maps digits that no one has seen.

A grey picture of a digit, white on black, of 28×28 or 32×32 pixels, finds its place on the map of Figure 7 by

    W = weights.load("figures/figure7-mnist-weights.npz")
    image = np.asarray(Image.open("digit.png").convert("L"))
    z = embed(convnet(), W, on_canvas(image[None]))
    known = np.load("figures/figure7-mnist.npz")
    near = known["label"][np.linalg.norm(known["embedding"] - z, axis=1).argsort()[:5]]

with z (1, 2), its place, and near (5,), the digits that lie there. All is float32.
"""

import numpy as np

from drlim_np.backend import to_host
from drlim_np.tree import Tree


def within_footprint(params: Tree, inputs: np.ndarray) -> Tree:
    """W of `two_layer` without the first weights of pixels that are 0, the background, in all inputs (samples, pixels).

    No gradient ever reached those: they are what was drawn before training, and multiply zeros. So every one of the
    inputs keeps its place to the last bit, and the file is half as long.
    """
    seen = (inputs != 0).any(axis=0)
    weight = to_host(params["hidden"]["weight"])
    return params | {"hidden": params["hidden"] | {"weight": np.where(seen, weight, np.zeros_like(weight))}}
