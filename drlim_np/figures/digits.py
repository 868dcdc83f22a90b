"""What the figures of digits share: 4s and 9s drawn at random, a G_W trained on them, and how they are drawn."""

from dataclasses import asdict, dataclass, replace

import numpy as np
from matplotlib.axes import Axes

from drlim_np.backend import Array
from drlim_np.data import Digits, Split
from drlim_np.drawing.style import FOUR, NINE
from drlim_np.errors import DataError, InputError
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.graph import SimilarityGraph
from drlim_np.measure import metrics
from drlim_np.networks import convnet
from drlim_np.objective import Objective, SampledPairs, Weighting
from drlim_np.runs.record import Run, require_spread
from drlim_np.siamese import two_towers
from drlim_np.training import SGD, embed, minimise, warmup_cosine
from drlim_np.tree import Tree, leaves

CLASSES = (4, 9)
LOOKS = {4: (FOUR, "o"), 9: (NINE, "^")}  # colour, and marker as a second channel


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


def draw_at_random(digits: Digits, split: Split, per_class: int | None, rng: np.random.Generator) -> np.ndarray:
    """Rows of the split that show a 4 or a 9, shuffled: `per_class` of each, or all in file order if None.

    Raises DataError where there are too few.
    """
    least = per_class or 1
    rows = [np.flatnonzero(split.labels == label) for label in CLASSES]
    for label, found in zip(CLASSES, rows, strict=True):
        if len(found) < least:
            raise DataError(f"{digits.title} has {len(found)} images labelled {label}, {least} needed: use MNIST")
    if per_class is None:
        return np.sort(np.concatenate(rows))
    return rng.permutation(np.concatenate([rng.choice(found, per_class, replace=False) for found in rows]))


def slant_of(digits: Digits, rows: np.ndarray) -> np.ndarray:
    """The slant of the given test digits, (rows,). Raises DataError for one without ink, which has none."""
    try:
        return metrics.slant(digits.test.images[rows])
    except InputError as fault:
        raise DataError(f"{digits.title}, among its test images labelled 4 or 9: {fault}") from fault


def learn(
    x: np.ndarray,
    similar: SimilarityGraph,
    weighting: Weighting,
    training: Training,
    run: Run,
    rng: np.random.Generator,
    label: str,
) -> tuple[Blockwise, Tree, np.ndarray]:
    """Step 2: G_W trained on the inputs x and the graph among them: network, W, the objective before each step.

    All is drawn on the host, so that weights and batches are the same wherever training runs; W stays there. Goes on
    where an earlier run of the same left off. Raises CollapsedError where all inputs end in one place.
    """
    network = Blockwise(convnet(), threads=run.threads)
    if training.batch > 1:
        objective = SampledPairs(network, run.beside(x), similar, training.margin, weighting, training.batch)
    else:
        objective = pair_by_pair(network, run.beside(x), similar, training.margin)
    start = network.init(rng)
    follows_from = [asdict(training), weighting, x, similar.pairs, run.backend, [leaf for _, leaf in leaves(start)]]
    kept = run.memory.checkpoint(label, *follows_from, rng.bit_generator.state)
    if kept:
        kept = replace(kept, every=kept.every * 128 // training.batch)  # the shorter a step, the more lie between two
    descent = SGD(training.rate, training.momentum)
    params, losses = minimise(
        objective, run.beside(start), descent, training.steps, rng, warmup_cosine, label, checkpoint=kept
    )
    require_spread(embed(network, params, x[:1024]), training.margin, label)
    return network, params, losses


def pair_by_pair(network: Blockwise, x: Array, similar: SimilarityGraph, margin: float) -> Objective:
    """Step 2 as the paper has it: one pair a step, in the balanced weighting.

    A coin decides whether the pair is a similar one, drawn from the list, or a dissimilar one, drawn from all others:
    on average its loss is the balanced objective.
    """
    alike = {*map(tuple, similar.edges.tolist())}

    def objective(params: Tree, rng: np.random.Generator, progress: float) -> tuple[Array, Tree]:
        dissimilar = int(rng.integers(2))
        i, j = similar.pairs[rng.integers(similar.listed_count)]
        while dissimilar and (i == j or (min(i, j), max(i, j)) in alike):
            i, j = rng.integers(similar.size, size=2)
        return two_towers(network, params, x[i : i + 1, ...], x[j : j + 1, ...], [dissimilar], margin)

    return objective


def nearest(run: Run, x: np.ndarray, k: int) -> SimilarityGraph:
    """`nearest_neighbour_graph` of the inputs (samples, …), remembered from an earlier run of the same."""
    near = run.memory.remembered(nearest_neighbours, x.reshape(len(x), -1), k, threads=run.threads)
    return SimilarityGraph(len(x), np.stack([np.repeat(np.arange(len(x)), k), near.ravel()], axis=1))


def scatter_by_class(axes: Axes, z: np.ndarray, labels: np.ndarray, **looks) -> None:
    """Each class in its colour and marker, with a legend. z (samples, 2), labels (samples,)."""
    for label, (colour, marker) in LOOKS.items():
        shown = labels == label
        axes.scatter(*z[shown].T, c=colour, marker=marker, linewidths=0, label=f"{label}", **looks)
