"""A sheet of the generated handwriting: what stands in for MNIST where there is none. Not a figure of the paper."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from drlim_np.data import handwriting
from drlim_np.drawing.style import HEADING, INK, LOOKS, WIDTH
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.figures import Claim, Result, Train, figure
from drlim_np.measure import metrics

Row = tuple[str, str, np.ndarray]  # its words, their colour, its images

ACROSS = 16
WRITTEN = 4  # rows of each digit
PEN = 1.15  # pixels, its radius
RANGES = [  # a style, and what varies in it from one end to the other
    ({"roundness": 0, "openness": 0.7}, "slant", (-0.5, 0.8)),
    ({"roundness": 1, "openness": 0.1, "slant": 0.2}, "width", (0.6, 1.3)),
    ({"roundness": 0, "slant": 0.2}, "openness", (1, 0)),
    ({"openness": 0, "slant": 0.2}, "roundness", (0, 1)),
]


@figure("sheet", seconds=3)
def make(data: None, train: Train) -> Result:
    """A sheet of the generated handwriting, and what may vary in it; not a figure of the paper."""
    digits = handwriting.generate(draw=partial(train.once, handwriting.draw))
    rng, written = train.rng(0), digits.train
    rows = []
    for digit, (colour, _) in LOOKS.items():
        chosen = rng.choice(np.flatnonzero(written.labels == digit), WRITTEN * ACROSS, replace=False)
        rows.append((f"{digit}, drawn\nat random", colour, written.images[chosen]))
    for style, name, ends in RANGES:
        strokes = handwriting.strokes(**style, **{name: np.linspace(*ends, ACROSS)})
        images = handwriting.draw(handwriting.place(strokes, np.full(ACROSS, PEN)))
        rows.append((f"{name}\n{ends[0]} to {ends[1]}", INK, images))

    lines = sum(len(images) for *_, images in rows) // ACROSS
    drawing = Figure(figsize=(WIDTH, WIDTH * (lines + 2.2) / (ACROSS + 2)), layout="constrained")
    sheet(drawing, "These generated 4s and 9s stand in for MNIST", None, rows, ACROSS, "gray_r")

    known, ink = written.truth["slant"], metrics.slant(written.images)
    pixels = written.images.reshape(len(written.images), -1)
    nearest = train.once(nearest_neighbours, pixels, 5, threads=train.threads)
    mixed = (written.labels[nearest] != written.labels[:, None]).any(axis=1)
    claims = [
        Claim("the ink leans as it was told to: correlation", float(np.corrcoef(known, ink)[0, 1]), "≥", 0.9),
        Claim("4s and 9s touch: share with the other among 5 nearest in pixels", float(mixed.mean()), "≥", 0.05),
        Claim("and do not merge: the same share", float(mixed.mean()), "≤", 0.5),
    ]
    return Result(drawing, claims, {"samples": len(known)}, digits)


def sheet(
    drawing: Figure, title: str, y: float | None, rows: Sequence[Row], across: int, grey: str, **room: float
) -> None:
    """Below the title rows of images, `across` of them side by side, each row with its words in its colour at the left.

    images of a row: (a multiple of `across`, side, side) uint8. y: of the title. room: how the rows share the drawing.
    """
    drawing.suptitle(title, x=0.015, y=y, ha="left", fontsize=HEADING, weight="bold")
    heights = [len(images) // across for *_, images in rows]
    panels = drawing.subplots(len(rows), height_ratios=heights, gridspec_kw=room)
    for axes, lines, (words, colour, images) in zip(panels, heights, rows, strict=True):
        side = images.shape[1]
        table = images.reshape(lines, across, side, side).swapaxes(1, 2).reshape(lines * side, across * side)
        axes.imshow(table, cmap=grey, vmin=0, vmax=255, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.set_ylabel(words, rotation=0, ha="right", va="center", color=colour)
