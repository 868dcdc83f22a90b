"""The lesson's drawings, as SVG: every length in them is one of the lesson's numbers.

Red is similar and blue dissimilar, as in Figures 1 and 2. Colours come from the page, so that they follow its ground.
"""

from html import escape

import numpy as np

from drlim_np.audit.gradcheck import COMPLEX_BOUND
from drlim_np.teaching.lesson import (
    MARGIN,
    RATE,
    X1,
    X2,
    W,
    both_towers,
    descend,
    energy_and_loss,
    error,
    layer,
    loss_of,
    one_tower,
    shared_cache,
    springs,
)

KINDS = ("similar", "dissimilar")


def drawing(width: int, height: int, says: str, *parts: str) -> str:
    """An SVG of that size in its own units, which fills its place; `says` is what a screen reader reads."""
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(says)}">' + "".join(parts) + "</svg>"


def text(x: float, y: float, words: str, kind: str = "", at: str = "start") -> str:
    """Words from (x, y) on, ending there or around it: `at` is start, end or middle."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{at}">{escape(words)}</text>'


def path(points, kind: str) -> str:
    """A line through the points."""
    return f'<path class="line {kind}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>'


def dot(point, kind: str = "", r: float = 4.5) -> str:
    """A filled circle."""
    return f'<circle class="dot {kind}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="{r}"/>'


def arrow(start, end, kind: str = "") -> str:
    """A line with a head at its end."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    along = (end - start) / np.linalg.norm(end - start)
    across, neck = np.array([-along[1], along[0]]), end - 8 * along
    head = " ".join(f"{x:.1f},{y:.1f}" for x, y in (end, neck + 4 * across, neck - 4 * across))
    return path([start, neck], kind) + f'<polygon class="dot {kind}" points="{head}"/>'


def zigzag(start, end, kind: str, turns: int = 10, width: float = 5) -> str:
    """A spring, straight at both ends."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    along = end - start
    across = width * np.array([-along[1], along[0]]) / np.linalg.norm(along)
    bends = [start + (0.2 + 0.6 * (k + 0.5) / turns) * along + (-1) ** k * across for k in range(turns)]
    return path([start, start + 0.2 * along, *bends, start + 0.8 * along, end], kind)


def box(x: float, y: float, words: str, width: float = 78, kind: str = "") -> str:
    """Words in a frame around (x, y)."""
    frame = f'<rect class="box {kind}" x="{x - width / 2}" y="{y - 15}" width="{width}" height="30" rx="5"/>'
    return frame + text(x, y + 5, words, at="middle")


def _points():
    return layer(W, X1)[0], layer(W, X2)[0]


def _placed(pair: int):
    """Where the two points of a pair lie in a picture of 170 by 200, and how long a unit is there."""
    unit, (z1, z2) = 80, _points()
    middle = (z1[pair] + z2[pair]) / 2
    place = [np.array([85 + 180 * pair, 100]) + unit * np.array([1, -1]) * (z[pair] - middle) for z in (z1, z2)]
    return *place, unit


def pair_and_energy() -> str:
    """Step 1: both pairs as points, the energy as the distance between them, and the margin as a circle."""
    d, parts = energy_and_loss(*_points())[0], []
    for pair, kind in enumerate(KINDS):
        one, other, unit = _placed(pair)
        parts += [path([one, other], kind), *map(dot, (one, other), (kind, kind))]
        parts += [text(*(z + _aside(z, w)), name) for name, z, w in (("z1", one, other), ("z2", other, one))]
        parts += [text(85 + 180 * pair, 18, f"{kind}: D = {d[pair]:.2f}", kind, "middle")]
        parts += [f'<circle class="line faint" cx="{one[0]:.1f}" cy="{one[1]:.1f}" r="{MARGIN * unit}"/>'] * pair
    parts += [text(268, 208, "dotted: distance m from z1", "dim", "middle")]
    return drawing(360, 215, "The points of both pairs, each pair joined by a line as long as its energy", *parts)


def _aside(z, other):
    """Where the name of a point goes: beyond it, as seen from the other."""
    away = (z - other) / np.linalg.norm(z - other)
    return 16 * away + [-7, 5]


def loss_curves() -> str:
    """Step 1: what a pair costs against its energy, with both pairs on their curves."""
    d, _ = energy_and_loss(*_points())
    grid = np.linspace(0, 1.5, 61)

    def at(d, loss):
        return 40 + 195 * d, 165 - 190 * loss

    rises = [at(x, x * x / 2) for x in grid if x * x / 2 < 0.78]
    falls = [at(x, max(0, MARGIN - x) ** 2 / 2) for x in grid]
    costs = d[0] ** 2 / 2, (MARGIN - d[1]) ** 2 / 2
    parts = [path([(40, 10), (40, 165), (340, 165)], "faint"), path(rises, "similar dashed"), path(falls, "dissimilar")]
    parts += [dot(at(d[0], costs[0]), "similar"), dot(at(d[1], costs[1]), "dissimilar")]
    parts += [text(8, 22, "L"), text(330, 184, "D"), text(at(MARGIN, 0)[0], 184, "m", at="middle")]
    parts += [text(at(d[0], costs[0])[0] - 12, at(d[0], costs[0])[1], f"½ D² = {costs[0]:.3f}", "similar", "end")]
    parts += [text(at(d[1], 0)[0] + 40, 128, f"½ (m − D)² = {costs[1]:.3f}", "dissimilar")]
    return drawing(360, 195, "What a similar and a dissimilar pair cost against their energy D", *parts)


def spring() -> str:
    """Step 2: the springs, and the force on either end, minus the gradient, three eighths of the points' scale."""
    parts, forces = [], [-dz for dz in springs(*_points())]
    for pair, kind in enumerate(KINDS):
        one, other, unit = _placed(pair)
        parts += [zigzag(one, other, kind)]
        for z, force, w in ((one, forces[0][pair], other), (other, forces[1][pair], one)):
            parts += [arrow(z, z + 0.375 * unit * np.array([1, -1]) * force), dot(z, kind)]
            parts += [] if pair else [text(*(z + _aside(z, w)), "z1" if z is one else "z2")]
        parts += [text(85 + 180 * pair, 18, ("it pulls", "it pushes")[pair], kind, "middle")]
    parts += [text(180, 208, "arrows: −dL/dz, the forces", "dim", "middle")]
    return drawing(360, 215, "A spring that pulls and one that pushes, with the forces on both ends as arrows", *parts)


def tower() -> str:
    """Step 3: forward to the right along the top, back to the left along the bottom."""
    parts = [text(20, 55, "x", at="middle"), arrow((30, 50), (62, 50)), box(95, 50, "W ·", 60)]
    parts += [arrow((126, 50), (160, 50)), text(143, 40, "a", at="middle"), box(200, 50, "tanh")]
    parts += [
        arrow((240, 50), (310, 50)),
        text(325, 55, "z"),
        text(180, 20, "forward: two numbers a sample", "dim", "middle"),
    ]
    parts += [text(318, 135, "dz"), arrow((310, 130), (242, 130), "back"), box(200, 130, "· (1 − z²)", 80, "back")]
    parts += [
        arrow((160, 130), (128, 130), "back"),
        text(144, 120, "da", at="middle"),
        box(95, 130, "Σ · xᵀ", 60, "back"),
    ]
    parts += [
        arrow((64, 130), (40, 130), "back"),
        text(10, 135, "dW"),
        path([(20, 64), (20, 90), (95, 90), (95, 113)], "faint"),
    ]
    parts += [path([(330, 64), (330, 90), (200, 90), (200, 113)], "faint")]
    parts += [text(180, 172, "back: the pullback still holds x and z", "dim", "middle")]
    return drawing(360, 180, "One layer: forward from x by way of a to z, back from dz by way of da to dW", *parts)


def two_towers() -> str:
    """Step 4: two towers with one W, and their gradients meeting at a sum."""
    parts = [box(180, 105, "L", 50), box(60, 245, "dL/dW", 70, "back"), box(180, 245, "+", 34, "back")]
    for k, y in ((1, 40), (2, 170)):
        towards = 1 if k == 1 else -1
        parts += [text(12, y + 5, f"x{k}"), arrow((34, y), (62, y)), box(100, y, f"tower {k}", 72)]
        parts += [arrow((138, y), (180 - 10, 105 - 17 * towards)), text(150, y - 6 + 14 * (k - 1), f"z{k}")]
        parts += [
            arrow((206, 105 - 8 * towards), (262, y), "back"),
            text(226, (66, 154)[k - 1], f"dz{k}", at="end"),
        ]
        parts += [box(305, y, f"pullback{k}", 84, "back")]
    parts += [
        path([(100, 56), (100, 154)], "faint"),
        text(92, 110, "W", at="end"),
        text(92, 128, "shared", "dim", "end"),
    ]
    parts += [path([(350, 40), (356, 40), (356, 245), (208, 245)], "back"), arrow((230, 245), (199, 245), "back")]
    parts += [path([(305, 186), (305, 213), (180, 213)], "back"), arrow((180, 212), (180, 230), "back")]
    parts += [arrow((162, 245), (97, 245), "back")]
    return drawing(360, 270, "Two towers that share W; the gradients of both are added to dL/dW", *parts)


def step_down() -> str:
    """Step 5: the loss along the step, its slope at the start, and the step taken."""
    gradient = both_towers(W)
    rates = np.linspace(0, 1.5, 61)
    start, slope = loss_of(W), -np.sum(gradient**2)

    def at(rate, loss):
        return 40 + 200 * rate, 165 - 230 * loss

    curve = [at(rate, loss_of(descend(W, gradient, rate))) for rate in rates]
    tangent = [at(0, start), at(0.38, start + 0.38 * slope)]
    after = at(RATE, loss_of(descend(W, gradient)))
    parts = [path([(40, 10), (40, 165), (345, 165)], "faint"), path(curve, "ink"), path(tangent, "back dashed")]
    parts += [dot(at(0, start), "ink"), dot(after, "ink"), text(8, 22, "L"), text(335, 184, "η")]
    parts += [
        text(52, 24, f"before {start:.3f}"),
        text(after[0] + 10, after[1] + 2, f"after η = {RATE}: {loss_of(descend(W, gradient)):.3f}"),
    ]
    parts += [text(142, 98, f"dashed: slope −‖dL/dW‖² = {slope:.2f}".replace("-", "−"), "dim")]
    return drawing(360, 195, "The loss along the step down, with its slope at the start as a dashed line", *parts)


def seen_by_the_check() -> str:
    """The mistakes: how far each claimed gradient is off the complex step, on a logarithmic scale."""
    wrong = one_tower(W)
    claims = [("both towers", both_towers(W)), ("shared cache", shared_cache(W)), ("one tower", wrong)]
    claims += [("one tower, doubled", 2 * wrong)]

    def at(off):
        return 150 + 10.5 * (np.log10(max(off, 1e-17)) + 17)

    parts = [
        path([(at(COMPLEX_BOUND), 18), (at(COMPLEX_BOUND), 150)], "faint"),
        text(at(COMPLEX_BOUND), 12, "bound 1e-12", "dim", "middle"),
    ]
    for k, (name, claimed) in enumerate(claims):
        y, off = 38 + 30 * k, error(claimed)
        kind = "ink" if off <= COMPLEX_BOUND else "similar"
        parts += [text(142, y + 5, name, at="end"), path([(150, y), (at(off), y)], kind), dot((at(off), y), kind)]
        # The number stands behind its dot where there is room, else before it, above the line.
        parts += [
            text(at(off) + 8, y + 5, f"{off:.0e}")
            if at(off) < 250
            else text(at(off) - 6, y - 5, f"{off:.1f}", at="end")
        ]
    parts += [text(240, 168, "error, relative to the gradient's norm", "dim", "middle")]
    return drawing(
        360, 175, "How far each claimed gradient is off: the right one by rounding, the mistakes by all", *parts
    )
