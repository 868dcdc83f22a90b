"""Generated handwriting: its form, that it is the same again, and that its known style is the ink's."""

import json
from pathlib import Path

import numpy as np
import pytest

from drlim_np.data.handwriting import BOX, catmull_rom, draw, generate, place, strokes
from drlim_np.measure.metrics import slant
from tests.help.refusals import refuses

TRUTH = {"roundness", "openness", "hook", "bowl", "bar", "width", "slant", "tilt", "thickness"}


@pytest.fixture(scope="module")
def digits():
    return generate(seed=3, train=(400, 300), test=(40, 60))


def test_the_images_are_byte_for_byte_those_of_the_shipped_figures_and_another_seed_gives_others(digits):
    record = Path(__file__).parents[2] / "figures" / "metrics.json"
    shipped = json.loads(record.read_text("utf-8"))["figure4-handwriting"]["data"]
    found = generate()
    assert (found.name, found.title, found.sha256) == (shipped["name"], shipped["title"], shipped["sha256"])
    assert np.bincount(found.train.labels)[[4, 9]].tolist() == [3000, 3000]
    assert np.bincount(found.test.labels)[[4, 9]].tolist() == [982, 1009]
    for half in (found.train, found.test):
        assert half.images.shape == (*half.labels.shape, 28, 28) and half.labels.dtype == np.uint8
        assert set(half.truth) == TRUTH
        assert all(v.shape == half.labels.shape and v.dtype == np.float64 for v in half.truth.values())
    assert np.sum(np.diff(found.train.labels.astype(int)) != 0) > 2800  # 3000 expected of a shuffle; sorted: one
    assert found.sha256 != digits.sha256


def test_neither_split_depends_on_the_counts_of_the_other_and_they_are_different_images(digits):
    assert np.array_equal(generate(seed=3, train=(7, 9), test=(40, 60)).test.images, digits.test.images)
    assert np.array_equal(generate(seed=3, train=(400, 300), test=(1, 1)).train.images, digits.train.images)
    seen = {image.tobytes() for image in digits.train.images}
    assert len(seen) == 700 and not seen & {image.tobytes() for image in digits.test.images}
    blank = np.zeros((2, 28, 28), np.uint8)  # images that were drawn before
    assert generate(train=(1, 1), test=(1, 1), draw=lambda curves: blank).train.images is blank


def test_the_moment_slant_recovers_the_known_slant(digits):
    measured = slant(digits.train.images)
    for label in (4, 9):
        mask = digits.train.labels == label
        assert np.corrcoef(measured[mask], digits.train.truth["slant"][mask])[0, 1] > 0.9


def test_a_style_that_is_not_told_is_the_usual_one_upright():
    told = strokes(0.3, 0.5, hook=0.0, bowl=1.0, bar=1.0, width=1.0, slant=0.0, tilt=0.0, jitter=0.0)
    assert all(map(np.array_equal, strokes(0.3, 0.5), told))


def test_the_curve_passes_through_its_control_points_and_reproduces_a_parabola():
    control = np.random.default_rng(0).normal(size=(2, 6, 3))
    curve = catmull_rom(control)
    every = (curve.shape[1] - 1) // 5
    np.testing.assert_allclose(curve[:, ::every], control, atol=1e-12)
    # Away from the ends the tangents are central differences, which are exact for a parabola.
    t = np.arange(6.0)
    x, y = np.moveaxis(catmull_rom(np.stack([t, t**2], axis=1)[None])[0, every:-every], 1, 0)
    np.testing.assert_allclose(y, x**2, atol=1e-12)


def test_no_ink_touches_the_border(digits):
    curves = strokes(roundness=1.0, openness=0.0, hook=1.0, bowl=0.6, slant=np.linspace(-1.5, 1.5, 31))
    extreme = draw(place(curves, np.full(31, 1.2)))
    for images in (digits.train.images, extreme):
        assert not images[:, [0, -1]].any() and not images[:, :, [0, -1]].any()
        assert (images.max(axis=(1, 2)) > 150).all()


def test_the_ink_fills_the_box_of_mnist_with_its_centre_of_mass_in_the_middle(digits):
    images = digits.train.images
    ink = images > 50
    longest = np.maximum(ink.any(axis=1).sum(axis=1), ink.any(axis=2).sum(axis=1))
    assert abs(np.median(longest) - BOX) <= 1 and longest.max() <= BOX + 2
    share = images / images.sum(axis=(1, 2), keepdims=True)
    centre = np.stack([share.sum(axis=2) @ np.arange(28), share.sum(axis=1) @ np.arange(28)], axis=1)
    assert np.median(np.abs(centre - 13.5)) < 0.6


def test_ink_fades_with_the_distance_to_the_edge_of_the_stroke_and_a_pen_that_does_not_move_leaves_a_dot():
    column = draw([np.array([[[8.0, 14.5, 2.0], [20.0, 14.5, 2.0]]])])[0, :, 14]
    # Pixel centres are at whole distances from the bar's axis; ink is 1/2 at its edge, 2 away.
    assert column[14] == 255 and column[12] == column[16] == 128 and column[11] == column[17] == 0
    dot = draw([np.full((1, 3, 3), [14.0, 14.0, 2.0])])[0]
    assert abs(dot.sum() / 255 - np.pi * 2**2) < 0.5


@pytest.mark.parametrize("seed", [-1, 0.5, "0", None])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    refuses(lambda: generate(seed, (1, 1), (1, 1)), f"seed is {seed!r}: it must be a whole number of at least 0")


@pytest.mark.parametrize("counts", [(0, 1), (1, -1), (1.5, 1), (1,), (1, 1, 1), 3, "44", None])
@pytest.mark.parametrize("half", ["train", "test"])
def test_counts_that_are_no_two_whole_numbers_are_refused(half, counts):
    for message in (f"{half} is ", " whole number"):
        refuses(lambda: generate(**{"train": (1, 1), "test": (1, 1), half: counts}), message)
