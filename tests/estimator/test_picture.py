"""The picture of a map: what is in it, and what it refuses."""

import io

import matplotlib.style
import numpy as np
import pandas
import pytest
from PIL import Image

from drlim_np.estimator import plot
from tests.help.refusals import refuses

Z = np.stack(np.meshgrid(np.arange(6.0), np.arange(5.0)), axis=-1).reshape(-1, 2)


def offsets(axes):
    return np.concatenate([cloud.get_offsets() for cloud in axes.collections])


def test_every_point_is_drawn_to_scale_and_in_sight():
    (axes,) = plot(Z).axes
    np.testing.assert_array_equal(offsets(axes), Z)
    assert axes.get_aspect() == 1
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert left < Z[:, 0].min() < Z[:, 0].max() < right and bottom < Z[:, 1].min() < Z[:, 1].max() < top


def test_images_are_next_to_their_points_in_the_whole_range_of_greys():
    images = np.random.default_rng(0).normal(size=(30, 4, 5))
    (axes,) = plot(Z, images).axes
    shown = [np.asarray(picture.get_array()) for picture in axes.get_images()]
    grey = 255 * (images - images.min()) / np.ptp(images)
    assert len(shown) >= 5
    assert all(any(np.allclose(one, image) for image in grey) for one in shown)


def pixels(figure):
    figure.savefig(content := io.BytesIO(), format="png")
    return np.asarray(Image.open(content)), content.getvalue()


def test_a_map_that_is_one_point_is_drawn_and_saved_with_images_of_one_grey():
    figure = plot(np.zeros((4, 2)), np.zeros((4, 3, 3)))
    assert offsets(figure.axes[0]).shape == (4, 2)
    assert pixels(figure)[0].shape == (600, 600, 4)


@pytest.mark.parametrize("gap", [None, np.nan, pandas.NA])
@pytest.mark.parametrize("names", [["_bg", "", "a$b"], [1.5, 2.5, 3.5], list(range(29))], ids=["texts", "few", "many"])
def test_points_without_a_label_are_drawn_grey_and_every_name_is_in_the_legend(names, gap):
    labels = [gap, *(names[number % len(names)] for number in range(29))]
    axes = plot(Z, labels=labels).axes[0]
    grey = axes.collections[0]
    assert grey.get_offsets().tolist() == Z[:1].tolist() and set(grey.get_facecolor()[0, :3]) == {0.8}
    assert sorted(offsets(axes).tolist()) == sorted(Z.tolist())
    assert len(names) <= 10 or axes.collections[1].get_array().tolist() == names
    shown = [] if len(names) > 10 else [str(name) or '""' for name in sorted(names)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["no label", *shown]
    assert not any(text.get_parse_math() for text in axes.get_legend().get_texts())


@pytest.mark.parametrize("labels", [None, list("abc") * 10, list(range(30))])
def test_a_style_that_is_set_changes_no_colour(labels):
    plain, _ = pixels(plot(Z, labels=labels))
    with matplotlib.style.context(["dark_background", {"savefig.facecolor": "red", "image.cmap": "gray"}]):
        np.testing.assert_array_equal(pixels(plot(Z, labels=labels))[0], plain)


def test_it_shows_itself_in_a_notebook():
    figure = plot(Z)
    assert figure._repr_png_() == pixels(figure)[1]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ((np.zeros((4, 3)),), "z has shape (4, 3): it must be (samples, 2)"),
        ((Z, np.zeros((29, 2, 2))), "the numbers of samples differ (z 30, images 29)"),
        ((Z, np.zeros((30, 4))), "images has shape (30, 4): it must be (samples, height, width)"),
        ((np.zeros((0, 2)),), "z has no samples: there is nothing to draw"),
        ((1e305 * Z,), "z is too large to be drawn"),
        ((Z, np.zeros((30, 0, 4))), "images has shape (30, 0, 4): it has no pixels"),
        ((Z, None, [f"class {n}" for n in range(30)]), "labels has 30 different names: ten have a colour, so group"),
        ((Z, None, np.zeros(3)), "the numbers of samples differ (z 30, labels 3)"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_one_line(given, line):
    refuses(lambda: plot(*given), line)
