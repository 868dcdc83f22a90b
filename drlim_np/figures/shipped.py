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


def on_footprint(params: Tree, inputs: np.ndarray) -> tuple[np.ndarray, Tree]:
    """The pixels (kept,) that are not 0, background, in all inputs (samples, pixels), and W of `two_layer` on those.

    No gradient ever reached the first weights of the others: they are what was drawn before training, and multiply
    zeros. So two_layer(len(kept)) maps inputs[:, kept] as the whole G_W maps inputs, but for rounding, and its file is
    half as long.
    """
    kept = np.flatnonzero((inputs != 0).any(axis=0))
    weight = np.ascontiguousarray(to_host(params["hidden"]["weight"])[:, kept])
    return kept, params | {"hidden": params["hidden"] | {"weight": weight}}
