"""A sheet of the rendered airplane: what stands in for small NORB where there is none. Not a figure of the paper."""

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS, VIEW_SIDE, rendering
from drlim_np.drawing.style import HEADING, RULES, WIDTH
from drlim_np.measure import metrics
from drlim_np.neighbours import contiguous_views
from drlim_np.runs.record import Claim, Result, Run

ACROSS = 9
NEAREST = 5
LAMPS = ["left", "right", "behind", "overhead", "left, right", "behind,\noverhead"]  # rendering.LIT in words
ANY, MIDDLE, BRIGHT = 2, 4, 5  # an azimuth, an elevation and a lighting that show the others well


@rc_context(RULES)
def make(run: Run) -> Result:
    """A sheet of the rendered airplane under its six lightings; not a figure of the paper."""
    views = rendering.generate(run.memory)
    images = views.images.reshape(AZIMUTHS, ELEVATIONS, LIGHTINGS, VIEW_SIDE, VIEW_SIDE)
    lines = [
        ("azimuth,\nevery 20°", images[:, MIDDLE, BRIGHT]),
        ("elevation,\n30° to 70°", images[ANY, :, BRIGHT]),
        *((f"lit from\n{lamp}", images[::2, MIDDLE, lighting]) for lighting, lamp in enumerate(LAMPS)),
    ]
    heights = [len(line) // ACROSS for _, line in lines]
    figure = Figure(figsize=(WIDTH, 8.4))
    figure.suptitle(
        "These rendered views stand in for small NORB", x=0.015, y=0.985, ha="left", fontsize=HEADING, weight="bold"
    )
    room = {"left": 0.15, "right": 0.99, "bottom": 0.01, "top": 0.945, "hspace": 0.06}
    for axes, (words, line) in zip(
        figure.subplots(len(lines), height_ratios=heights, gridspec_kw=room), lines, strict=True
    ):
        _draw(axes, words, line)

    pixels = views.images.reshape(len(views.images), -1)
    lit_alike = run.memory.remembered(metrics.same_label_neighbours, pixels, views.lighting, NEAREST)
    contiguous = run.memory.remembered(adjoining, pixels, views.azimuth, views.elevation)
    claims = [
        Claim(f"light matters: same lighting, of {NEAREST} nearest in pixels (chance 1/6)", lit_alike, "≥", 1 / 2),
        Claim(f"more than the pose: contiguous in pose, of {NEAREST} nearest in pixels", contiguous, "≤", 2 / 3),
    ]
    return Result(figure, claims, {"images": len(views.images), "neighbours": NEAREST}, views)


def adjoining(pixels: np.ndarray, azimuth: np.ndarray, elevation: np.ndarray) -> float:
    """The share of the nearest in pixels, (views, features), whose camera position adjoins a view's own."""
    return metrics.similar_neighbours(pixels, contiguous_views(azimuth, elevation, AZIMUTHS), NEAREST)


def _draw(axes: Axes, words: str, images: np.ndarray) -> None:
    rows = len(images) // ACROSS
    table = images.reshape(rows, ACROSS, VIEW_SIDE, VIEW_SIDE).swapaxes(1, 2).reshape(rows * VIEW_SIDE, -1)
    axes.imshow(table, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_ylabel(words, rotation=0, ha="right", va="center")
