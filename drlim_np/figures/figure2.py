"""Figure 2: the loss as a system of springs; every arrow is a force -∂L/∂z (Sec. 2.2, Eqs. 5 to 7)."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from drlim_np.drawing import zigzag
from drlim_np.drawing.panels import box, sheet
from drlim_np.drawing.style import BLUE, FAINT, INK, RED, signed
from drlim_np.figures import Claim, Result, Train, figure
from drlim_np.loss import contrastive, dissimilar_loss, similar_loss

MARGIN = 1.0
SCALE, ROOM = 0.5, 1.35  # in every panel of springs: length of an arrow per unit of force, and half the panel's side
GREY = "#555555"
SIMILAR, DISSIMILAR = 0, 1
COLOURS = (RED, BLUE)  # of a similar and a dissimilar pair, as in Figure 1
TITLES = ("(a) similar: attract-only springs", "(b) farther: stronger pull", "(c) dissimilar: $m$-repulse-only")
TITLES += ("(d) nearer: stronger push", "(e) six springs in balance", "(f) the arrows of (e): they close")
CLAIM = "Each pair is a spring: similar ones pull,\ndissimilar ones push up to the margin $m$"
SQUARE, LINE = 2.85, 3.35  # inches: the side of a panel of springs, and from one line of panels to the next
RATE, STEPS = 0.1, 300  # of the relaxation: its slowest direction shrinks by about a half in each step


class Springs(NamedTuple):
    """A centre tied to points: centre (2,), points (pairs, 2), y (pairs,), and the forces of the springs on both."""

    centre: np.ndarray
    points: np.ndarray
    y: np.ndarray
    on_points: np.ndarray
    on_centre: np.ndarray


def springs(centre: np.ndarray, points: np.ndarray, y: np.ndarray) -> Springs:
    """The springs between the centre and each point with their forces, the negative gradients of the loss (Eq. 4)."""
    _, dpoints, dcentre = contrastive(points, np.tile(centre, (len(points), 1)), y, MARGIN)
    return Springs(centre, points, y, -dpoints, -dcentre)


def relax(points: np.ndarray, y: np.ndarray, start: np.ndarray) -> Springs:
    """The centre let go at `start` (2,), the points held: gradient descent on the loss until the springs balance."""
    centre = start
    for _ in range(STEPS):
        centre = centre + RATE * springs(centre, points, y).on_centre.sum(axis=0)
    return springs(centre, points, y)


@figure("figure2")
def make(data: None, train: Train) -> Result:
    """The springs that pull similar points together and push dissimilar ones apart, and their equilibrium."""
    origin = np.zeros(2)
    attract = springs(origin, _around((20, 0.5), (80, 0.85), (150, 1.15), (215, 0.65), (300, 1)), np.full(5, SIMILAR))
    pushed = _around((20, 0.3), (95, 0.5), (185, 0.6), (245, 0.4), (305, 0.7), (55, 1.22), (145, 1.25))
    repulse = springs(origin, pushed, np.full(7, DISSIMILAR))
    held = _around((330, 1.25), (80, 1.2), (120, 1.1), (160, 1.25), (265, 1.05), (188, 0.35))
    balance = relax(held, np.array([SIMILAR] * 5 + [DISSIMILAR]), origin)
    net = float(_largest(balance.on_centre.sum(axis=0)) / _largest(balance.on_centre))

    words = f"each arrow a force $-∂L/∂z$, all to one scale;\nnet force in (e): {signed(net, '.0e')} of the largest"
    drawing, top = sheet(CLAIM, words, 3 * LINE + 0.1)
    a, b, c, d, e, f = panels = [
        drawing.add_axes(box(drawing, left, top + 0.3 + line * LINE, SQUARE, high))
        for line, of_curves in enumerate((0.8 * SQUARE, 0.8 * SQUARE, SQUARE))
        for left, high in ((0.2, SQUARE), (4.8, of_curves))
    ]
    for axes, title in zip(panels, TITLES, strict=True):
        axes.set_title(title, loc="left")
    for axes in (a, c, e, f):
        axes.set(xlim=(-ROOM, ROOM), ylim=(-ROOM, ROOM), aspect="equal")
        axes.axis("off")

    c.add_patch(Circle(origin, MARGIN, fill=False, edgecolor=FAINT, linestyle=":", linewidth=1.4))
    c.text(0.5, -0.97, "margin $m$", va="top", color=GREY)
    for place in ((0.85, 1.1), (-1.33, 1.05)):
        c.text(*place, "no force", va="center", color=GREY)
    on_pulled = _draw(a, attract, attract.points, attract.on_points)
    on_pushed = _draw(c, repulse, pushed, repulse.on_points)
    on_centre = _draw(e, balance, np.tile(balance.centre, (len(held), 1)), balance.on_centre)
    by_angle = np.argsort(np.arctan2(*balance.on_centre.T[::-1]))
    chain = balance.on_centre[by_angle]
    feet = SCALE * np.concatenate([np.zeros((1, 2)), np.cumsum(chain, axis=0)[:-1]])
    feet -= (feet.max(axis=0) + feet.min(axis=0)) / 2
    end_to_end = _arrows(f, feet, chain, balance.y[by_angle])

    pull_error = _curves(b, SIMILAR, "--", "$L_S = ½\\,D_W^2$", "$∂L_S/∂D_W$")
    b.set(ylim=(-0.1, 1.9), yticks=[0, MARGIN**2 / 2, MARGIN], yticklabels=["0", "$½\\,m^2$", "$m$"])
    b.legend(loc="upper left", borderaxespad=0)
    push_error = _curves(d, DISSIMILAR, "-", "$L_D = ½\\,\\max(0, m - D_W)^2$", "$∂L_D/∂D_W$")
    d.set(ylim=(-1.1, 1.35), yticks=[-MARGIN, 0, MARGIN**2 / 2], yticklabels=["$-m$", "0", "$½\\,m^2$"])
    d.vlines(MARGIN, -1.1, 0, color=FAINT, linewidth=1, linestyle=":")
    d.legend(loc="upper right", borderaxespad=0)

    beyond = np.linalg.norm(pushed, axis=1) >= MARGIN
    off = max(_largest(on_pulled - _by_hand(attract)), _largest(on_pushed - _by_hand(repulse)))
    off = max(off, _largest(on_centre + _by_hand(balance)), _largest(end_to_end + _by_hand(balance)[by_angle]))
    claims = [
        Claim("arrows are the forces -∂L/∂z of Eqs. 6 and 7: largest error", off, "≤", 1e-12),
        Claim("force on the points at D ≥ m: largest", _largest(on_pushed[beyond]), "=", 0.0),
        Claim("net force at equilibrium, over the largest single one", net, "≤", 1e-6),
        Claim("slopes against differences of the losses: largest error", max(pull_error, push_error), "≤", 1e-9),
    ]
    settings = {"margin": MARGIN, "arrow_per_force": SCALE, "rate": RATE, "steps": STEPS}
    return Result(drawing, claims, settings, measured={"equilibrium": balance.centre.tolist()})


def _around(*polar: tuple[float, float]) -> np.ndarray:
    """Points at (degrees, distance) from the origin: (points, 2)."""
    degrees, distance = np.transpose(polar)
    return distance[:, None] * np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)


def _by_hand(found: Springs) -> np.ndarray:
    """The forces on the points (pairs, 2) by Eqs. 6 and 7 written out, without the library."""
    difference = found.points - found.centre
    d = np.linalg.norm(difference, axis=1, keepdims=True)
    return np.where(found.y[:, None] == SIMILAR, -difference, np.maximum(0, MARGIN - d) * difference / d)


def _largest(vectors: np.ndarray) -> float:
    """The greatest length among (..., 2)."""
    return float(np.linalg.norm(vectors, axis=-1).max())


def _draw(axes: Axes, found: Springs, at: np.ndarray, forces: np.ndarray) -> np.ndarray:
    """Springs, and as arrows the forces (pairs, 2) that are not 0, from `at` (pairs, 2), which it returns as drawn."""
    ends = np.array([-ROOM, -ROOM + SCALE * MARGIN]) + 0.03  # of a bar to read the arrows by
    axes.plot(ends, [-1.25, -1.25], "|-", color=INK, linewidth=1.2, gid="scale")
    axes.text(ends[1] + 0.06, -1.25, "a force of $m$", va="center", color=GREY)
    acting = np.any(forces != 0, axis=1)
    for point, y, acts in zip(found.points, found.y, acting, strict=True):
        if acts:
            path = zigzag(found.centre, point).T
            axes.plot(*path, color=COLOURS[y], linewidth=1.3, alpha=0.6, zorder=1, gid="spring")
        else:
            axes.plot(*np.transpose([found.centre, point]), "--", color=FAINT, linewidth=1, zorder=0, gid="slack")
    axes.plot(*found.points.T, "o", color="white", markeredgecolor=INK, markersize=7, zorder=4)
    axes.plot(*found.centre, "o", color=INK, markersize=10, zorder=4)
    drawn = np.zeros_like(forces)
    drawn[acting] = _arrows(axes, at[acting], forces[acting], found.y[acting])
    return drawn


def _arrows(axes: Axes, at: np.ndarray, forces: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Arrows from `at` (pairs, 2), SCALE units long per unit of force (pairs, 2); returns the forces read back."""
    edges = {"edgecolor": "white", "linewidth": 0.5}  # they keep an arrow apart from the spring below it
    units = {"angles": "xy", "scale_units": "xy", "scale": 1, "units": "inches", "width": 0.03}
    drawn = axes.quiver(*at.T, *(SCALE * forces).T, color=[COLOURS[label] for label in y], zorder=3, **edges, **units)
    return np.stack([drawn.U, drawn.V], axis=1) / SCALE


def _curves(axes: Axes, y: int, style: str, loss_name: str, slope_name: str) -> float:
    """The loss of one pair and its slope ∂L/∂D against D; returns how far the slope is from the loss's differences."""
    d = np.linspace(0, 1.6 * MARGIN, 641)
    apart, together = d[1:, None], np.zeros((len(d) - 1, 1))  # not D = 0, where the slope of L_D does not exist
    _, slope, _ = contrastive(apart, together, np.full(len(together), y), MARGIN)
    axes.axhline(0, color=FAINT, linewidth=0.8)
    loss = similar_loss(d) if y == SIMILAR else dissimilar_loss(d, MARGIN)
    axes.plot(d, loss, style, color=COLOURS[y], linewidth=2.4, label=loss_name)
    axes.plot(d[1:], slope[:, 0], "-.", color=INK, linewidth=1.6, label=slope_name)
    axes.set(xlim=(0, d[-1]), xlabel="energy $D_W$", xticks=[0, MARGIN], xticklabels=["0", "$m$"])
    # A central difference is exact for a parabola, but not across the joint at m.
    central = (loss[2:] - loss[:-2]) / (d[2:] - d[:-2])
    return float(np.abs(central - slope[:-1, 0])[d[1:-1] != MARGIN].max())
