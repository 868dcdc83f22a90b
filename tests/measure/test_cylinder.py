"""A cylinder placed anywhere in space is found again, and nothing else is taken for one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drlim_np.data import AZIMUTHS, Views
from drlim_np.graph import contiguous_views
from drlim_np.measure import metrics
from drlim_np.measure.cylinder import fit, fit_views, in_words, organisation, radians, second_loop
from drlim_np.measure.metrics import linear_r2, resultant_length
from tests.help.refusals import refuses


def placed(seed, mirrored=False):
    """A cylinder of radius 2 turned and moved at random: points, elevation, azimuth in radians."""
    rng = np.random.default_rng(seed)
    azimuth, elevation = (grid.ravel() for grid in np.meshgrid(2 * np.pi * np.arange(18) / 18, np.arange(9)))
    upright = np.stack([2 * np.cos(azimuth), (-2 if mirrored else 2) * np.sin(azimuth), 0.4 * elevation], axis=1)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    return upright @ turn + rng.standard_normal(3), elevation, azimuth


def read(cylinder, z):
    """The angle around the axis and the height along it of each point."""
    x, y, height = cylinder.upright(z).T
    return np.arctan2(y, x), height


@pytest.mark.line("fig-8")
@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_angle_is_azimuth_and_height_is_elevation_wherever_the_cylinder_stands(seed, mirrored):
    z, elevation, azimuth = placed(seed, mirrored)
    fitted = slice(None, None, 2)  # the others are placed as they are
    found = fit(z[fitted], elevation[fitted], azimuth[fitted])
    np.testing.assert_allclose(found.frame @ found.frame.T, np.eye(3), atol=1e-12)  # the map keeps its shape
    angle, height = read(found, z)
    assert abs(np.exp(1j * angle) - np.exp(1j * azimuth)).max() < 1e-9
    np.testing.assert_allclose(height, 0.4 * (elevation - elevation[fitted].mean()), atol=1e-9)


def test_a_ring_twisted_into_a_figure_of_eight_has_neither_azimuth_nor_elevation():
    _, elevation, azimuth = placed(0)
    flipped = np.where(azimuth < np.pi, 1, -1)
    z = np.stack([np.sin(2 * azimuth), np.sin(azimuth), 0.2 * flipped * (elevation - 4)], axis=1)
    found = fit(z + 1e-6 * np.random.default_rng(0).standard_normal(z.shape), elevation, azimuth)
    np.testing.assert_allclose(found.frame @ found.frame.T, np.eye(3), atol=1e-12)
    angle, height = read(found, z)
    assert resultant_length(angle, azimuth) < 0.8
    assert linear_r2(height, elevation) < 0.1


def test_neither_unit_nor_dtype_change_the_cylinder():
    z, elevation, azimuth = placed(0)
    found = fit(z, elevation, azimuth)
    for unit in (1e-200, 1e200):
        np.testing.assert_allclose(fit(unit * z, elevation, azimuth).frame, found.frame, atol=1e-12)
    whole = np.rint(10 * z)
    found = fit(whole, elevation.astype(float), azimuth)
    for dtype in (np.int8, np.float16, np.float32):
        again = fit(whole.astype(dtype), elevation.astype(dtype), azimuth)
        assert (again.frame == found.frame).all() and (again.centre == found.centre).all()
        assert (again.upright(whole.astype(dtype)) == found.upright(whole)).all()
    assert found == found and found != again, "equal to itself alone"


REFUSED = [
    *(({"z": np.ones(shape)}, f"z has shape {shape}: it must be (samples, 3)") for shape in ((162, 2), (162,))),
    *(({name: np.ones((162, 1))}, f"{name} has shape (162, 1)") for name in ("elevation", "azimuth")),
    *(({name: np.ones((161, 3)[:axes])}, "the numbers of samples differ (")
      for name, axes in (("z", 2), ("elevation", 1), ("azimuth", 1))),
    *(({name: np.full((162, 3)[:axes], value)}, f"sample 0 of {name} holds NaN")
      for name, axes, value in (("z", 2, np.nan), ("azimuth", 1, np.inf))),
    ({"elevation": np.zeros(162)}, "no axis"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_what_has_no_meaning_is_refused_in_one_line(changes, message):
    arguments = dict(zip(("z", "elevation", "azimuth"), placed(0), strict=True)) | changes
    refuses(lambda: fit(**arguments), message)


VIEWS = Views("all", "all", np.zeros((972, 1, 1), np.uint8), {})
TRAIN, TEST = np.split(np.random.default_rng(1).permutation(972), [660])


def mapped(noise=0.01):
    """Every view on a cylinder by its pose, a little off by chance: (972, 3)."""
    azimuth, z = radians(VIEWS, np.arange(972)), np.random.default_rng(2).standard_normal((972, 3))
    return np.stack([np.cos(azimuth), np.sin(azimuth), 0.3 * VIEWS.elevation], axis=1) + noise * z


def test_views_are_fitted_by_their_own_elevation_and_azimuth_which_goes_once_around_the_circle():
    assert radians(VIEWS, np.array([0, 971])).tolist() == [0, 2 * np.pi * 17 / 18]
    z = mapped()
    found, expected = fit_views(z[TRAIN], VIEWS, TRAIN), fit(z[TRAIN], VIEWS.elevation[TRAIN], radians(VIEWS, TRAIN))
    assert (found.frame == expected.frame).all() and (found.centre == expected.centre).all()


def test_organisation_is_each_measure_of_the_views_at_hand():
    z, rows = mapped(0.2), TEST
    cylinder = fit_views(z[TRAIN], VIEWS, TRAIN)
    found, z = organisation(z[rows], cylinder, VIEWS, rows), z[rows]
    azimuth, elevation = VIEWS.azimuth[rows], VIEWS.elevation[rows]
    angle, height = read(cylinder, z)
    off = np.degrees(angle - radians(VIEWS, rows)) % 360
    assert found == {
        "elevation_r2": linear_r2(height, elevation),
        "azimuth_resultant": resultant_length(angle, radians(VIEWS, rows)),
        "azimuth_error_degrees": pytest.approx(np.median(np.minimum(off, 360 - off))),
        "share_of_lighting": metrics.share_within(z, azimuth * 9 + elevation),
        "similar_neighbours": metrics.similar_neighbours(z, contiguous_views(azimuth, elevation, AZIMUTHS)),
        "same_lighting_neighbours": metrics.same_label_neighbours(z, VIEWS.lighting[rows]),
        "second_loop": max(second_loop(z[elevation == ring]) for ring in range(9)),
    }


def test_the_four_numbers_are_said_of_the_unseen_views_by_the_cylinder_of_those_trained_on():
    z = mapped(0.1)
    z[TEST] = z[TEST[::-1]]  # the unseen ones exchanged: only they tell
    numbers = (
        "elevation R² 0.001, azimuth resultant length 0.034, lighting's share 1.0012, neighbours that adjoin 0.047"
    )
    assert in_words(z, VIEWS, TRAIN, TEST) == numbers
    said = "elevation R² 0.001, azimuth resultant length 0.034, lighting's share 1.0012, neighbours that adjoin 0.047"
    assert in_words(z, VIEWS, TRAIN, TEST) == said
