"""A map in space read as a cylinder: elevation along its axis, azimuth around it (Fig. 8); and its loops, counted."""

from dataclasses import dataclass

import numpy as np

from drlim_np.checks.numbers import indices, real_array, same_length
from drlim_np.data import AZIMUTHS, ELEVATIONS, Views
from drlim_np.errors import require
from drlim_np.fast.knn import in_unit
from drlim_np.graph import contiguous_views
from drlim_np.measure import metrics


@dataclass(frozen=True, eq=False)
class Cylinder:
    """A cylinder in space, in float64; `upright` turns points so that its axis is the vertical one."""

    centre: np.ndarray  # (3,), on the axis
    frame: np.ndarray  # (3, 3) orthonormal rows: two across, the axis last

    def upright(self, z: np.ndarray) -> np.ndarray:
        """The points moved and turned so that the axis is upright in the origin: (samples, 3) → x, y and height."""
        return (real_array("z", z, "samples", "3") - self.centre) @ self.frame.T


def fit(z: np.ndarray, elevation: np.ndarray, azimuth: np.ndarray) -> Cylinder:
    """The cylinder that fits a map z (samples, 3) of views with known elevation and azimuth in radians, (samples,)."""
    z = real_array("z", z, "samples", "3")
    elevation, azimuth = real_array("elevation", elevation, "samples"), real_array("azimuth", azimuth, "samples")
    same_length(z=z, elevation=elevation, azimuth=azimuth)
    centre = z.mean(axis=0)
    # The axis is the direction along which elevation grows, by its regression on the map.
    slope = in_unit(np.linalg.lstsq(in_unit(z - centre), elevation - np.mean(elevation), rcond=None)[0])
    require(bool(slope.any()), "elevation does not change along any direction of the map: it has no axis")
    axis = slope / np.linalg.norm(slope)
    across = np.linalg.svd(axis[None])[2][1:]
    seen = (z - centre) @ across.T @ np.array([1, 1j])  # as complex numbers
    # The directions across are turned by the mean turn from their angles to the azimuths, 1 long if all agree; and
    # mirrored first if it is longer then.
    turns = [complex(np.mean(np.exp(1j * (azimuth - np.angle(side))))) for side in (seen, seen.conj())]
    mirrored = abs(turns[1]) > abs(turns[0])
    turn = turns[mirrored]
    cos, sin = np.array([turn.real, turn.imag]) / abs(turn)
    across = np.array([[cos, -sin], [sin, cos]]) @ np.diag([1, -1 if mirrored else 1]) @ across
    return Cylinder(centre, np.concatenate([across, axis[None]]))


def fit_views(z: np.ndarray, views: Views, rows: np.ndarray) -> Cylinder:
    """The cylinder that fits a map z (samples, 3) of the views `rows` (samples,)."""
    rows = indices("rows", rows, len(views.azimuth), "samples")
    return fit(z, views.elevation[rows], radians(views, rows))


def organisation(z: np.ndarray, cylinder: Cylinder, views: Views, rows: np.ndarray) -> dict[str, float]:
    """The numbers behind Fig. 8 of a map z (samples, 3) of the views `rows` (samples,), read by a cylinder."""
    rows = indices("rows", rows, len(views.azimuth), "samples")
    azimuth, elevation = views.azimuth[rows], views.elevation[rows]
    x, y, height = cylinder.upright(z).T
    angle, truth = np.arctan2(y, x), radians(views, rows)  # around the axis, from -π to π
    return {
        "elevation_r2": metrics.linear_r2(height, elevation),
        "azimuth_resultant": metrics.resultant_length(angle, truth),
        "azimuth_error_degrees": float(np.degrees(np.median(np.abs(np.angle(np.exp(1j * (angle - truth))))))),
        "share_of_lighting": metrics.share_within(z, azimuth * ELEVATIONS + elevation),
        "similar_neighbours": metrics.similar_neighbours(z, contiguous_views(azimuth, elevation, AZIMUTHS)),
        "same_lighting_neighbours": metrics.same_label_neighbours(z, views.lighting[rows]),
        # At each elevation the camera goes around once: the one that shows it least.
        "second_loop": max(second_loop(z[elevation == ring]) for ring in np.unique(elevation)),
    }


def in_words(z: np.ndarray, views: Views, train: np.ndarray, test: np.ndarray) -> str:
    """The four numbers that Fig. 8 is held to, of the rows `test` of a map z (views, 3): the cylinder fits `train`."""
    ours = organisation(z[test], fit_views(z[train], views, train), views, test)
    return (
        f"elevation R² {ours['elevation_r2']:.3f}, azimuth resultant length {ours['azimuth_resultant']:.3f}, "
        f"lighting's share {ours['share_of_lighting']:.4f}, neighbours that adjoin {ours['similar_neighbours']:.3f}"
    )


def radians(views: Views, rows: np.ndarray) -> np.ndarray:
    """The azimuth of the views `rows`, in radians."""
    return 2 * np.pi * views.azimuth[rows] / AZIMUTHS


def loops(z: np.ndarray) -> np.ndarray:
    """Birth and death of every loop of z (samples, dims), as lengths, longest life first: (loops, 2) float64.

    This is persistence of the first homology of the Vietoris-Rips complex: join all pairs of points up to some length,
    fill in all triangles, and let the length grow. A loop is born with the pair that closes it and dies with the
    triangle that fills it. A ring has one that lives long; so has a cylinder, bent or not.
    """
    z = real_array("z", z, "samples", "dims")
    exponent = np.frexp(np.abs(z).max(initial=0))[1]
    squares = ((column[:, None] - column) ** 2 for column in np.ldexp(z, -exponent).T)
    length = np.sqrt(sum(squares, np.zeros((len(z), len(z)))))
    enough = length.max(axis=1, initial=0).min(initial=np.inf)  # one point is joined to all others, and no loop lives
    pairs = np.argwhere(np.triu(length <= enough, 1))
    joined, part = np.zeros(length.shape, bool), np.arange(len(z))
    # Each living loop, the oldest first, has marks on joined pairs, of which a closed path around it passes an odd
    # number. A filled triangle must pass an even one: else the youngest loop for which it is odd dies, and its marks,
    # added to the others', make these even there (de Silva, Morozov, Vejdemo-Johansson, Inverse Problems 27, 2011).
    marks = np.zeros((0, *length.shape), bool)
    births: list[float] = []  # of the living
    lives: list[tuple[float, float]] = []
    for i, j in pairs[np.argsort(length[tuple(pairs.T)], kind="stable")]:
        common = joined[i] & joined[j]
        joined[i, j] = joined[j, i] = True
        if common.any():
            third = common.argmax()
            while True:
                way = marks[:, i] ^ marks[:, j]  # (loops, samples): whether i, k, j passes an odd number of marks
                odd = (way ^ way[:, third, None]) & common
                if not odd.any():
                    break
                filled = odd[:, odd.any(axis=0).argmax()]
                youngest = np.flatnonzero(filled)[-1]
                marks[:, marks[youngest]] ^= filled[:, None]
                marks = np.delete(marks, youngest, axis=0)
                lives.append((births.pop(youngest), length[i, j]))
            marks[:, i, j] = marks[:, j, i] = way[:, third]
        elif part[i] == part[j]:
            births.append(length[i, j])
            marks = np.concatenate([marks, np.zeros((1, *length.shape), bool)])
            marks[-1, i, j] = marks[-1, j, i] = True
        else:
            part[part == part[j]] = part[i]
    found = np.array([(birth, death) for birth, death in lives if birth < death]).reshape(-1, 2)
    return np.ldexp(found[np.lexsort((found[:, 0], found[:, 0] - found[:, 1]))], exponent)


def second_loop(z: np.ndarray) -> float:
    """The life of the second loop of z (samples, dims) in lives of the first: 0 for a single one, 1 where none is."""
    lives = np.diff(loops(z)).ravel()
    return float(lives[1] / lives[0]) if len(lives) > 1 else float(len(lives) == 0)
