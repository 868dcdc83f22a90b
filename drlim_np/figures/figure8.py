"""Figure 8: unseen views of one airplane on a cylinder, by a G_W that was told only which camera positions adjoin."""

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS
from drlim_np.fast.all_pairs import contrastive_all_pairs
from drlim_np.figures import shipped, thumbnails
from drlim_np.figures.airplane_map import MARGIN, Mapped, Setting, counts, mapped, setting, settings
from drlim_np.figures.panels import box
from drlim_np.figures.record import Claim, Result, Run
from drlim_np.figures.space import Side, bar, colours, lighting_legend, numbers, reach_of, scatter, space_panel, wires
from drlim_np.figures.style import INK, RULES
from drlim_np.measure.cylinder import organisation

SIDES = [
    Side("from the side", 0, 0),
    Side("turned by 90°", 90, 0),
    Side("tilted by 30°", 45, 30),
    Side("tilted by 60°", 45, 60),
    Side("along the axis", 0, 90),
]

# Bounds on the map of unseen views, by quick: R² of elevation, resultant length of azimuth at least; share of
# lighting at most; neighbours that are similar at least.
BOUNDS = {False: (0.95, 0.98, 0.02, 0.95), True: (0.9, 0.95, 0.05, 0.8)}


@rc_context(RULES)
def make(run: Run) -> Result:
    """The map of unseen views of an airplane: a cylinder, azimuth around it, elevation along it, whatever the light."""
    given, found = setting(run), mapped(run)
    z = found.z[given.test]
    ours = organisation(z, found.cylinder, given.views, given.test)
    claims = counts(given)
    if given.views.name == "airplane":
        elevation, azimuth, lighting, near = BOUNDS[run.quick]
        claims += [
            Claim("elevation along the axis: R²", ours["elevation_r2"], "≥", elevation),
            Claim("azimuth around it: resultant length", ours["azimuth_resultant"], "≥", azimuth),
            Claim("lighting has no effect: its share of variance", ours["share_of_lighting"], "≤", lighting),
            Claim("5 nearest neighbours that are neighbours in the graph", ours["similar_neighbours"], "≥", near),
        ]
    loss, _ = contrastive_all_pairs(found.z[given.train], given.similar, MARGIN)
    measured = {
        "similar_pairs": given.similar.listed_count,
        "dissimilar_pairs": given.similar.dissimilar_count,
        "loss_over_all_training_pairs": float(loss),
        "drlim": ours,
    }
    views = given.views
    kept, small = shipped.on_footprint(found.params, given.inputs)
    arrays = {
        "embedding": z,
        "index": given.test,
        "azimuth": views.azimuth[given.test],
        "elevation": views.elevation[given.test],
        "lighting": views.lighting[given.test],
        "loss_per_pair": found.losses,
        "footprint": kept,
    }
    return Result(_draw(given, found, ours), claims, settings(run), views, measured, arrays, small)


def _draw(given: Setting, found: Mapped, ours: dict[str, float]) -> Figure:
    views, rows, lighting = given.views, given.test, given.views.lighting[given.test]
    upright = found.cylinder.upright(found.z)
    points, reach = upright[rows], reach_of(upright, SIDES)
    poses = upright.reshape(AZIMUTHS, ELEVATIONS, LIGHTINGS, 3).mean(axis=2)

    wide, narrow, top = 10.2, 2.9, 0.75  # inches
    radius = np.hypot(*points[:, :2].T).mean()
    low = np.array([-0.5, points[:, 2].min() - 0.25])
    high = np.array([2 * np.pi * radius + 0.25, points[:, 2].max() + 0.35])
    tall = wide * (high - low)[1] / (high - low)[0]
    first, second = top + tall + 1.0, top + tall + 1.0 + narrow + 0.45
    figure = Figure(figsize=(15.2, second + narrow + 0.15))
    title = f"{len(rows)} unseen views of one airplane on a cylinder: the map unrolled ({views.title})"
    figure.text(*box(figure, 0.3, 0.35, 0, 0)[:2], title, fontsize=14)

    axes = figure.add_axes(box(figure, 0.8, top, wide, tall))
    _unrolled(axes, views.images[rows], points, radius, lighting, colours(views, rows, "azimuth"), low, high)
    numbers(figure, 11.2, top + 0.5, ours)
    for number, by in enumerate(("azimuth", "elevation")):
        bar(figure, 11.4, top + 2.6 + 0.9 * number, 3.2, by)
    across, up, *_ = box(figure, 11.2, top + 4.3, 0, 0)
    lighting_legend(figure, loc="upper left", bbox_to_anchor=(across, up))
    for line, by in ((first, "azimuth"), (second, "elevation")):
        for number, side in enumerate(SIDES):
            corner = (0.2 + number * (narrow + 0.06), line)
            heading = f"{side.words}, by {by}" if number == 0 else side.words
            panel = space_panel(figure, corner, narrow, reach, heading)
            wires(panel, poses, side)
            scatter(panel, points, side, lighting, colours(views, rows, by))
    return figure


def _unrolled(axes: Axes, images, points, radius: float, lighting, colour, low, high) -> None:
    """The cylinder cut open behind azimuth 0 and laid flat: arc length across, height upwards, both in one unit."""
    margin = np.pi / AZIMUTHS
    angle = (np.arctan2(points[:, 1], points[:, 0]) + margin) % (2 * np.pi) - margin
    flat = np.stack([radius * angle, points[:, 2]], axis=1)
    side = (high - low)[0] / 21
    scatter(axes, np.stack([flat[:, 0], np.zeros(len(flat)), flat[:, 1]], axis=1), Side("", 0, 0), lighting, colour)
    shown, middles = thumbnails.place(flat, side, low, high)
    thumbnails.draw(axes, images[shown], [INK] * len(shown), flat[shown], middles, side, tinted=False)
    axes.set(
        xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="around the axis", ylabel="along the axis, in margins"
    )
    around = np.arange(0, 361, 60)
    axes.set_xticks(radius * np.radians(around), [f"{degrees}°" for degrees in around])
