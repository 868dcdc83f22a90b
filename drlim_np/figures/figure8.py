"""Figure 8: unseen views of one airplane on a cylinder, by a G_W that was told only which camera positions adjoin."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection

from drlim_np import verbatim
from drlim_np.checks.terminal import ProgressLine
from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS, TRAIN, Views, in_their_span, split
from drlim_np.drawing import space
from drlim_np.drawing.panels import box, place, sheet
from drlim_np.drawing.space import Side, project
from drlim_np.drawing.style import FAINT, WIDTH
from drlim_np.fast.all_pairs import contrastive_all_pairs
from drlim_np.fast.sweep import sweep
from drlim_np.figures import Claim, Result, Train, all_counted, figure, require_spread
from drlim_np.graph import SimilarityGraph, contiguous_views
from drlim_np.measure.cylinder import Cylinder, fit_views, organisation
from drlim_np.networks import two_layer
from drlim_np.training import embed
from drlim_np.tree import Tree

MARGIN = verbatim.MARGIN
PIECES = 10  # of an epoch; after each the loss is kept
QUICK_EPOCHS = 2
CLAIM = "Unseen views lie on a cylinder: azimuth around,\nelevation along, whatever the light"
LARGE, SMALL = 5.6, 0.46  # inches: the sides of the large panel and of a thumbnail
PANELS = [  # of the cylinder: side, colours; inches to the right, down and wide; room around it; size of its points
    (Side("", 45, 30), "azimuth", 0, 0, LARGE, 1.35, 1.6),
    (Side("along the axis", 0, 90), "azimuth", LARGE + 0.05, 0.75, 2.25, 1.25, 0.6),
    (Side("from the side", 0, 0), "elevation", LARGE + 0.05, 3.25, 2.25, 1.25, 0.6),
]

# Bounds, by quick: elevation R², azimuth resultant at least; share of lighting at most; similar neighbours at least.
BOUNDS = {False: (0.95, 0.98, 0.02, 0.95), True: (0.9, 0.95, 0.05, 0.8)}
SECOND_LOOP = 0.6  # at most; up to .50 on ten seeds, where the unseen views leave a wide gap in a ring


@dataclass(frozen=True, eq=False)
class Setting:
    """The 972 views, those that are trained on, and what is similar among those."""

    views: Views
    inputs: np.ndarray  # (972, 9216) float32
    train: np.ndarray  # (660,), ascending rows of the inputs
    test: np.ndarray  # (312,), the others
    similar: SimilarityGraph  # among `train`


@dataclass(frozen=True, eq=False)
class Trained(Setting):
    """The setting, and G_W trained in it."""

    settings: dict[str, Any]  # all that was chosen, for the record
    params: Tree  # W of `networks.two_layer` on pixels, float32
    losses: np.ndarray  # (epochs · PIECES,) float64, the loss per pair after each piece of an epoch
    after: np.ndarray  # (epochs + 1, 972, 3) float32, the map before training and after each epoch
    z: np.ndarray  # the last of them
    cylinder: Cylinder  # fitted to the views trained on


def setting(views: Views, train: Train) -> Setting:
    """A random 660 of the views to train on, the other 312 unseen (Sec. 3.4)."""
    inputs, seen, unseen = split(views, train.rng(8))
    similar = contiguous_views(views.azimuth[seen], views.elevation[seen], AZIMUTHS)
    return Setting(views, inputs, seen, unseen, similar)


def train_airplane(views: Views, train: Train) -> Trained:
    """G_W trained pair by pair, as the paper does, from one start. It runs on the host for every backend."""
    given, rng = setting(views, train), train.rng(10)
    epochs = QUICK_EPOCHS if train.quick else verbatim.EPOCHS
    chosen = {"train": TRAIN, "test": len(given.test), "margin": MARGIN, "weighting": "exact"}
    chosen |= {"descent": "stochastic gradient, pair by pair", "rate": verbatim.RATE, "epochs": epochs}
    follows_from = [chosen, PIECES, given.inputs, given.train, given.similar.pairs, rng.bit_generator.state]
    found = train("airplane", follows_from, lambda: descent(given, epochs, rng))
    z = found["maps"][-1]
    require_spread(z, MARGIN, "airplane")
    learned = {"params": found["W"], "losses": found["losses"], "after": found["maps"], "z": z}
    return Trained(**vars(given), settings=chosen, **learned, cylinder=fit_views(z[given.train], views, given.train))


def descent(given: Setting, epochs: int, rng: np.random.Generator) -> Tree:
    """Step 2 of `verbatim` on coordinates of the inputs: W, the losses and the maps as `Trained` has them."""
    coordinates, basis = in_their_span(given.inputs, given.train)
    x, views = coordinates[given.train], given.views
    pairs = verbatim.pair_up(verbatim.similar_views(views.azimuth[given.train], views.elevation[given.train], AZIMUTHS))
    count, network = pairs.shape[1], two_layer(x.shape[1])
    W = tuple(w.astype(np.float32) for w in verbatim.first_weights(rng, x.shape[1]))
    maps, losses, line = [embed(network, as_tree(W), coordinates)], [], ProgressLine()
    for epoch in range(epochs):
        order, rates = rng.permutation(count), verbatim.falling(epoch, epochs, count)
        for piece in range(PIECES):
            part = slice(piece * count // PIECES, (piece + 1) * count // PIECES)
            sweep(W, x, pairs[:, order[part]], MARGIN, rates[part])
            z = embed(network, as_tree(W), coordinates)
            loss, _ = contrastive_all_pairs(z[given.train], given.similar, MARGIN)
            losses.append(float(loss) / count)
            line.show(f"airplane: epoch {epoch + 1}/{epochs}, loss per pair {losses[-1]:.5f}")
        maps.append(z)
    line.end()
    return {"W": as_tree((W[0] @ basis, *W[1:])), "losses": np.array(losses), "maps": np.array(maps)}


def as_tree(W: tuple[np.ndarray, ...]) -> Tree:
    """W of `verbatim` as `networks.two_layer` takes it, in float32."""
    A, a, B, b = (w.astype(np.float32) for w in W)
    return {"hidden": {"weight": A, "bias": a}, "squash": {}, "output": {"weight": B, "bias": b}}


def labelled(z: np.ndarray, views: Views, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The map z of the views `rows` with what is known of each, for the .npz."""
    known = {name: getattr(views, name)[rows] for name in ("azimuth", "elevation", "lighting")}
    return {"embedding": z, "index": rows, **known}


@figure("figure8", needs="views", seconds=15)
def make(views: Views, train: Train) -> Result:
    """The map of unseen views of an airplane: a cylinder, azimuth around it, elevation along it, whatever the light."""
    found = train_airplane(views, train)
    rows, z = found.test, found.z[found.test]
    ours = organisation(z, found.cylinder, views, rows)
    claims = [all_counted(found.similar)]
    if views.name == "airplane":
        elevation, azimuth, lighting, near = BOUNDS[train.quick]
        claims += [
            Claim("elevation along the axis: R²", ours["elevation_r2"], "≥", elevation),
            Claim("azimuth around it: resultant length", ours["azimuth_resultant"], "≥", azimuth),
            Claim("lighting has no effect: its share of variance", ours["share_of_lighting"], "≤", lighting),
            Claim("5 nearest neighbours that are neighbours in the graph", ours["similar_neighbours"], "≥", near),
        ]
        if not train.quick:  # two epochs leave rings open: up to .89
            claims.append(Claim("one loop at each elevation: second by first", ours["second_loop"], "≤", SECOND_LOOP))
    loss, _ = contrastive_all_pairs(found.z[found.train], found.similar, MARGIN)
    measured = {"similar_pairs": found.similar.listed_count, "dissimilar_pairs": found.similar.dissimilar_count}
    measured |= {"loss_over_all_training_pairs": float(loss), "drlim": ours}
    kept, small = on_footprint(found.params, found.inputs)
    arrays = labelled(z, views, rows) | {"loss_per_pair": found.losses, "footprint": kept}

    # The cylinder large and tilted, small from the side and along its axis, and unrolled, made of the images.
    upright = found.cylinder.upright(found.z)
    points, poses = upright[rows], upright.reshape(AZIMUTHS, ELEVATIONS, LIGHTINGS, 3).mean(axis=2)
    rings = np.concatenate([poses, poses[:1]]).swapaxes(0, 1)  # around the axis; the poses themselves are along it
    (at, lines), cell = unrolled(points), (WIDTH - 0.3) / AZIMUTHS
    words = f"{len(rows)} unseen views, {views.title}:\n{space.caption(ours)}"
    drawing, top = sheet(CLAIM, words, LARGE + 0.98 + lines * cell + 0.2)
    for side, by, left, down, wide, room, size in PANELS:
        reach = 1.04 * float(np.abs(project(upright, side)[0]).max())
        panel = space.space_panel(drawing, (left, top + down), wide, room * reach, side.words)
        wires = [project(line, side)[0] for line in [*rings, *poses]]
        panel.add_collection(LineCollection(wires, colors=FAINT, linewidths=0.5, alpha=0.6, zorder=1))
        space.scatter(panel, points, side, views, rows, by, size)
    seen, of_poses = (project(places, PANELS[0][0])[0] for places in (points, poses.reshape(-1, 3)))
    space.images_beside(drawing.axes[0], seen, views, rows, "azimuth", SMALL / LARGE, lines=of_poses)
    for by, down in (("azimuth", 0.3), ("elevation", LARGE + 0.2)):
        space.bar(drawing, LARGE + 0.15, top + down, 1.9, by)
    space.lighting_key(drawing, LARGE / 2, top + LARGE, [FAINT] * LIGHTINGS)

    left, below = 0.15, top + LARGE + 0.98
    drawing.text(*place(drawing, left, below - 0.1), "the same, unrolled: each image where its view lies")
    axes = drawing.add_axes(box(drawing, left, below, AZIMUTHS * cell, lines * cell))
    axes.axis("off")
    axes.set(xlim=(0, AZIMUTHS), ylim=(0, lines))
    squares = np.minimum(np.floor(at), (AZIMUTHS - 1, lines - 1)).astype(int)
    for square in np.unique(squares, axis=0):  # in each the view nearest to its middle; one without a view stays empty
        inside = np.flatnonzero((squares == square).all(axis=1))
        nearest = inside[np.linalg.norm(at[inside] - square - 0.5, axis=1).argmin()]
        extent = (square[0], square[0] + 1, square[1], square[1] + 1)
        axes.imshow(views.images[rows[nearest]], cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto")
    return Result(drawing, claims, found.settings, views, measured, arrays, small)


def on_footprint(params: Tree, inputs: np.ndarray) -> tuple[np.ndarray, Tree]:
    """The pixels (kept,) not 0 in all inputs (samples, pixels), and W on those alone: other weights multiply zeros."""
    kept = np.flatnonzero((inputs != 0).any(axis=0))
    weight = np.ascontiguousarray(params["hidden"]["weight"][:, kept])
    return kept, params | {"hidden": params["hidden"] | {"weight": weight}}


def unrolled(points: np.ndarray) -> tuple[np.ndarray, int]:
    """Upright points (samples, 3) laid flat, (samples, 2), in squares: a column an azimuth; and the number of lines."""
    angle = (np.arctan2(points[:, 1], points[:, 0]) + np.pi / AZIMUTHS) % (2 * np.pi)
    flat = np.stack([np.hypot(*points[:, :2].T).mean() * angle, points[:, 2] - points[:, 2].min()], axis=1)
    width, height = flat.max(axis=0)
    lines = max(1, round(AZIMUTHS * height / width))
    return flat / flat.max(axis=0) * (AZIMUTHS, lines), lines
