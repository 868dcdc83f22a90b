"""Backpropagation, layer by layer: each is its formula, and next to it its pullback.

Called on parameters and an input, a layer returns its output and its pullback, which carries a gradient back to both:

    y, pullback = layer(params, x)
    gradient = pullback(dy)                      # gradient.params has the structure of params
    gradient = pullback(dy, wrt_input=True)      # gradient.input has the shape of x as well

`dy` is dL/dy for a scalar L, and the pullback applies the transposed Jacobian. A layer stores nothing, so the two
towers can share one. `wrt_input` is there because nobody needs dL/dx of a network's first layer, a large product.
Every layer keeps its dtype. Images are (samples, maps, height, width); Conv2d and Subsample work *by row* (fast.maps):
(height, maps, width · samples). From layer to layer on the host that is a change of view, not a copy.
"""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from drlim_np.backend import Array, namespace
from drlim_np.checks.arrays import checked, guarded, require_features, require_images, require_names, whole_sizes
from drlim_np.errors import require
from drlim_np.fast.maps import as_images, by_row, one_minus_square, over_windows, plus, spread, sum_by_map, window_sums
from drlim_np.fast.patches import as_kernels, as_rows, fold, patches, product
from drlim_np.tree import Gradient, Pullback, Tree


def no_parameters(layer: Any, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Tree:
    """The `init` of a layer that has none."""
    return {}


@dataclass(frozen=True)
class Linear:
    """y = x Wᵀ + b: every output unit a weighted sum of the inputs. (samples, inputs) → (samples, outputs).

    y_no = Σ_i W_oi x_ni + b_o, hence
        dL/dW_oi = Σ_n dy_no x_ni      dy transposed times x
        dL/db_o  = Σ_n dy_no
        dL/dx_ni = Σ_o dy_no W_oi      dy times W
    """

    inputs: int
    outputs: int
    __post_init__ = whole_sizes

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Tree:
        """weight (outputs, inputs) from N(0, 1 / inputs), so that unit inputs sum to ±1; bias (outputs,) zero."""
        weight = rng.normal(0, 1 / np.sqrt(self.inputs), (self.outputs, self.inputs)).astype(dtype)
        return {"weight": weight, "bias": np.zeros(self.outputs, dtype)}

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        params, x = checked(self, params, x, weight=(self.outputs, self.inputs), bias=(self.outputs,))
        require_features(x, self, self.inputs)
        w, b = params["weight"], params["bias"]

        def pullback(dy: Array, wrt_input: bool) -> Gradient:
            dparams = {"weight": dy.T @ x, "bias": namespace(dy).sum(dy, axis=0)}
            return Gradient(dparams, dy @ w if wrt_input else None)

        return guarded(x @ w.T + b, pullback)


@dataclass(frozen=True)
class Conv2d:
    """Each output map sums a kernel slid over all the input maps: C1 and C3 of Fig. 3 (valid, stride 1).

    y_m[i, j] = b_m + Σ_c Σ_uv W_mc[u, v] x_c[i + u, j + v], as `audit.exact.convolution` writes it, loop by loop.
    With a kernel in each row of W, and the patches along row i as the columns of P_i, y_i = W P_i + b,
        dL/dW = Σ_i dy_i P_iᵀ
        dL/db = Σ_i dy_i, summed over positions and samples
        dL/dx = fold(Wᵀ dy): the patches' gradients Wᵀ dy_i, added up where the patches overlap
    """

    channels: int
    maps: int
    kernel: int
    __post_init__ = whole_sizes

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Tree:
        """weight (maps, channels, kernel, kernel) from N(0, 1 / (channels kernel²)), bias (maps,) zero."""
        shape = (self.maps, self.channels, self.kernel, self.kernel)
        weight = rng.normal(0, 1 / np.sqrt(prod(shape[1:])), shape).astype(dtype)
        return {"weight": weight, "bias": np.zeros(self.maps, dtype)}

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        kernels = (self.maps, self.channels, self.kernel, self.kernel)
        params, x = checked(self, params, x, weight=kernels, bias=(self.maps,))
        require_images(x, self, self.channels, least=self.kernel)
        size, columns = self.kernel, x.shape[3]
        x, w = by_row(x), as_rows(params["weight"])
        y = product(w, patches(x, size, columns))

        def pullback(dy: Array, wrt_input: bool) -> Gradient:
            dy_i = by_row(dy)
            dw = namespace(dy).sum(dy_i @ patches(x, size, columns).mT, axis=0)
            dparams = {"weight": as_kernels(dw, params["weight"].shape), "bias": sum_by_map(dy_i)}
            return Gradient(dparams, as_images(fold(w.T @ dy_i, size, columns), columns) if wrt_input else None)

        return guarded(as_images(plus(y, spread(params["bias"], y)), columns - size + 1), pullback)


@dataclass(frozen=True)
class Subsample:
    """LeNet's subsampling, S2 of Fig. 3: the mean over each window, times one coefficient per map, plus one bias.

    With S_c[i, j] the sum of x_c over the window at (i, j), y_c = a_c S_c / window² + b_c, hence
        dL/da_c = Σ dy_c[i, j] S_c[i, j] / window²
        dL/db_c = Σ dy_c[i, j]
        dL/dx_c = a_c dy_c[i, j] / window²    for each pixel of the window at (i, j)
    """

    maps: int
    window: int
    __post_init__ = whole_sizes

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Tree:
        """coefficient (maps,) one, bias (maps,) zero; `rng` is not used."""
        return {"coefficient": np.ones(self.maps, dtype), "bias": np.zeros(self.maps, dtype)}

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        params, x = checked(self, params, x, coefficient=(self.maps,), bias=(self.maps,))
        require_images(x, self, self.maps, unit=self.window)
        size, area, columns = self.window, self.window**2, x.shape[3]
        sums = window_sums(by_row(x), size, columns)
        slope, b = spread(params["coefficient"] / area, sums), spread(params["bias"], sums)

        def pullback(dy: Array, wrt_input: bool) -> Gradient:
            dy_i = by_row(dy)
            dparams = {"coefficient": sum_by_map(dy_i * sums) / area, "bias": sum_by_map(dy_i)}
            dx = as_images(over_windows(slope * dy_i, size, columns), columns) if wrt_input else None
            return Gradient(dparams, dx)

        return guarded(as_images(slope * sums + b, columns // size), pullback)


@dataclass(frozen=True)
class Tanh:
    """y = tanh x, unit by unit. dy/dx = 1 - tanh² x = 1 - y², so dL/dx = dy (1 - y²)."""

    init = no_parameters

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        params, x = checked(self, params, x)
        y = namespace(x).tanh(x)
        return guarded(y, lambda dy, wrt_input: Gradient({}, dy * one_minus_square(y) if wrt_input else None))


@dataclass(frozen=True)
class Flatten:
    """(samples, maps, height, width) → (samples, features), maps outermost: a new shape, which the pullback undoes."""

    init = no_parameters

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        params, x = checked(self, params, x)
        y = namespace(x).reshape(x, (-1, prod(x.shape[1:])))
        return guarded(y, lambda dy, wrt_input: Gradient({}, namespace(dy).reshape(dy, x.shape) if wrt_input else None))


@dataclass(frozen=True)
class Positions:
    """(samples, maps, height, width) → (samples · height · width, maps): the maps of each position become a row.

    So the layers that follow are applied at each position: the network slides over a larger picture.
    """

    init = no_parameters

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        params, x = checked(self, params, x)
        require(x.ndim == 4, f"{self} takes (samples, maps, height, width), got {x.shape}")
        xp = namespace(x)
        samples, maps, height, width = x.shape
        y = xp.reshape(xp.permute_dims(x, (0, 2, 3, 1)), (-1, maps))

        def pullback(dy: Array, wrt_input: bool) -> Gradient:
            dx = xp.permute_dims(xp.reshape(dy, (samples, height, width, maps)), (0, 3, 1, 2))
            return Gradient({}, dx if wrt_input else None)

        return guarded(y, pullback)


class Sequential:
    """Layers by name, y = f_k(… f_1(x)): by the chain rule dL/dx = J_1ᵀ … J_kᵀ dy, the pullbacks in reverse order."""

    def __init__(self, **layers: Any) -> None:
        require(bool(layers), "a Sequential needs at least one layer")
        self.layers = layers

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Tree:
        """Each layer's parameters under its name, drawn from `rng` in the order of the layers."""
        return {name: layer.init(rng, dtype) for name, layer in self.layers.items()}

    def __call__(self, params: Tree, x: Array) -> tuple[Array, Pullback]:
        require_names("this network", params, self.layers)
        first = next(iter(self.layers))
        pullbacks = {}
        for name, layer in self.layers.items():
            x, pullbacks[name] = layer(params[name], x)

        def pullback(dy: Array, wrt_input: bool = False) -> Gradient:
            dparams = dict.fromkeys(self.layers)
            for name in reversed(self.layers):
                dparams[name], dy = pullbacks[name](dy, wrt_input=wrt_input or name != first)
            return Gradient(dparams, dy)

        return x, pullback
