"""Figure 2: the loss as a system of springs; every arrow is a force -∂L/∂z (Sec. 2.2, Eqs. 5 to 7)."""

from typing import NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from drlim_np.loss import contrastive, dissimilar_loss, similar_loss
from figures.record import Claim, Result, Run
from figures.style import FAINT, INK, RULES

MARGIN = 1.0
SCALE = 0.5  # length of an arrow per unit of force, in every panel
ROOM = 1.35  # half the side of every panel of springs
BLUE, RED = "#0072B2", "#C8102E"  # as in Figure 1
SIMILAR, DISSIMILAR = 0, 1


class Springs(NamedTuple):
    """A centre tied to points: centre (2,), points (pairs, 2), y (pairs,), and what each spring exerts on both ends."""

    centre: np.ndarray
    points: np.ndarray
    y: np.ndarray
    on_points: np.ndarray
    on_centre: np.ndarray


def springs(centre: np.ndarray, points: np.ndarray, y: np.ndarray) -> Springs:
    """The springs between the centre and each point with their forces, the negative gradients of the loss (Eq. 4)."""
    _, dpoints, dcentre = contrastive(points, np.tile(centre, (len(points), 1)), y, MARGIN)
    return Springs(centre, points, y, -dpoints, -dcentre)


def relax(points: np.ndarray, y: np.ndarray, start: np.ndarray, rate: float = 0.1, steps: int = 1000) -> Springs:
    """The centre let go at `start`, the points held: gradient descent on the loss until the springs balance."""
    centre = start
    for _ in range(steps):
        centre = centre + rate * springs(centre, points, y).on_centre.sum(axis=0)
    return springs(centre, points, y)


def around(polar: list[tuple[float, float]]) -> np.ndarray:
    """Points at (degrees, distance) from the origin: (points, 2)."""
    degrees, distance = np.transpose(polar)
    return distance[:, None] * np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)


@rc_context(RULES)
def make(run: Run) -> Result:
    """The springs that pull similar points together and push dissimilar ones apart, and their equilibrium."""
    origin = np.zeros(2)
    pulled = around([(15, 0.5), (80, 0.8), (150, 1.1), (215, 0.65), (300, 0.95)])
    attract = springs(origin, pulled, np.full(len(pulled), SIMILAR))
    pushed = around([(35, 0.3), (110, 0.55), (170, 0.75), (245, 0.45), (310, 0.9), (70, 1.2), (205, 1.25)])
    repulse = springs(origin, pushed, np.full(len(pushed), DISSIMILAR))
    held = around([(345, 1.15), (85, 1.05), (150, 1.2), (240, 0.95), (290, 1.1), (195, 0.4)])
    balance = relax(held, np.array([SIMILAR] * 5 + [DISSIMILAR]), origin)

    figure = Figure(figsize=(13, 7.4), layout="constrained")
    grid = figure.subplot_mosaic("abe\ncde", width_ratios=[1, 1, 1.25])
    _draw_springs(grid["a"], attract, attract.points, attract.on_points)
    grid["a"].set_title("(a) similar: attract-only springs", loc="left")
    slope_s = _draw_curves(grid["b"], SIMILAR, RED, "--", "$L_S = ½\\,D_W^2$", "its slope $D_W$")
    grid["b"].set_title("(b) the longer, the stronger the pull", loc="left")

    grid["c"].add_patch(Circle(origin, MARGIN, fill=False, edgecolor=FAINT, linestyle=":", linewidth=1.2))
    grid["c"].annotate(
        "margin $m$", (0.75, -0.68), xytext=(5, -5), textcoords="offset points", va="top", color="#555555"
    )
    _draw_springs(grid["c"], repulse, repulse.points, repulse.on_points)
    grid["c"].set_title("(c) dissimilar: $m$-repulse-only springs", loc="left")
    slope_d = _draw_curves(
        grid["d"], DISSIMILAR, BLUE, "-", "$L_D = ½\\,\\max(0, m - D_W)^2$", "its slope $-(m - D_W)$, 0 from $m$ on"
    )
    grid["d"].set_title("(d) the nearer, the stronger the push", loc="left")

    centres = np.tile(balance.centre, (len(held), 1))
    _draw_springs(grid["e"], balance, centres, balance.on_centre)
    grid["e"].set_title("(e) many springs on one point: equilibrium", loc="left")
    strongest = np.linalg.norm(balance.on_centre, axis=1).max()
    net = np.linalg.norm(balance.on_centre.sum(axis=0)) / strongest
    grid["e"].text(0, -ROOM - 0.1, f"net force / strongest single force: {net:.0e}", ha="center", va="top", color=INK)
    grid["e"].text(
        0,
        -ROOM - 0.28,
        f"arrows: forces $-∂L/∂z$, {SCALE:g} units of length per unit of force\n"
        "red: similar pairs; blue: dissimilar pairs; dashed: too far apart for any force",
        ha="center",
        va="top",
        fontsize=9,
        color="#555555",
    )

    beyond = np.linalg.norm(pushed, axis=1) >= MARGIN
    claims = [
        Claim(
            "arrows are the forces of Eqs. 6 and 7: largest error",
            max(map(_error, (attract, repulse, balance))),
            "≤",
            1e-12,
        ),
        Claim("force on the points at D ≥ m: largest", float(np.abs(repulse.on_points[beyond]).max()), "=", 0.0),
        Claim("net force at equilibrium, over the largest single one", float(net), "≤", 1e-6),
        Claim("slopes against differences of the losses: largest error", max(slope_s, slope_d), "≤", 1e-6),
    ]
    return Result(figure, claims, settings={"margin": MARGIN, "arrow_per_force": SCALE})


def _error(found: Springs) -> float:
    """How far the forces on the points are from Eqs. 6 and 7 written out, and those on the centre from minus that."""
    difference = found.points - found.centre
    d = np.linalg.norm(difference, axis=1, keepdims=True)
    pull, push = -difference, np.maximum(0, MARGIN - d) * difference / d
    expected = np.where(found.y[:, None] == SIMILAR, pull, push)
    return float(max(np.abs(found.on_points - expected).max(), np.abs(found.on_centre + expected).max()))


def _draw_springs(axes: Axes, found: Springs, at: np.ndarray, forces: np.ndarray) -> None:
    """The springs of a centre, and `forces` (pairs, 2) as arrows from `at` (pairs, 2)."""
    acting = np.any(forces != 0, axis=1)
    for point, y, acts in zip(found.points, found.y, acting, strict=True):
        if acts:
            axes.plot(*zigzag(found.centre, point).T, color=_colour(y), linewidth=1, alpha=0.55, zorder=1, gid="spring")
        else:
            axes.plot(*np.transpose([found.centre, point]), "--", color=FAINT, linewidth=0.8, zorder=1, gid="slack")
    axes.plot(*found.points.T, "o", color="white", markeredgecolor=INK, markersize=8, zorder=3)
    axes.plot(*found.centre, "o", color=INK, markersize=10, zorder=3)
    axes.quiver(
        *at[acting].T,
        *(SCALE * forces[acting]).T,
        color=[_colour(y) for y in found.y[acting]],
        angles="xy",
        scale_units="xy",
        scale=1,
        width=0.012,
        zorder=4,
    )
    axes.set(xlim=(-ROOM, ROOM), ylim=(-ROOM, ROOM), aspect="equal")
    axes.axis("off")


def _draw_curves(axes: Axes, y: int, colour: str, style: str, loss_name: str, slope_name: str) -> float:
    """The loss of one pair and its slope dL/dD against D; returns how far the slope is from the loss's differences."""
    d = np.linspace(0, 1.6 * MARGIN, 641)
    pairs = np.stack([d, np.zeros_like(d)], axis=1)
    loss = similar_loss(d) if y == SIMILAR else dissimilar_loss(d, MARGIN)
    _, slope, _ = contrastive(pairs[1:], np.zeros_like(pairs[1:]), np.full(len(d) - 1, y), MARGIN)
    axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.axvline(MARGIN, color=FAINT, linewidth=1, linestyle=":")
    axes.plot(d, loss, style, color=colour, linewidth=2.2, label=loss_name)
    axes.plot(d[1:], slope[:, 0], "-.", color=INK, linewidth=1.4, label=slope_name)
    axes.set(xlim=(0, d[-1]), xlabel="energy $D_W$")
    axes.set_xticks([0, MARGIN], ["0", "m"])
    axes.set_yticks([0])
    axes.legend(loc="upper left" if y == SIMILAR else "lower right")
    smooth = np.abs(d[2:-1] - MARGIN) > d[1]
    differences = (loss[3:] - loss[1:-2]) / (d[3:] - d[1:-2])
    return float(np.abs(differences - slope[1:-1, 0])[smooth].max())


def zigzag(start: np.ndarray, end: np.ndarray, turns: int = 9, width: float = 0.035) -> np.ndarray:
    """A spring from start to end as a polyline, (turns + 4, 2), straight for an eighth of its length at both ends."""
    along = end - start
    across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    place = np.concatenate([[0, 1 / 8], 1 / 8 + 6 / 8 * (np.arange(turns) + 0.5) / turns, [7 / 8, 1]])
    side = np.concatenate([[0, 0], width * (-1.0) ** np.arange(turns), [0, 0]])
    return start + place[:, None] * along + side[:, None] * across


def _colour(y: int) -> str:
    return RED if y == SIMILAR else BLUE
