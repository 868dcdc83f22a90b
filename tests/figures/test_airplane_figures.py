"""Figures 8 to 10, on small stand-ins for an airplane."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.markers import MarkerStyle

from drlim_np import verbatim
from drlim_np.data import AZIMUTHS, VIEW_SIDE, in_their_span, rendering, split
from drlim_np.drawing.space import Side, project
from drlim_np.drawing.style import INK
from drlim_np.figures import Train, figure8, figure9, figure10
from drlim_np.files.cache import Cache
from drlim_np.graph import contiguous_views
from drlim_np.measure.cylinder import fit_views, organisation
from drlim_np.networks import two_layer
from drlim_np.training import embed
from tests.help.comparing import assert_close, assert_same
from tests.help.drawings import clouds, content
from tests.help.small_views import blobs

MODULES = {"figure8": figure8, "figure9": figure9, "figure10": figure10}
each = pytest.mark.parametrize("name", MODULES)

VIEWS, TRAIN = blobs(), Train(quick=True)
FEW = 3_000  # of the 217,470 pairs
OTHERS = figure9.OTHERS  # of which one is mapped here; LLE at each is compared with scikit-learn's below


@pytest.fixture(scope="module", autouse=True)
def train(tmp_path_factory):
    """One epoch of few pairs, in three pieces, trained once for all figures."""
    all_pairs = verbatim.pair_up
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verbatim, "pair_up", lambda similar: all_pairs(similar)[:, :: 217_470 // FEW][:, :FEW])
        patch.setattr(figure8, "QUICK_EPOCHS", 1)
        patch.setattr(figure8, "PIECES", 3)
        patch.setattr(figure9, "OTHERS", (1e-3,))
        yield replace(TRAIN, cache=Cache(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def found(train):
    return figure8.train_airplane(VIEWS, train)


@pytest.fixture(scope="module")
def results(train):
    return {name: module.make(VIEWS, train) for name, module in MODULES.items()}


def maps(result):
    """Of every panel that shows a map its clouds of points."""
    return [of for axes in result.drawing.axes if (of := clouds(axes))]


def same_places(of, points, side):
    """Whether the clouds are these points as seen from that side, in any order."""
    places = np.concatenate([cloud.get_offsets() for cloud in of])
    one, other = (sorted(map(tuple, np.round(at, 6))) for at in (places, project(points, side)[0]))
    return one == other


@pytest.mark.line("sec-3-4-views")
def test_660_views_are_trained_on_and_the_other_312_are_unseen(found):
    inputs, train, test = split(VIEWS, TRAIN.rng(8))
    assert (len(found.train), len(found.test)) == (660, 312)
    assert (found.inputs == inputs).all() and (found.train == train).all() and (found.test == test).all()
    assert (split(VIEWS, replace(TRAIN, seed=1).rng(8))[1] != train).any()


def test_views_trained_on_are_similar_where_their_cameras_adjoin(found):
    expected = contiguous_views(VIEWS.azimuth[found.train], VIEWS.elevation[found.train], AZIMUTHS)
    assert found.similar.size == 660 and (found.similar.pairs == expected.pairs).all()


@pytest.mark.line("step-1-views")
def test_every_pair_of_training_views_is_counted_as_similar_or_dissimilar(results):
    measured = results["figure8"].measured
    assert measured["similar_pairs"] + measured["dissimilar_pairs"] == 660 * 659 // 2 == 217_470
    assert results["figure8"].claims[0].holds


def test_the_map_is_trained_as_on_the_papers_page_from_one_start_each_epoch_in_an_order_of_its_own(found, monkeypatch):
    monkeypatch.setattr(figure8, "sweep", verbatim.sweep)  # which figure 8's own equals but for rounding
    rng, (coordinates, basis) = TRAIN.rng(10), in_their_span(found.inputs, found.train)
    x = coordinates[found.train]
    W = tuple(w.astype(np.float32) for w in verbatim.first_weights(rng, x.shape[1]))
    first = figure8.as_tree(W)
    similar = verbatim.similar_views(VIEWS.azimuth[found.train], VIEWS.elevation[found.train], AZIMUTHS)
    pairs = verbatim.pair_up(similar)
    for epoch in range(2):
        verbatim.sweep(W, x, pairs[:, rng.permutation(FEW)], figure8.MARGIN, verbatim.falling(epoch, 2, FEW))
    tree = figure8.descent(found, 2, TRAIN.rng(10))
    assert_same(tree["W"], figure8.as_tree((W[0] @ basis, *W[1:])))
    assert tree["losses"].shape == (2 * figure8.PIECES,) and tree["maps"].shape == (3, 972, 3)
    for shown, params in ((0, first), (-1, figure8.as_tree(W))):
        assert_close(tree["maps"][shown], embed(two_layer(660), params, coordinates), 1e-5)


def test_the_loss_over_all_pairs_is_kept_after_each_piece_of_an_epoch(found, results):
    result = results["figure8"]
    assert result.measured["loss_over_all_training_pairs"] == pytest.approx(found.losses[-1] * FEW, rel=1e-4)
    assert (result.arrays["loss_per_pair"] == found.losses).all() and len(found.losses) == figure8.PIECES


def test_weights_on_pixels_are_those_on_coordinates(found):
    weight = found.params["hidden"]["weight"]
    assert weight.shape == (20, VIEW_SIDE**2) and weight.dtype == np.float32
    assert_close(embed(two_layer(), found.params, found.inputs), found.z, 1e-4)
    # They depend on what training views show and on nothing else: off the footprint they are 0.
    never_lit = np.ptp(found.inputs[found.train], axis=0) == 0
    assert never_lit.any() and np.abs(weight[:, never_lit]).max() < 1e-6 * np.abs(weight).max()


@pytest.mark.line("requirement-distances", "claims")
def test_the_numbers_of_figure_8_are_those_of_the_unseen_views(found, results):
    """On the cylinder that fits the views trained on, and no others."""
    fitted = fit_views(found.z[found.train], VIEWS, found.train)
    assert (fitted.frame == found.cylinder.frame).all() and (fitted.centre == found.cylinder.centre).all()
    arrays = results["figure8"].arrays
    assert (arrays["embedding"] == found.z[found.test]).all() and (arrays["index"] == found.test).all()
    assert (arrays["azimuth"] == VIEWS.azimuth[found.test]).all()
    expected = organisation(found.z[found.test], found.cylinder, VIEWS, found.test)
    assert results["figure8"].measured["drlim"] == expected


def test_figure_8_shows_every_unseen_view_tilted_from_the_side_and_along_the_axis(found, results):
    points = found.cylinder.upright(found.z)[found.test]
    sides = [side for side, *_ in figure8.PANELS]
    assert [side.tilt for side in sides] == [30, 90, 0]
    assert all(same_places(of, points, side) for of, side in zip(maps(results["figure8"]), sides, strict=True))


def test_the_unrolled_map_is_made_of_the_images_of_views_that_lie_there(found, results):
    at, _ = figure8.unrolled(found.cylinder.upright(found.z)[found.test])
    axes = results["figure8"].drawing.axes[-1]
    assert len(axes.images) == len({tuple(image.get_extent()) for image in axes.images}) > 5
    for image in axes.images:
        left, right, bottom, top = image.get_extent()
        inside = ((at >= (left, bottom)) & (at <= (right, top))).all(axis=1)
        views = VIEWS.images[found.test[inside]]
        assert any((np.asarray(image.get_array()) == view).all() for view in views)


@pytest.mark.parametrize(("name", "panel"), [("figure8", 0), ("figure9", 1), ("figure9", 3)])
def test_the_key_shows_each_lighting_in_the_marker_of_its_points(results, name, panel):
    (key,) = results[name].drawing.legends
    assert [text.get_text() for text in key.get_texts()] == ["1", "2", "3", "4", "5", "6"]
    markers = [MarkerStyle(line.get_marker()) for line in key.get_lines()]
    paths = [marker.get_path().transformed(marker.get_transform()) for marker in markers]
    keys = [path.to_polygons()[0].round(6).tolist() for path in paths]
    assert all(keys.count(one) == 1 for one in keys)
    of = results[name].arrays["lighting"]
    for light, (line, cloud) in enumerate(zip(key.get_lines(), maps(results[name])[panel], strict=True)):
        assert cloud.get_paths()[0].to_polygons()[0].round(6).tolist() == keys[light]
        assert len(cloud.get_offsets()) == np.sum(of == light)
        if name == "figure9":
            assert (cloud.get_facecolors() == to_rgba(line.get_color())).all()


def test_figure_9_maps_the_training_views_with_the_graph_of_figure_8_points_by_lighting_larger(found, results):
    result = results["figure9"]
    assert (result.arrays["index"] == found.train).all()
    assert result.settings["neighbours_on_average"] == 2 * found.similar.listed_count / 660
    assert set(result.measured["lle_by_regularisation"]) == {"0.001"}
    assert [f"{amount:g}" for amount in OTHERS] == ["1e-06", "0.001", "0.01", "0.1", "1"]
    for by_azimuth, by_light in (maps(result)[:2], maps(result)[2:]):
        for one, other in zip(by_azimuth, by_light, strict=True):
            np.testing.assert_array_equal(one.get_offsets(), other.get_offsets())
            assert (other.get_sizes() > 2 * one.get_sizes()).all()
            assert (other.get_edgecolors() == to_rgba("white")).all() and (one.get_edgecolors() == to_rgba(INK)).all()
    assert same_places(maps(result)[2], found.cylinder.upright(found.z[found.train]), figure9.SEEN)


def test_figure_10_shows_the_20_first_layer_weights_on_one_scale(found, results):
    images = [image for axes in results["figure10"].drawing.axes for image in axes.images]
    view, *images = [image for image in images if image.get_array().shape == (96, 96)]
    assert any((view.get_array() == one).all() for one in VIEWS.images[found.train])
    ((low, high),) = {image.get_clim() for image in images}
    assert low == -high  # no weight is grey
    for image, weights in zip(images, found.params["hidden"]["weight"], strict=True):
        assert (image.get_array().data.ravel() == weights).all()


def test_adjoining_weights_of_noise_do_not_correlate_and_those_of_a_slope_do():
    noise = np.random.default_rng(0).standard_normal((60, 60))
    row, column = np.indices((60, 60))
    half = column < 30
    assert abs(figure10.adjoining(noise, row >= 0)) < 0.05
    assert figure10.adjoining(row + column, row >= 0) > 0.99
    assert figure10.adjoining(np.where(half, row, noise), half) > 0.99


def test_a_map_is_projected_as_a_camera_would_see_it():
    for turn, tilt, expected in (
        (0, 0, [[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
        (0, 90, [[1, 0, 0], [0, 1, 0], [0, 0, -1]]),
        (90, 0, [[0, 0, -1], [1, 0, 0], [0, 1, 0]]),
    ):
        place, away = project(np.eye(3), Side("", turn, tilt))
        np.testing.assert_allclose(np.column_stack([place, away]), expected, atol=1e-12)


@each
def test_data_other_than_the_rendered_airplane_are_named_and_claim_nothing_of_the_map(train, name):
    other = replace(VIEWS, name="norb-airplane4", title="airplane 4 of small NORB")
    claims = MODULES[name].make(other, train).claims
    assert {claim.text for claim in claims} <= {"similar and dissimilar pairs together"}


@each
def test_made_twice_a_figure_is_the_same(results, train, name):
    assert content(MODULES[name].make(VIEWS, train)) == content(results[name])


# ---- the rows of LLE in the table of the airplane: scikit-learn's LLE on the same graph gives them too ----


@pytest.fixture(scope="module")
def given():
    """In coordinates instead of pixels, which changes no difference of two views and takes a fourth of the time."""
    found = figure8.setting(rendering.generate(), Train())
    return replace(found, inputs=in_their_span(found.inputs, found.train)[0])


def by_scikit_learn(given, regularisation):
    """Its weights and its eigenvectors; in between the graph, of which its own function takes only k of each sample."""
    from sklearn.manifold._locally_linear import barycenter_weights, null_space

    x, neighbours = given.inputs[given.train].astype(float), figure9.neighbour_lists(given.similar)
    left = np.eye(len(x))
    for i, near in enumerate(neighbours):
        left[i, near] -= barycenter_weights(x[[i]], x[near], np.arange(len(near))[None], regularisation)[0]
    z, _ = null_space(left.T @ left, 3, k_skip=1, eigen_solver="dense")
    return organisation(z, fit_views(z, given.views, given.train), given.views, given.train)


@pytest.mark.parametrize("regularisation", [figure9.NONE, *OTHERS])
def test_scikit_learn_gives_every_cell_to_three_decimals(given, regularisation):
    x = figure9.in_as_many_coordinates(given.inputs[given.train])
    _, ours = figure9.lle_map(given, x, regularisation, Train())
    theirs = by_scikit_learn(given, regularisation)
    for cell in {*theirs} - {"azimuth_error_degrees"}:
        assert theirs[cell] == pytest.approx(ours[cell], abs=1e-5)
        assert f"{theirs[cell]:.3f}" == f"{ours[cell]:.3f}"
    if 1e-3 <= regularisation <= 1e-2:  # a clean ring, neither the lighting nor a cylinder
        assert ours["elevation_r2"] <= 0.018 and ours["second_loop"] <= 0.028
        assert ours["share_of_lighting"] <= 0.006 and ours["same_lighting_neighbours"] > 1 / 4
