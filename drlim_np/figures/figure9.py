"""Figure 9: LLE of the airplane with the same neighbours: it follows the lighting, although they do not (Sec. 3.4).

How much depends on one number that the paper does not give. LLE's weights are unique without regularisation as long as
there are fewer neighbours than pixels; then they rest on those neighbours that look most alike, which are lit alike.
The more they are regularised, the more evenly they rest on all neighbours, and in the end the pixels do not matter any
more: what is left is the graph alone, and that shows the cylinder. The record has the numbers for both ends.
"""

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.figures import thumbnails
from drlim_np.figures.airplane_map import Setting, counts, mapped, setting
from drlim_np.figures.record import Claim, Result, Run
from drlim_np.figures.space import Side, bar, colours, lighting_legend, numbers, project, reach_of, scatter, space_panel
from drlim_np.figures.style import INK, RULES
from drlim_np.measure.cylinder import fit_views, organisation
from drlim_np.measure.lle import lle

SIDES = [Side("from the side", 0, 0), Side("along the axis", 0, 90)]
NONE = 1e-9  # regularisation, in parts of the Gram matrix's trace: rounding alone
OTHERS = (1e-6, 1e-3, 1e-1, 1.0)  # for comparison

# Bounds on the map, quick or not: R² of elevation at most, which Figure 8 must exceed; neighbours lit alike at least.
ELEVATION, LIT_ALIKE = 0.5, 1 / 4


@rc_context(RULES)
def make(run: Run) -> Result:
    """LLE of the airplane, the same neighbours: no cylinder, and not invariant to lighting."""
    given, found = setting(run), mapped(run)
    z, theirs = _map(run, given, NONE)
    ours = organisation(found.z[given.train], found.cylinder, given.views, given.train)
    claims = counts(given)
    if given.views.name == "airplane":
        claims += [
            Claim("LLE does not show the elevation: R²", theirs["elevation_r2"], "≤", ELEVATION),
            Claim(
                "it follows the lighting: 5 nearest lit alike (chance 1/6)",
                theirs["same_lighting_neighbours"],
                "≥",
                LIT_ALIKE,
            ),
            Claim(
                "lighting's share of variance, against DrLIM's",
                theirs["share_of_lighting"],
                "≥",
                ours["share_of_lighting"],
            ),
        ]
    measured = {
        "lle": theirs,
        "drlim_on_the_same_views": ours,
        "lle_by_regularisation": {f"{amount:g}": _map(run, given, amount)[1] for amount in OTHERS},
    }
    settings = {"samples": len(z), "neighbours_on_average": float(given.similar.degree.mean()), "regularisation": NONE}
    views, rows = given.views, given.train
    arrays = {
        "embedding": z,
        "index": rows,
        "azimuth": views.azimuth[rows],
        "elevation": views.elevation[rows],
        "lighting": views.lighting[rows],
    }
    return Result(_draw(given, z, theirs, ours), claims, settings, views, measured, arrays)


def _map(run: Run, given: Setting, regularisation: float) -> tuple[np.ndarray, dict[str, float]]:
    """LLE's map of the training views (660, 3), turned to the cylinder that fits it best, and its numbers."""
    rows, views = given.train, given.views
    z = run.memory.remembered(lle, given.inputs[rows], list(given.similar.neighbour_lists), 3, regularisation)
    z *= np.sqrt(len(z))  # LLE's columns are of unit length: in units of their standard deviation
    cylinder = fit_views(z, views, rows)
    return cylinder.upright(z), organisation(z, cylinder, views, rows)


def _draw(given: Setting, z: np.ndarray, theirs: dict[str, float], ours: dict[str, float]) -> Figure:
    views, rows = given.views, given.train
    wide, top = 3.6, 0.95  # inches
    figure = Figure(figsize=(16.4, top + 2 * wide + 0.5))
    title = f"LLE of {len(rows)} views of one airplane, the neighbours those of Figure 8 ({views.title})"
    figure.text(0.02, 1 - 0.4 / figure.get_figheight(), title, fontsize=14)
    reach = reach_of(z, SIDES)
    for column, by in enumerate(("azimuth", "elevation", "lighting")):
        for line, side in enumerate(SIDES):
            corner = (0.2 + column * (wide + 0.1), top + line * (wide + 0.35))
            panel = space_panel(figure, corner, wide, reach, f"{side.words}, by {by}")
            scatter(panel, z, side, views.lighting[rows], colours(views, rows, by))
            if column == 0:
                _thumbnails(panel, project(z, side)[0], views.images[rows], reach)
        bar(figure, 12.0, top + 3.4 + 0.85 * column, 3.2, by)
    numbers(figure, 11.4, top + 0.3, theirs, ours, headings=("LLE", "DrLIM"))
    lighting_legend(figure, loc="upper left", bbox_to_anchor=(11.7 / 16.4, 1 - (top + 6.0) / figure.get_figheight()))
    return figure


def _thumbnails(axes: Axes, place: np.ndarray, images: np.ndarray, reach: float) -> None:
    """Some of the views beside their points, place (samples, 2) in the picture."""
    room, side = np.full(2, reach), reach / 4.5
    shown, middles = thumbnails.place(place, side, -room, room)
    thumbnails.draw(axes, images[shown], [INK] * len(shown), place[shown], middles, side, tinted=False)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
