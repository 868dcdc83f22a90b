"""Which samples a magnifier shows, by its rule, and what is drawn of it."""

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from drlim_np.drawing.magnifiers import draw, magnifier

maps = st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 3)), min_size=1, max_size=30)


@given(maps, st.floats(0.1, 3) | st.just(9.0), st.integers(1, 12))
@example([(0.1, 0, 0), (0.2, 0, 0), (0.3, 0, 1)], 9.0, 2)
def test_a_strip_shows_as_many_samples_inside_the_ring_as_asked_for_the_nearest_of_each_group(rows, radius, most):
    z, group = np.array(rows)[:, :2], np.array(rows)[:, 2].astype(int)
    samples = magnifier(z, np.zeros(2), radius, group, most).samples
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


@pytest.mark.parametrize("start", [(-2.0, 3.0), (-2.0, -3.0), (1.0, 0.1), (-4.0, 0.0)])
def test_the_strip_holds_the_images_in_order_and_two_lines_join_it_to_the_ring(start):
    axes = Figure().add_subplot()
    z, side = np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.2]]), 0.5
    found = magnifier(z, z[0], 0.3, np.arange(3), 3)
    images = np.arange(3 * 16).reshape(3, 4, 4)[found.samples]
    middles = draw(axes, found, images, ["red"] * 3, np.array(start), side)
    for drawn, image, middle in zip(axes.images, images, middles, strict=True):
        np.testing.assert_array_equal(drawn.get_array(), image)
        left, right, bottom, top = drawn.get_extent()
        np.testing.assert_allclose([(left + right) / 2, (bottom + top) / 2, right - left], [*middle, side])
    assert (np.diff(middles[:, 0]) >= side).all()
    ring = axes.patches[0]
    assert (ring.center == z[0]).all() and ring.width == ring.height == 0.6
    lines = [line.get_xydata() for line in axes.get_lines()]
    left, right = middles[0, 0] - side / 2, middles[-1, 0] + side / 2
    level = not left <= z[0, 0] <= right
    for on_ring, at_strip in lines:
        assert np.linalg.norm(on_ring - z[0]) == pytest.approx(0.3)
        assert ((on_ring - z[0]) * (at_strip - z[0]))[0 if level else 1] > 0
    ends = np.array([at_strip for _, at_strip in lines])
    near_end, near_side = (left if left > 0 else right), (start[1] if start[1] > 0 else start[1] + side)
    np.testing.assert_allclose(ends[:, 0], [near_end, near_end] if level else [left, right])  # two lines
    np.testing.assert_allclose(ends[:, 1], [start[1], start[1] + side] if level else [near_side, near_side])


def test_a_strip_in_lines_is_read_like_a_page_from_its_lower_left_corner_upwards():
    axes = Figure().add_subplot()
    found = magnifier(np.zeros((5, 2)), np.zeros(2), 0.3, np.arange(5), 5)
    middles = draw(axes, found, np.zeros((5, 4, 4)), ["red"] * 5, np.array([1.0, -0.5]), 0.5, columns=2)
    low, step = np.array([1.25, -0.25]), 1.04 * 0.5
    np.testing.assert_allclose((middles - low) / step, [[0, 2], [1, 2], [0, 1], [1, 1], [0, 0]], atol=1e-9)
    ends = np.array([line.get_xydata()[1] for line in axes.get_lines()])
    np.testing.assert_allclose(ends, [[1.0, -0.5], [1.0, low[1] + 2 * step + 0.25]])
