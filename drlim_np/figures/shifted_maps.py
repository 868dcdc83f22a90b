"""What Figures 5, 6 and 7 show: shifted 4s and 9s, and the numbers that describe a map of them.

Figures 5 and 7 are one story: the same digits, network and training, told with two graphs of similar pairs.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.data import SHIFTS, Digits, ink_lost, on_canvas, shifted, wide
from drlim_np.drawing.magnifiers import draw as draw_magnifier
from drlim_np.drawing.magnifiers import magnifier
from drlim_np.drawing.panels import in_lines
from drlim_np.drawing.style import FIVE_SHIFTS, signed
from drlim_np.figures import Claim, Result, Train, counts
from drlim_np.figures import digits as of_digits
from drlim_np.figures.digits import KNOWN, NEIGHBOURS, TRAIN_PER_CLASS, Trained, Training, Unseen, learn, organisation
from drlim_np.graph import SimilarityGraph
from drlim_np.objective import Weighting, dissimilar_weight
from drlim_np.training import embed

BATCH = {"balanced": 20, "exact": 32}  # pairs of characters a step; chosen by the training objective
QUICK_TRAIN, QUICK_TEST = 300, 60  # of each class
SHIFT_LOOKS = dict(zip(sorted(SHIFTS), zip(FIVE_SHIFTS, "vsoD^", strict=True), strict=True))
WORDS = {"shift_ratio": "shift ratio", "same_shift_neighbours": "same shift"}
WORDS |= {"silhouette_by_shift": "silhouette by shift", "slant_r2": "slant R²", "accuracy": "accuracy"}


def train_characters(digits: Digits, train: Train) -> np.ndarray:
    """The inputs that Figures 5 and 7 train on, before shifting: (characters, 1, 32, 32), the same for both."""
    rows = of_digits.draw_at_random(digits, digits.train, QUICK_TRAIN if train.quick else TRAIN_PER_CLASS, train.rng(5))
    return on_canvas(digits.train.images[rows])


def unseen_digits(digits: Digits, train: Train, per_class: int | None = None) -> Unseen:
    """The unseen digits with their shifts: `per_class` characters of each class at random, or all."""
    plain = of_digits.draw_unseen(digits, QUICK_TEST if train.quick else per_class, train.rng(6))
    copies = plain._replace(**{name: np.repeat(known, len(SHIFTS), axis=0) for name, known in plain._asdict().items()})
    return copies._replace(inputs=shifted(plain.inputs), shift=np.tile(SHIFTS, len(plain.rows)))


def caption(title: str, unseen: Unseen, numbers: dict[str, float]) -> str:
    """The numbers under a map, in one order for Figures 5, 6 and 7."""
    parts = [f"{text} {signed(numbers[name])}" for name, text in WORDS.items() if name in numbers]
    return f"{len(unseen.label):,} unseen shifted digits, {title}:\n{in_lines(parts, 3)}"


def shift_name(shift: int) -> str:
    """A shift with its sign, and 0 without."""
    return signed(shift, "+d") if shift else "0"


def magnify(
    axes: Axes, z: np.ndarray, unseen: Unseen, at: np.ndarray, unit: float, start: np.ndarray, side: float, *strip: int
) -> np.ndarray:
    """A magnifier of 0.1 inches, or wider if samples are rare; unit: the map's in an inch; strip: samples, columns."""
    most, columns = strip
    nearest = np.sort(np.linalg.norm(z - at, axis=1))[:most]
    found = magnifier(z, at, max(0.1 * unit, float(nearest[-1])), unseen.shift, most)
    return draw_magnifier(axes, found, *unseen.shown(found.samples), start, side, columns)


@dataclass(frozen=True, eq=False)
class Story:
    """What differs between Figure 5 and Figure 7."""

    name: str
    graph: Callable[[np.ndarray, Train], SimilarityGraph]  # (characters, train) -> that among their copies
    listed: int  # similar pairs that it lists for each copy
    training: Training
    quick_steps: int
    claims: tuple[tuple[str, str, str], ...]  # words, the number in `organisation`, and its relation to
    bounds: Mapping[str, tuple[float, ...]]  # one for each claim, by the data's name, or "quick"
    draw: Callable[[np.ndarray, Unseen, str], Figure]  # (z, unseen, words) -> the map with these words below


def trained(story: Story, digits: Digits, train: Train, weighting: Weighting = "balanced") -> Trained:
    """The network of the story, trained once; whoever asks again finds it in the cache."""
    steps = story.quick_steps if train.quick else story.training.steps
    training = replace(story.training, weighting=weighting, batch=BATCH[weighting], steps=steps)
    characters = train_characters(digits, train)
    graph = story.graph(characters, train)
    return learn(f"{story.name}, {weighting}", wide(characters), graph, training, train.rng(7), train)


def tell(story: Story, digits: Digits, train: Train, weighting: Weighting = "balanced") -> Result:
    """The map of unseen shifted digits. The claims are about the balanced weighting."""
    unseen = unseen_digits(digits, train)
    found = trained(story, digits, train, weighting)
    graph = found.graph
    z = embed(found.network, found.params, wide(unseen.inputs[unseen.shift == 0]))
    numbers = organisation(z, unseen, train)

    claims = counts(graph, story.listed, "pairs together")
    if digits.name in KNOWN and weighting == "balanced":
        bounds = story.bounds["quick" if train.quick else digits.name]
        for (words, number, relation), bound in zip(story.claims, bounds, strict=True):
            claims.append(Claim(words, numbers[number], relation, bound))
    lost = ink_lost(train_characters(digits, train), sorted(SHIFTS))
    settings = asdict(found.training) | {"neighbours": NEIGHBOURS, "train": graph.size, "test": len(z)}
    measured = {"similar_pairs_listed": graph.listed_count, "similar_pairs_distinct": len(graph.edges)}
    measured |= {
        "dissimilar_pairs": graph.dissimilar_count,
        "dissimilar_weight_exact": dissimilar_weight(graph, "exact"),
    }
    measured |= {"ink_lost": dict(zip(map(str, sorted(SHIFTS)), lost.tolist(), strict=True)), "drlim": numbers}
    drawing = story.draw(z, unseen, caption(f"{digits.title}, {weighting} weighting", unseen, numbers))
    arrays = unseen.arrays(z) | {"shift": unseen.shift, "objective": found.losses}
    weights = found.params if weighting == "balanced" else None
    return Result(drawing, claims, settings, digits, measured, arrays, weights)
