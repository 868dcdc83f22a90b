"""Figures 5, 6 and 7 at a small scale, read back from their axes and held against the data they were made from."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.patches import Ellipse

from drlim_np.data import SHIFTS, on_canvas, shifted, wide
from drlim_np.data.handwriting import generate
from drlim_np.figures import Train, digits, figure5, figure6, figure7
from drlim_np.figures.figure5 import SHIFT_LOOKS, train_characters, trained, unseen_digits
from drlim_np.files.cache import Cache
from drlim_np.measure import metrics
from tests.help.drawings import clouds, content, texts

DIGITS = generate(3, train=(30, 30), test=(20, 20))
QUICK = Train(quick=True)
MODULES = {"figure5": figure5, "figure6": figure6, "figure7": figure7}
pytestmark = pytest.mark.usefixtures("few_digits")
figures = pytest.mark.parametrize("name", MODULES)
stories = pytest.mark.parametrize("module", [figure5, figure7])


@pytest.fixture(scope="module")
def results(few_digits):
    return {name: module.make(DIGITS, QUICK) for name, module in MODULES.items()}


@pytest.fixture(scope="module")
def unseen(few_digits):
    return unseen_digits(DIGITS, QUICK)


class Seen:
    """A figure read back: its panels with a map, the large one first, and that map's thumbnails.

    z: the map as it is drawn, (samples, 2): that of the record, turned or mirrored.
    thumbnails: (image, middle, side) of each; ends: the point where a thumbnail's line ends, by its middle.
    """

    def __init__(self, result):
        self.arrays = result.arrays
        self.maps = [axes for axes in result.drawing.axes if len(clouds(axes)) > 1]
        self.axes = self.maps[0]
        self.z = np.empty(self.arrays["embedding"].shape)
        for cloud, digit in zip(clouds(self.axes), (4, 9), strict=True):
            self.z[self.arrays["label"] == digit] = cloud.get_offsets()
        self.thumbnails = []
        for image in self.axes.images:
            left, right, bottom, top = image.get_extent()
            middle = np.array([(left + right) / 2, (bottom + top) / 2])
            self.thumbnails.append((np.asarray(image.get_array()), middle, right - left))
        lines = [line.get_xydata() for line in self.axes.get_lines() if len(line.get_xdata()) == 2]
        self.ends = {tuple(np.round(middle, 9)): point for point, middle in lines}
        self.rings = [patch for patch in self.axes.patches if isinstance(patch, Ellipse)]

    def sample_at(self, point):
        sample = np.linalg.norm(self.z - point, axis=1).argmin()
        np.testing.assert_allclose(self.z[sample], point, atol=1e-9)
        return sample


@pytest.fixture(scope="module")
def seen(results):
    return {name: Seen(result) for name, result in results.items()}


def test_training_characters_of_figures_5_and_7_are_balanced():
    inputs = (image.tobytes() for image in on_canvas(DIGITS.train.images))
    of_train = dict(zip(inputs, DIGITS.train.labels, strict=True))
    labels = [of_train[image.tobytes()] for image in train_characters(DIGITS, QUICK)]
    assert (labels.count(4), labels.count(9)) == (24, 24)


def test_every_unseen_digit_comes_with_all_its_shifts(unseen):
    images = on_canvas(DIGITS.test.images[unseen.rows])
    for copy, (image, shift) in enumerate(zip(images, unseen.shift, strict=True)):
        assert (unseen.inputs[copy] == shifted(image[None], [shift])[0]).all()
    assert (unseen.label == DIGITS.test.labels[unseen.rows]).all()
    assert (unseen.slant == metrics.slant(DIGITS.test.images[unseen.rows])).all()
    for character in np.unique(unseen.character):
        of = unseen.character == character
        assert sorted(unseen.shift[of]) == sorted(SHIFTS) and len(set(unseen.rows[of])) == 1


@figures
def test_what_is_saved_colours_the_plot(seen, name):
    drawn, arrays = seen[name].z, seen[name].arrays
    assert (arrays["label"] == DIGITS.test.labels[arrays["index"]]).all()
    assert (arrays["slant"] == metrics.slant(DIGITS.test.images[arrays["index"]])).all()
    assert drawn.shape == (150, 2)
    saved = np.asarray(arrays["embedding"], float)
    apart = [np.linalg.norm(z[::7, None] - z[None], axis=2) for z in (saved, drawn)]
    np.testing.assert_allclose(*apart, rtol=1e-5, atol=1e-6 * np.ptp(saved))
    for axes in seen[name].maps:
        points = np.concatenate([cloud.get_offsets() for cloud in clouds(axes)])
        assert sorted(map(tuple, points.tolist())) == sorted(map(tuple, drawn.tolist()))


def test_figure_7_shows_each_shift_in_its_colour_and_its_marker(seen):
    _, by_shift, _ = seen["figure7"].maps
    assert [len(set(looks)) for looks in zip(*SHIFT_LOOKS.values(), strict=True)] == [5, 5]
    for artist, pixels in zip(by_shift.collections, SHIFT_LOOKS, strict=True):
        of = seen["figure7"].arrays["shift"] == pixels
        np.testing.assert_allclose(artist.get_offsets(), seen["figure7"].z[of], rtol=1e-6)
    assert [text.get_text() for text in by_shift.get_legend().get_texts()] == ["−6", "−3", "0", "+3", "+6"]


@figures
def test_the_numbers_of_the_record_are_those_of_the_map(results, name):
    z, shift = results[name].arrays["embedding"], results[name].arrays["shift"]
    measured = results[name].measured["lle" if name == "figure6" else "drlim"]
    assert measured["shift_ratio"] == metrics.shift_ratio(z, np.repeat(np.arange(30), 5))
    assert measured["same_shift_neighbours"] == metrics.same_label_neighbours(z, shift)
    assert measured["silhouette_by_shift"] == metrics.silhouette(z, shift)
    if name != "figure6":
        assert measured["slant_r2"] == metrics.regression_r2(z, results[name].arrays["slant"])
    assert f"shift ratio {measured['shift_ratio']:.3f}" in results[name].drawing.texts[1].get_text()


def test_of_a_map_in_spots_no_number_is_recorded_that_looks_inside_them(results):
    result = results["figure6"]
    z, shift, found = result.arrays["embedding"], result.arrays["shift"], result.measured
    assert found["closed_groups"] > 2
    within = max(np.median(np.abs(z[shift == s] - np.median(z[shift == s], axis=0))) for s in np.unique(shift))
    assert within < 1e-9 * np.ptp(z)
    assert set(found["lle"]) == {"shift_ratio", "same_shift_neighbours", "silhouette_by_shift"}
    assert "slant" not in result.drawing.texts[1].get_text()


@pytest.mark.parametrize(("name", "listed"), [("figure5", 240 * 5), ("figure7", 240 * 29)])
def test_similar_pairs_are_counted_and_with_the_others_are_all_pairs(results, name, listed):
    measured, claims = results[name].measured, results[name].claims
    assert measured["similar_pairs_listed"] == listed
    assert measured["similar_pairs_distinct"] + measured["dissimilar_pairs"] == 240 * 239 // 2
    assert [claim.text for claim in claims[:2] if claim.holds] == ["similar pairs listed", "pairs together"]
    assert set(measured["ink_lost"]) == {"-6", "-3", "0", "3", "6"}


@figures
def test_no_thumbnail_covers_another(seen, name):
    assert len(seen[name].thumbnails) > 8
    for (_, one, side), (_, other, _) in combinations(seen[name].thumbnails, 2):
        assert np.abs(one - other).max() > 0.999 * side


def test_in_figure_7_six_characters_are_joined_to_the_points_of_their_five_copies(seen, unseen):
    joined, seven = [], seen["figure7"]
    for image, middle, _ in seven.thumbnails:
        point = seven.ends.get(tuple(np.round(middle, 9)))
        if point is not None:
            joined.append(seven.sample_at(point))
            np.testing.assert_array_equal(image, np.rint(255 * unseen.inputs[joined[-1], 0]))
    whole = [c for c in set(unseen.character) if np.isin(np.flatnonzero(unseen.character == c), joined).all()]
    assert len(whole) >= figure7.CHARACTERS == 6


@pytest.mark.parametrize(("name", "strip"), [("figure6", 10), ("figure7", 12)])
def test_the_strips_show_samples_inside_the_rings(seen, unseen, name, strip):
    images, rings = np.rint(255 * unseen.inputs[:, 0]), seen[name].rings
    shown = [image for image, middle, _ in seen[name].thumbnails if tuple(np.round(middle, 9)) not in seen[name].ends]
    assert (len(rings), len(shown)) == (4, 4 * strip)
    for number, image in enumerate(shown):
        ring = rings[number // strip]
        inside = np.linalg.norm(seen[name].z - ring.center, axis=1) <= ring.width / 2 * (1 + 1e-9)
        assert any((image == one).all() for one in images[inside])


def test_in_figure_6_magnifiers_look_at_the_corner_both_sides_and_an_end_and_the_other_end_is_named(seen):
    six = seen["figure6"]
    medians = {pixels: np.median(six.z[six.arrays["shift"] == pixels], axis=0) for pixels in SHIFTS}
    for ring, pixels in zip(six.rings, (0, -3, 3, -6), strict=True):
        np.testing.assert_allclose(ring.center, medians[pixels], atol=1e-9)
    assert texts(six.axes) == ["not shifted", "−3", "+3", "−6", "+6"]


def test_in_figure_5_each_cluster_is_named_and_has_thumbnails_on_its_own_points(seen, unseen):
    assert texts(seen["figure5"].axes)[:5] == ["−6", "−3", "0", "+3", "+6"]
    for image, middle, _ in seen["figure5"].thumbnails:
        sample = seen["figure5"].sample_at(middle)
        np.testing.assert_array_equal(image, np.rint(255 * unseen.inputs[sample, 0]))


@figures
def test_the_data_are_named_and_other_data_get_no_claims_on_quality(results, name):
    assert DIGITS.title in results[name].drawing.texts[1].get_text()
    other = replace(DIGITS, name="idx-1a2b3c4d", title="IDX data 1a2b3c4d")
    claims = MODULES[name].make(other, QUICK).claims
    assert {claim.text for claim in claims} <= {"similar pairs listed", "pairs together"}


@figures
def test_a_figure_made_again_is_the_same_to_the_last_bit_and_finds_its_training(results, name, tmp_path, monkeypatch):
    kept = replace(QUICK, cache=Cache(tmp_path))
    assert content(MODULES[name].make(DIGITS, kept)) == content(results[name])
    monkeypatch.setattr(digits, "minimise", lambda *_: pytest.fail("trained again"))
    assert content(MODULES[name].make(DIGITS, kept)) == content(results[name])


@stories
def test_the_exact_weighting_gives_another_map_of_which_nothing_is_claimed(results, module):
    balanced, exact = results[module.__name__.split(".")[-1]], module.make_exact(DIGITS, QUICK)
    assert exact.measured["drlim"].keys() == balanced.measured["drlim"].keys()
    assert exact.measured["drlim"] != balanced.measured["drlim"]
    assert exact.settings == balanced.settings | {"weighting": "exact", "batch": 32}
    assert exact.claims == balanced.claims[:2]
    assert exact.weights is None and balanced.weights is not None


@stories
def test_figures_5_and_7_differ_in_their_graph_alone_which_is_among_the_very_inputs_trained_on(results, module):
    assert results["figure5"].settings == results["figure7"].settings
    found = trained(module.STORY, DIGITS, QUICK)
    characters, pairs = train_characters(DIGITS, QUICK), found.graph.pairs
    np.testing.assert_array_equal(found.x, wide(characters))
    pixels = shifted(characters).reshape(len(SHIFTS) * len(characters), -1).astype(float)
    for sample in range(0, len(pixels), 7):
        listed = set(pairs[pairs[:, 0] == sample, 1].tolist())
        if module is figure5:
            apart = np.linalg.norm(pixels - pixels[sample], axis=1)
            assert max(apart[list(listed)]) <= np.sort(apart)[5] + 1e-6
        else:
            first = sample - sample % len(SHIFTS)
            others = {*range(first, first + len(SHIFTS))} - {sample}
            assert others <= listed | set(pairs[pairs[:, 1] == sample, 0].tolist())
