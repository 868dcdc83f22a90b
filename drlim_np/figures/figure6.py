"""Figure 6: LLE on shifted digits and their nearest neighbours: separated by shift, without global coherence."""

import warnings

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from drlim_np.fast.knn import nearest_neighbours
from drlim_np.figures.digits import scatter_by_class
from drlim_np.figures.magnifiers import draw as draw_magnifier
from drlim_np.figures.panels import corners, fitted, map_panel, room_for, sheet
from drlim_np.figures.record import Claim, Result, Run
from drlim_np.figures.shifted_digits import (
    NEIGHBOURS,
    ShiftedDigits,
    by_digit,
    focus,
    frames,
    name_of,
    organisation,
    pictures,
    said,
    saved_with,
    unseen_digits,
)
from drlim_np.figures.style import RULES, WIDTH
from drlim_np.measure.lle import closed_groups, lle

TEST_PER_CLASS = 600  # with their shifts 6,000 samples, about the most that a dense M allows

WITHIN = "slant_r2", "accuracy", "unevenness", "trustworthiness", "continuity"  # rest on distances to near samples

BOUNDS = {("mnist", False): 0.8, ("handwriting", False): 0.6, ("mnist", True): 0.4, ("handwriting", True): 0.4}


@rc_context(RULES)
def make(run: Run) -> Result:
    """LLE of digits and their shifts, the same neighbours: degenerate."""
    digits, unseen = run.digits(), unseen_digits(run, TEST_PER_CLASS)
    pixels = unseen.inputs.reshape(len(unseen.inputs), -1)
    near = run.memory.remembered(nearest_neighbours, pixels, NEIGHBOURS, threads=run.threads)
    with warnings.catch_warnings(record=True) as said:  # that the graph may fall apart is what the figure shows
        warnings.simplefilter("always")
        z = run.memory.remembered(lle, pixels, near)
    theirs = organisation(z, unseen, run.memory, run.threads)
    claims = []
    if (digits.name, run.quick) in BOUNDS:
        bound = BOUNDS[digits.name, run.quick]
        claims.append(Claim("separated by shift: silhouette", theirs["silhouette_by_shift"], "≥", bound))
    groups = closed_groups(near)
    if groups > z.shape[1]:  # LLE moves each as a whole, so a spot is a point, but for rounding
        theirs = {name: value for name, value in theirs.items() if name not in WITHIN}
    measured = {"lle": theirs, "closed_groups": groups, "warnings": [str(warning.message) for warning in said]}
    settings = {"neighbours": NEIGHBOURS, "samples": len(z)}
    claim = CLAIM if groups <= z.shape[1] else APART
    return Result(
        draw(z, unseen, digits.title, theirs, claim), claims, settings, digits, measured, saved_with(z, unseen)
    )


CLAIM = "LLE on the same neighbours: one corner, two sides,\nseparated by shift and nowhere spread out"
APART = "LLE on the same neighbours: a spot for each shift,\nand nothing is spread out"
STRIP, SMALL = 10, 0.27  # samples in a magnifier's strip, and a sample's side in inches
# Where each shift's strip begins: to the right and down from the panel's top left corner, in its width and height.
STRIPS = {0: (0.575, 0.02), -3: (0.02, 0.24), 3: (0.63, 0.24), -6: (0.325, 0.7), 6: (0.325, 0.88)}


def draw(z: np.ndarray, unseen: ShiftedDigits, title: str, numbers: dict[str, float], claim: str) -> Figure:
    """Below `claim` the map by digit: the unshifted digits on top, those shifted to the left at the left.

    One magnifier per shift looks at the median of its samples.
    """
    z = np.asarray(z, float)
    medians = {shift: np.median(z[unseen.shift == shift], axis=0) for shift in STRIPS}
    across, up = medians[6][0] - medians[-6][0], medians[0][1] - (medians[6] + medians[-6])[1] / 2
    mirror = np.where(np.array([across, up]) < 0, -1.0, 1.0)
    z, words = mirror * z, said(title, unseen, numbers)
    inner = (5.2, 3.6)
    tall = np.ptp(z, axis=0)[1] / fitted(z, *inner) + 0.3
    top, foot = room_for(claim, words)
    figure = sheet(top + tall + foot, claim, words)
    axes, unit = map_panel(figure, (0, top, WIDTH, tall), z, inner)
    scatter_by_class(axes, z, unseen.label, s=14, alpha=0.7)
    low, high = corners(axes)
    for shift, (right, down) in STRIPS.items():
        found = focus(z, mirror * medians[shift], unit, unseen.shift, STRIP)
        start = np.array([low[0], high[1]]) + (high - low) * (right, -down) - (0, SMALL * unit)
        images, colours = pictures(unseen, found.samples), frames(unseen, found.samples)
        draw_magnifier(axes, found, images, colours, start, SMALL * unit)
        axes.text(*(start + (0, 1.15 * SMALL * unit)), name_of(shift) if shift else "not shifted", weight="bold")
    by_digit(axes, (0.01, 0.99), loc="upper left")
    return figure
