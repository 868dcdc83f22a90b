"""Drawings as SVG. The lesson's words and lines are in files, and every length in them is one of its numbers.

Red is similar and blue dissimilar, as in Figures 1 and 2. The page sets the colours, so that they follow its ground.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator

import numpy as np

from drlim_np.audit.gradcheck import COMPLEX_BOUND
from drlim_np.drawing import zigzag
from drlim_np.files.frame import template
from drlim_np.teaching import lesson
from drlim_np.teaching.lesson import MARGIN, RATE, W

UNIT = 80  # how long a unit is in the drawings of points
Z1, Z2 = lesson.layer(W, lesson.X1)[0], lesson.layer(W, lesson.X2)[0]


class Picture(str):
    """A drawing that a notebook shows, as an image, so that its style changes nothing else there."""

    def _repr_html_(self) -> str:
        style = template("frame.css", "drlim_np.files").template + "svg { max-width: none; background: var(--ground) }"
        styled = self.replace(">", f"><style>{style}</style>", 1)
        whole = styled.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
        name = self.partition('aria-label="')[2].partition('"')[0]
        return f'<img width="420" alt="{name}" src="data:image/svg+xml;base64,{b64encode(whole.encode()).decode()}">'


def pair_and_energy() -> str:
    """Step 1: both pairs as points, the energy as the distance between them, and the margin as a circle."""
    return _filled("pair_and_energy", **_points(), energy=lesson.energy_and_loss(Z1, Z2)[0], margin=MARGIN * UNIT)


def loss_curves() -> str:
    """Step 1: what a pair costs against its energy, with both pairs on their curves."""
    d, _ = lesson.energy_and_loss(Z1, Z2)
    costs = d[0] ** 2 / 2, (MARGIN - d[1]) ** 2 / 2
    grid, origin, unit = np.linspace(0, 1.5, 61), np.array([40, 165]), np.array([195, -190])
    similar = _line(origin + unit * [x, x * x / 2] for x in grid if x * x / 2 < 0.78)
    dissimilar = _line(origin + unit * [x, max(0, MARGIN - x) ** 2 / 2] for x in grid)
    pulled, pushed = (origin + unit * at for at in zip(d, costs, strict=True))
    places = {"pulled": pulled, "pushed": pushed, "m": 40 + 195 * MARGIN}
    return _filled("loss_curves", similar=similar, dissimilar=dissimilar, costs=costs, **places)


def spring() -> str:
    """Step 2: the springs, and the force on either end, minus the gradient, three eighths of the points' scale."""
    points, (dz1, dz2) = _points(), lesson.springs(Z1, Z2)
    pulls, pushes = (_line(zigzag(points[k + "1"], points[k + "2"], turns=10, width=5)) for k in "sd")
    ends = {"s1": dz1[0], "s2": dz2[0], "d1": dz1[1], "d2": dz2[1]}
    forces = [_arrow(points[end], 0.375 * UNIT * np.array([1, -1]) * -dz) for end, dz in ends.items()]
    return _filled("spring", **points, pulls=pulls, pushes=pushes, forces="\n".join(forces))


def tower() -> str:
    """Step 3: a layer, forward and back."""
    return _filled("tower")


def two_towers() -> str:
    """Step 4: two towers that share W."""
    return _filled("two_towers")


def step_down() -> str:
    """Step 5: the loss along the step, its slope at the start, and the step taken."""
    gradient = lesson.both_towers(W)
    start, end = lesson.loss_of(W), lesson.loss_of(lesson.descend(W, gradient))
    slope, rates, unit = -np.sum(gradient**2), np.linspace(0, 1.5, 61), np.array([200, -230])
    along = [(rate, lesson.loss_of(lesson.descend(W, gradient, rate))) for rate in rates]
    points = np.array([40, 165]) + unit * [(0, start), (0.38, start + 0.38 * slope), (RATE, end), *along]
    lines = {"curve": _line(points[3:]), "tangent": _line(points[:2]), "before": points[0], "after": points[2]}
    return _filled("step_down", **lines, start=start, end=end, rate=RATE, steepness=-slope)


def seen_by_the_check() -> str:
    """The mistakes: how far each claimed gradient is off the complex step, on a logarithmic scale."""
    one_tower = lesson.one_tower(W)
    claims = lesson.both_towers(W), lesson.shared_cache(W), one_tower, 2 * one_tower
    off = [lesson.error(claim) for claim in claims]
    bound, *at = 150 + 10.5 * (np.log10(np.maximum([COMPLEX_BOUND, *off], 1e-17)) + 17)
    return _filled("seen_by_the_check", bound=bound, at=at, off=off)


def of_maps(maps: list[np.ndarray], turn: np.ndarray) -> Iterator[str]:
    """Each map as a square picture around its own middle, to one scale, from one side: across the axis of `turn`."""
    middled = [one - one.mean(axis=0) for one in maps]
    angle = 2 * np.pi * turn
    around = np.linalg.lstsq(np.stack([np.cos(angle), np.sin(angle)], axis=1), middled[-1])[0]
    across, away = np.linalg.svd(around)[2][:2]
    upright = np.cross(across, away)
    flat = [one @ np.stack([across, 0.87 * upright + 0.5 * away], axis=1) for one in middled]
    scale = 92 / max(np.abs(one).max() for one in flat)
    colours = np.floor(turn * 18).astype(int)
    for one in flat:
        places = np.rint(100 + scale * one * [1, -1]).astype(int)
        paths = []
        for colour in range(18):
            dots = "".join(f"M{x} {y}h0" for x, y in places[colours == colour])
            paths.append(f'<path class="points" style="stroke: hsl({20 * colour} 65% 50%)" d="{dots}"/>')
        label = f"A map of {len(places)} points"
        yield f'<svg viewBox="0 0 200 200" role="img" aria-label="{label}">{"".join(paths)}</svg>'


def _filled(name: str, **numbers) -> str:
    """The drawing in a file of this package, with numbers in the places that it has for them."""
    return template(f"{name}.svg", __package__).template.format(**numbers)


def _line(points: Iterable) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _arrow(start: np.ndarray, way: np.ndarray) -> str:
    end, along = start + way, way / np.linalg.norm(way)
    across, neck = 4 * np.array([-along[1], along[0]]), end - 8 * along
    head = " ".join(f"{x:.1f},{y:.1f}" for x, y in (end, neck + across, neck - across))
    return f'<path class="line" d="M{_line([start, neck])}"/><polygon class="dot" points="{head}"/>'


def _points() -> dict[str, np.ndarray]:
    """Where z1 and z2 of the similar pair are, and of the dissimilar one; and their names, away from each other."""
    found = {}
    for pair, kind in enumerate("sd"):
        centre, middle = np.array([85 + 180 * pair, 100]), (Z1[pair] + Z2[pair]) / 2
        z1, z2 = (centre + UNIT * np.array([1, -1]) * (z[pair] - middle) for z in (Z1, Z2))
        away = 16 * (z1 - z2) / np.linalg.norm(z1 - z2)
        found |= {f"{kind}1": z1, f"{kind}2": z2}
        found |= {f"{kind}1_name": z1 + away + [-7, 5], f"{kind}2_name": z2 - away + [-7, 5]}
    return found
