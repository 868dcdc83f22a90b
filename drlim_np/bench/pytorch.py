"""The same work in PyTorch, as one would write it there."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from drlim_np.fast.all_pairs import within_reach
from drlim_np.sampled import SampledCopies, SampledPairs
from drlim_np.tree import Tree, leaves


def forward(x: Tensor, *weights: Tensor) -> Tensor:
    """The network of Fig. 3, a row for each position; the weights in the order of `tree.leaves`."""
    c1, c1_bias, s2, s2_bias, c3, c3_bias, f4, f4_bias = weights
    y = torch.tanh(functional.conv2d(x, c1, c1_bias))
    y = torch.tanh(s2[:, None, None] * functional.avg_pool2d(y, 3) + s2_bias[:, None, None])
    y = torch.tanh(functional.conv2d(y, c3, c3_bias))
    return functional.linear(y.permute(0, 2, 3, 1).reshape(-1, 30), f4, f4_bias)


def convnet(params: Tree, x: np.ndarray, kind: str, device: str = "cpu") -> tuple[Callable, Tensor, list[Tensor]]:
    """What to call, its input and our weights, all as `kind` says."""

    def there(array: np.ndarray) -> Tensor:
        tensor = torch.tensor(array, device=device)
        return tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 and "channels last" in kind else tensor

    weights = [there(weight).requires_grad_() for _, weight in leaves(params)]
    return torch.compile(forward) if "compiled" in kind else forward, there(x), weights


def step(params: Tree, x: np.ndarray, dz: np.ndarray, kind: str, device: str) -> Callable:
    """Forward and all parameter gradients of the network of Fig. 3."""
    run, x, weights = convnet(params, x, kind, device)
    dz = torch.tensor(dz, device=device)
    return lambda: torch.autograd.grad(run(x, *weights), weights, dz)


def _tile(z1: Tensor, z2: Tensor, counts: Tensor | None, margin: float) -> tuple[Tensor, Tensor, Tensor]:
    """L_D over the pairs of two tiles, and its gradient at either end: the sums of Eq. 7 by hand."""
    dx, dy = z1[:, None, 0] - z2[:, 0], z1[:, None, 1] - z2[:, 1]
    d = torch.sqrt(dx * dx + dy * dy)
    gap = (margin - d).clamp(min=0)
    if counts is not None:
        gap = gap * counts
    push = gap / torch.where(d == 0, torch.inf, d)
    fx, fy = push * dx, push * dy
    ends = (torch.stack([fx.sum(side), fy.sum(side)], dim=1) for side in (1, 0))
    return (gap * gap).sum() / 2, *ends


def blocks(z: np.ndarray, similar: np.ndarray, margin: float, size: int, compiled: bool, device: str) -> Callable:
    """The loss over the dissimilar pairs and its gradient by hand, in blocks."""
    tile = torch.compile(_tile, dynamic=True) if compiled else _tile
    there = torch.tensor(z, device=device)

    def run() -> tuple[Tensor, Tensor]:
        loss, dz = torch.zeros((), device=device), torch.zeros_like(there)
        for rows, columns, similar_pairs in within_reach(z, similar, size, np.inf):
            counts = None
            if rows == columns or len(similar_pairs):
                counts = np.ones((rows.stop - rows.start, columns.stop - columns.start), bool)
                counts[tuple(similar_pairs.T)] = False
                counts = torch.from_numpy(np.triu(counts, 1) if rows == columns else counts).to(device)
            part, one, other = tile(there[rows], there[columns], counts, margin)
            loss += part
            dz[rows] -= one
            dz[columns] += other
        return loss, dz

    return run


def descent(ours: SampledPairs, params: Tree, x: np.ndarray, rate: float, kind: str) -> Callable:
    """A training step on the estimate of ours, balanced, from drawing the pairs to the update; returns its loss.

    x: the images or pictures of ours, or each copy by itself. What is similar is looked up in our graph, on the host.
    """
    run, x, weights = convnet(params, x, kind)
    each = np.arange(len(x) // len(ours.x))  # the images of a character in x
    optimiser = torch.optim.SGD(weights, rate, momentum=0.9, fused=True)
    rng = np.random.default_rng(1)
    weights_of = SampledCopies(ours.network, ours.x, ours.graph, ours.margin).weights  # of single images too

    def step() -> Tensor:
        drawn, *both = weights_of(ours.graph.pairs[rng.integers(ours.graph.listed_count, size=ours.batch)])
        optimiser.zero_grad()
        z = run(x[torch.from_numpy((drawn[:, None] * len(each) + each).ravel())], *weights)
        pairs = np.triu_indices(len(z), 1)  # in the order of pdist
        attract, repel = (torch.from_numpy(weight[pairs].astype(np.float32)) for weight in both)
        d = torch.pdist(z)
        gap = (ours.margin - d).clamp(min=0)
        loss = (attract * d * d + repel * gap * gap).sum() / 2
        loss.backward()
        optimiser.step()
        return loss.detach()

    return step
