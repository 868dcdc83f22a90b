"""Where thumbnails are placed, against plain loops over all the rules; what a magnifier shows."""

from itertools import combinations, product
from math import dist

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from drlim_np.drawing.thumbnails import APART, REACHES, draw, draw_magnifier, farthest_first, in_ring, place

SLIGHTLY = 1e-9
STEPS = np.array([step for step in product((-1, 0, 1), repeat=2) if step != (0, 0)])
coordinates = st.integers(-4, 4).map(float) | st.floats(-4, 4)
clouds = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=24).map(np.array)


@st.composite
def maps(draw):
    """Points, some of them twice; the side of a thumbnail; the room, from far too small to ample."""
    points, side = draw(clouds), draw(st.floats(0.1, 3))
    spare = side * draw(st.floats(-0.5, 2.5))
    return points, side, points.min(axis=0) - spare, points.max(axis=0) + spare


anything = settings(deadline=None, max_examples=150)


def apart(one, other):
    """Along the axis on which they are farther apart; of many points, each."""
    return np.abs(np.subtract(one, other)).max(axis=-1)


def hidden(points, middle, within):
    return np.count_nonzero(apart(points, middle) < within)


def line(point, middle):
    """Points along the line from a sample to its thumbnail."""
    return point + (middle - point) * np.arange(17)[:, None] / 16


def is_inside(middle, side, low, high, tolerance):
    return (middle - side / 2 >= low - tolerance).all() and (middle + side / 2 <= high + tolerance).all()


@anything
@given(clouds)
def test_all_samples_come_each_a_farthest_from_those_before_it(points):
    order = farthest_first(points, len(points)).tolist()
    assert sorted(order) == list(range(len(points)))
    assert dist(points[order[0]], points.mean(axis=0)) >= max(dist(p, points.mean(axis=0)) for p in points) - SLIGHTLY
    for turn, sample in enumerate(order[1:], 1):
        gaps = {k: min(dist(points[k], points[before]) for before in order[:turn]) for k in order[turn:]}
        assert gaps[sample] >= max(gaps.values()) - SLIGHTLY


@anything
@given(maps())
def test_thumbnails_are_inside_the_room_near_their_own_points_and_cover_neither_points_nor_each_other(drawn):
    points, side, low, high = drawn
    shown, middles = place(*drawn)
    turn = np.argsort(farthest_first(points, len(points)))[shown]
    assert len(shown) == len(middles) and (np.diff(turn) > 0).all(), "no sample twice, in farthest-first order"
    assert all(apart(one, other) >= side for one, other in combinations(middles, 2))
    for sample, middle in zip(shown, middles, strict=True):
        assert hidden(points, middle, side / 2 - SLIGHTLY) == 0
        assert is_inside(middle, side, low, high, SLIGHTLY)
        assert side / 2 < apart(points[sample], middle) < 2 * side
    _, middles = place(*drawn, hides=2)
    assert all(hidden(points, middle, side / 2 - SLIGHTLY) <= 2 for middle in middles)


@anything
@given(maps(), clouds)
def test_thumbnails_keep_off_others_and_off_lines_that_are_there_already(drawn, others):
    _, middles = place(*drawn, taken=others)
    assert all((apart(middle, others) >= drawn[1]).all() for middle in middles)
    _, middles = place(*drawn, lines=others)
    assert all(hidden(others, middle, drawn[1] / 2 - SLIGHTLY) == 0 for middle in middles)


@anything
@given(maps())
def test_a_thumbnail_hides_as_few_points_as_any_free_place_would_and_no_line_to_another(drawn):
    points, side, low, high = drawn
    shown, middles = place(*drawn, hides=len(points))
    ways = [line(points[sample], middle) for sample, middle in zip(shown, middles, strict=True)]
    for one, other in product(range(len(shown)), repeat=2):
        assert one == other or hidden(ways[one], middles[other], side / 2 - SLIGHTLY) == 0
    for turn, sample in enumerate(shown):
        best = hidden(points, middles[turn], side / 2 - SLIGHTLY)
        for candidate in (points[sample] + reach * side * step for reach in REACHES for step in STEPS):
            own = line(points[sample], candidate)
            free = all(
                apart(candidate, middles[k]) >= APART * side + SLIGHTLY
                and not hidden(ways[k], candidate, side / 2 + SLIGHTLY)
                and not hidden(own, middles[k], side / 2 + SLIGHTLY)
                for k in range(turn)
            )
            if free and is_inside(candidate, side, low, high, -SLIGHTLY):
                assert best <= hidden(points, candidate, side / 2 + SLIGHTLY)


def test_far_apart_points_all_have_a_thumbnail_one_alone_too_and_none_without_room():
    points = np.array([[x, y] for x in (0.0, 10.0, 20.0) for y in (0.0, 10.0)])
    shown, _ = place(points, 1.0, points.min(axis=0) - 2, points.max(axis=0) + 2)
    assert sorted(shown.tolist()) == list(range(6))
    shown, middles = place(np.array([[2.0, 3.0]]), 1.0, np.zeros(2), np.full(2, 5.0))
    assert shown.tolist() == [0] and apart(middles[0], (2, 3)) == REACHES[0]
    shown, middles = place(points[:2] / 20, 1.0, points[0], points[1] / 20)
    assert (shown.shape, shown.dtype.kind, middles.shape) == ((0,), "i", (0, 2))


def test_each_image_is_drawn_once_upright_in_a_frame_of_the_colour_of_its_class_and_a_line_leads_to_its_point():
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    points = np.array([[0.0, 0.0], [5.0, 1.0], [2.0, 6.0]])
    middles = points + np.array([0.75, -0.75])
    colours = ["#0072B2", "#D55E00", "#0072B2"]
    axes = Figure().add_subplot()
    draw(axes, images, colours, points, middles, 1.0)
    for drawn, frame, image, (x, y), colour in zip(axes.images, axes.patches, images, middles, colours, strict=True):
        np.testing.assert_array_equal(drawn.get_array(), image)
        assert drawn.origin == "upper" and drawn.get_clim() == (0, 255)
        assert drawn.get_extent() == [x - 0.5, x + 0.5, y - 0.5, y + 0.5]
        assert frame.get_bbox().bounds == (x - 0.5, y - 0.5, 1.0, 1.0)
        assert (drawn.cmap(0.0)[:3], drawn.cmap(1.0)[:3]) == ((0, 0, 0), (1, 1, 1))
        assert frame.get_edgecolor()[:3] == to_rgb(colour)
    lines = [line.get_xydata().tolist() for line in axes.get_lines()]
    expected = [[*map(list, ends)] for ends in zip(points.tolist(), middles.tolist(), strict=True)]
    assert sorted(lines) == sorted([*expected, *([point] for point in points.tolist())])


# ---- magnifiers ----

grouped = st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 3)), min_size=1, max_size=30)


@given(grouped, st.floats(0.1, 3) | st.just(9.0), st.integers(1, 12))
@example([(0.1, 0, 0), (0.2, 0, 0), (0.3, 0, 1)], 9.0, 2)
def test_a_strip_shows_as_many_samples_inside_the_ring_as_asked_for_the_nearest_of_each_group(rows, radius, most):
    z, group = np.array(rows)[:, :2], np.array(rows)[:, 2].astype(int)
    samples = in_ring(z, np.zeros(2), radius, group, most)
    away = np.linalg.norm(z, axis=1)
    inside = np.flatnonzero(away <= radius)
    assert set(samples) <= set(inside)
    assert len(set(samples)) == len(samples) == min(most, len(inside))
    shown = {one: samples[group[samples] == one] for one in set(group[inside])}
    left = {one: np.setdiff1d(inside[group[inside] == one], samples) for one in shown}
    for one, other in product(shown, repeat=2):  # none has two more while another has some left
        assert not (len(left[other]) and len(shown[one]) > len(shown[other]) + 1)
    for one in shown:
        assert max(away[shown[one]], default=0) <= min(away[left[one]], default=radius)


@pytest.mark.parametrize(
    ("start", "places", "ends"),
    [
        ((-0.5, 3.0), [[0, 0], [1, 0], [2, 0]], [[-0.5, 3.0], [1.04, 3.0]]),
        ((-0.5, -3.0), [[0, 0], [1, 0], [2, 0]], [[-0.5, -2.5], [1.04, -2.5]]),
        ((1.0, 0.1), [[0, 0], [1, 0], [2, 0]], [[1.0, 0.1], [1.0, 0.6]]),
        ((-4.0, 0.0), [[0, 0], [1, 0], [2, 0]], [[-2.46, 0.0], [-2.46, 0.5]]),
        ((1.0, -0.5), [[0, 2], [1, 2], [0, 1], [1, 1], [0, 0]], [[1.0, -0.5], [1.0, 1.04]]),
    ],
)
def test_a_strip_is_read_like_a_page_and_two_lines_join_its_near_side_to_the_ring(start, places, ends):
    axes, images = Figure().add_subplot(), np.arange(16 * len(places)).reshape(-1, 4, 4)
    look = ["red"] * len(places)
    middles = draw_magnifier(
        axes, (np.zeros(2), 0.3), images, look, np.array(start), 0.5, columns=max(x for x, _ in places) + 1
    )
    np.testing.assert_allclose((middles - start - 0.25) / (1.04 * 0.5), places, atol=1e-9)
    for drawn, image, middle in zip(axes.images, images, middles, strict=True):
        np.testing.assert_array_equal(drawn.get_array(), image)
        left, right, bottom, top = drawn.get_extent()
        np.testing.assert_allclose([(left + right) / 2, (bottom + top) / 2, right - left], [*middle, 0.5])
    ring = axes.patches[0]
    assert (ring.center == np.zeros(2)).all() and ring.width == ring.height == 0.6
    on_ring, at_strip = np.stack([line.get_xydata() for line in axes.get_lines()], axis=1)
    np.testing.assert_allclose(np.linalg.norm(on_ring, axis=1), 0.3)
    np.testing.assert_allclose(at_strip, ends)
    towards = np.argmin(np.ptp(ends, axis=0))  # the axis on which both lines go to the strip
    assert (on_ring[:, towards] * at_strip[:, towards] > 0).all()
