"""Figure 6: LLE on shifted digits and their nearest neighbours: separated by shift, without global coherence."""

import warnings

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from drlim_np.data.shifts import SHIFTS
from drlim_np.drawing.magnifiers import draw as draw_magnifier
from drlim_np.drawing.panels import map_panel, room_for, sheet
from drlim_np.drawing.style import RULES, WIDTH
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.figures.digits import scatter_by_class
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
from drlim_np.measure.lle import closed_groups, lle
from drlim_np.runs.record import Claim, Result, Run

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
STRIP, COLUMNS, SMALL = 10, 5, 0.46  # samples in a magnifier's strip, in a row of it, and a sample's side in inches
TALL = 4.9  # inches of the map and the strips around it
# Where each magnifier's strip begins: to the right and down from the panel's top left corner, in inches.
STRIPS = {0: (4.75, 0.3), -3: (0.12, 1.75), 3: (5.48, 1.75), -6: (2.8, 3.8)}
NAMED = 6  # the other end, which mirrors −6


def draw(z: np.ndarray, unseen: ShiftedDigits, title: str, numbers: dict[str, float], claim: str) -> Figure:
    """Below `claim` the map by digit: the unshifted digits on top, those shifted to the left at the left.

    Four magnifiers look at the corner, the middles of both sides and one end, each at the median of a shift's samples.
    The other end has its name beside it.
    """
    z = np.asarray(z, float)
    medians = {shift: np.median(z[unseen.shift == shift], axis=0) for shift in SHIFTS}
    across, up = medians[6][0] - medians[-6][0], medians[0][1] - (medians[6] + medians[-6])[1] / 2
    mirror = np.where(np.array([across, up]) < 0, -1.0, 1.0)
    z, words = mirror * z, said(title, unseen, numbers)
    top, foot = room_for(claim, words)
    figure = sheet(top + TALL + foot, claim, words)
    axes, unit = map_panel(figure, (0, top, WIDTH, TALL), z, (5.2, TALL - 1.6))
    scatter_by_class(axes, z, unseen.label, s=14, alpha=0.7)
    corner = np.array([axes.get_xlim()[0], axes.get_ylim()[1]])
    for shift, (right, down) in STRIPS.items():
        found = focus(z, mirror * medians[shift], unit, unseen.shift, STRIP)
        images, colours = pictures(unseen, found.samples), frames(unseen, found.samples)
        start = corner + unit * np.array([right, -down - 2.04 * SMALL])
        draw_magnifier(axes, found, images, colours, start, SMALL * unit, COLUMNS)
        name = name_of(shift) if shift else "not shifted"
        axes.text(*(corner + unit * np.array([right, 0.04 - down])), name, weight="bold")
    axes.text(*(mirror * medians[NAMED] + (0.15 * unit, 0)), name_of(NAMED), va="center", weight="bold")
    by_digit(axes, (0.01, 0.99), loc="upper left")
    return figure
