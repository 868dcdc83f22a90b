"""A sheet of the rendered airplane: what stands in for small NORB where there is none. Not a figure of the paper."""

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS, VIEW_SIDE, rendering
from drlim_np.drawing.style import INK, WIDTH
from drlim_np.figures import Claim, Result, Train, figure
from drlim_np.figures.sheet_handwriting import sheet
from drlim_np.measure import metrics
from drlim_np.neighbours import contiguous_views

ACROSS = 9
NEAREST = 5
LAMPS = ["left", "right", "behind", "overhead", "left, right", "behind,\noverhead"]  # rendering.LIT in words
ANY, MIDDLE, BRIGHT = 2, 4, 5  # an azimuth, an elevation and a lighting that show the others well


@figure("sheet-airplane", seconds=3)
def make(data: None, train: Train) -> Result:
    """A sheet of the rendered airplane under its six lightings; not a figure of the paper."""
    views = rendering.generate(render=partial(train.once, rendering.render))
    images = views.images.reshape(AZIMUTHS, ELEVATIONS, LIGHTINGS, VIEW_SIDE, VIEW_SIDE)
    rows = [
        ("azimuth,\nevery 20°", INK, images[:, MIDDLE, BRIGHT]),
        ("elevation,\n30° to 70°", INK, images[ANY, :, BRIGHT]),
        *((f"lit from\n{lamp}", INK, images[::2, MIDDLE, lighting]) for lighting, lamp in enumerate(LAMPS)),
    ]
    drawing = Figure(figsize=(WIDTH, 8.4))
    title = "These rendered views stand in for small NORB"
    sheet(drawing, title, 0.985, rows, ACROSS, "gray", left=0.15, right=0.99, bottom=0.01, top=0.945, hspace=0.06)

    pixels = views.images.reshape(len(views.images), -1)
    lit_alike = train.once(metrics.same_label_neighbours, pixels, views.lighting, NEAREST)
    contiguous = train.once(adjoining, pixels, views.azimuth, views.elevation)
    claims = [
        Claim(f"light matters: same lighting, of {NEAREST} nearest in pixels (chance 1/6)", lit_alike, "≥", 1 / 2),
        Claim(f"more than the pose: contiguous in pose, of {NEAREST} nearest in pixels", contiguous, "≤", 2 / 3),
    ]
    return Result(drawing, claims, {"images": len(views.images), "neighbours": NEAREST}, views)


def adjoining(pixels: np.ndarray, azimuth: np.ndarray, elevation: np.ndarray) -> float:
    """The share of the nearest in pixels, (views, features), whose camera position adjoins a view's own."""
    return metrics.similar_neighbours(pixels, contiguous_views(azimuth, elevation, AZIMUTHS), NEAREST)
