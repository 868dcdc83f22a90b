"""Figure 6: LLE on shifted digits and their nearest neighbours: separated by shift, without global coherence."""

import warnings

import numpy as np

from drlim_np.data import SHIFTS, Digits
from drlim_np.drawing.panels import legend, map_panel, scatter_by, sheet
from drlim_np.drawing.style import LOOKS, WIDTH
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.figures import Claim, Result, Train, figure
from drlim_np.figures.digits import KNOWN, NEIGHBOURS, organisation
from drlim_np.figures.figure5 import caption, magnify, shift_name, unseen_digits
from drlim_np.measure.lle import closed_groups, lle

TEST_PER_CLASS = 600  # with their shifts 6,000 samples, about the most that a dense M allows
WITHIN = {"slant_r2", "accuracy", "unevenness", "trustworthiness", "continuity"}  # rest on distances to near samples
BOUNDS = {"mnist": 0.8, "handwriting": 0.6, "quick": 0.4}

CLAIM = "LLE on the same neighbours: one corner, two sides,\nseparated by shift and nowhere spread out"
APART = "LLE on the same neighbours: a spot for each shift,\nand nothing is spread out"
STRIP, SMALL = (10, 5), 0.46  # samples in a magnifier's strip and in a row of it, and a sample's side in inches
TALL = 4.9  # inches of the map and the strips around it
# Where each magnifier's strip begins: to the right and down from the panel's top left corner, in inches.
STRIPS = {0: (4.75, 0.3), -3: (0.12, 1.75), 3: (5.48, 1.75), -6: (2.8, 3.8)}


@figure("figure6", needs="digits", seconds=5)
def make(digits: Digits, train: Train) -> Result:
    """LLE of digits and their shifts, the same neighbours: degenerate."""
    unseen = unseen_digits(digits, train, TEST_PER_CLASS)
    near = train.once(nearest_neighbours, unseen.pixels, NEIGHBOURS, threads=train.threads)
    with warnings.catch_warnings(record=True) as caught:  # that the graph may fall apart is what the figure shows
        warnings.simplefilter("always")
        z = train.once(lle, unseen.pixels, near)
    groups = closed_groups(near)
    spots = groups > z.shape[1]  # LLE moves each group as a whole, so a spot is a point, but for rounding
    numbers = organisation(z, unseen, train, WITHIN if spots else ())

    claims = []
    if digits.name in KNOWN:
        bound = BOUNDS["quick" if train.quick else digits.name]
        claims.append(Claim("separated by shift: silhouette", numbers["silhouette_by_shift"], "≥", bound))
    settings, arrays = {"neighbours": NEIGHBOURS, "samples": len(z)}, unseen.arrays(z) | {"shift": unseen.shift}
    measured = {"lle": numbers, "closed_groups": groups, "warnings": [str(warning.message) for warning in caught]}

    # The map by digit, the unshifted digits on top, those shifted to the left at the left. Four magnifiers look at the
    # medians of shifts: the corner, both sides and one end. The other end is named.
    medians = {shift: np.median(z[unseen.shift == shift], axis=0) for shift in SHIFTS}
    across, up = medians[6][0] - medians[-6][0], medians[0][1] - (medians[6] + medians[-6])[1] / 2
    mirror = np.where(np.array([across, up]) < 0, -1.0, 1.0)
    z = mirror * z
    drawing, top = sheet(APART if spots else CLAIM, caption(digits.title, unseen, numbers), TALL)
    axes, unit = map_panel(drawing, (0, top, WIDTH, TALL), z, (5.2, TALL - 1.6))
    scatter_by(axes, z, unseen.label, LOOKS, s=14, alpha=0.7)
    corner = np.array([axes.get_xlim()[0], axes.get_ylim()[1]])
    for shift, (right, down) in STRIPS.items():
        start = corner + unit * np.array([right, -down - 2.04 * SMALL])
        magnify(axes, z, unseen, mirror * medians[shift], unit, start, SMALL * unit, *STRIP)
        at = corner + unit * np.array([right, 0.04 - down])
        axes.text(*at, shift_name(shift) if shift else "not shifted", weight="bold")
    axes.text(*(mirror * medians[6] + (0.15 * unit, 0)), shift_name(6), va="center", weight="bold")
    legend(axes, LOOKS, (0.01, 0.99), loc="upper left")
    return Result(drawing, claims, settings, digits, measured, arrays)
