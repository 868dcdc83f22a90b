"""Pullbacks proven by exact numbers: whole numbers so small that float64 never rounds, or fractions. Equality is `==`.

A layer without tanh is affine in each of its arguments, so its central difference is exact, and the pullback is right
if and only if

    ⟨v, f(p + q) - f(p - q)⟩ = 2 ⟨pullback(v)_p, q⟩    for all v, q and all arguments p.

For a wrong pullback that is affine in each of v, x, W and b the two sides differ by a polynomial of degree 5 at most.
Entries are drawn from a set S of whole numbers: by the lemma of Schwartz and Zippel such a pullback passes one draw
with a probability of at most 5/|S|. On small shapes every triple of basis vectors is tried instead.
"""

from collections.abc import Callable, Iterator
from functools import partial
from math import nan
from operator import mul

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from drlim_np.audit import floats, pairs, step1
from drlim_np.audit.numbers import Exact, drawn_like, exact
from drlim_np.audit.proof import Proof
from drlim_np.backend import Array
from drlim_np.data import SHIFTS, shifted, wide
from drlim_np.fast.blocks import Blockwise
from drlim_np.layers import Conv2d, Flatten, Linear, Positions, Sequential, Subsample, Tanh, no_parameters
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.tree import Gradient, Pullback, Tree, leaves, tree_map

DRAWS, BITS = 4, 17  # of each entry, so that at the paper's sizes no sum in a layer or its pullback reaches 2⁵³
SAMPLES = 5  # at the real sizes: in blocks of two the last is smaller
NETWORKS = (convnet(), CONVNET_INPUT, "Fig. 3"), (two_layer(), (96 * 96,), "Sec. 3.4")
IDENTITY = "⟨v, f(p + q) - f(p - q)⟩ = 2 ⟨pullback(v), q⟩"


def proofs(seed: int = 0) -> Iterator[Proof]:
    """All proofs, and the wrong gradients on record that they must refute; every draw comes from `seed`."""
    rng = np.random.default_rng(seed)
    parts = (_layers, _in_sequence, _small, _tanh, *pairs.PARTS, _windows, step1.proofs)
    for part in (*parts, floats.proofs, floats.rounding):
        yield from part(rng)


def pullback_is_adjoint(layer: Callable, arguments: Tree, draw: Callable) -> bool:
    """The identity at the head of this page, once for each of the arguments, {"params": …, "input": …}.

    draw: the shape of an array → whole numbers.
    """
    y, pullback = layer(arguments["params"], arguments["input"])
    v = draw(y.shape)
    gradients = dict(leaves(pullback(v, wrt_input=True)._asdict()))
    for name, leaf in leaves(arguments):
        q = draw(leaf.shape)
        stepped = (tree_map(lambda x, s=step, of=leaf: x + s if x is of else x, arguments) for step in (q, -q))
        ahead, behind = (layer(*changed.values())[0] for changed in stepped)
        if gradients[name].shape != leaf.shape or inner(v, ahead - behind) != 2 * inner(gradients[name], q):
            return False
    return True


def inner(a: np.ndarray, b: np.ndarray) -> float:
    """⟨a, b⟩ in Python's numbers, of any length. NaN, which equals nothing, where an entry may have been rounded."""
    numbers = []
    for x in (a, b):
        if not isinstance(x, Exact) and not ((x == np.rint(x)) & (abs(x) < 2**53)).all():
            return nan
        numbers.append((x.entries if isinstance(x, Exact) else x.astype(np.int64)).ravel().tolist())
    return sum(map(mul, *numbers))


def whole_numbers(rng: np.random.Generator, shape: tuple[int, ...], bits: int, times: int = 1) -> np.ndarray:
    """Entries from the 2^bits whole numbers around 0, times a factor, in float64."""
    return rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), shape) * float(times)


def _layers(rng: np.random.Generator) -> Iterator[Proof]:
    """Every layer of the paper's two networks but tanh; in blocks and on threads too."""
    for network, shape, figure in NETWORKS:
        y = np.zeros((SAMPLES, *shape))
        for name, layer in network.layers.items():
            params, x = layer.init(rng, np.float64), y
            y, _ = layer(params, x)
            if isinstance(layer, Tanh):
                continue
            times = getattr(layer, "window", 1) ** 2  # a multiple of what Subsample divides by
            # It sums products of two entries, one of them p ± q; two outputs are subtracted. The longest sum is over
            # the inputs of a unit, the units that an input goes to, or the samples at all positions.
            matrices = [w.size // min(w.shape[:2]) for _, w in leaves(params) if w.ndim > 1]
            longest = max(x.size // x.shape[1], y.size // y.shape[1], *matrices) * times**2 + 1
            assert 2 * longest * 2**BITS * 2 ** (BITS - 1) < 2**53
            draw = partial(whole_numbers, rng, bits=BITS, times=times)
            drawn = [drawn_like({"params": params, "input": x}, draw) for _ in range(DRAWS)]
            forms = [layer, Blockwise(layer, size=2), Blockwise(layer, size=2, threads=2)]
            holds = all(pullback_is_adjoint(form, arguments, draw) for arguments in drawn for form in forms)
            kind, bound = type(layer).__name__, f"a wrong one passes with p ≤ {(5 / 2**BITS) ** DRAWS:.0e}"
            yield Proof(f"{kind}, {name} of {figure}", IDENTITY, (kind, "Blockwise"), holds, bound)


def _in_sequence(rng: np.random.Generator) -> Iterator[Proof]:
    """Fractions have room for any product: a stack of layers is proven as a whole, on the path that a device takes."""

    def draw(shape):
        return exact(rng.integers(-(2**59), 2**59, shape))

    holds = True
    for last in ({"flatten": Flatten(), "linear": Linear(18, 2)}, {"rows": Positions(), "linear": Linear(3, 2)}):
        stack = Sequential(conv=Conv2d(2, 3, 3), mean=Subsample(3, 2), **last)
        arguments = {"params": drawn_like(stack.init(rng), draw), "input": draw((2, 2, 8, 6))}
        holds &= pullback_is_adjoint(stack, arguments, draw)
    subjects = ("Sequential", "Positions", "convnet", "two-layer")
    bound = f"a wrong one passes with p ≤ {9 / 2**60:.0e}"
    yield Proof("Sequential, all layers but tanh", IDENTITY, subjects, holds, bound)


def convolution(weight: np.ndarray, bias: np.ndarray, x: np.ndarray) -> np.ndarray:
    """y_m[i, j] = b_m + Σ_c Σ_uv W_mc[u, v] x_c[i + u, j + v] for every sample and position: valid, stride 1.

    The definition, loop by loop, for reading and for changing: `Conv2d` gives the same a thousand times faster.
    weight (maps, channels, kernel, kernel), bias (maps,), x (samples, channels, rows, columns)
    → (samples, maps, rows - kernel + 1, columns - kernel + 1).
    """
    samples, _, rows, columns = x.shape
    maps, _, kernel, _ = weight.shape
    y = np.empty((samples, maps, rows - kernel + 1, columns - kernel + 1), np.result_type(weight, bias, x))
    for n, m, i, j in np.ndindex(y.shape):
        y[n, m, i, j] = bias[m]
        for c, u, v in np.ndindex(weight.shape[1:]):
            y[n, m, i, j] += weight[m, c, u, v] * x[n, c, i + u, j + v]
    return y


def convolution_pullback(weight: np.ndarray, x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, ...]:
    """dL/dW, dL/db and dL/dx from dy = dL/dy: of each product W x in y, either factor gets dy times the other."""
    dweight, dbias, dx = np.zeros_like(weight), np.zeros_like(weight[:, 0, 0, 0]), np.zeros_like(x)
    for n, m, i, j in np.ndindex(dy.shape):
        dbias[m] += dy[n, m, i, j]
        for c, u, v in np.ndindex(weight.shape[1:]):
            dweight[m, c, u, v] += dy[n, m, i, j] * x[n, c, i + u, j + v]
            dx[n, c, i + u, j + v] += dy[n, m, i, j] * weight[m, c, u, v]
    return dweight, dbias, dx


def loop_by_loop(params: Tree, x: np.ndarray) -> tuple[np.ndarray, Pullback]:
    """The textbook's convolution as a layer, so that the definition is audited as its fast form is."""

    def pullback(dy: np.ndarray, wrt_input: bool = False) -> Gradient:
        dweight, dbias, dx = convolution_pullback(params["weight"], x, dy)
        return Gradient({"weight": dweight, "bias": dbias}, dx)

    return convolution(params["weight"], params["bias"], x), pullback


SMALL = [  # the layer, another form of it, and the shape of a sample; window² is a power of two, so nothing is rounded
    ("Linear", Linear(4, 3), None, (4,)),
    ("Conv2d", Conv2d(2, 3, 2), None, (2, 4, 3)),
    ("Conv2d, loop by loop", Conv2d(2, 2, 2), loop_by_loop, (2, 3, 4)),
    ("Subsample", Subsample(2, 2), None, (2, 4, 6)),
]
FORMULAS = {  # of one sample, without the bias
    Linear: lambda w, x: w @ x,
    Conv2d: lambda w, x: np.einsum("mcuv,cijuv->mij", w, sliding_window_view(x, (2, 2), (1, 2))),
    Subsample: lambda w, x: w[:, None, None] * sliding_window_view(x, (2, 2), (1, 2))[:, ::2, ::2].mean((3, 4)),
}


def _small(rng: np.random.Generator) -> Iterator[Proof]:
    """Of one sample the formula, product by product; the biases, and the sums over samples, by the identity."""
    draw = partial(whole_numbers, rng, bits=20, times=4)  # products of two, one of them p ± q: room to add 2⁹ of them
    for name, layer, other_form, shape in SMALL:
        form = other_form or layer
        zero = drawn_like(layer.init(rng), np.zeros)
        (kind, w), *_ = zero.items()
        x, basis = (np.eye(int(np.prod(of))).reshape(-1, *of) for of in (shape, w.shape))
        formula = np.array([[FORMULAS[type(layer)](e, one).ravel() for one in x] for e in basis])
        units = np.eye(formula.shape[-1]).reshape(-1, *form(zero, x)[0].shape[1:])
        nothing = np.zeros((len(units), *shape))
        outputs = [form(zero | {kind: e}, x)[0].reshape(len(x), -1) for e in basis]
        of_x = [form(zero | {kind: e}, nothing)[1](units, True).input.reshape(len(units), -1).T for e in basis]
        of_w = [[form(zero, e[None])[1](unit[None]).params[kind].ravel() for unit in units] for e in x]
        holds = all(np.array_equal(found, formula) for found in (outputs, of_x, np.moveaxis(np.array(of_w), 2, 0)))
        arguments = drawn_like({"params": zero, "input": x[:3]}, draw)
        holds = holds and pullback_is_adjoint(form, arguments, draw)
        statement, bound = "y, dL/dW and dL/dx are the formula's", f"all {formula.size:,} triples of basis vectors"
        yield Proof(f"{name}, small", statement, (name,), holds, bound)


def _tanh(rng: np.random.Generator) -> Iterator[Proof]:
    """Tanh is no polynomial. Its slope 1 - y² is derived; its pullback is held to it, on the y that it returned."""
    y, pullback = Tanh()({}, exact(np.arange(-32, 32) / 16))
    v = exact(rng.integers(-(2**59), 2**59, 64))
    holds = np.array_equal(pullback(v, wrt_input=True).input.entries, (v * (1 - y * y)).entries)
    bound = "64 values of y: no other polynomial below degree 64 passes"
    yield Proof("Tanh", "pullback(v) = v (1 - y²), in fractions", ("Tanh",), holds, bound)


class Stairs:
    """In the place of tanh: a function of each entry, from whole numbers to whole numbers, and a slope like it."""

    init = no_parameters

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        return x % 7 - 3, lambda dy, wrt_input: Gradient({}, dy * (x % 5 - 2) if wrt_input else None)


def _windows(rng: np.random.Generator) -> Iterator[Proof]:
    """Five copies of a character are five windows of one picture; and shifts for which it does not hold."""
    layers = {name: Stairs() if isinstance(layer, Tanh) else layer for name, layer in convnet().layers.items()}
    network = Sequential(**layers)
    W = tree_map(lambda w: 9.0 * rng.integers(-8, 8, w.shape), network.init(rng))  # S2 divides by 9
    images = 1.0 * rng.integers(0, 256, (3, *CONVNET_INPUT))  # full of ink, at the frame as well
    bound = "3 pictures full of ink, in whole numbers"

    of_picture, of_copies = Blockwise(network, size=2)(W, wide(images)), network(W, shifted(images))
    dz = 1.0 * rng.integers(-8, 8, of_picture[0].shape)
    found, wanted = ([z, *(dw for _, dw in leaves(pullback(dz).params))] for z, pullback in (of_picture, of_copies))
    statement = "G_W(wide picture) is G_W of its five copies, dL/dW too, for any function in the place of tanh"
    yield Proof("five windows", statement, ("Positions",), all(map(np.array_equal, found, wanted)), bound)

    def cells(pictures: np.ndarray) -> np.ndarray:
        return layers["S2"](W["S2"], layers["C1"](W["C1"], pictures)[0])[0]

    whole, copies = cells(wide(images)), [cells(shifted(images, [shift])) for shift in range(-6, 7)]
    places = [[np.array_equal(copy, whole[..., start : start + 9]) for start in range(5)] for copy in copies]
    holds = all(sum(found) == (shift % 3 == 0) for shift, found in zip(range(-6, 7), places, strict=True))
    holds = holds and [places[shift + 6].index(True) for shift in SHIFTS] == [0, 1, 2, 3, 4]
    statement = "moved by 3 pixels, S2's maps move by 1 cell; moved by 1 or 2 they are no window of the picture's"
    yield Proof("only multiples of three", statement, (), holds, bound)
