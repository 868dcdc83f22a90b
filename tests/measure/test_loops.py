"""Loops counted: worked by hand, and against the ranks of boundary matrices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drlim_np.measure.cylinder import loops, second_loop
from tests.help.refusals import refuses


def ring(points, radius=1.0):
    angle = 2 * np.pi * np.arange(points) / points
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def stack(flat, heights):
    return np.concatenate([np.insert(flat, 2, height, axis=1) for height in heights])


SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
RING12 = [2 * np.sin(np.pi / 12), 2 * np.sin(np.pi / 3)]  # from a side to the chord over a third
BY_HAND = {
    "a square lives from its side to its diagonal": (SQUARE, [[1, np.sqrt(2)]]),
    "a rectangle from its longer side": ([3, 4] * SQUARE, [[4, 5]]),
    "repeated points make no loop of their own": (np.repeat(SQUARE, 3, axis=0), [[1, np.sqrt(2)]]),
    "two squares with a common corner": (np.concatenate([SQUARE, -SQUARE]), 2 * [[1, np.sqrt(2)]]),
    "a grid: each of its squares": (np.argwhere(np.ones((4, 3))), 6 * [[1, np.sqrt(2)]]),
    "a figure eight of two rings": (np.concatenate([ring(12) - [1, 0], ring(12) + [1, 0]]), 2 * [RING12]),
    "a cylinder: the ring, and 24 quadrilaterals": (
        stack(ring(12), [0, 0.5, 1]), [RING12, *24 * [[RING12[0], np.hypot(RING12[0], 0.5)]]]),
    "the eight corners of a cube": (stack(SQUARE, [0, 1]), 5 * [[1, np.sqrt(2)]]),
    "an octahedron is a ball": (np.concatenate([np.eye(3), -np.eye(3)]), []),
    "a triangle with equal sides": (ring(3), []),
    "a line": (np.arange(9)[:, None], []),
    "one place": (np.ones((5, 2)), []),
    "nowhere": (np.ones((3, 0)), []),
    "no point": (np.ones((0, 2)), []),
    # From a side to the first chord over a third (Adamaszek and Adams, The Vietoris-Rips complexes of a circle, 2017).
    **{f"{n} corners": (ring(n), [[2 * np.sin(np.pi / n), 2 * np.sin(np.pi * -(-n // 3) / n)]]) for n in range(4, 40)},
}  # fmt: skip


@pytest.mark.parametrize(("z", "expected"), BY_HAND.values(), ids=BY_HAND)
def test_loops_are_those_found_by_hand(z, expected):
    found = loops(z)
    assert found.shape == (len(expected), 2) and found.dtype == np.float64
    np.testing.assert_allclose(found, np.reshape(expected, (-1, 2)), rtol=1e-12)


def rank(rows):
    """Of a boolean matrix over the field of two elements."""
    pivots = {}
    for row in rows:
        number = int("0" + "".join(map(str, np.asarray(row, int))), 2)
        while number and (pivot := pivots.setdefault(number.bit_length(), number)) is not number:
            number ^= pivot
    return len(pivots)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(*3 * [st.integers(0, 3)]), min_size=3, max_size=8))
def test_as_many_loops_live_from_one_length_to_another_as_the_ranks_of_boundary_matrices_say(places):
    """dim H1(r) → H1(s) = dim cycles(r) - dim(boundaries(s) on pairs of r), with many ties."""
    z = np.array(places, float)
    squared = np.sum((z[:, None] - z) ** 2, axis=2)
    pairs = np.argwhere(np.triu(np.ones(squared.shape), 1))
    triangles = [(i, j, k) for i, j in pairs.tolist() for k in range(j + 1, len(z))]
    at = {pair: place for place, pair in enumerate(map(tuple, pairs.tolist()))}
    ends = (pairs[:, :, None] == np.arange(len(z))).any(axis=1)
    sides = np.array([np.isin(np.arange(len(at)), [at[i, j], at[i, k], at[j, k]]) for i, j, k in triangles])
    born = squared[tuple(pairs.T)]
    filled = np.array([max(squared[i, j], squared[i, k], squared[j, k]) for i, j, k in triangles])
    found = np.rint(loops(z) ** 2)
    lengths = np.unique(born)
    for r in lengths:
        cycles = np.sum(born <= r) - rank(ends[born <= r])
        for s in lengths[lengths >= r]:
            inside = sides[filled <= s]
            expected = cycles - rank(inside) + rank(inside[:, born > r])
            assert np.sum((found[:, 0] <= r) & (found[:, 1] > s)) == expected


def test_neither_order_nor_dtype_change_them_and_the_unit_is_theirs(rng):
    z = rng.integers(0, 5, (60, 3)).astype(np.int8)
    found = loops(z)
    assert len(found) > 5 and (np.diff(found[:, 1] - found[:, 0]) <= 0).all()
    assert (loops(rng.permutation(z)) == found).all()
    assert (loops(z.astype(np.float32)) == found).all()
    for unit in (2.0**-600, 2.0**600):
        assert (loops(unit * z) == unit * found).all()


@pytest.mark.parametrize(("points", "dims"), [(120, 2), (120, 3), (60, 6), (312, 3)])
def test_they_are_ripsers(rng, points, dims):
    ripser = pytest.importorskip("ripser", reason="ripser is not installed: no second opinion on loops")
    for z in (rng.standard_normal((points, dims)), rng.integers(0, 5, (points, dims))):
        theirs = ripser.ripser(z, maxdim=1)["dgms"][1]
        ours = loops(z)
        assert len(theirs) == len(ours)
        np.testing.assert_allclose(*(np.sort(some.astype(np.float32), axis=0) for some in (ours, theirs)), rtol=3e-7)
        np.testing.assert_allclose(*(np.sort(np.diff(some), axis=0) for some in (ours, theirs)), atol=1e-6)


def test_the_second_loop_is_measured_by_the_first():
    assert second_loop(ring(20)) == 0
    assert second_loop(np.concatenate([SQUARE, -SQUARE])) == 1
    apart = np.concatenate([SQUARE, 3 * SQUARE + 50])
    assert second_loop(apart) == pytest.approx(1 / 3, rel=1e-12)
    assert second_loop(np.arange(9)[:, None]) == 1, "no loop stands out"


def test_what_has_no_meaning_is_refused_in_one_line():
    refuses(lambda: loops(np.ones(3)), "z has shape (3,): it must be (samples, dims)")
    refuses(lambda: second_loop(np.where(SQUARE == 1, np.nan, 0)), "sample 1 of z holds NaN")
