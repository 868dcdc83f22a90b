"""Figures 8 to 10 and the map unfolding, on small stand-ins for an airplane."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from drlim_np.data import AZIMUTHS, VIEW_SIDE, Views
from drlim_np.figures import airplane_map as airplane
from drlim_np.figures import figure8, figure9, figure10, unfolding
from drlim_np.figures.record import Run, publish
from drlim_np.figures.space import MARKERS, Side, project, reach_of
from drlim_np.measure import metrics
from drlim_np.measure.cylinder import fit

MODULES = {"figure8": figure8, "figure9": figure9, "figure10": figure10, "unfolding": unfolding}
each = pytest.mark.parametrize("name", MODULES)


def blobs():
    """A blob that goes around with azimuth, farther out with elevation, and changes its grey with lighting."""
    empty = Views("airplane", "blobs", np.zeros((972, VIEW_SIDE, VIEW_SIDE), np.uint8), {})
    turn, out = 2 * np.pi * empty.azimuth / AZIMUTHS, 12 + 2.5 * empty.elevation
    at = np.arange(VIEW_SIDE)
    x = np.exp(-((at - 48 - (out * np.cos(turn))[:, None]) ** 2) / 40)
    y = np.exp(-((at - 48 - (out * np.sin(turn))[:, None]) ** 2) / 40)
    grey = (60 + 30 * empty.lighting)[:, None, None] * y[:, :, None] * x[:, None, :]
    return replace(empty, images=np.rint(grey).astype(np.uint8))


VIEWS = blobs()
RUN = Run(seed=0, quick=True, threads=1, digits=lambda: pytest.fail("needs no digits"), views=lambda: VIEWS)


@pytest.fixture(scope="module", autouse=True)
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(airplane, "QUICK_STARTS", 3)
        patch.setattr(airplane, "QUICK_STEPS", 4)
        patch.setattr(unfolding, "FRAMES", 3)
        patch.setattr(unfolding, "LAST", 1)
        for function in (airplane.setting, airplane.mapped):
            function.cache_clear()
        yield patch
        for function in (airplane.setting, airplane.mapped):
            function.cache_clear()


@pytest.fixture(scope="module")
def results(small):
    return {name: module.make(RUN) for name, module in MODULES.items()}


def test_660_views_are_trained_on_and_the_other_312_are_unseen():
    given = airplane.setting(RUN)
    assert (len(given.train), len(given.test)) == (660, 312)
    assert sorted([*given.train, *given.test]) == list(range(972))
    assert given.similar.size == 660 and given.similar_test.size == 312
    other = airplane.setting(replace(RUN, seed=1))
    assert (other.train != given.train).any()


def test_the_background_counts_as_0_and_training_pixels_have_unit_deviation():
    given = airplane.setting(RUN)
    assert np.median(given.inputs[given.train]) == 0
    assert abs(given.inputs[given.train].std() - 1) < 1e-3
    assert given.inputs.dtype == np.float32


def test_every_pair_of_training_views_is_counted_as_similar_or_dissimilar(results):
    measured = results["figure8"].measured
    assert measured["similar_pairs"] + measured["dissimilar_pairs"] == 660 * 659 // 2 == 217_470
    assert results["figure8"].claims[0].holds


def test_the_start_of_the_lowest_training_loss_is_kept_and_all_losses_are_recorded(results):
    found, given, posed = airplane.mapped(RUN), airplane.setting(RUN), airplane.problem(RUN)
    assert len(found.losses) == 3 and found.best == int(np.argmin(found.losses))
    measured = results["figure8"].measured
    assert measured["training_loss_of_every_start"] == found.losses and measured["start_kept"] == found.best
    # The kept map is that of the kept start: its loss over all pairs, per pair, is the least.
    assert measured["loss_over_all_training_pairs"] / 217_470 == pytest.approx(min(found.losses), rel=1e-4)
    assert len(posed.starts) == 3 and found.z.shape == (972, 3) and len(given.train) == 660


def test_weights_on_pixels_are_those_on_coordinates(results):
    found, given = airplane.mapped(RUN), airplane.setting(RUN)
    assert found.weights.shape == (20, VIEW_SIDE**2)
    # They answer to nothing but what training views show: off the footprint they are 0.
    never_lit = np.ptp(given.inputs[given.train], axis=0) == 0
    assert never_lit.any() and np.abs(found.weights[:, never_lit]).max() < 1e-6 * np.abs(found.weights).max()


def test_the_cylinder_is_fitted_to_training_views_alone():
    found, given = airplane.mapped(RUN), airplane.setting(RUN)
    fitted = fit(found.z[given.train], VIEWS.elevation[given.train], given.azimuth[given.train])
    assert (fitted.frame == found.cylinder.frame).all() and (fitted.centre == found.cylinder.centre).all()


def test_the_numbers_of_figure_8_are_those_of_the_unseen_views(results):
    found, given, arrays = airplane.mapped(RUN), airplane.setting(RUN), results["figure8"].arrays
    z, measured = arrays["embedding"], results["figure8"].measured["drlim"]
    assert (z == found.z[given.test]).all() and (arrays["index"] == given.test).all()
    assert (arrays["azimuth"] == VIEWS.azimuth[given.test]).all()
    assert measured["elevation_r2"] == metrics.linear_r2(found.cylinder.height(z), VIEWS.elevation[given.test])
    angle = found.cylinder.angle(z)
    assert measured["azimuth_resultant"] == metrics.resultant_length(angle, given.azimuth[given.test])
    pose = VIEWS.azimuth[given.test] * 9 + VIEWS.elevation[given.test]
    assert measured["share_of_lighting"] == metrics.share_within(z, pose)
    assert measured["similar_neighbours"] == metrics.similar_neighbours(z, given.similar_test)


def panels(result, words):
    return [axes for axes in result.figure.axes if words in axes.get_title()]


def test_figure_8_shows_every_unseen_view_from_five_sides_in_both_colours(results):
    found, given = airplane.mapped(RUN), airplane.setting(RUN)
    points = found.cylinder.upright(found.z)[given.test]
    shown = [axes for axes in results["figure8"].figure.axes if axes.get_title()]
    assert len(shown) == 2 * len(figure8.SIDES) == 10
    assert {side.tilt for side in figure8.SIDES} >= {0, 90}
    for axes, side in zip(shown, figure8.SIDES * 2, strict=True):
        drawn = np.concatenate([a.get_offsets() for a in axes.collections if isinstance(a, PathCollection)])
        expected = project(points, side)[0]
        assert sorted(map(tuple, np.round(drawn, 6))) == sorted(map(tuple, np.round(expected, 6)))


def test_each_lighting_has_its_marker():
    assert len(set(MARKERS)) == 6


def test_figure_9_maps_the_training_views_with_the_graph_of_figure_8(results):
    given, result = airplane.setting(RUN), results["figure9"]
    assert (result.arrays["index"] == given.train).all()
    assert result.settings["neighbours_on_average"] == 2 * given.similar.listed_count / 660
    assert set(result.measured["lle_by_regularisation"]) == {"1e-06", "0.001", "0.1", "1"}
    assert len(panels(result, "by lighting")) == len(figure9.SIDES)


def test_figure_10_shows_the_20_first_layer_weights_on_one_scale(results):
    found, result = airplane.mapped(RUN), results["figure10"]
    images = [
        axes.images[0] for axes in result.figure.axes if axes.images and axes.images[0].get_array().shape == (96, 96)
    ]
    assert len(images) == 20
    assert len({image.get_clim() for image in images}) == 1
    low, high = images[0].get_clim()
    assert low == -high  # no weight is grey
    for image, weights in zip(images, found.weights, strict=True):
        assert (image.get_array().data.ravel() == weights).all()


def test_adjoining_weights_of_noise_do_not_correlate_and_those_of_a_slope_do():
    noise = np.random.default_rng(0).standard_normal((60, 60))
    inside = np.ones((60, 60), bool)
    assert abs(figure10.adjoining(noise, inside)) < 0.05
    assert figure10.adjoining(np.add.outer(np.arange(60.0), np.arange(60.0)), inside) > 0.99
    half = inside.copy()
    half[:, 30:] = False
    mixed = np.where(half, np.arange(60.0)[:, None], noise)
    assert figure10.adjoining(mixed, half) > 0.99


def test_the_last_moment_of_the_unfolding_is_figure_8(results):
    result = results["unfolding"]
    assert result.claims[0].holds and result.claims[0].bound == 0
    assert result.files["gif"].startswith(b"GIF89a")
    assert list(result.measured["elevation_r2_and_azimuth_resultant_by_step"])[-1] == "4"


def test_a_map_is_projected_as_a_camera_would_see_it():
    point = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    place, away = project(point, Side("", 0, 0))
    np.testing.assert_allclose(place, [[1, 0], [0, 0], [0, 1]], atol=1e-12)
    np.testing.assert_allclose(away, [0, 1, 0], atol=1e-12)
    place, away = project(point, Side("", 0, 90))
    np.testing.assert_allclose(place, [[1, 0], [0, 1], [0, 0]], atol=1e-12)
    np.testing.assert_allclose(away, [0, 0, -1], atol=1e-12)
    place, _ = project(point, Side("", 90, 0))
    np.testing.assert_allclose(place, [[0, 0], [1, 0], [0, 1]], atol=1e-12)
    sides = [Side("", 0, 0), Side("", 45, 30)]
    assert reach_of(point, sides) >= max(np.abs(project(point, side)[0]).max() for side in sides)


@each
def test_data_other_than_the_rendered_airplane_are_named_and_claim_nothing_of_the_map(results, name):
    other = replace(VIEWS, name="norb-airplane4", title="airplane 4 of small NORB")
    claims = MODULES[name].make(replace(RUN, views=lambda: other)).claims
    assert {claim.text for claim in claims} <= {
        "similar and dissimilar pairs together",
        "the last moment is Figure 8: largest difference",
    }


@each
def test_made_twice_a_figure_has_the_same_bytes(name, tmp_path):
    for folder in ("one", "two"):
        for function in (airplane.setting, airplane.mapped):
            function.cache_clear()
        (tmp_path / folder).mkdir()
        publish(name, MODULES[name].make(RUN), RUN, 1.0, tmp_path / folder)
    written = {path.name for path in (tmp_path / "one").iterdir()} - {"metrics.json"}
    assert len(written) >= 2
    for file in written:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
