import json
from pathlib import Path

import numpy as np
import pytest

from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS, VIEW_SIDE, rendering
from drlim_np.data.rendering import AMBIENT, BACKGROUND, LAMP, LIT, blade, direction, ellipsoid, shade, tube
from drlim_np.figures import Train, sheets

DOWN = np.array([0.0, 0.0, -1.0])
LEFT, RIGHT, BEHIND, OVERHEAD, BOTH_SIDES, BEHIND_AND_OVERHEAD = range(LIGHTINGS)


@pytest.fixture(scope="module")
def rendered():
    return rendering.generate()


@pytest.fixture(scope="module")
def cube(rendered):
    """(azimuth, elevation, lighting, row, column) uint8."""
    return rendered.images.reshape(AZIMUTHS, ELEVATIONS, LIGHTINGS, VIEW_SIDE, VIEW_SIDE)


def points(*rows):
    """(3, points) from one row per point."""
    return np.array(rows, float).T


def test_the_views_are_byte_for_byte_those_of_the_shipped_figures(rendered):
    record = Path(__file__).parents[2] / "figures" / "metrics.json"
    shipped = json.loads(record.read_text("utf-8"))["figure10-airplane"]["data"]
    assert (rendered.name, rendered.title, rendered.sha256) == (shipped["name"], shipped["title"], shipped["sha256"])
    assert rendered.images.shape == (972, 96, 96)
    assert rendering.generate(lambda: rendered.images).images is rendered.images


def test_a_row_shows_its_azimuth_elevation_and_lighting_and_rounding_changes_no_pixel(rendered):
    for row in (0, 1, 6, 54, 290, 500, 534, 726, 971):
        pose = rendering.views(20 * rendered.azimuth[row] + 1e-12, 30 + 5 * rendered.elevation[row] - 1e-12)
        start = row - rendered.lighting[row]
        assert np.array_equal(rendered.images[start : start + LIGHTINGS], pose)


def test_seen_from_the_other_side_and_lit_from_the_other_side_the_airplane_is_its_mirror_image(cube):
    for azimuth in range(AZIMUTHS):
        mirrored = cube[-azimuth, ..., ::-1]
        for lighting, swapped in ((LEFT, RIGHT), (BEHIND, BEHIND), (BOTH_SIDES, BOTH_SIDES), (OVERHEAD, OVERHEAD)):
            assert np.array_equal(cube[azimuth, :, lighting], mirrored[:, swapped])


def test_light_from_the_left_throws_the_shadow_to_the_right_and_light_from_behind_towards_the_viewer(cube):
    def shadow(azimuth, lighting):
        """The middle of the shadow on the turntable, right and down of the middle of the airplane."""
        lamp = rendering.LAMP * np.sin(np.radians(rendering.LAMPS[lighting][1]))
        unlit = np.rint(255 * BACKGROUND * AMBIENT / (AMBIENT + lamp))
        rows, columns = np.nonzero(cube[azimuth, 4, lighting] == unlit)
        return columns.mean() - (VIEW_SIDE - 1) / 2, rows.mean() - (VIEW_SIDE - 1) / 2

    for azimuth in (0, 9):  # from the nose and from the tail: the lamps do not turn with the turntable
        assert shadow(azimuth, LEFT)[0] > 3 and shadow(azimuth, RIGHT)[0] < -3
        assert abs(shadow(azimuth, BEHIND)[0]) < 0.5 and shadow(azimuth, BEHIND)[1] > 3


BALL, SPECK = ellipsoid((0, 0, 2), (1, 1, 1)), ellipsoid((0, 0, 0), (0.01, 0.01, 0.01))
GLOBE, UP = ellipsoid((0, 0, 0), (1, 1, 1)), (0, 0, 1)
ON_GLOBE = [UP, (0.6, 0, 0.8), (-0.6, 0, 0.8), (0, 0, -1), (0, 1, 0)]
EGG, ENGINE = ellipsoid((1, 0, 0), (3, 1, 2)), tube(-1, 2, 0.5, 0.25, radius=0.5)
WING = blade((2, 0, 0, 0), (1, 0, 4, 1), (0, 0, 0.4))
FLAT = blade((2, 0, 0, 0), (1, 0, 4, 0), (0, 0, 0.4))
SLOPE = np.sqrt(0.5)


@pytest.mark.parametrize(
    ("solid", "ray", "spans"),
    [
        # At x = 1 + 3·0.6 the section of the egg has z = ±2·0.8.
        (EGG, DOWN, {(1, 0, 5): (3, 7), (2.8, 0, 5): (5 - 1.6, 5 + 1.6), (4.1, 0, 5): None}),
        # Along (3, 0, 4)/5 through its centre: 1/t² = (0.6/3)² + (0.8/2)² = 0.2.
        (EGG, (0.6, 0, 0.8), {(1, 0, 0): (-np.sqrt(5), np.sqrt(5))}),
        (ENGINE, DOWN, {(0, 0.5, 3): (2.25, 3.25), (0, 0.8, 3): (3 - 0.65, 3 + 0.15), (2.1, 0.5, 3): None}),
        # Downwards at 45° it meets the front end's plane x = 2 below the tube: only the round side counts.
        (ENGINE, (SLOPE, 0, -SLOPE), {(-4, 0.5, 4.25): (3.5 / SLOPE, 4.5 / SLOPE)}),
        # Half-way along the wing's span: leading edge at 1.5, mid height 0.5, thickness 0.3.
        (WING, DOWN, {(1.49, 2, 5): (5 - 0.65, 5 - 0.35), (1.51, 2, 5): None, (-0.01, 2, 5): None}),
        (WING, DOWN, {(0.5, 4.1, 5): None, (0.5, -0.1, 5): None}),
        (WING, (-1, 0, 0), {(5, 2, 0.5): (3.5, 5), (5, 2, 0.66): None}),
    ],
)
def test_a_ray_is_inside_a_solid_from_the_first_point_of_its_surface_to_the_second(solid, ray, spans):
    enter, leave = solid.span(points(*spans), np.array(ray, float))
    for a, b, expected in zip(enter, leave, spans.values(), strict=True):
        assert (a, b) == pytest.approx(expected) if expected else a >= b


@pytest.mark.parametrize(
    ("solid", "normals"),
    [
        (EGG, {(4, 0, 0): (1, 0, 0), (2.8, 0, 1.6): (0.6 / 3, 0, 0.8 / 2)}),
        (ENGINE, {(2, 0.6, 0.3): (1, 0, 0), (-1, 0.4, 0.25): (-1, 0, 0)}),
        (ENGINE, {(1, 0.5, 0.75): (0, 0, 1), (0, 0.8, -0.15): (0, 0.6, -0.8)}),
        (FLAT, {(1.5, 2, 0): (4, 1, 0), (0, 1, 0): (-1, 0, 0), (1, 0, 0.1): (0, -1, 0), (0.5, 4, 0): (0, 1, 0)}),
        (FLAT, {(1, 2, 0.15): (0, 0.025, 1), (1, 2, -0.15): (0, 0.025, -1)}),
    ],
)
def test_normals_are_those_of_the_side_that_a_point_is_on(solid, normals):
    along = np.array([*normals.values()], float)
    unit = along / np.linalg.norm(along, axis=1, keepdims=True)
    np.testing.assert_allclose(solid.normal(points(*normals)).T, unit, atol=1e-12)


def test_the_nearest_of_two_solids_is_seen_and_the_turntable_where_there_is_none(monkeypatch):
    ball, higher = ellipsoid((0, 0, 0), (1, 1, 1)), ellipsoid((0, 0, 3), (0.5, 0.5, 0.5))
    for order in ([ball, higher], [higher, ball]):
        monkeypatch.setattr(rendering, "AIRPLANE", order)
        seen, normals, on_airplane = rendering.visible(points((0, 0, 9), (0.6, 0, 9), (5, 0, 9)), DOWN)
        np.testing.assert_allclose(seen.T, [(0, 0, 3.5), (0.6, 0, 0.8), (5, 0, rendering.TURNTABLE)])
        np.testing.assert_allclose(normals.T, [(0, 0, 1), (0.6, 0, 0.8), (0, 0, 1)], atol=1e-12)
        assert on_airplane.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("solids", "lamp", "surface", "normals", "expected"),
    [
        # It falls by the cosine on a side that faces the lamp, and not at all on one that faces away …
        ([GLOBE], direction(0, 30), ON_GLOBE, ON_GLOBE, [0.5, 0.6 * np.sqrt(0.75) + 0.4, 0, 0, 0]),
        # … even if nothing is in the way.
        ([], -DOWN, [(0, 0, 0)] * 2, [UP, (0, 0, -1)], [1, 0]),
        # A solid shadows the points that it covers or nearly touches,
        ([SPECK], -DOWN, [(0, 0, 0.005), (0, 0, -0.0101), (0.0101, 0, 0)], [UP] * 3, [0, 0, 1]),
        # and those behind it, but none before it.
        ([BALL], -DOWN, [(0, 0, 0), (0.99, 0, 0), (1.01, 0, 0), (0, 0, 3.5)], [UP] * 4, [0, 0, 1, 1]),
        # The lamp at 45°: the shadow is 2 away from under the ball.
        ([BALL], direction(0, 45), [(-2, 0, 0), (2, 0, 0)], [UP] * 2, [0, np.sqrt(0.5)]),
    ],
)
def test_light_reaches_the_points_that_face_the_lamp_and_have_no_solid_in_the_way(
    monkeypatch, solids, lamp, surface, normals, expected
):
    monkeypatch.setattr(rendering, "AIRPLANE", solids)
    np.testing.assert_allclose(rendering.light(points(*surface), points(*normals), lamp), expected, atol=1e-12)


def test_grey_is_ambient_light_and_the_sum_over_the_lamps_and_the_turntable_is_darker_only_in_shadow():
    reaching, lamps = np.array([[0.5, 0, 1], [0.25, 0, 0]]), np.array([(0, 0, 1.0), (0.6, 0, 0.8)])
    grey = shade(reaching, lamps, np.ones(3, bool))
    np.testing.assert_allclose(grey, [AMBIENT + 0.75 * LAMP, AMBIENT, AMBIENT + LAMP])
    grey = shade(np.array([[1.0, 0, 0], [0.8, 0.8, 0]]), lamps, np.zeros(3, bool))
    full = AMBIENT + 1.8 * LAMP
    np.testing.assert_allclose(grey, BACKGROUND * np.array([1, (AMBIENT + 0.8 * LAMP) / full, AMBIENT / full]))


def test_the_sheet_names_the_lamps_and_light_matters_more_than_the_pose_to_neighbours_in_pixels(rendered, monkeypatch):
    monkeypatch.setattr(rendering, "generate", lambda *_, **__: rendered)
    sheet = sheets.make_airplane(None, Train())
    names = [axes.get_ylabel().removeprefix("lit from\n") for axes in sheet.drawing.axes[2:]]
    assert [[lamp in name for lamp in ("left", "right", "behind", "overhead")] for name in names] == LIT.tolist()
    same_light, contiguous = sheet.claims
    assert same_light.holds and (same_light.relation, same_light.bound) == ("≥", 1 / 2)
    assert contiguous.holds and (contiguous.relation, contiguous.bound) == ("≤", 2 / 3)
    assert (sheet.data, sheet.settings["images"]) == (rendered, 972)
