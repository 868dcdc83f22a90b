"""Figures 5 and 7 are one story: the same digits, network and training, told with two graphs of similar pairs."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from drlim_np.data import Digits
from drlim_np.data.shifts import SHIFTS, ink_lost, shifted
from drlim_np.figures import Claim, Result, Train
from drlim_np.figures.digits import KNOWN, NEIGHBOURS, Training, g_w, learn
from drlim_np.figures.shifted_digits import ShiftedDigits, caption, organisation, train_characters, unseen_digits
from drlim_np.graph import SimilarityGraph
from drlim_np.objective import Weighting, dissimilar_weight
from drlim_np.training import embed
from drlim_np.tree import Tree


@dataclass(frozen=True, eq=False)
class Story:
    """What differs between Figure 5 and Figure 7.

    graph:  (characters, train) -> the graph among the copies of characters (characters, 1, 32, 32), as `shifted`.
    listed: similar pairs that it lists for each copy.
    claims: about the map of unseen digits: words, the number in `organisation`, and its relation to
    bounds: one for each claim, by the data's name, or "quick".
    draw:   (z, unseen, words) -> the map (samples, 2) of the unseen digits as a figure with these words below.
    """

    name: str
    graph: Callable[[np.ndarray, Train], SimilarityGraph]
    listed: int
    training: Training
    quick_steps: int
    claims: tuple[tuple[str, str, str], ...]
    bounds: Mapping[str, tuple[float, ...]]
    draw: Callable[[np.ndarray, ShiftedDigits, str], Figure]


class Trained(NamedTuple):
    """W and the objective before each step, with the characters and the graph that it was trained on."""

    params: Tree
    losses: np.ndarray
    characters: np.ndarray
    graph: SimilarityGraph
    training: Training


def trained(story: Story, digits: Digits, train: Train, weighting: Weighting = "balanced") -> Trained:
    """The network of the story, before unseen digits are mapped."""
    training = replace(story.training, weighting=weighting)
    if train.quick:
        training = replace(training, steps=story.quick_steps)
    characters = train_characters(digits, train)
    graph = story.graph(characters, train)
    label = f"{story.name}, {weighting}"
    params, losses = learn(label, shifted(characters), graph, training, train.rng(7), train)
    return Trained(params, losses, characters, graph, training)


def tell(story: Story, digits: Digits, train: Train, weighting: Weighting = "balanced") -> Result:
    """The map of unseen shifted digits. The claims are about the balanced weighting."""
    unseen = unseen_digits(digits, train)
    params, losses, characters, graph, training = trained(story, digits, train, weighting)
    z = embed(g_w(train), params, unseen.inputs)
    numbers = organisation(z, unseen, train)

    pairs = graph.size * (graph.size - 1) // 2
    claims = [
        Claim("similar pairs listed", graph.listed_count, "=", story.listed * graph.size),
        Claim("pairs together", len(graph.edges) + graph.dissimilar_count, "=", pairs),
    ]
    if digits.name in KNOWN and weighting == "balanced":
        bounds = story.bounds["quick" if train.quick else digits.name]
        for (words, number, relation), bound in zip(story.claims, bounds, strict=True):
            claims.append(Claim(words, numbers[number], relation, bound))
    settings = asdict(training) | {"neighbours": NEIGHBOURS, "train": graph.size, "test": len(z)}
    measured = {
        "similar_pairs_listed": graph.listed_count,
        "similar_pairs_distinct": len(graph.edges),
        "dissimilar_pairs": graph.dissimilar_count,
        "dissimilar_weight_exact": dissimilar_weight(graph, "exact"),
        "ink_lost": dict(zip(map(str, SHIFTS), ink_lost(characters).tolist(), strict=True)),
        "drlim": numbers,
    }
    drawing = story.draw(z, unseen, caption(f"{digits.title}, {weighting} weighting", unseen, numbers))
    arrays = unseen.arrays(z) | {"objective": losses}
    weights = params if weighting == "balanced" else None
    return Result(drawing, claims, settings, digits, measured, arrays, weights)
