"""Figures 5 and 7 are one story: the same digits, network and training, told with two graphs of similar pairs."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from drlim_np.data.shifts import shifted
from drlim_np.drawing.style import RULES
from drlim_np.figures.digits import Training, learn
from drlim_np.figures.shifted_digits import (
    NEIGHBOURS,
    ShiftedDigits,
    counts,
    organisation,
    saved_with,
    train_characters,
    unseen_digits,
)
from drlim_np.graph import SimilarityGraph
from drlim_np.objective import Weighting
from drlim_np.runs.record import Claim, Result, Run
from drlim_np.training import embed
from drlim_np.tree import Tree


@dataclass(frozen=True, eq=False)
class Story:
    """What makes Figure 5 and Figure 7 two.

    similar: the graph among the copies of characters (characters, 1, 32, 32), in the order of `shifted`.
    listed:  similar pairs that it lists for each copy.
    claims:  what is said of the map of unseen digits: words, the number in `organisation`, and its relation to
    bounds:  one for each claim, by the data's name and whether the run is quick.
    draw:    the map (samples, 2) of the unseen digits, with the title of their data and the numbers, as a figure.
    """

    name: str
    similar: Callable[[Run, np.ndarray], SimilarityGraph]
    listed: int
    training: Training
    quick_steps: int
    claims: tuple[tuple[str, str, str], ...]
    bounds: Mapping[tuple[str, bool], tuple[float, ...]]
    draw: Callable[[np.ndarray, ShiftedDigits, str, dict[str, float]], Figure]


@lru_cache(maxsize=1)  # no more than one is needed at a time, and it is large
def similar_pairs(story: Story, run: Run) -> SimilarityGraph:
    """The graph among the copies of the training characters."""
    return story.similar(run, train_characters(run))


@cache
def trained(story: Story, run: Run, weighting: Weighting) -> tuple[Callable, Tree, np.ndarray]:
    """Network, W and the objective before each step: trained once a run, whoever asks."""
    x, similar = shifted(train_characters(run)), similar_pairs(story, run)
    return learn(x, similar, weighting, _training(story, run), run, run.rng(7), f"{story.name}, {weighting}")


@rc_context(RULES)
def tell(story: Story, run: Run, weighting: Weighting = "balanced") -> Result:
    """The map of unseen shifted digits. What is claimed of it is claimed of the balanced weighting."""
    digits, unseen, characters = run.digits(), unseen_digits(run), train_characters(run)
    similar = similar_pairs(story, run)
    network, params, losses = trained(story, run, weighting)
    z = embed(network, params, unseen.inputs)
    ours = organisation(z, unseen, run.memory, run.threads)

    samples = similar.size
    claims = [
        Claim("similar pairs listed", similar.listed_count, "=", story.listed * samples),
        Claim("pairs together", len(similar.edges) + similar.dissimilar_count, "=", samples * (samples - 1) // 2),
    ]
    if (digits.name, run.quick) in story.bounds and weighting == "balanced":
        bounds = story.bounds[digits.name, run.quick]
        claims += [
            Claim(words, ours[number], relation, bound)
            for (words, number, relation), bound in zip(story.claims, bounds, strict=True)
        ]
    chosen = {"weighting": weighting, "neighbours": NEIGHBOURS, "train": samples, "test": len(z)}
    settings = asdict(_training(story, run)) | chosen
    measured = counts(similar, characters) | {"drlim": ours}
    figure = story.draw(z, unseen, f"{digits.title}, {weighting} weighting", ours)
    arrays = saved_with(z, unseen) | {"objective": losses}
    return Result(figure, claims, settings, digits, measured, arrays, params if weighting == "balanced" else None)


def _training(story: Story, run: Run) -> Training:
    return replace(story.training, steps=story.quick_steps) if run.quick else story.training
