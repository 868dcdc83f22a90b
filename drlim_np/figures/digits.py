"""What the figures of digits share: 4s and 9s drawn at random, a G_W trained on them, and the numbers of its map."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from drlim_np.backend import Array, like, to_host
from drlim_np.data import Digits, Split, on_canvas
from drlim_np.drawing.style import LOOKS
from drlim_np.errors import DataError, InputError
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.devices import origin
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.figures import Train, require_spread
from drlim_np.graph import SimilarityGraph
from drlim_np.measure import metrics
from drlim_np.networks import convnet
from drlim_np.objective import Objective, Weighting
from drlim_np.sampled import SampledCopies, SampledPairs
from drlim_np.siamese import two_towers
from drlim_np.training import SGD, embed, minimise, warmup_cosine
from drlim_np.tree import Tree, tree_map

KNOWN = ("mnist", "handwriting")  # the data whose maps have bounds
NEIGHBOURS, TRAIN_PER_CLASS = 5, 3000


@dataclass(frozen=True)
class Training:
    """What the paper leaves open, one choice for Figures 4, 5 and 7, by the training objective."""

    steps: int
    margin: float = 1.0
    batch: int = 128  # similar pairs drawn for a step; with 1, steps go pair by pair
    rate: float = 1.0  # at its highest: without its rise, Figure 7 collapses in its first steps on some seeds
    momentum: float = 0.9
    weighting: Weighting = "balanced"


def draw_at_random(digits: Digits, split: Split, per_class: int | None, rng: np.random.Generator) -> np.ndarray:
    """Rows of the split that show a 4 or a 9, shuffled: `per_class` of each, or all in file order if None."""
    least, rows = per_class or 1, [np.flatnonzero(split.labels == label) for label in LOOKS]
    for label, found in zip(LOOKS, rows, strict=True):
        if len(found) < least:
            raise DataError(f"{digits.title} has {len(found)} images labelled {label}, {least} needed: use MNIST")
    if per_class is None:
        return np.sort(np.concatenate(rows))
    return rng.permutation(np.concatenate([rng.choice(found, per_class, replace=False) for found in rows]))


class Unseen(NamedTuple):
    """Digits of the test half, or copies of them, those of one character one after another."""

    rows: np.ndarray  # (samples,), as all others but the inputs: where the file has the character
    inputs: np.ndarray  # (samples, 1, 32, 32) float32
    label: np.ndarray
    slant: np.ndarray
    shift: np.ndarray  # pixels to the right
    character: np.ndarray  # the characters' numbers

    @property
    def pixels(self) -> np.ndarray:
        """The inputs as (samples, 1024)."""
        return self.inputs.reshape(len(self.inputs), -1)

    def shown(self, samples: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """The images of samples (shown,) from 0, black, to 255, white: (shown, 32, 32), and their digits' colours."""
        return np.rint(255 * self.inputs[samples, 0]), [LOOKS[digit][0] for digit in self.label[samples]]

    def arrays(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """What the .npz of a map z holds: the map itself, and what colours its panels."""
        return {"embedding": z, "index": self.rows, "label": self.label, "slant": self.slant}


def draw_unseen(digits: Digits, per_class: int | None, rng: np.random.Generator) -> Unseen:
    """4s and 9s of the test half, as `draw_at_random` chooses them. One without ink has no slant and is refused."""
    rows = draw_at_random(digits, digits.test, per_class, rng)
    if len(rows) < 25:  # trustworthiness looks at 12 neighbours, which must be fewer than half
        raise DataError(f"{digits.title} has {len(rows)} test images labelled 4 or 9, 25 needed: use MNIST")
    images, shift = digits.test.images[rows], np.zeros(len(rows), int)
    try:
        slant = metrics.slant(images)
    except InputError as fault:
        raise DataError(f"{digits.title}, among its test images labelled 4 or 9: {fault}") from fault
    return Unseen(rows, on_canvas(images), digits.test.labels[rows], slant, shift, np.arange(len(rows)))


def nearest(x: np.ndarray, train: Train) -> SimilarityGraph:
    """Step 1: each of the inputs (samples, …) with its nearest neighbours."""
    near = train.once(nearest_neighbours, x.reshape(len(x), -1), NEIGHBOURS, threads=train.threads)
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
    """Step 2: G_W trained on the inputs x (samples, 1, 32, 32) and the graph among them, or among copies of each."""
    network = Blockwise(convnet(), threads=train.threads)

    def descent() -> Tree:
        device = origin(train.backend)  # all is drawn on the host, the same weights and batches wherever it trains
        images, start = (tree_map(lambda host: like(host, device), tree) for tree in (x, network.init(rng)))
        given = (network, images, graph, training.margin)
        if training.batch == 1:
            objective = pair_by_pair(*given)
        else:
            sampled = SampledPairs if len(x) == graph.size else SampledCopies
            objective = sampled(*given, training.weighting, training.batch)
        optimiser = SGD(training.rate, training.momentum)
        params, losses = minimise(objective, start, optimiser, training.steps, rng, warmup_cosine, label)
        return {"W": tree_map(to_host, params), "losses": losses}

    found = train(label, [asdict(training), x, graph.pairs, rng.bit_generator.state], descent)
    require_spread(embed(network, found["W"], x[:1024]), training.margin, label)
    return Trained(network, found["W"], found["losses"], x, graph, training)


def pair_by_pair(network: Blockwise, x: Array, graph: SimilarityGraph, margin: float) -> Objective:
    """Step 2 as the paper has it, one pair a step, similar or not by a coin: on average the balanced objective."""
    similar = {*map(tuple, graph.edges.tolist())}

    def objective(params: Tree, rng: np.random.Generator, progress: float) -> tuple[Array, Tree]:
        y = int(rng.integers(2))
        i, j = graph.pairs[rng.integers(graph.listed_count)]
        while y == 1 and (i == j or (min(i, j), max(i, j)) in similar):
            i, j = rng.integers(graph.size, size=2)
        return two_towers(network, params, x[i : i + 1, ...], x[j : j + 1, ...], [y], margin)

    return objective


def organisation(z: np.ndarray, unseen: Unseen, train: Train, without: Collection[str] = ()) -> dict[str, float]:
    """The numbers that describe a map z (samples, 2) of unseen digits; see `drlim_np.measure.metrics`."""
    numbers = {
        "accuracy": lambda: train.once(metrics.accuracy, z, unseen.label),
        "slant_r2": lambda: train.once(metrics.regression_r2, z, unseen.slant),
        "unevenness": lambda: train.once(metrics.unevenness, z),
        "trustworthiness": lambda: train.once(metrics.trustworthiness, unseen.pixels, z, threads=train.threads),
    }
    if unseen.shift.any():
        numbers |= {
            "shift_ratio": lambda: train.once(metrics.shift_ratio, z, unseen.character),
            "same_shift_neighbours": lambda: train.once(metrics.same_label_neighbours, z, unseen.shift),
            "silhouette_by_shift": lambda: train.once(metrics.silhouette, z, unseen.shift),
            "continuity": lambda: train.once(metrics.continuity, unseen.pixels, z, threads=train.threads),
        }
    return {name: number() for name, number in numbers.items() if name not in without}
