"""The lesson's drawings of numbers, as SVG: every length is one of the lesson's. Its other drawings are files.

Red is similar and blue dissimilar, as in Figures 1 and 2. The page sets the colours, so that they follow its ground.
"""

from base64 import b64encode
from html import escape
from typing import NamedTuple

import numpy as np

from drlim_np.audit.gradcheck import COMPLEX_BOUND
from drlim_np.drawing import zigzag
from drlim_np.files.frame import template
from drlim_np.teaching import lesson
from drlim_np.teaching.lesson import MARGIN, RATE, W

KINDS = ("similar", "dissimilar")
SVG = "http://www.w3.org/2000/svg"
UNIT = 80  # how long a unit is in the drawings of points
Z1, Z2 = lesson.layer(W, lesson.X1)[0], lesson.layer(W, lesson.X2)[0]


def drawing(width: int, height: int, label: str, *parts: str) -> str:
    """An SVG of that size in its own units, as wide as the page lets it be; `label` is what a screen reader reads."""
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">' + "".join(parts) + "</svg>"


class Picture(NamedTuple):
    """A drawing that a notebook shows, as an image, so that its style changes nothing else there."""

    svg: str

    def _repr_html_(self) -> str:
        style = template("frame.css", "drlim_np.files").template + "svg { max-width: none; background: var(--ground) }"
        whole = self.svg.replace(">", f"><style>{style}</style>", 1).replace("<svg", f'<svg xmlns="{SVG}"', 1)
        name = self.svg.partition('aria-label="')[2].partition('"')[0]
        return f'<img width="420" alt="{name}" src="data:image/svg+xml;base64,{b64encode(whole.encode()).decode()}">'


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Words that have their start, middle or end at (x, y)."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def path(points, kind: str = "") -> str:
    """A line through the points."""
    return f'<path class="line {kind}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>'


def dot(point, kind: str = "") -> str:
    """A filled circle."""
    return f'<circle class="dot {kind}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="4.5"/>'


def arrow(start: np.ndarray, end: np.ndarray) -> str:
    """A line with a head at its end."""
    along = (end - start) / np.linalg.norm(end - start)
    across = np.array([-along[1], along[0]])
    neck = end - 8 * along
    head = " ".join(f"{x:.1f},{y:.1f}" for x, y in (end, neck + 4 * across, neck - 4 * across))
    return path([start, neck]) + f'<polygon class="dot" points="{head}"/>'


def _placed(pair: int) -> list[np.ndarray]:
    """Where the two points of a pair are: around the middle of the drawing's left or right half."""
    middle = (Z1[pair] + Z2[pair]) / 2
    return [np.array([85 + 180 * pair, 100]) + UNIT * np.array([1, -1]) * (z[pair] - middle) for z in (Z1, Z2)]


def _named(z1, z2) -> str:
    """The names of both points, each on the side of its point that is away from the other."""
    away = 16 * (z1 - z2) / np.linalg.norm(z1 - z2)
    return text(*(z1 + away + [-7, 5]), "z1") + text(*(z2 - away + [-7, 5]), "z2")


def pair_and_energy() -> str:
    """Step 1: both pairs as points, the energy as the distance between them, and the margin as a circle."""
    d, _ = lesson.energy_and_loss(Z1, Z2)
    parts = [text(268, 208, "dotted: distance m from z1", "dim", "middle")]
    for pair, kind in enumerate(KINDS):
        z1, z2 = _placed(pair)
        parts += [path([z1, z2], kind), dot(z1, kind), dot(z2, kind), _named(z1, z2)]
        parts += [text(85 + 180 * pair, 18, f"{kind}: D = {d[pair]:.2f}", kind, "middle")]
    parts += [f'<circle class="line faint" cx="{z1[0]:.1f}" cy="{z1[1]:.1f}" r="{MARGIN * UNIT}"/>']
    return drawing(360, 215, "The points of both pairs, each pair joined by a line as long as its energy", *parts)


def loss_curves() -> str:
    """Step 1: what a pair costs against its energy, with both pairs on their curves."""
    d, _ = lesson.energy_and_loss(Z1, Z2)

    def at(d, loss):
        return 40 + 195 * d, 165 - 190 * loss

    grid = np.linspace(0, 1.5, 61)
    costs = d[0] ** 2 / 2, (MARGIN - d[1]) ** 2 / 2
    pulled = at(d[0], costs[0])
    parts = [
        path([(40, 10), (40, 165), (340, 165)], "faint"),
        path([at(x, x * x / 2) for x in grid if x * x / 2 < 0.78], "similar dashed"),
        path([at(x, max(0, MARGIN - x) ** 2 / 2) for x in grid], "dissimilar"),
        dot(pulled, "similar"),
        dot(at(d[1], costs[1]), "dissimilar"),
        text(8, 22, "L"),
        text(330, 184, "D"),
        text(at(MARGIN, 0)[0], 184, "m", anchor="middle"),
        text(pulled[0] - 12, pulled[1], f"½ D² = {costs[0]:.3f}", "similar", "end"),
        text(at(d[1], 0)[0] + 40, 128, f"½ (m − D)² = {costs[1]:.3f}", "dissimilar"),
    ]
    return drawing(360, 195, "What a similar and a dissimilar pair cost against their energy D", *parts)


def tower() -> str:
    """Step 3: a layer, forward and back."""
    return template("tower.svg", __package__).substitute()


def two_towers() -> str:
    """Step 4: two towers that share W."""
    return template("two_towers.svg", __package__).substitute()


def spring() -> str:
    """Step 2: the springs, and the force on either end, minus the gradient, three eighths of the points' scale."""
    parts = [text(180, 208, "arrows: −dL/dz, the forces", "dim", "middle")]
    gradients = lesson.springs(Z1, Z2)
    for pair, kind in enumerate(KINDS):
        z1, z2 = _placed(pair)
        parts += [path(zigzag(z1, z2, turns=10, width=5), kind)]
        for z, dz in zip((z1, z2), gradients, strict=True):
            parts += [arrow(z, z + 0.375 * UNIT * np.array([1, -1]) * -dz[pair]), dot(z, kind)]
        parts += [text(85 + 180 * pair, 18, ("it pulls", "it pushes")[pair], kind, "middle")]
    parts += [_named(*_placed(0))]
    return drawing(360, 215, "A spring that pulls and one that pushes, with the forces on both ends as arrows", *parts)


def step_down() -> str:
    """Step 5: the loss along the step, its slope at the start, and the step taken."""
    gradient = lesson.both_towers(W)
    start, end = lesson.loss_of(W), lesson.loss_of(lesson.descend(W, gradient))
    slope = -np.sum(gradient**2)

    def at(rate, loss):
        return 40 + 200 * rate, 165 - 230 * loss

    before, after = at(0, start), at(RATE, end)
    parts = [
        path([(40, 10), (40, 165), (345, 165)], "faint"),
        path([at(rate, lesson.loss_of(lesson.descend(W, gradient, rate))) for rate in np.linspace(0, 1.5, 61)], "ink"),
        path([before, at(0.38, start + 0.38 * slope)], "back dashed"),
        dot(before, "ink"),
        dot(after, "ink"),
        text(8, 22, "L"),
        text(335, 184, "η"),
        text(52, 24, f"before {start:.3f}"),
        text(after[0] + 10, after[1] + 2, f"after η = {RATE}: {end:.3f}"),
        text(142, 98, f"dashed: slope −‖dL/dW‖² = {slope:.2f}".replace("-", "−"), "dim"),
    ]
    return drawing(360, 195, "The loss along the step down, with its slope at the start as a dashed line", *parts)


def seen_by_the_check() -> str:
    """The mistakes: how far each claimed gradient is off the complex step, on a logarithmic scale."""
    claims = {
        "both towers": lesson.both_towers(W),
        "shared cache": lesson.shared_cache(W),
        "one tower": lesson.one_tower(W),
        "one tower, doubled": 2 * lesson.one_tower(W),
    }

    def at(off):
        return 150 + 10.5 * (np.log10(max(off, 1e-17)) + 17)

    bound = at(COMPLEX_BOUND)
    parts = [path([(bound, 18), (bound, 150)], "faint"), text(bound, 12, "bound 1e-12", "dim", "middle")]
    for k, (name, gradient) in enumerate(claims.items()):
        y, off = 38 + 30 * k, lesson.error(gradient)
        kind = "ink" if off <= COMPLEX_BOUND else "similar"
        parts += [text(142, y + 5, name, anchor="end"), path([(150, y), (at(off), y)], kind), dot((at(off), y), kind)]
        # The number is to the right of its dot where there is room, else to the left, above the line.
        room = at(off) < 250
        parts += [text(at(off) + 8, y + 5, f"{off:.0e}") if room else text(at(off) - 6, y - 5, f"{off:.1f}", "", "end")]
    parts += [text(240, 168, "error, relative to the gradient's norm", "dim", "middle")]
    label = "How far each claimed gradient is off: the right one by rounding, the mistakes by all"
    return drawing(360, 175, label, *parts)
