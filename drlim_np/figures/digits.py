"""What the figures of digits share: 4s and 9s drawn at random, a G_W trained on them, and the numbers of its map."""

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from drlim_np.backend import Array, to_host
from drlim_np.copies import SampledCopies
from drlim_np.data import Digits, Split
from drlim_np.data.canvas import on_canvas
from drlim_np.errors import DataError, InputError
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.figures import Train, require_spread
from drlim_np.graph import SimilarityGraph
from drlim_np.measure import metrics
from drlim_np.networks import convnet
from drlim_np.objective import Objective, SampledPairs, Weighting
from drlim_np.siamese import two_towers
from drlim_np.training import SGD, embed, minimise, warmup_cosine
from drlim_np.tree import Tree, tree_map

CLASSES = (4, 9)
KNOWN = ("mnist", "handwriting")  # the data whose maps have bounds
NEIGHBOURS = 5
TRAIN_PER_CLASS = 3000


@dataclass(frozen=True)
class Training:
    """What the paper leaves open, one choice for Figures 4, 5 and 7: the rate falls to 0 along a cosine.

    Chosen by the training objective. Without the rise, Figure 7 collapses in its first steps on some seeds.
    """

    steps: int
    margin: float = 1.0
    batch: int = 128  # similar pairs drawn for a step; with 1, steps go pair by pair
    rate: float = 1.0
    momentum: float = 0.9
    weighting: Weighting = "balanced"


def draw_at_random(digits: Digits, split: Split, per_class: int | None, rng: np.random.Generator) -> np.ndarray:
    """Rows of the split that show a 4 or a 9, shuffled: `per_class` of each, or all in file order if None."""
    least = per_class or 1
    rows = [np.flatnonzero(split.labels == label) for label in CLASSES]
    for label, found in zip(CLASSES, rows, strict=True):
        if len(found) < least:
            raise DataError(f"{digits.title} has {len(found)} images labelled {label}, {least} needed: use MNIST")
    if per_class is None:
        return np.sort(np.concatenate(rows))
    return rng.permutation(np.concatenate([rng.choice(found, per_class, replace=False) for found in rows]))


class Unseen(NamedTuple):
    """Test digits: their rows in the file, (samples,), their inputs (samples, 1, 32, 32), labels and slants."""

    rows: np.ndarray
    inputs: np.ndarray
    label: np.ndarray
    slant: np.ndarray


def draw_unseen(digits: Digits, per_class: int | None, rng: np.random.Generator) -> Unseen:
    """4s and 9s of the test half, as `draw_at_random` chooses them. One without ink has no slant and is refused."""
    rows = draw_at_random(digits, digits.test, per_class, rng)
    if len(rows) < 25:  # trustworthiness looks at 12 neighbours, which must be fewer than half
        raise DataError(f"{digits.title} has {len(rows)} test images labelled 4 or 9, 25 needed: use MNIST")
    images = digits.test.images[rows]
    try:
        return Unseen(rows, on_canvas(images), digits.test.labels[rows], metrics.slant(images))
    except InputError as fault:
        raise DataError(f"{digits.title}, among its test images labelled 4 or 9: {fault}") from fault


def nearest(x: np.ndarray, k: int, train: Train) -> SimilarityGraph:
    """Step 1: each of the inputs (samples, …) with its k nearest neighbours."""
    near = train.once(nearest_neighbours, x.reshape(len(x), -1), k, threads=train.threads)
    return SimilarityGraph.of_neighbours(near)


class Trained(NamedTuple):
    """G_W as training left it: the network, W, and the objective before each step; and what it was trained on."""

    network: Blockwise
    params: Tree
    losses: np.ndarray
    x: np.ndarray
    graph: SimilarityGraph
    training: Training


def learn(
    label: str, x: np.ndarray, graph: SimilarityGraph, training: Training, rng: np.random.Generator, train: Train
) -> Trained:
    """Step 2: G_W trained on the inputs x (samples, 1, 32, 32) and the graph among them, or among the copies of each.

    All is drawn on the host, so that weights and batches are the same wherever training runs. Raises CollapsedError if
    the map of the inputs is a single place.
    """
    network = Blockwise(convnet(), threads=train.threads)

    def descent() -> Tree:
        given = (network, train.on_device(x), graph, training.margin)
        if training.batch == 1:
            objective = pair_by_pair(*given)
        else:
            sampled = SampledPairs if len(x) == graph.size else SampledCopies
            objective = sampled(*given, training.weighting, training.batch)
        start = train.on_device(network.init(rng))
        optimiser = SGD(training.rate, training.momentum)
        params, losses = minimise(objective, start, optimiser, training.steps, rng, warmup_cosine, label)
        return {"W": tree_map(to_host, params), "losses": losses}

    found = train(label, [asdict(training), x, graph.pairs, rng.bit_generator.state], descent)
    require_spread(embed(network, found["W"], x[:1024]), training.margin, label)
    return Trained(network, found["W"], found["losses"], x, graph, training)


def pair_by_pair(network: Blockwise, x: Array, graph: SimilarityGraph, margin: float) -> Objective:
    """Step 2 as the paper has it: one pair a step, in the balanced weighting.

    A coin decides whether the pair is a similar one, drawn from the list, or a dissimilar one, drawn from all others:
    on average its loss is the balanced objective.
    """
    similar = {*map(tuple, graph.edges.tolist())}

    def objective(params: Tree, rng: np.random.Generator, progress: float) -> tuple[Array, Tree]:
        y = int(rng.integers(2))
        i, j = graph.pairs[rng.integers(graph.listed_count)]
        while y == 1 and (i == j or (min(i, j), max(i, j)) in similar):
            i, j = rng.integers(graph.size, size=2)
        return two_towers(network, params, x[i : i + 1, ...], x[j : j + 1, ...], [y], margin)

    return objective


def organisation(
    pixels: np.ndarray, z: np.ndarray, label: np.ndarray, slant: np.ndarray, train: Train
) -> dict[str, float]:
    """The numbers that describe a map z (samples, 2) of the images `pixels` (samples, features)."""
    return {
        "accuracy": train.once(metrics.accuracy, z, label),
        "slant_r2": train.once(metrics.regression_r2, z, slant),
        "unevenness": train.once(metrics.unevenness, z),
        "trustworthiness": train.once(metrics.trustworthiness, pixels, z, threads=train.threads),
    }
