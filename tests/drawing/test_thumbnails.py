"""Where thumbnails lie, against plain loops over all the rules."""

from itertools import combinations, pairwise, product
from math import dist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from drlim_np.drawing.thumbnails import APART, REACHES, draw, farthest_first, place

SLIGHTLY = 1e-9
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
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def places(point, side):
    steps = [step for step in product((-1, 0, 1), repeat=2) if step != (0, 0)]
    return [
        tuple(p + reach * side * s for p, s in zip(point, step, strict=True)) for reach in REACHES for step in steps
    ]


def hidden(points, middle, within):
    return sum(apart(point, middle) < within for point in points)


def line(point, middle):
    """Points along the line from a sample to its thumbnail."""
    return [tuple(p + (m - p) * k / 16 for p, m in zip(point, middle, strict=True)) for k in range(17)]


def lies_inside(middle, side, low, high, tolerance):
    return all(
        m - side / 2 >= least - tolerance and m + side / 2 <= most + tolerance
        for m, least, most in zip(middle, low, high, strict=True)
    )


# ---- which samples come first ----


@anything
@given(clouds)
def test_farthest_first_is_an_order_of_all_samples(points):
    assert sorted(farthest_first(points).tolist()) == list(range(len(points)))


@anything
@given(clouds)
def test_each_next_sample_is_a_farthest_one(points):
    first, *others = farthest_first(points)
    middle = points.mean(axis=0)
    assert dist(points[first], middle) >= max(dist(point, middle) for point in points) - SLIGHTLY
    before, left = [first], set(range(len(points))) - {first}
    for sample in others:
        gaps = {other: min(dist(points[other], points[taken]) for taken in before) for other in left}
        assert gaps[sample] >= max(gaps.values()) - SLIGHTLY
        before.append(sample)
        left.remove(sample)


# ---- where they are placed ----


@anything
@given(maps())
def test_thumbnails_never_overlap(drawn):
    _, middles = place(*drawn)
    assert all(apart(one, other) >= drawn[1] for one, other in combinations(middles, 2))


@anything
@given(maps())
def test_thumbnails_hide_no_point_unless_they_may(drawn):
    points, side, *_ = drawn
    _, middles = place(*drawn)
    assert all(hidden(points, middle, side / 2 - SLIGHTLY) == 0 for middle in middles)
    _, middles = place(*drawn, hides=2)
    assert all(hidden(points, middle, side / 2 - SLIGHTLY) <= 2 for middle in middles)


@anything
@given(maps())
def test_no_line_runs_under_another_thumbnail(drawn):
    points, side, *_ = drawn
    shown, middles = place(*drawn, hides=len(points))
    ways = [line(points[sample], middle) for sample, middle in zip(shown, middles, strict=True)]
    for (one, way), (other, middle) in product(enumerate(ways), enumerate(middles)):
        assert one == other or all(apart(at, middle) >= side / 2 - SLIGHTLY for at in way)


@anything
@given(maps(), clouds)
def test_thumbnails_keep_off_others_and_off_lines_that_lie_there_already(drawn, others):
    _, middles = place(*drawn, taken=others)
    assert all(apart(one, other) >= drawn[1] for one in middles for other in others)
    _, middles = place(*drawn, lines=others)
    assert all(apart(one, other) >= drawn[1] / 2 - SLIGHTLY for one in middles for other in others)


@anything
@given(maps())
def test_thumbnails_lie_inside_the_room(drawn):
    _, side, low, high = drawn
    _, middles = place(*drawn)
    assert all(lies_inside(middle, side, low, high, SLIGHTLY) for middle in middles)


@anything
@given(maps())
def test_no_sample_is_shown_twice(drawn):
    shown, middles = place(*drawn)
    assert len(shown) == len(middles) == len(set(shown.tolist()))
    assert set(shown.tolist()) <= set(range(len(drawn[0])))


@anything
@given(maps())
def test_a_thumbnail_lies_beside_its_own_point_and_not_over_it(drawn):
    points, side, *_ = drawn
    shown, middles = place(*drawn)
    for sample, middle in zip(shown, middles, strict=True):
        assert side / 2 < apart(points[sample], middle) < 2 * side


@anything
@given(maps())
def test_samples_are_shown_in_farthest_first_order(drawn):
    shown, _ = place(*drawn)
    turn = np.argsort(farthest_first(drawn[0]))
    assert all(turn[one] < turn[other] for one, other in pairwise(shown))


@anything
@given(maps())
def test_a_thumbnail_hides_as_few_points_as_any_free_place_would(drawn):
    points, side, low, high = drawn
    shown, middles = place(*drawn, hides=len(points))
    for turn, (sample, middle) in enumerate(zip(shown, middles, strict=True)):
        ways = [line(points[other], earlier) for other, earlier in zip(shown[:turn], middles[:turn], strict=True)]
        for candidate in places(points[sample], side):
            free = all(apart(candidate, earlier) >= APART * side + SLIGHTLY for earlier in middles[:turn])
            free &= all(apart(at, candidate) >= side / 2 + SLIGHTLY for way in ways for at in way)
            own = line(points[sample], candidate)
            free &= all(apart(at, earlier) >= side / 2 + SLIGHTLY for earlier in middles[:turn] for at in own)
            if free and lies_inside(candidate, side, low, high, -SLIGHTLY):
                assert hidden(points, middle, side / 2 - SLIGHTLY) <= hidden(points, candidate, side / 2 + SLIGHTLY)


def test_one_point_alone_has_a_thumbnail():
    shown, middles = place(np.array([[2.0, 3.0]]), 1.0, np.array([0.0, 0.0]), np.array([5.0, 5.0]))
    assert shown.tolist() == [0]
    assert apart(middles[0], (2, 3)) == REACHES[0]


def test_without_room_there_is_no_thumbnail():
    points = np.array([[0.0, 0.0], [0.5, 0.2]])
    shown, middles = place(points, 1.0, points.min(axis=0), points.max(axis=0))
    assert (shown.shape, shown.dtype.kind, middles.shape) == ((0,), "i", (0, 2))


def test_far_apart_points_all_have_a_thumbnail():
    points = np.array([[x, y] for x in (0.0, 10.0, 20.0) for y in (0.0, 10.0)])
    shown, _ = place(points, 1.0, points.min(axis=0) - 2, points.max(axis=0) + 2)
    assert sorted(shown.tolist()) == list(range(6))


# ---- what is drawn ----

COLOURS = ["#0072B2", "#D55E00", "#0072B2"]


@pytest.fixture(scope="module")
def drawing():
    """Axes with three thumbnails on them, and what they were drawn from."""
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    points = np.array([[0.0, 0.0], [5.0, 1.0], [2.0, 6.0]])
    middles = points + np.array([0.75, -0.75])
    axes = Figure().add_subplot()
    draw(axes, images, COLOURS, points, middles, 1.0)
    return axes, images, points, middles


def test_each_image_is_drawn_once_upright_in_its_own_frame(drawing):
    axes, images, _, middles = drawing
    assert len(axes.images) == len(axes.patches) == 3
    for drawn, frame, image, (x, y) in zip(axes.images, axes.patches, images, middles, strict=True):
        np.testing.assert_array_equal(drawn.get_array(), image)
        assert drawn.origin == "upper"
        assert drawn.get_extent() == [x - 0.5, x + 0.5, y - 0.5, y + 0.5]
        assert frame.get_bbox().bounds == (x - 0.5, y - 0.5, 1.0, 1.0)


def test_ink_is_white_on_black_in_a_frame_of_the_colour_of_the_class(drawing):
    axes, *_ = drawing
    for drawn, frame, colour in zip(axes.images, axes.patches, COLOURS, strict=True):
        assert drawn.get_clim() == (0, 255)
        assert drawn.cmap(0.0)[:3] == (0, 0, 0)
        assert drawn.cmap(1.0)[:3] == (1, 1, 1)
        assert frame.get_edgecolor()[:3] == to_rgb(colour)


def test_a_line_leads_from_each_point_to_its_thumbnail(drawing):
    axes, _, points, middles = drawing
    lines = [line.get_xydata().tolist() for line in axes.get_lines()]
    for point, middle in zip(points.tolist(), middles.tolist(), strict=True):
        assert [point, middle] in lines
        assert [point] in lines
    assert len(lines) == 6
