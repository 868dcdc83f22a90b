"""Figures 5, 6 and 7 at a small scale, read back from their axes and held against the data they were made from."""

from dataclasses import replace

import numpy as np
import pytest

from drlim_np.data.canvas import on_canvas
from drlim_np.data.handwriting import generate
from drlim_np.data.shifts import SHIFTS, shifted
from drlim_np.figures import digits, figure5, figure6, figure7, shifted_maps
from drlim_np.figures import shifted_digits as shared
from drlim_np.figures.record import Run, publish
from drlim_np.figures.shifted_digits import SHIFT_LOOKS, train_characters, unseen_digits
from drlim_np.figures.shifted_maps import trained
from drlim_np.measure import metrics

DIGITS = generate(3, train=(30, 30), test=(20, 20))
RUN = Run(seed=0, quick=True, threads=1, digits=lambda: DIGITS, views=None)
MODULES = {"figure5": figure5, "figure6": figure6, "figure7": figure7}


@pytest.fixture(scope="module", autouse=True)
def small():
    """Few digits and few steps: what is looked at here does not depend on their number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "QUICK_TRAIN", 24)
        patch.setattr(shared, "QUICK_TEST", 15)
        for module in (figure5, figure7):
            short = replace(module.STORY, training=replace(module.STORY.training, steps=3), quick_steps=4)
            patch.setattr(module, "STORY", short)
        yield patch


@pytest.fixture(scope="module")
def results(small):
    return {name: module.make(RUN) for name, module in MODULES.items()}


figures = pytest.mark.parametrize("name", MODULES)


def panels(result):
    return {axes.get_title(loc="left"): axes for axes in result.figure.axes if axes.get_title(loc="left")}


def points(axes):
    return np.concatenate([artist.get_offsets() for artist in axes.collections])


def ties(result):
    """The black lines in the first panel."""
    axes = next(iter(panels(result).values()))
    return [np.transpose(line.get_data()) for line in axes.get_lines() if line.get_color() == "black"]


def test_training_characters_are_the_same_for_figures_5_and_7_and_are_balanced():
    characters = train_characters(RUN)
    assert (characters == train_characters(RUN)).all()
    of_train = {
        image.tobytes(): label for image, label in zip(on_canvas(DIGITS.train.images), DIGITS.train.labels, strict=True)
    }
    labels = [of_train[image.tobytes()] for image in characters]
    assert (labels.count(4), labels.count(9)) == (24, 24)


def test_every_unseen_digit_comes_with_all_its_shifts():
    unseen = unseen_digits(RUN)
    images = on_canvas(DIGITS.test.images[unseen.rows])
    for copy, (image, shift) in enumerate(zip(images, unseen.shift, strict=True)):
        assert (unseen.inputs[copy] == shifted(image[None], [shift])[0]).all()
    assert (unseen.label == DIGITS.test.labels[unseen.rows]).all()
    assert (unseen.slant == metrics.slant(DIGITS.test.images[unseen.rows])).all()
    for character in np.unique(unseen.character):
        of = unseen.character == character
        assert sorted(unseen.shift[of]) == sorted(SHIFTS)
        assert len(set(unseen.rows[of])) == 1


@figures
def test_what_is_saved_colours_the_plot(results, name):
    arrays = results[name].arrays
    assert (arrays["label"] == DIGITS.test.labels[arrays["index"]]).all()
    assert (arrays["slant"] == metrics.slant(DIGITS.test.images[arrays["index"]])).all()
    assert arrays["embedding"].shape == (150, 2)
    for axes in panels(results[name]).values():
        drawn, saved = points(axes), arrays["embedding"]
        assert sorted(map(tuple, np.float32(drawn).tolist())) == sorted(map(tuple, np.float32(saved).tolist()))


@figures
def test_each_shift_has_its_colour_and_its_marker(results, name):
    axes = next(iter(panels(results[name]).values()))
    arrays = results[name].arrays
    assert (
        len({marker for _, marker in SHIFT_LOOKS.values()}) == len({colour for colour, _ in SHIFT_LOOKS.values()}) == 5
    )
    for artist, shift in zip(axes.collections, SHIFT_LOOKS, strict=True):
        np.testing.assert_allclose(artist.get_offsets(), arrays["embedding"][arrays["shift"] == shift], rtol=1e-6)
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["-6", "-3", "0", "+3", "+6"]


@figures
def test_the_numbers_of_the_record_are_those_of_the_map(results, name):
    result = results[name]
    z, measured = result.arrays["embedding"], result.measured["lle" if name == "figure6" else "drlim"]
    character = np.repeat(np.arange(30), 5)
    assert measured["shift_ratio"] == metrics.shift_ratio(z, character)
    assert measured["same_shift_neighbours"] == metrics.same_label_neighbours(z, result.arrays["shift"])
    assert measured["silhouette_by_shift"] == metrics.silhouette(z, result.arrays["shift"])
    if name != "figure6":
        assert measured["slant_r2"] == metrics.regression_r2(z, result.arrays["slant"])
    assert f"shift ratio {measured['shift_ratio']:.3f}" in result.figure.get_supxlabel()


def test_of_a_map_in_spots_no_number_is_recorded_that_looks_inside_them(results):
    result = results["figure6"]
    z, shift, found = result.arrays["embedding"], result.arrays["shift"], result.measured
    assert found["closed_groups"] > 2
    within = max(np.median(np.abs(z[shift == s] - np.median(z[shift == s], axis=0))) for s in np.unique(shift))
    assert within < 1e-9 * np.ptp(z)
    assert set(found["lle"]) == {"shift_ratio", "same_shift_neighbours", "silhouette_by_shift"}
    assert "slant" not in result.figure.get_supxlabel()


def test_similar_pairs_are_counted_and_with_the_others_are_all_pairs(results):
    for name, listed in (("figure5", 240 * 5), ("figure7", 240 * 29)):
        measured, claims = results[name].measured, {claim.text: claim for claim in results[name].claims}
        assert measured["similar_pairs_listed"] == listed
        assert measured["similar_pairs_distinct"] + measured["dissimilar_pairs"] == 240 * 239 // 2
        assert claims["similar pairs listed"].holds and claims["pairs together"].holds
        assert set(measured["ink_lost"]) == {"-6", "-3", "0", "3", "6"}


def test_lines_in_figure_7_tie_the_five_copies_of_a_character(results):
    result = results["figure7"]
    z = result.arrays["embedding"].reshape(30, 5, 2)
    tied = ties(result)
    assert len(tied) == figure7.STORY.joined
    owners = [np.flatnonzero((np.abs(z - path).max(axis=(1, 2))) == 0).tolist() for path in tied]
    assert all(len(owner) == 1 for owner in owners)
    assert len({owner[0] for owner in owners}) == figure7.STORY.joined
    assert not [
        line for line in next(iter(panels(results["figure5"]).values())).get_lines() if line.get_color() == "black"
    ]


@figures
def test_the_data_are_named_and_other_data_get_no_claims_on_quality(results, name):
    assert DIGITS.title in next(iter(panels(results[name])))
    other = replace(DIGITS, name="idx-1a2b3c4d", title="IDX data 1a2b3c4d")
    claims = MODULES[name].make(replace(RUN, digits=lambda: other)).claims
    assert {claim.text for claim in claims} <= {"similar pairs listed", "pairs together"}


@figures
def test_made_twice_a_figure_has_the_same_bytes(results, name, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        trained.cache_clear()
        publish(name, MODULES[name].make(RUN), RUN, 1.0, tmp_path / folder)
    one, other = ({path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} for folder in ("one", "two"))
    assert one == other
    assert len(one) == (4 if name == "figure6" else 5)


def test_the_exact_weighting_gives_another_map_of_which_nothing_is_claimed():
    for module in (figure5, figure7):
        balanced, exact = module.make(RUN), module.make_exact(RUN)
        assert exact.measured["drlim"].keys() == balanced.measured["drlim"].keys()
        assert exact.measured["drlim"] != balanced.measured["drlim"]
        assert exact.settings == balanced.settings | {"weighting": "exact"}
        assert exact.claims == balanced.claims[:2]


@pytest.mark.parametrize("module", [figure5, figure7])
def test_nothing_is_trained_twice_in_a_run(module, monkeypatch):
    once = module.make(RUN)
    monkeypatch.setattr(shifted_maps, "learn", lambda *_: pytest.fail("trained again"))
    np.testing.assert_array_equal(module.make(RUN).arrays["embedding"], once.arrays["embedding"])


def test_figures_5_and_7_differ_in_their_graph_alone(results):
    five, seven = (results[name] for name in ("figure5", "figure7"))
    assert five.settings == seven.settings
    assert five.measured["similar_pairs_listed"] != seven.measured["similar_pairs_listed"]


@pytest.mark.parametrize("module", [figure5, figure7])
def test_the_graph_is_among_the_very_inputs_that_are_trained_on(module, monkeypatch):
    given = {}

    def remember(x, similar, *others):
        given.update(x=x, similar=similar)
        return digits.learn(x, similar, *others)

    monkeypatch.setattr(shifted_maps, "learn", remember)
    trained.cache_clear()
    module.make(RUN)
    x, similar = given["x"], given["similar"]
    np.testing.assert_array_equal(x, shifted(train_characters(RUN)))
    pixels = x.reshape(len(x), -1).astype(float)
    for sample in range(0, len(x), 7):
        listed = set(similar.pairs[similar.pairs[:, 0] == sample, 1].tolist())
        if module is figure5:
            apart = np.linalg.norm(pixels - pixels[sample], axis=1)
            assert max(apart[list(listed)]) <= np.sort(apart)[5] + 1e-6
        else:
            of_one = range(sample - sample % len(SHIFTS), sample - sample % len(SHIFTS) + len(SHIFTS))
            assert {*of_one} - {sample} <= listed | set(similar.pairs[similar.pairs[:, 1] == sample, 0].tolist())
