"""A sheet of the generated handwriting: what stands in for MNIST where there is none. Not a figure of the paper."""

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.data import handwriting
from drlim_np.drawing.style import HEADING, INK, RULES, WIDTH
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.figures.digits import CLASSES, LOOKS
from drlim_np.measure import metrics
from drlim_np.runs.record import Claim, Result, Run

ACROSS = 16
WRITTEN = 4  # rows of each digit
PEN = 1.15  # pixels, its radius
RANGES = [  # a style, and what varies in it from one end to the other
    ({"roundness": 0, "openness": 0.7}, "slant", (-0.5, 0.8)),
    ({"roundness": 1, "openness": 0.1, "slant": 0.2}, "width", (0.6, 1.3)),
    ({"roundness": 0, "slant": 0.2}, "openness", (1, 0)),
    ({"openness": 0, "slant": 0.2}, "roundness", (0, 1)),
]


@rc_context(RULES)
def make(run: Run) -> Result:
    """A sheet of the generated handwriting, and what may vary in it; not a figure of the paper."""
    digits = handwriting.generate(memory=run.memory)
    rng, train = run.rng(0), digits.train
    lines = []
    for digit in CLASSES:
        chosen = rng.choice(np.flatnonzero(train.labels == digit), WRITTEN * ACROSS, replace=False)
        lines.append((f"{digit}, drawn\nat random", LOOKS[digit][0], train.images[chosen]))
    for style, name, ends in RANGES:
        strokes = handwriting.strokes(**style, **{name: np.linspace(*ends, ACROSS)})
        images = handwriting.draw(handwriting.place(strokes, np.full(ACROSS, PEN)))
        lines.append((f"{name}\n{ends[0]} to {ends[1]}", INK, images))

    heights = [len(images) // ACROSS for _, _, images in lines]
    figure = Figure(figsize=(WIDTH, WIDTH * (sum(heights) + 2.2) / (ACROSS + 2)), layout="constrained")
    figure.suptitle("These generated 4s and 9s stand in for MNIST", x=0.015, ha="left", fontsize=HEADING, weight="bold")
    for axes, (words, colour, images) in zip(figure.subplots(len(lines), height_ratios=heights), lines, strict=True):
        _draw(axes, words, colour, images)

    known, ink = train.truth["slant"], metrics.slant(train.images)
    pixels = train.images.reshape(len(train.images), -1)
    nearest = run.memory.remembered(nearest_neighbours, pixels, 5, threads=run.threads)
    mixed = (train.labels[nearest] != train.labels[:, None]).any(axis=1)
    claims = [
        Claim("the ink leans as it was told to: correlation", float(np.corrcoef(known, ink)[0, 1]), "≥", 0.9),
        Claim("4s and 9s touch: share with the other among 5 nearest in pixels", float(mixed.mean()), "≥", 0.05),
        Claim("and do not merge: the same share", float(mixed.mean()), "≤", 0.5),
    ]
    return Result(figure, claims, {"samples": len(known)}, digits)


def _draw(axes: Axes, words: str, colour: str, images: np.ndarray) -> None:
    rows, side = len(images) // ACROSS, images.shape[1]
    table = images.reshape(rows, ACROSS, side, side).swapaxes(1, 2).reshape(rows * side, ACROSS * side)
    axes.imshow(table, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_ylabel(words, rotation=0, ha="right", va="center", color=colour)
