"""The Siamese architecture: copies of G_W that share one W (Sec. 2.1, Step 2); and the same loss with one copy."""

from drlim_np.backend import Array
from drlim_np.fast.all_pairs import contrastive_all_pairs
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Sequential
from drlim_np.loss import contrastive
from drlim_np.tree import Tree, add


def two_towers(network: Sequential, params: Tree, x1: Array, x2: Array, y: Array, margin: float) -> tuple[Array, Tree]:
    """𝓛 over the given pairs and its gradient with respect to the shared W: loss, dparams.

    x1, x2 hold the pairs' inputs, row by row; y (pairs,) is 0 for similar, 1 for dissimilar pairs. Both copies of G_W
    have the same `params`, so by the chain rule the gradient is the sum of the two copies' contributions.
    """
    z1, pullback1 = network(params, x1)
    z2, pullback2 = network(params, x2)
    loss, dz1, dz2 = contrastive(z1, z2, y, margin)
    return loss, add(pullback1(dz1).params, pullback2(dz2).params)


def one_tower(network: Sequential, params: Tree, x: Array, graph: SimilarityGraph, margin: float) -> tuple[Array, Tree]:
    """𝓛 over every pair of the samples x and its gradient with respect to W: loss, dparams.

    Both copies of G_W agree on every sample, so a sample is embedded once and its gradient is the sum over all of its
    pairs: d𝓛/dW = Σ_i (Σ_j dL_ij/dz_i) dz_i/dW. Equal to `two_towers` on all pairs.
    """
    z, pullback = network(params, x)
    loss, dz = contrastive_all_pairs(z, graph, margin)
    return loss, pullback(dz).params
