"""Figure 5: shifted digits, similar if near in pixels; and the story that Figure 7 tells with another graph."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.data import SHIFTS, Digits, ink_lost, on_canvas, shifted, wide
from drlim_np.drawing.panels import height_of, horizontal, in_lines, legend, map_panel, scatter_by, sheet
from drlim_np.drawing.style import FIVE_SHIFTS, LOOKS, WIDTH, signed
from drlim_np.drawing.thumbnails import APART, draw_magnifier, in_ring, picture
from drlim_np.figures import Claim, Result, Train, all_counted, figure
from drlim_np.figures import digits as of_digits
from drlim_np.figures.digits import KNOWN, NEIGHBOURS, TRAIN_PER_CLASS, Trained, Training, Unseen
from drlim_np.graph import SimilarityGraph
from drlim_np.objective import Weighting, dissimilar_weight
from drlim_np.training import embed

BATCH = {"balanced": 20, "exact": 32}  # pairs of characters a step; chosen by the training objective
QUICK_TRAIN, QUICK_TEST = 300, 60  # of each class
SHIFT_LOOKS = dict(zip(sorted(SHIFTS), zip(FIVE_SHIFTS, "vsoD^", strict=True), strict=True))
WORDS = {"shift_ratio": "shift ratio", "same_shift_neighbours": "same shift"}
WORDS |= {"silhouette_by_shift": "silhouette by shift", "slant_r2": "slant R²", "accuracy": "accuracy"}
CLAIM = "Told of near pixels alone, the map falls apart\ninto five clusters, one per shift"
INNER = (7.6, 4.0)  # inches: the most the map takes of its panel


def train_characters(digits: Digits, train: Train) -> np.ndarray:
    """The inputs that Figures 5 and 7 train on, before shifting: (characters, 1, 32, 32), the same for both."""
    rows = of_digits.draw_at_random(digits, digits.train, QUICK_TRAIN if train.quick else TRAIN_PER_CLASS, train.rng(5))
    return on_canvas(digits.train.images[rows])


def unseen_digits(digits: Digits, train: Train, per_class: int | None = None) -> Unseen:
    """The unseen digits with their shifts: `per_class` characters of each class at random, or all."""
    plain = of_digits.draw_unseen(digits, QUICK_TEST if train.quick else per_class, train.rng(6))
    copies = Unseen(*(np.repeat(known, len(SHIFTS), axis=0) for known in plain))
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
    radius = max(0.1 * unit, float(nearest[-1]))
    samples = in_ring(z, at, radius, unseen.shift, most)
    return draw_magnifier(axes, (at, radius), *unseen.shown(samples), start, side, columns)


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
    return of_digits.learn(f"{story.name}, {weighting}", wide(characters), graph, training, train.rng(7), train)


def tell(story: Story, digits: Digits, train: Train, weighting: Weighting = "balanced") -> Result:
    """The map of unseen shifted digits. The claims are about the balanced weighting."""
    unseen = unseen_digits(digits, train)
    found = trained(story, digits, train, weighting)
    graph = found.graph
    z = embed(found.network, found.params, wide(unseen.inputs[unseen.shift == 0]))
    numbers = of_digits.organisation(z, unseen, train)

    claims = [Claim("similar pairs listed", graph.listed_count, "=", story.listed * graph.size)]
    claims.append(all_counted(graph, "pairs together"))
    if digits.name in KNOWN and weighting == "balanced":
        bounds = story.bounds["quick" if train.quick else digits.name]
        for (words, number, relation), bound in zip(story.claims, bounds, strict=True):
            claims.append(Claim(words, numbers[number], relation, bound))
    lost = ink_lost(train_characters(digits, train), sorted(SHIFTS)).tolist()
    settings = asdict(found.training) | {"neighbours": NEIGHBOURS, "train": graph.size, "test": len(z)}
    measured = {"similar_pairs_listed": graph.listed_count, "similar_pairs_distinct": len(graph.edges)}
    measured |= {"dissimilar_pairs": graph.dissimilar_count, "drlim": numbers}
    measured |= {"dissimilar_weight_exact": dissimilar_weight(graph, "exact")}
    measured |= {"ink_lost": {str(shift): part for shift, part in zip(sorted(SHIFTS), lost, strict=True)}}
    drawing = story.draw(z, unseen, caption(f"{digits.title}, {weighting} weighting", unseen, numbers))
    arrays = unseen.arrays(z) | {"shift": unseen.shift, "objective": found.losses}
    weights = found.params if weighting == "balanced" else None
    return Result(drawing, claims, settings, digits, measured, arrays, weights)


def near_in_pixels(characters: np.ndarray, train: Train) -> SimilarityGraph:
    """Every copy with its 5 nearest among all copies."""
    return of_digits.nearest(shifted(characters), train)


def draw(z: np.ndarray, unseen: Unseen, words: str) -> Figure:
    """The map by digit, its longest direction across, each cluster named by its shift, with thumbnails along it."""
    z = horizontal(z)
    tall = height_of(z, INNER) + 1.1
    drawing, top = sheet(CLAIM, words, tall)
    axes, unit = map_panel(drawing, (0, top, WIDTH, tall), z, INNER)
    scatter_by(axes, z, unseen.label, LOOKS, s=5, alpha=0.8)
    side = 0.33 * unit
    shown: list[int] = []
    for shift in SHIFT_LOOKS:
        for sample in ridge(z, np.flatnonzero(unseen.shift == shift), side):
            if all(np.abs(z[sample] - z[other]).max() >= APART * side for other in shown):  # or it would cover it
                shown.append(sample)
        across, up = z[unseen.shift == shift].T
        at = across.mean(), up.max() + side / 2 + 0.06 * unit
        axes.text(*at, shift_name(shift), ha="center", va="bottom", weight="bold")
    for image, colour, point in zip(*unseen.shown(shown), z[shown], strict=True):
        picture(axes, image, colour, point, side)
    legend(axes, LOOKS, (0.99, 0.01), loc="lower right", ncols=2)
    axes.text(0.015, 0.02, "−6 to +6: pixels shifted to the right", transform=axes.transAxes, va="bottom")
    return drawing


def ridge(z: np.ndarray, samples: np.ndarray, side: float) -> np.ndarray:
    """Of a cluster's samples those nearest to the medians of its pieces, each side / 5 long, from end to end."""
    of = z[samples] - z[samples].mean(axis=0)
    along = of @ np.linalg.svd(of, full_matrices=False)[2][0]
    pieces = np.floor((along - along.min()) / (side / 5)).astype(int)
    inside = [samples[pieces == piece] for piece in np.unique(pieces)]
    return np.array([some[np.linalg.norm(z[some] - np.median(z[some], axis=0), axis=1).argmin()] for some in inside])


CLAIMS = (
    ("the shifts of a character lie apart: shift ratio", "shift_ratio", "≥"),
    ("neighbours of the same shift", "same_shift_neighbours", "≥"),
    ("five clusters: silhouette by shift", "silhouette_by_shift", "≥"),
)
BOUNDS = {"mnist": (1.1, 0.98, 0.40), "handwriting": (1.0, 0.95, 0.30), "quick": (1.0, 0.80, 0.20)}
STORY = Story("figure 5", near_in_pixels, NEIGHBOURS, Training(steps=1200), 200, CLAIMS, BOUNDS, draw)


@figure("figure5", needs="digits", seconds=20)  # neither with the audit nor with Figure 6: all take much memory
def make(digits: Digits, train: Train) -> Result:
    """Digits and their shifts, similar if near in pixels: five clusters by shift."""
    return tell(STORY, digits, train)


@figure("figure5-exact", needs="digits", on_request=True, seconds=15)
def make_exact(digits: Digits, train: Train) -> Result:
    """The same from the paper's own sum over all pairs ("exact"); drawn on request."""
    return tell(STORY, digits, train, "exact")
