"""PyTorch's autograd on the same forward pass: the shipped functions run on tensors that bring their module.

`MODULE` gives PyTorch's functions the names of the array API standard. The loss over all pairs is compared on the list
of its pairs, because the root of a sample's distance to itself, 0, has no finite slope.
"""

from collections.abc import Callable, Iterator
from functools import reduce
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch

from drlim_np.audit import catalogue
from drlim_np.audit.gradcheck import FLOOR
from drlim_np.audit.numbers import drawn_like
from drlim_np.fast.all_pairs import contrastive_all_pairs
from drlim_np.graph import pair_table
from drlim_np.loss import contrastive
from drlim_np.siamese import one_tower, two_towers
from drlim_np.tree import Tree, leaves, tree_map

BOUND = 1e-12  # on the error relative to the gradient's norm, in float64


class Tensor(torch.Tensor):
    """A tensor that brings its module; what is computed from one is one too."""

    def __array_namespace__(self):
        return MODULE


class Opinion(NamedTuple):
    """How far our gradient of one tensor is from autograd's, relative to its norm as in `gradcheck.check`."""

    subject: str
    tensor: str
    size: int
    error: float


def gradient_of(function: Callable[[Tree], Tensor], arguments: Tree) -> Tree:
    """The gradient of a scalar function of a tree of NumPy arrays by autograd, as a tree of NumPy arrays."""
    tensors = tree_map(lambda x: tensor(x).requires_grad_(), arguments)
    named = dict(leaves(tensors))
    found = torch.autograd.grad(function(tensors), list(named.values()), materialize_grads=True)
    gradients = iter(found)
    return tree_map(lambda _: next(gradients).numpy(), tensors)


def opinions(seed: int = 0) -> Iterator[Opinion]:
    """Every layer, network and loss on random weights and inputs in float64; every draw comes from `seed`."""
    rng = np.random.default_rng(seed)
    for layer, shape in catalogue.LAYERS:
        params = drawn_like(layer.init(rng, np.float64), rng.standard_normal)
        yield from of_layer(type(layer).__name__, layer, params, rng.standard_normal(shape), rng)

    z1, z2, y = catalogue.pairs_around_the_margin(rng)
    ours = dict(zip(("z1", "z2"), contrastive(z1, z2, y, catalogue.MARGIN)[1:], strict=True))
    theirs = gradient_of(lambda a: contrastive(a["z1"], a["z2"], y, catalogue.MARGIN)[0], {"z1": z1, "z2": z2})
    yield from compare("contrastive, Eqs. 2 to 4", ours, theirs)

    z, similar = 0.6 * rng.standard_normal((12, 2)), catalogue.small_graph(12)
    i, j, y = pair_table(similar)
    theirs = gradient_of(lambda z: contrastive(z[i, :], z[j, :], y, catalogue.MARGIN)[0], z)
    yield from compare("all pairs, Eq. 2", {"z": contrastive_all_pairs(z, similar, catalogue.MARGIN)[1]}, {"z": theirs})

    for name, network, shape in catalogue.NETWORKS:
        params, x, similar = network.init(rng, np.float64), rng.random((4, *shape)), catalogue.small_graph(4)
        yield from of_layer(name, network, params, x, rng)
        i, j, y = pair_table(similar)
        first, second = tensor(x[i]), tensor(x[j])

        def loss(params, network=network, first=first, second=second, y=y):
            return contrastive(network(params, first)[0], network(params, second)[0], y, catalogue.MARGIN)[0]

        theirs = gradient_of(loss, params)
        _, ours = two_towers(network, params, x[i], x[j], y, catalogue.MARGIN)
        yield from compare(f"Siamese {name}, two towers", ours, theirs)
        _, ours = one_tower(network, params, x, similar, catalogue.MARGIN)
        yield from compare(f"Siamese {name}, embed once", ours, theirs)


def of_layer(subject: str, layer: Callable, params: Tree, x: np.ndarray, rng) -> Iterator[Opinion]:
    """Through L = Σ v ⊙ layer(params, x) for a random v, as in `gradcheck.check_layer`."""
    y, pullback = layer(params, x)
    v = rng.standard_normal(y.shape)
    ours = pullback(v, wrt_input=True)._asdict()
    theirs = gradient_of(
        lambda a: (tensor(v) * layer(a["params"], a["input"])[0]).sum(), {"params": params, "input": x}
    )
    yield from compare(subject, ours, theirs)


def compare(subject: str, ours: Tree, theirs: Tree) -> Iterator[Opinion]:
    theirs = dict(leaves(theirs))
    whole = np.sqrt(sum(np.sum(g * g) for g in theirs.values()))
    for name, gradient in leaves(ours):
        size = max(np.linalg.norm(theirs[name]), FLOOR * whole)
        yield Opinion(subject, name, gradient.size, float(np.linalg.norm(gradient - theirs[name]) / size))


def tensor(x) -> Tensor:
    return torch.tensor(x).as_subclass(Tensor)


def _is_of_kind(dtype: torch.dtype, kinds: str | tuple[str, ...]) -> bool:
    kind = "bool" if dtype == torch.bool else "integral"
    kind = "complex floating" if dtype.is_complex else "real floating" if dtype.is_floating_point else kind
    return kind in kinds if isinstance(kinds, tuple) else kind == kinds


MODULE = ModuleType("torch, under the names of the array API standard")
vars(MODULE).update(
    {name: getattr(torch, name) for name in ("all", "broadcast_to", "clip", "concat", "finfo", "isfinite")},
    **{name: getattr(torch, name) for name in ("ones_like", "reshape", "sqrt", "stack", "sum", "tanh", "where")},
    zeros_like=torch.zeros_like,
    permute_dims=torch.permute,
    repeat=torch.repeat_interleave,
    isdtype=_is_of_kind,
    result_type=lambda *arrays: reduce(torch.promote_types, (x.dtype for x in arrays)),
    astype=lambda x, dtype, copy: x.to(dtype),
    take=lambda x, indices, axis: torch.index_select(x, axis, indices),
    triu=lambda x, k: torch.triu(x, diagonal=k),
    asarray=lambda x, device: tensor(x),
    zeros=lambda shape, dtype, device: torch.zeros(shape, dtype=dtype).as_subclass(Tensor),
)
