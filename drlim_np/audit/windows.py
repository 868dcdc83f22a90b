"""Five copies of a character are five windows of one picture: proven on whole numbers, at the sizes of the paper."""

from collections.abc import Iterator

import numpy as np

from drlim_np.audit.proof import Proof
from drlim_np.backend import Array
from drlim_np.data.shifts import SHIFTS, shifted, wide
from drlim_np.fast.blocks import Blockwise
from drlim_np.layers import Sequential, Tanh, no_parameters
from drlim_np.networks import CONVNET_INPUT, convnet
from drlim_np.tree import Gradient, Pullback, Tree, leaves, tree_map

LINE, PICTURES = ("sec-3-3-windows",), 3


class Stairs:
    """In the place of tanh: a function of each entry, from whole numbers to whole numbers, and a slope like it."""

    init = no_parameters

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        return x % 7 - 3, lambda dy, wrt_input: Gradient({}, dy * (x % 5 - 2) if wrt_input else None)


def proofs(rng: np.random.Generator) -> Iterator[Proof]:
    """The network on a wide picture against the network on the five copies; and shifts for which it does not hold."""
    layers = {name: Stairs() if isinstance(layer, Tanh) else layer for name, layer in convnet().layers.items()}
    network = Sequential(**layers)
    W = tree_map(lambda w: 9.0 * rng.integers(-8, 8, w.shape), network.init(rng))  # S2 divides by 9
    images = 1.0 * rng.integers(0, 256, (PICTURES, *CONVNET_INPUT))  # full of ink, at the frame as well
    bound = f"{PICTURES} pictures full of ink, in whole numbers"

    of_picture, of_copies = Blockwise(network, size=2)(W, wide(images)), network(W, shifted(images))
    dz = 1.0 * rng.integers(-8, 8, of_picture[0].shape)
    found, wanted = ([z, *(dw for _, dw in leaves(pullback(dz).params))] for z, pullback in (of_picture, of_copies))
    statement = "G_W(wide picture) is G_W of its five copies, dL/dW too, for any function in the place of tanh"
    yield Proof("five windows", statement, LINE, ("Positions",), all(map(np.array_equal, found, wanted)), bound)

    def cells(pictures: np.ndarray) -> np.ndarray:
        return layers["S2"](W["S2"], layers["C1"](W["C1"], pictures)[0])[0]

    whole, copies = cells(wide(images)), [cells(shifted(images, [shift])) for shift in range(-6, 7)]
    places = [[np.array_equal(copy, whole[..., start : start + 9]) for start in range(5)] for copy in copies]
    holds = all(sum(found) == (shift % 3 == 0) for shift, found in zip(range(-6, 7), places, strict=True))
    holds = holds and [places[shift + 6].index(True) for shift in SHIFTS] == [0, 1, 2, 3, 4]
    statement = "moved by 3 pixels, S2's maps move by 1 cell; moved by 1 or 2 they are no window of the picture's"
    yield Proof("only multiples of three", statement, LINE, (), holds, bound)
