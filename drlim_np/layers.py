"""Layers: a description without arrays of its own. Called on parameters and an input, a layer returns its output and
its pullback, the function that carries a gradient of the output back to the parameters and the input:

    y, pullback = layer(params, x)
    gradient = pullback(dy)                      # gradient.params has the structure of params
    gradient = pullback(dy, wrt_input=True)      # gradient.input has the shape of x as well

`dy` is dL/dy for a scalar L, and the pullback applies the transposed Jacobian. Nothing is remembered on the layer, so
calling one twice, as the two towers of a Siamese network do, cannot mix the calls up.

Images are (samples, maps, height, width), embeddings (samples, features). Every layer keeps the dtype it is given:
float32 to train, float64 to audit, complex128 for the complex step.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, reduce
from math import prod
from typing import NamedTuple

import numpy as np

from drlim_np.backend import Array, keep_freed_memory, namespace, on_host, require_floating, windows, zeros
from drlim_np.errors import InputError
from drlim_np.tree import Tree, add


class Gradient(NamedTuple):
    """What a pullback returns: dL/dparams as a tree, and dL/dinput, or None where nobody asked for it."""

    params: Tree
    input: Array | None


Pullback = Callable[..., Gradient]


def _normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, dtype, scale: float = 1.0) -> np.ndarray:
    """Weights from N(0, scale² / fan_in), so that the sum over fan_in unit inputs has standard deviation `scale`."""
    return (rng.standard_normal(shape) * (scale / np.sqrt(fan_in))).astype(dtype)


@dataclass(frozen=True)
class Linear:
    """y = x Wᵀ + b: every output unit a weighted sum of the inputs. x (samples, inputs), y (samples, outputs).

    y_no = Σ_i W_oi x_ni + b_o, hence
        dL/dW_oi = Σ_n dy_no x_ni      dy transposed times x
        dL/db_o  = Σ_n dy_no
        dL/dx_ni = Σ_o dy_no W_oi      dy times W
    """

    inputs: int
    outputs: int
    scale: float = 1.0

    def init(self, rng: np.random.Generator, dtype=np.float32) -> Tree:
        """weight (outputs, inputs) from N(0, scale² / inputs), bias (outputs,) zero."""
        weight = _normal(rng, (self.outputs, self.inputs), self.inputs, dtype, self.scale)
        return {"weight": weight, "bias": np.zeros(self.outputs, dtype)}

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        weight, bias = params["weight"], params["bias"]
        require_floating(x=x, weight=weight, bias=bias)
        if x.ndim != 2 or x.shape[1] != self.inputs:
            raise InputError(f"Linear({self.inputs}, {self.outputs}) takes (samples, {self.inputs}), got {x.shape}")

        def pullback(dy: Array, wrt_input: bool = False) -> Gradient:
            dparams = {"weight": dy.T @ x, "bias": namespace(dy).sum(dy, axis=0)}
            return Gradient(dparams, dy @ weight if wrt_input else None)

        return x @ weight.T + bias, pullback


@dataclass(frozen=True)
class Conv2d:
    """Each output map sums a kernel slid over all the input maps: C1 and C3 of Fig. 3 (valid, stride 1).

    y_m[i, j] = b_m + Σ_c Σ_uv W_mc[u, v] x_c[i + u, j + v], hence, summing over the samples and positions i, j,
        dL/dW_mc[u, v] = Σ dy_m[i, j] x_c[i + u, j + v]
        dL/db_m        = Σ dy_m[i, j]
        dL/dx_c[p, q]  = Σ_m Σ_uv dy_m[p - u, q - v] W_mc[u, v]    where that position exists

    `textbook.convolution` is this, loop by loop.
    With the patch under (i, j) of every sample as a column of P_ij, all three are matrix products: y_ij = W P_ij + b,
    dW = Σ_ij dy_ij P_ijᵀ and dP_ij = Wᵀ dy_ij. In memory positions come first and samples last, so that P_ij is a piece
    of `_patches`'s strip i, which all the positions of that row share, and one call multiplies all of them: a training
    step takes a sixth less time than row by row, and on two threads, which then seldom wait for each other, almost half
    less. The patches are made anew for the pullback: kept, they would drive from the cache what has to stay, and two
    threads would take 4 % longer.
    """

    channels: int
    maps: int
    kernel: int

    def init(self, rng: np.random.Generator, dtype=np.float32) -> Tree:
        """weight (maps, channels, kernel, kernel) from N(0, 1 / (channels kernel²)), bias (maps,) zero."""
        shape = (self.maps, self.channels, self.kernel, self.kernel)
        return {"weight": _normal(rng, shape, prod(shape[1:]), dtype), "bias": np.zeros(self.maps, dtype)}

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        weight, bias = params["weight"], params["bias"]
        require_floating(x=x, weight=weight, bias=bias)
        if x.ndim != 4 or x.shape[1] != self.channels or min(x.shape[2:]) < self.kernel:
            raise InputError(
                f"Conv2d({self.channels}, {self.maps}, {self.kernel}) takes (samples, {self.channels}, height, width)"
                f" with height and width of at least {self.kernel}, got {x.shape}"
            )
        xp, k, samples = namespace(x), self.kernel, x.shape[0]
        pixels = _ordered(_positions_first(x))
        kernels = xp.reshape(xp.permute_dims(weight, (0, 3, 2, 1)), (self.maps, -1))  # columns first, as in the strips
        dtype = xp.result_type(x, weight, bias)  # complex if any is, as in the complex step
        y = xp.astype(kernels @ self._patches(pixels), dtype, copy=False)
        y += _spread(bias, samples)

        def pullback(dy: Array, wrt_input: bool = False) -> Gradient:
            dy = _positions_first(dy)
            dkernels = xp.reshape(xp.sum(dy @ self._patches(pixels).mT, axis=(0, 1)), (self.maps, k, k, self.channels))
            dparams = {"weight": xp.permute_dims(dkernels, (0, 3, 2, 1)), "bias": _sum_by_map(dy)}
            return Gradient(dparams, self._pull_to_input(kernels.T @ dy) if wrt_input else None)

        return _samples_first(y), pullback

    def _patches(self, pixels: Array) -> Array:
        """The P_ij: (height, width, kernel² channels, samples), from (rows, columns, channels, samples).

        A strip holds what lies under one row of positions, column after column; P_ij is `kernel` columns of strip i.
        """
        xp, k, (rows, columns, channels, samples) = namespace(pixels), self.kernel, pixels.shape
        strips = _ordered(xp.permute_dims(windows(pixels, k, axis=0), (0, 2, 1, 3, 4)))
        strips = xp.reshape(strips, (rows - k + 1, columns, k * channels, samples))
        return xp.reshape(windows(strips, k, axis=1), (rows - k + 1, columns - k + 1, k * k * channels, samples))

    def _pull_to_input(self, dpatches: Array) -> Array:
        """dL/dx: each pixel collects the gradients of all the patches that it was copied into."""
        xp, k, (height, width, _, samples) = namespace(dpatches), self.kernel, dpatches.shape
        dpatches = xp.reshape(dpatches, (height, width, k, k, self.channels, samples))
        dstrips = zeros((height, width + k - 1, k, self.channels, samples), dpatches)
        dpixels = zeros((height + k - 1, width + k - 1, self.channels, samples), dpatches)
        for j in range(width):
            dstrips[:, j : j + k, ...] += dpatches[:, j, ...]
        for i in range(height):
            dpixels[i : i + k, ...] += xp.permute_dims(dstrips[i, ...], (1, 0, 2, 3))
        return _samples_first(dpixels)


@dataclass(frozen=True)
class Subsample:
    """LeNet's subsampling, S2 of Fig. 3: the mean over each window, times one trainable coefficient a map, plus a bias.

    With S_c[i, j] the sum of x_c over the window at (i, j), y_c = a_c S_c / window² + b_c, hence
        dL/da_c = Σ dy_c[i, j] S_c[i, j] / window²
        dL/db_c = Σ dy_c[i, j]
        dL/dx_c = a_c dy_c[i, j] / window²    for each pixel of the window at (i, j)
    """

    maps: int
    window: int

    def init(self, rng: np.random.Generator, dtype=np.float32) -> Tree:
        """coefficient (maps,) one, bias (maps,) zero; `rng` is not used."""
        return {"coefficient": np.ones(self.maps, dtype), "bias": np.zeros(self.maps, dtype)}

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        coefficient, bias = params["coefficient"], params["bias"]
        require_floating(x=x, coefficient=coefficient, bias=bias)
        size = self.window
        if x.ndim != 4 or x.shape[1] != self.maps or x.shape[2] % size or x.shape[3] % size:
            raise InputError(
                f"Subsample({self.maps}, {size}) takes (samples, {self.maps}, height, width) with height and width"
                f" multiples of {size}, got {x.shape}"
            )
        xp, maps = namespace(x), _positions_first(x)
        height, width, channels, samples = maps.shape
        cells = height // size, size, width // size, size, channels, samples
        total, slope = xp.sum(xp.reshape(maps, cells), axis=(1, 3)), _spread(coefficient / size**2, samples)

        def pullback(dy: Array, wrt_input: bool = False) -> Gradient:
            dy = _positions_first(dy)
            dparams = {"coefficient": _sum_by_map(dy * total) / size**2, "bias": _sum_by_map(dy)}
            if not wrt_input:
                return Gradient(dparams, None)
            dpixel = xp.broadcast_to((slope * dy)[:, None, :, None, :, :], cells)
            return Gradient(dparams, _samples_first(xp.reshape(dpixel, maps.shape)))

        return _samples_first(slope * total + _spread(bias, samples)), pullback


@dataclass(frozen=True)
class Tanh:
    """y = tanh x, unit by unit. dy/dx = 1 - tanh² x = 1 - y², so dL/dx = dy (1 - y²)."""

    def init(self, rng: np.random.Generator, dtype=np.float32) -> Tree:
        """No parameters."""
        return {}

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        require_floating(x=x)
        y = namespace(x).tanh(x)

        def pullback(dy: Array, wrt_input: bool = False) -> Gradient:
            return Gradient({}, dy * _slope(y) if wrt_input else None)

        return y, pullback


def _slope(y: Array) -> Array:
    """1 - y², in place, for memory is what Tanh waits for: a step on two threads takes 4 % less time."""
    slope = y * y
    slope *= -1
    slope += 1
    return slope


@dataclass(frozen=True)
class Flatten:
    """(samples, maps, height, width) → (samples, features), maps outermost. A renaming, so its pullback names back."""

    def init(self, rng: np.random.Generator, dtype=np.float32) -> Tree:
        """No parameters."""
        return {}

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        require_floating(x=x)
        xp = namespace(x)

        def pullback(dy: Array, wrt_input: bool = False) -> Gradient:
            return Gradient({}, xp.reshape(dy, x.shape) if wrt_input else None)

        return xp.reshape(x, (x.shape[0], prod(x.shape[1:]))), pullback


class Sequential:
    """Layers one after the other, by name: Sequential(hidden=Linear(4, 3), squash=Tanh(), out=Linear(3, 2)).

    y = f_k(… f_1(x)), so by the chain rule dL/dx = J_1ᵀ … J_kᵀ dy: the pullbacks in reverse order. Parameters are a
    dict with the layers' names.
    """

    def __init__(self, **layers):
        if not layers:
            raise InputError("a Sequential needs at least one layer")
        self.layers = layers

    def init(self, rng: np.random.Generator, dtype=np.float32) -> Tree:
        """Each layer's parameters, drawn from `rng` in the order of the layers."""
        return {name: layer.init(rng, dtype) for name, layer in self.layers.items()}

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        pullbacks = []
        for name, layer in self.layers.items():
            x, pullback = layer(params[name], x)
            pullbacks.append((name, pullback))

        def pullback_through_all(dy: Array, wrt_input: bool = False) -> Gradient:
            dparams = dict.fromkeys(self.layers)
            first = pullbacks[0][0]
            for name, pullback in reversed(pullbacks):
                dparams[name], dy = pullback(dy, wrt_input=wrt_input or name != first)
            return Gradient(dparams, dy)

        return x, pullback_through_all


@dataclass(frozen=True)
class InBlocks:
    """The same network, `size` samples at a time: what one block works on stays in the processor's cache.

    Samples do not interact inside a network, so outputs concatenate and parameter gradients add. Blocks run on
    `threads` threads and are added in the order of the samples: the result does not depend on the number of threads.
    A device has all its threads at work on one block: there the samples stay together.
    """

    network: Sequential
    size: int = 64
    threads: int = 1

    def __post_init__(self):
        keep_freed_memory()

    def init(self, rng: np.random.Generator, dtype=np.float32) -> Tree:
        """The network's own parameters."""
        return self.network.init(rng, dtype)

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        if not on_host(x):
            return self.network(params, x)
        samples = x.shape[0]
        blocks = [slice(k, min(k + self.size, samples)) for k in range(0, max(1, samples), self.size)]
        outputs, pullbacks = zip(*self._each(lambda block: self.network(params, x[block, ...]), blocks), strict=True)

        def pullback(dy: Array, wrt_input: bool = False) -> Gradient:
            gradients = self._each(lambda b: pullbacks[b](dy[blocks[b], ...], wrt_input=wrt_input), range(len(blocks)))
            dinput = np.concat([gradient.input for gradient in gradients]) if wrt_input else None
            return Gradient(reduce(add, (gradient.params for gradient in gradients)), dinput)

        return np.concat(outputs), pullback

    def _each(self, function: Callable, items: Sequence) -> list:
        """`function` of each item, in order. The calling thread takes the first share of them, others the rest."""
        share = max(1, -(-len(items) // self.threads))
        mine, *others = [items[start : start + share] for start in range(0, len(items), share)]

        def in_turn(part: Sequence) -> list:
            return [function(item) for item in part]

        theirs = [_pool(self.threads - 1).submit(in_turn, part) for part in others]
        return sum((part.result() for part in theirs), in_turn(mine))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads that wait for work. Started anew for every pass, they cost a tenth of a training step of 256 images."""
    return ThreadPoolExecutor(threads)


def _positions_first(x: Array) -> Array:
    """(samples, maps, height, width) seen as (height, width, maps, samples)."""
    return namespace(x).permute_dims(x, (2, 3, 1, 0))


def _samples_first(x: Array) -> Array:
    """(height, width, maps, samples) seen as (samples, maps, height, width); the memory stays as it is."""
    return namespace(x).permute_dims(x, (3, 2, 0, 1))


def _ordered(x: Array) -> Array:
    """`x` with its axes in this order in memory as well, copied if need be: what is done along them then runs long."""
    return namespace(x).reshape(namespace(x).reshape(x, (-1,)), x.shape)


def _spread(values: Array, samples: int) -> Array:
    """(maps,) repeated as (maps, samples). NumPy then adds and multiplies in runs over both, in half of the time."""
    return namespace(values).reshape(namespace(values).repeat(values, samples), (*values.shape, samples))


def _sum_by_map(x: Array) -> Array:
    """Σ over positions and samples of (height, width, maps, samples): the positions first, which go in long runs."""
    return namespace(x).sum(namespace(x).sum(x, axis=(0, 1)), axis=1)
