"""PyTorch's autograd on our own forward code: its functions run on tensors that bring their module.

`MODULE` gives PyTorch's functions the names of the array API standard.
"""

from collections.abc import Callable
from functools import reduce
from types import ModuleType

import torch

from drlim_np.tree import Tree, leaves, tree_map


class Tensor(torch.Tensor):
    """A tensor that brings its module; what is computed from one is one too."""

    def __array_namespace__(self):
        return MODULE


def tensor(x) -> Tensor:
    return torch.tensor(x).as_subclass(Tensor)


def gradient_of(function: Callable[[Tree], Tensor], arguments: Tree) -> Tree:
    """The gradient of a scalar function of a tree of NumPy arrays by autograd, as a tree of NumPy arrays."""
    tensors = tree_map(lambda x: tensor(x).requires_grad_(), arguments)
    found = torch.autograd.grad(function(tensors), list(dict(leaves(tensors)).values()), materialize_grads=True)
    gradients = iter(found)
    return tree_map(lambda _: next(gradients).numpy(), tensors)


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
