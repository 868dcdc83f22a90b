"""The loops of a map, counted: persistence of the first homology of the Vietoris-Rips complex.

Join all pairs of points up to some length, fill in all triangles, and let the length grow. A loop is born with the pair
that closes it and dies with the triangle that fills it. A ring has one that lives long; so has a cylinder, bent or not.
"""

import numpy as np

from drlim_np.checks.numbers import real_array


def loops(z: np.ndarray) -> np.ndarray:
    """Birth and death of every loop of z (samples, dims), as lengths, longest life first: (loops, 2) float64."""
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
