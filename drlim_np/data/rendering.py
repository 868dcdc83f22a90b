"""Views of an airliner from a small ray caster, for anyone without small NORB at hand.

As in NORB, an object of one colour is on a turntable, a camera moves up and down, and fixed lamps go on and off. The
object is a union of convex solids. The rays of a far camera, or lamp, are parallel: `Solid.span` serves for both.
Coordinates are the airplane's, in tenths of its length: x towards the nose, y towards the left wing, z up.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from drlim_np.data import AZIMUTHS, ELEVATIONS, VIEW_SIDE, Views
from drlim_np.fast.blocks import on_threads

FINE = 2  # rays a pixel, along either axis
PIXEL = 1 / 6  # its side: the airplane, ten long and as wide, takes 60 of the 96; the rest is room for shadows
TURNTABLE = -1.15  # its height
BACKGROUND = 0.93  # grey of the turntable where no shadow falls; 0 is black, 1 white
AMBIENT, LAMP = 0.28, 0.28  # grey by ambient light alone, and the grey that a lamp adds if its light falls straight on
CLEAR = 1e-9  # a ray that leaves a solid no farther than this from its start started on that solid's surface
LAMPS = [(-75, 50), (75, 50), (180, 58), (0, 75)]  # left, right, behind, overhead: degrees around from the camera, up
LIT = np.array([(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0), (0, 0, 1, 1)], bool)  # lightings


def _dot(a, b):
    """a · b over the first axis, in one order of summation on every machine."""
    return a[0] * b[0] + sum(a[k] * b[k] for k in range(1, len(a)))


class Solid(NamedTuple):
    """The points p with |(p - centre) / radii| ≤ 1 and normals · p ≤ offsets, row by row; float64."""

    centre: np.ndarray  # (3,)
    radii: np.ndarray  # (3,): an infinite one makes a cylinder, three of them leave the flat sides alone
    normals: np.ndarray  # (sides, 3), of unit length and pointing outwards
    offsets: np.ndarray  # (sides,)
    reach: float  # no point is farther than this from the centre

    def span(self, start: np.ndarray, ray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The parts of parallel rays inside: start + t ray with enter < t < leave, (rays,) each; none if enter ≥ leave.

        start: (3, rays). ray: (3,) of unit length.
        With q = (start - centre) / radii and d = ray / radii the round side is |q + t d|² = 1, of which t is a root;
        each flat side is reached at t = (offset - normal · start) / (normal · ray), from outside if normal · ray < 0.
        """
        enter, leave = np.full(start.shape[1], -np.inf), np.full(start.shape[1], np.inf)
        if (axes := np.isfinite(self.radii)).any():
            q = (start[axes] - self.centre[axes, None]) / self.radii[axes, None]
            d = ray[axes] / self.radii[axes]
            a, b, c = _dot(d, d), _dot(d, q), _dot(q, q) - 1  # a > 0, as no ray is along the cylinder
            root = np.sqrt(np.maximum(b * b - a * c, 0))  # 0 for a ray that misses: then enter = leave
            enter, leave = (-b - root) / a, (-b + root) / a
        for normal, offset in zip(self.normals, self.offsets, strict=True):
            approach, outside = -_dot(normal, ray), _dot(normal, start) - offset
            if approach > 0:
                np.maximum(enter, outside / approach, out=enter)
            elif approach < 0:
                np.minimum(leave, outside / approach, out=leave)
            else:
                enter[outside > 0] = np.inf
        return enter, leave

    def normal(self, points: np.ndarray) -> np.ndarray:
        """Unit normals at points on the surface, (3, points) → (3, points): of the side that each is on."""
        q = (points - self.centre[:, None]) / self.radii[:, None]
        gradient = q / self.radii[:, None]
        length = np.sqrt(_dot(gradient, gradient))  # 0 if there are flat sides alone
        found = gradient / np.where(length > 0, length, 1)
        nearest = np.where(length > 0, np.abs(_dot(q, q) - 1), np.inf)
        for normal, offset in zip(self.normals, self.offsets, strict=True):
            distance = np.abs(_dot(normal, points) - offset)
            found[:, distance < nearest] = normal[:, None]
            nearest = np.minimum(nearest, distance)
        return found


def ellipsoid(centre: Sequence[float], radii: Sequence[float]) -> Solid:
    """With its axes along x, y and z; centre, radii: (3,)."""
    return Solid(np.array(centre, float), np.array(radii, float), np.zeros((0, 3)), np.zeros(0), max(radii))


def tube(rear: float, front: float, y: float, z: float, radius: float) -> Solid:
    """A cylinder along x, flat at both ends."""
    centre, radii = np.array([(rear + front) / 2, y, z]), np.array([np.inf, radius, radius])
    reach = np.hypot((front - rear) / 2, radius)
    return Solid(centre, radii, np.array([(1.0, 0, 0), (-1, 0, 0)]), np.array([front, -rear]), reach)


def blade(root: Sequence[float], tip: Sequence[float], thick: Sequence[float]) -> Solid:
    """A wing or a fin: flat faces between a root and a tip that run along x, each (leading x, trailing x, y, z).

    thick: (3,) the step across the root from one face to the other; half of it at the tip.
    """
    steps = np.array([1, -1])[:, None] * np.array(thick) / 2
    # [root or tip, leading or trailing, one face or the other]: a side is one index along one of these axes.
    corner = np.array([[(x, *end[2:]) + share * steps for x in end[:2]] for end, share in ((root, 1), (tip, 0.5))])
    sides = [corner.take(side, axis).reshape(4, 3) for axis, side in product(range(3), range(2))]
    a, b, c, _ = np.transpose(sides, (1, 2, 0))
    centre, normals = corner.mean(axis=(0, 1, 2)), np.cross(b - a, c - a, axis=0)
    normals *= np.sign(_dot(normals, a - centre[:, None])) / np.sqrt(_dot(normals, normals))
    reach = np.linalg.norm(corner - centre, axis=-1).max()
    return Solid(centre, np.full(3, np.inf), normals.T, _dot(normals, a), reach)


AIRPLANE = [
    tube(-2.2, 3.2, 0, 0, 0.58),  # cabin
    ellipsoid((3.2, 0, 0), (1.7, 0.58, 0.58)),  # nose
    ellipsoid((-2.2, 0, 0), (2.9, 0.58, 0.58)),  # tail
    blade((-3.4, -4.7, 0, 0.3), (-4.7, -5.2, 0, 1.6), (0, 0.2, 0)),  # fin
]
for left in (1, -1):
    AIRPLANE += [
        blade((1.3, -1.5, 0.2 * left, -0.25), (-1.9, -2.8, 4.9 * left, 0.2), (0, 0, 0.3)),  # wing
        blade((-3.6, -4.7, 0.1 * left, 0.2), (-4.6, -5.1, 1.8 * left, 0.35), (0, 0, 0.16)),  # tailplane
        tube(-0.1, 1.35, 1.75 * left, -0.62, 0.36),  # engine
    ]


def render(threads: int = 1) -> np.ndarray:
    """The images of `generate`: (972, 96, 96) uint8."""
    poses = [(20 * a, 30 + 5 * e) for a, e in product(range(AZIMUTHS), range(ELEVATIONS))]
    return np.concatenate(on_threads(lambda pose: views(*pose), poses, threads))


def generate(render: Callable[[], np.ndarray] = render) -> Views:
    """The airplane from 18 azimuths × 9 elevations under 6 lightings: the same bytes on every call. Takes seconds."""
    images = render()
    return Views("airplane", "rendered airplane", images, {"images": hashlib.sha256(images.tobytes()).hexdigest()})


def views(azimuth: float, elevation: float) -> np.ndarray:
    """One pose under every lighting: degrees around from the nose, and up from the ground → (6, 96, 96) uint8."""
    toward, right = direction(azimuth, elevation), direction(azimuth + 90, 0)
    grid = ((np.arange(VIEW_SIDE * FINE) + 0.5) / FINE - VIEW_SIDE / 2) * PIXEL
    start = right[:, None, None] * grid + np.cross(right, toward)[:, None, None] * grid[:, None]  # row by row
    points, normals, on_airplane = visible(start.reshape(3, -1), -toward)
    lamps = np.array([direction(azimuth + around, up) for around, up in LAMPS])
    reaching = np.array([light(points, normals, lamp) for lamp in lamps])
    greys = [shade(reaching[lit], lamps[lit], on_airplane) for lit in LIT]
    pixels = np.reshape(greys, (-1, VIEW_SIDE, FINE, VIEW_SIDE, FINE)).mean(axis=(2, 4))
    return np.rint(255 * pixels).astype(np.uint8)


def direction(azimuth: float, elevation: float) -> np.ndarray:
    """(3,) the unit vector towards a camera or a lamp, from degrees around and degrees up."""
    around, up = np.deg2rad([azimuth, elevation])
    return np.array([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)])


def crossings(start: np.ndarray, ray: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For each solid of the airplane: the rays that cross it, and where each enters and leaves, (crossings,) each."""
    right, up = np.linalg.svd(ray[None])[2][1:]  # unit vectors across the rays, and across each other
    x, y = _dot(right, start), _dot(up, start)
    for solid in AIRPLANE:  # seen along the rays, a ray is a point
        away = (x - _dot(right, solid.centre)) ** 2 + (y - _dot(up, solid.centre)) ** 2
        near = np.flatnonzero(away <= solid.reach**2)
        enter, leave = solid.span(start[:, near], ray)
        inside = enter < leave
        yield near[inside], enter[inside], leave[inside]


def visible(start: np.ndarray, ray: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first point on each ray and its normal, (3, rays) each, and whether it is on the airplane, (rays,)."""
    nearest = (TURNTABLE - start[2]) / ray[2]
    part = np.full(nearest.shape, -1)
    for number, (rays, enter, _) in enumerate(crossings(start, ray)):
        first = enter < nearest[rays]
        nearest[rays[first]], part[rays[first]] = enter[first], number
    points = start + nearest * ray[:, None]
    normals = np.broadcast_to([[0.0], [0], [1]], points.shape).copy()  # the turntable's
    for number, solid in enumerate(AIRPLANE):
        normals[:, part == number] = solid.normal(points[:, part == number])
    return points, normals, part >= 0


def light(points: np.ndarray, normals: np.ndarray, lamp: np.ndarray) -> np.ndarray:
    """A lamp's light that reaches each point, (points,): n · l, or 0 if n faces away or a solid is in the way."""
    reaching = np.maximum(_dot(lamp, normals), 0)
    facing = np.flatnonzero(reaching)
    start, blocked = points[:, facing], np.zeros(len(facing), bool)
    for rays, _, leave in crossings(start, lamp):
        blocked[rays] |= leave > CLEAR
    reaching[facing[blocked]] = 0
    return reaching


def shade(reaching: np.ndarray, lamps: np.ndarray, on_airplane: np.ndarray) -> np.ndarray:
    """The grey of each point by Lambert's law, (points,), from the lamps that are on:

    I = AMBIENT + LAMP Σ v max(0, n · l), where v is 0 if something is between the point and the lamp, else 1.
    reaching: (lamps on, points), v max(0, n · l). lamps: (lamps on, 3), l. on_airplane: (points,) bool.
    The turntable's grey is BACKGROUND I / (I without shadow): the same in every lighting but for the shadows.
    """
    grey = AMBIENT + LAMP * reaching.sum(axis=0)
    without_shadow = AMBIENT + LAMP * lamps[:, 2].sum()
    return np.where(on_airplane, grey, BACKGROUND * (grey / without_shadow))
