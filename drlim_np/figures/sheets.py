"""Sheets of the generated images: those that replace MNIST and small NORB where these are missing. Not in the paper."""

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS, VIEW_SIDE, handwriting, rendering
from drlim_np.drawing.style import HEADING, INK, LOOKS, WIDTH
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.figures import Claim, Result, Train, figure
from drlim_np.graph import contiguous_views
from drlim_np.measure import metrics

NEAREST = 5  # in pixels, that the claims look at
DIGITS_ACROSS, VIEWS_ACROSS, WRITTEN = 16, 9, 4  # side by side, and rows of each digit
RANGES = [  # a style, and what varies in it from one end to the other
    ({"roundness": 0, "openness": 0.7}, "slant", (-0.5, 0.8)),
    ({"roundness": 1, "openness": 0.1, "slant": 0.2}, "width", (0.6, 1.3)),
    ({"roundness": 0, "slant": 0.2}, "openness", (1, 0)),
    ({"openness": 0, "slant": 0.2}, "roundness", (0, 1)),
]
LAMPS = ["left", "right", "behind", "overhead", "left, right", "behind,\noverhead"]  # rendering.LIT in words
ANY, MIDDLE, BRIGHT = 2, 4, 5  # an azimuth, an elevation and a lighting that show the others well


@figure("sheet", seconds=3)
def make(data: None, train: Train) -> Result:
    """A sheet of the generated handwriting, and what may vary in it; not a figure of the paper."""
    digits = handwriting.generate(draw=partial(train.once, handwriting.draw))
    rng, written, rows = train.rng(0), digits.train, []
    for digit, (colour, _) in LOOKS.items():
        chosen = rng.choice(np.flatnonzero(written.labels == digit), WRITTEN * DIGITS_ACROSS, replace=False)
        rows.append((f"{digit}, drawn\nat random", colour, written.images[chosen]))
    for style, name, ends in RANGES:
        strokes = handwriting.strokes(**style, **{name: np.linspace(*ends, DIGITS_ACROSS)})
        images = handwriting.draw(handwriting.place(strokes, np.full(DIGITS_ACROSS, 1.15)))  # pixels, the pen's radius
        rows.append((f"{name}\n{ends[0]} to {ends[1]}", INK, images))
    lines = sum(len(images) for *_, images in rows) // DIGITS_ACROSS
    drawing = Figure(figsize=(WIDTH, WIDTH * (lines + 2.2) / (DIGITS_ACROSS + 2)), layout="constrained")
    sheet(drawing, "These generated 4s and 9s stand in for MNIST", rows, DIGITS_ACROSS, "gray_r")

    known, ink = written.truth["slant"], metrics.slant(written.images)
    pixels = written.images.reshape(len(known), -1)
    nearest = train.once(nearest_neighbours, pixels, NEAREST, threads=train.threads)
    mixed = float((written.labels[nearest] != written.labels[:, None]).any(axis=1).mean())
    claims = [
        Claim("the ink leans as it was told to: correlation", float(np.corrcoef(known, ink)[0, 1]), "≥", 0.9),
        Claim("4s and 9s touch: share with the other among 5 nearest in pixels", mixed, "≥", 0.05),
        Claim("and do not merge: the same share", mixed, "≤", 0.5),
    ]
    return Result(drawing, claims, {"samples": len(known)}, digits)


@figure("sheet-airplane", seconds=3)
def make_airplane(data: None, train: Train) -> Result:
    """A sheet of the rendered airplane under its six lightings; not a figure of the paper."""
    views = rendering.generate(render=partial(train.once, rendering.render))
    images = views.images.reshape(AZIMUTHS, ELEVATIONS, LIGHTINGS, VIEW_SIDE, VIEW_SIDE)
    rows = [("azimuth,\nevery 20°", INK, images[:, MIDDLE, BRIGHT])]
    rows += [("elevation,\n30° to 70°", INK, images[ANY, :, BRIGHT])]
    rows += [(f"lit from\n{lamp}", INK, images[::2, MIDDLE, lighting]) for lighting, lamp in enumerate(LAMPS)]
    drawing = Figure(figsize=(WIDTH, 8.4))
    room = {"left": 0.15, "right": 0.99, "bottom": 0.01, "top": 0.945, "hspace": 0.06}
    sheet(drawing, "These rendered views stand in for small NORB", rows, VIEWS_ACROSS, "gray", **room)

    pixels = views.images.reshape(len(views.images), -1)
    lit_alike = train.once(metrics.same_label_neighbours, pixels, views.lighting, NEAREST)
    adjoining = contiguous_views(views.azimuth, views.elevation, AZIMUTHS)
    contiguous = metrics.similar_neighbours(pixels, adjoining, NEAREST)
    claims = [
        Claim(f"light matters: same lighting, of {NEAREST} nearest in pixels (chance 1/6)", lit_alike, "≥", 1 / 2),
        Claim(f"more than the pose: contiguous in pose, of {NEAREST} nearest in pixels", contiguous, "≤", 2 / 3),
    ]
    return Result(drawing, claims, {"images": len(views.images), "neighbours": NEAREST}, views)


def sheet(drawing: Figure, title: str, rows: list[tuple], across: int, grey: str, **room: float) -> None:
    """Rows (words, colour, images) below a title; images (a multiple of `across`, side, side), `across` in a line."""
    drawing.suptitle(title, x=0.015, y=0.985 if room else None, ha="left", fontsize=HEADING, weight="bold")
    heights = [len(images) // across for *_, images in rows]
    panels = drawing.subplots(len(rows), height_ratios=heights, gridspec_kw=room)
    for axes, lines, (words, colour, images) in zip(panels, heights, rows, strict=True):
        side = images.shape[1]
        table = images.reshape(lines, across, side, side).swapaxes(1, 2).reshape(lines * side, across * side)
        axes.imshow(table, cmap=grey, vmin=0, vmax=255, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.set_ylabel(words, rotation=0, ha="right", va="center", color=colour)
