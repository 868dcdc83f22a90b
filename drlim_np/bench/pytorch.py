"""The same work in PyTorch, as one would write it there."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from drlim_np.copies import SampledCopies
from drlim_np.fast.tiles import within_reach
from drlim_np.objective import SampledPairs
from drlim_np.tree import Tree, leaves


class Subsample(nn.Module):
    """S2 of Fig. 3."""

    def __init__(self, maps: int, window: int):
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(maps, 1, 1))
        self.bias = nn.Parameter(torch.empty(maps, 1, 1))
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        return self.coefficient * nn.functional.avg_pool2d(x, self.window) + self.bias


class Positions(nn.Module):
    """A row for each position; of 32×32 pixels there is one."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def with_weights(network: nn.Sequential, weights: list[np.ndarray]) -> nn.Sequential:
    """The network with our weights."""
    with torch.no_grad():
        for theirs, ours in zip(network.parameters(), weights, strict=True):
            theirs.copy_(torch.tensor(ours).reshape(theirs.shape))
    return network


def convnet(params: Tree, x: np.ndarray, kind: str, device: str = "cpu") -> tuple[nn.Module, Tensor, Callable]:
    """The network of Fig. 3 with our weights, its input, both as `kind` says, and what to call."""
    layers = [nn.Conv2d(1, 15, 6), nn.Tanh(), Subsample(15, 3), nn.Tanh(), nn.Conv2d(15, 30, 9), nn.Tanh()]
    network = nn.Sequential(*layers, Positions(), nn.Linear(30, 2))
    network = with_weights(network, [weight for _, weight in leaves(params)]).to(device)
    x = torch.tensor(x, device=device)
    if "channels last" in kind:
        network, x = network.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    return network, x, torch.compile(network) if "compiled" in kind else network


def step(params: Tree, x: np.ndarray, dz: np.ndarray, kind: str, device: str) -> Callable:
    """Forward and all parameter gradients of the network of Fig. 3; returns them as a list."""
    network, x, run = convnet(params, x, kind, device)
    dz = torch.tensor(dz, device=device)

    def their_step() -> list[Tensor]:
        network.zero_grad()
        run(x).backward(dz)
        return [parameter.grad for parameter in network.parameters()]

    return their_step


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


def blocks(
    z: np.ndarray, similar: np.ndarray, margin: float, size: int, compiled: bool, reach: float = np.inf, device="cpu"
) -> Callable:
    """The loss over the dissimilar pairs and its gradient by hand, in blocks; those `reach` apart are left out."""
    z, tile = np.ascontiguousarray(z), torch.compile(_tile, dynamic=True) if compiled else _tile
    there = torch.tensor(z, device=device)

    def run() -> tuple[Tensor, Tensor]:
        loss, dz = torch.zeros((), device=device), torch.zeros_like(there)
        for rows, columns, similar_pairs in within_reach(z, similar, size, reach):
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


def sampled_pairs(ours: SampledPairs, params: Tree, rate: float, rng: np.random.Generator, kind: str) -> Callable:
    """A training step on the estimate of `SampledPairs`, balanced, from drawing the pairs to the update; its loss.

    What is similar is looked up in our graph, on the host as ours does.
    """
    graph = ours.graph
    network, x, run = convnet(params, ours.x, kind)
    one, other = np.triu_indices(2 * ours.batch, 1)  # in the order of pdist
    couples = ours.batch * (ours.batch - 1) / 2
    pairs_seen = 4 * couples * 2 * graph.dissimilar_count / graph.size**2
    optimiser = torch.optim.SGD(network.parameters(), rate, momentum=0.9, fused=True)

    def step() -> Tensor:
        drawn = graph.pairs[rng.integers(graph.listed_count, size=ours.batch)].ravel()
        samples, place = np.unique(drawn, return_inverse=True)
        alike = np.eye(len(samples), dtype=bool)
        first, second = graph.within(samples).edges.T
        alike[first, second] = alike[second, first] = True
        weight = (2 * graph.listed_count / graph.size / graph.degree[drawn]).astype(np.float32)
        weight = torch.from_numpy(weight[one] * weight[other] * ~alike[place[one], place[other]])

        optimiser.zero_grad()
        z = run(x[torch.from_numpy(drawn)])
        difference = z[::2] - z[1::2]
        gap = (ours.margin - torch.pdist(z)).clamp(min=0)
        loss = ((difference**2).sum() / ours.batch + (gap * gap * weight).sum() / pairs_seen) / 4
        loss.backward()
        optimiser.step()
        return loss.detach()

    return step


def sampled_copies(
    ours: SampledCopies, params: Tree, x: np.ndarray, rate: float, rng: np.random.Generator, kind: str
) -> Callable:
    """A training step on the estimate of `SampledCopies`, as above; x holds its pictures, or each copy by itself."""
    graph = ours.graph
    network, x, run = convnet(params, x, kind)
    each = np.arange(len(x) // len(ours.x))  # the images of a character in x
    optimiser = torch.optim.SGD(network.parameters(), rate, momentum=0.9, fused=True)

    def step() -> Tensor:
        drawn = graph.pairs[rng.integers(graph.listed_count, size=ours.batch)]
        characters, *weights = ours.weights(drawn)
        images = (characters[:, None] * len(each) + each).ravel()
        optimiser.zero_grad()
        z = run(x[torch.from_numpy(images)])
        d = torch.pdist(z)
        pairs = np.triu_indices(len(z), 1)  # in the order of pdist
        attract, repel = (torch.from_numpy(weight[pairs].astype(np.float32)) for weight in weights)
        gap = (ours.margin - d).clamp(min=0)
        loss = (attract * d * d + repel * gap * gap).sum() / 2
        loss.backward()
        optimiser.step()
        return loss.detach()

    return step


def pair_by_pair(weights: list, x: np.ndarray, pairs: np.ndarray, margin: float, rate: float) -> Callable:
    """Step 2 of the paper on the network of Sec. 3.4: an update of W after each pair; W at the end, end to end.

    pairs: (3, pairs), rows i, j and Y. A pair beyond the margin needs no backward pass, as in ours.
    """
    x, pairs = torch.tensor(x), pairs.T.tolist()

    def run() -> Tensor:
        network = with_weights(nn.Sequential(nn.Linear(x.shape[1], 20), nn.Tanh(), nn.Linear(20, 3)), weights)
        parameters = list(network.parameters())
        for i, j, dissimilar in pairs:
            z = network(x[[i, j]])
            d = torch.linalg.vector_norm(z[0] - z[1])
            if not dissimilar:
                loss = d * d / 2
            elif 0 < d < margin:
                loss = (margin - d) ** 2 / 2
            else:
                continue
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter -= rate * gradient
        return torch.cat([parameter.detach().ravel() for parameter in parameters])

    return run
