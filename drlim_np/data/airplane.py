"""Views of an airliner from a small ray caster, for anyone without small NORB at hand.

As there, a single object in one grey stands on a turntable, which goes round; the camera moves up and down; lights that
stay where they are go on and off. The object is a union of convex solids, and all rays of a camera far away, or of a
light, are parallel: so one method, `Solid.span`, says both what the camera sees and where a light does not reach.

Coordinates are the airplane's: x towards the nose, y to the left wing, z up, in tenths of its length.
"""

import hashlib
from dataclasses import dataclass
from itertools import product

import numpy as np

from drlim_np.data import AZIMUTHS, ELEVATIONS, VIEW_SIDE, Views

FINE = 2  # rays a pixel, along either axis
LONGEST = 64  # pixels: the longer side of the airplane's box in every view. The rest is room for shadows
TURNTABLE = -1.15  # its height
BACKGROUND = 0.72  # grey of the turntable where nothing shadows it; 0 is black, 1 white
AMBIENT, LAMP = 0.12, 0.47  # grey under light from everywhere alone; grey that one lamp adds where it falls straight on
CLEAR = 1e-9  # a ray that leaves a solid nearer to its start than this started on the surface
LIGHTS = [
    (-75, 50),
    (75, 50),
    (180, 58),
    (0, 75),
]  # left, right, behind, overhead: degrees from the camera's azimuth, up
SWITCHES = [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0), (0, 0, 1, 1)]


def _dot(a, b):
    """a · b over the first axis, in one order of summation on every machine."""
    return a[0] * b[0] + sum(a[k] * b[k] for k in range(1, len(a)))


@dataclass(frozen=True, eq=False)
class Solid:
    """The points p with |(p - centre) / radii| ≤ 1 and normals · p ≤ offsets, row by row.

    centre, radii:    (3,) float64; an infinite radius makes a cylinder, three of them leave the flat sides alone.
    normals, offsets: (sides, 3) and (sides,) float64, of unit length and pointing outwards.
    box:              (points, 3) float64 whose bounding box, in any direction that matters, is the solid's.
    """

    centre: np.ndarray
    radii: np.ndarray
    normals: np.ndarray
    offsets: np.ndarray
    box: np.ndarray

    def span(self, start: np.ndarray, ray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where parallel rays are inside: the points start + t ray with enter < t < leave; none where enter ≥ leave.

        start: (3, rays). ray: (3,) of unit length. Returns enter, leave, each (rays,) float64.

        With q = (start - centre) / radii and d = ray / radii the round side is |q + t d|² = 1, of which t is a root;
        each flat side is reached at t = (offset - normal · start) / (normal · ray), from outside if normal · ray < 0.
        """
        enter, leave = np.full(start.shape[1], -np.inf), np.full(start.shape[1], np.inf)
        if (axes := np.isfinite(self.radii)).any():
            q = (start[axes] - self.centre[axes, None]) / self.radii[axes, None]
            d = ray[axes] / self.radii[axes]
            a, b, c = _dot(d, d), _dot(d, q), _dot(q, q) - 1
            root = np.sqrt(np.maximum(b * b - a * c, 0))  # 0 where a ray misses: then it enters where it leaves
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
        """Unit normals at points on the surface, (3, points) → (3, points): of the side that each lies on."""
        q = (points - self.centre[:, None]) / self.radii[:, None]
        gradient = q / self.radii[:, None]
        length = np.sqrt(_dot(gradient, gradient))
        found = gradient / np.where(length > 0, length, 1)
        nearest = np.where(length > 0, np.abs(_dot(q, q) - 1), np.inf)
        for normal, offset in zip(self.normals, self.offsets, strict=True):
            distance = np.abs(_dot(normal, points) - offset)
            found[:, distance < nearest] = normal[:, None]
            nearest = np.minimum(nearest, distance)
        return found


def ellipsoid(centre, radii) -> Solid:
    """With its axes along x, y and z."""
    centre, radii = np.array(centre, float), np.array(radii, float)
    return Solid(
        centre, radii, np.zeros((0, 3)), np.zeros(0), centre + np.concatenate([np.diag(radii), -np.diag(radii)])
    )


def tube(rear, front, y, z, radius) -> Solid:
    """A cylinder along x, flat at both ends."""
    centre, radii = np.array([0.0, y, z]), np.array([np.inf, radius, radius])
    box = np.array([(x, y + s * radius, z) for x, s in product((rear, front), (1, -1))])
    return Solid(centre, radii, np.array([(1.0, 0, 0), (-1, 0, 0)]), np.array([front, -rear]), box)


def blade(root, tip, thick) -> Solid:
    """A wing or a fin: flat, with edges along x at the root and the tip. Each of these is (leading x, trailing x, y, z).

    thick: (3,) from one face to the other at the root; at the tip it is half of that.
    """
    chords = [(end, np.array(thick) * share / 2) for end, share in ((root, 1), (tip, 0.5))]
    corner = np.array([[[(x, *end[2:]) + s * half for s in (1, -1)] for x in end[:2]] for end, half in chords])
    box = corner.reshape(8, 3)  # corner[tip?, trailing?, lower?]
    normals, offsets = [], []
    for axis, side in product(range(3), range(2)):
        a, b, c, _ = corner.take(side, axis).reshape(4, 3)
        normal = np.cross(b - a, c - a)
        normal /= np.sqrt(_dot(normal, normal))
        normal *= np.sign(_dot(normal, a - box.mean(axis=0)))
        normals.append(normal)
        offsets.append(_dot(normal, a))
    return Solid(np.zeros(3), np.full(3, np.inf), np.array(normals), np.array(offsets), box)


AIRPLANE = [
    tube(-2.2, 3.2, 0, 0, 0.58),  # cabin
    ellipsoid((3.2, 0, 0), (1.7, 0.58, 0.58)),  # nose
    ellipsoid((-2.2, 0, 0), (2.9, 0.58, 0.58)),  # tail
    blade((-3.4, -4.7, 0, 0.3), (-4.7, -5.2, 0, 1.6), (0, 0.2, 0)),  # fin
]
for left in (1, -1):
    AIRPLANE += [
        blade((1.7, -1.0, 0.2 * left, -0.25), (-1.3, -2.1, 4.9 * left, 0.2), (0, 0, 0.3)),  # wing
        blade((-3.6, -4.7, 0.1 * left, 0.2), (-4.6, -5.1, 1.8 * left, 0.35), (0, 0, 0.16)),  # tailplane
        tube(0.3, 1.75, 1.75 * left, -0.62, 0.36),  # engine
    ]


def generate() -> Views:
    """The airplane from 18 azimuths × 9 elevations under 6 lightings: the same bytes on every call. Takes seconds."""
    poses = product(range(AZIMUTHS), range(ELEVATIONS))
    images = np.concatenate([views(20 * azimuth, 30 + 5 * elevation) for azimuth, elevation in poses])
    return Views("airplane", "rendered airplane", images, {"images": hashlib.sha256(images.tobytes()).hexdigest()})


def views(azimuth: float, elevation: float) -> np.ndarray:
    """One pose under every lighting: degrees around from the nose, and up from the ground → (6, 96, 96) uint8."""
    points, normals, on_airplane = visible(*camera(azimuth, elevation))
    directions = [direction(azimuth + around, up) for around, up in LIGHTS]
    falls = [falling(points, normals, light) for light in directions]
    greys = [shade(on, falls, directions, on_airplane) for on in SWITCHES]
    pixels = np.reshape(greys, (-1, VIEW_SIDE, FINE, VIEW_SIDE, FINE)).mean(axis=(2, 4))
    return np.rint(255 * pixels).astype(np.uint8)


def direction(azimuth: float, elevation: float) -> np.ndarray:
    """(3,) the unit vector towards a camera or a light, from degrees around and degrees up."""
    around, up = np.deg2rad([azimuth, elevation])
    return np.array([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)])


def camera(azimuth: float, elevation: float) -> tuple[np.ndarray, np.ndarray]:
    """The rays of all pixels, row by row from the top left: a point on each, (3, rays), and their direction, (3,).

    The camera is far away, so rays are parallel; it is centred on the airplane's box and zooms until that fits.
    """
    toward, right = direction(azimuth, elevation), direction(azimuth + 90, 0)
    screen = np.stack([right, np.cross(right, toward)])  # downwards
    ends = np.concatenate([solid.box for solid in AIRPLANE]) @ screen.T
    low, high = ends.min(axis=0), ends.max(axis=0)
    pixel = (high - low).max() / LONGEST
    grid = ((np.arange(VIEW_SIDE * FINE) + 0.5) / FINE - VIEW_SIDE / 2) * pixel
    x, y = (low + high)[:, None] / 2 + grid
    return (right[:, None, None] * x + screen[1][:, None, None] * y[:, None]).reshape(3, -1), -toward


def visible(start: np.ndarray, ray: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each ray meets first: the point and its normal, each (3, rays), and whether it is on the airplane, (rays,)."""
    nearest = (TURNTABLE - start[2]) / ray[2]
    part = np.full(nearest.shape, -1)
    for number, solid in enumerate(AIRPLANE):
        enter, leave = solid.span(start, ray)
        met = (enter < leave) & (enter < nearest)
        nearest[met], part[met] = enter[met], number
    points = start + nearest * ray[:, None]
    normals = np.zeros_like(points)
    normals[2] = 1
    for number, solid in enumerate(AIRPLANE):
        normals[:, part == number] = solid.normal(points[:, part == number])
    return points, normals, part >= 0


def falling(points: np.ndarray, normals: np.ndarray, light: np.ndarray) -> np.ndarray:
    """The share of a light that falls on each point: n · l, but 0 where the surface or a solid is in the way, (points,)."""
    share = np.maximum(_dot(light, normals), 0)
    facing = np.flatnonzero(share)
    start, blocked = points[:, facing], np.zeros(len(facing), bool)
    for solid in AIRPLANE:
        enter, leave = solid.span(start, light)
        blocked |= (enter < leave) & (leave > CLEAR)
    share[facing[blocked]] = 0
    return share


def shade(on, falls, directions, on_airplane):
    """Grey of each point by Lambert's law,

    I = AMBIENT + LAMP Σ_{lights on} max(0, n · l), without the term of a light that is blocked.

    The turntable is printed at one grey in every lighting, so that the background stays uniform: there it is
    BACKGROUND · I / I_unblocked.
    """
    grey = AMBIENT + LAMP * sum(fall for lit, fall in zip(on, falls, strict=True) if lit)
    unblocked = AMBIENT + LAMP * sum(light[2] for lit, light in zip(on, directions, strict=True) if lit)
    return np.where(on_airplane, grey, BACKGROUND * (grey / unblocked))
