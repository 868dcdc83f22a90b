"""Light files: what is drawn stays in sight, what is text stays text, and numbers keep float32's precision."""

import io
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from drlim_np.checks.numbers import native
from drlim_np.drawing.light import CLOUD, clouds_as_pictures, packed, with_palette, with_palettes
from tests.help.comparing import bits

ROOT = Path(__file__).resolve().parents[2]
LARGEST, TOGETHER = 600_000, 8_000_000  # bytes


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def drawing(points, kind):
    """A cloud, a line and a word, as a PNG or an SVG."""
    axes = (figure := Figure(figsize=(4, 4))).add_subplot()
    axes.scatter(*np.random.default_rng(0).normal(size=(2, points)), s=9, alpha=0.6, c=np.arange(points))
    axes.plot([-2, 2], [-2, 2])
    axes.set_title("a word")
    clouds_as_pictures(figure)
    figure.savefig(buffer := io.BytesIO(), format=kind, dpi=100)
    return buffer.getvalue()


def test_a_palette_shows_no_difference_and_saves_room():
    heavy = drawing(3000, "png")
    reduced = with_palette(heavy)
    before, after = (pixels(content)[..., :3].astype(float) for content in (heavy, reduced))
    white = before.min(axis=2) == 255
    assert (after[white] == 255).all()
    near = [sum(np.roll(seen, step, (0, 1)) for step in product((-1, 0, 1), repeat=2)) / 9 for seen in (before, after)]
    assert np.abs(near[0] - near[1]).max() < 24, "to the eye, which sees a few pixels at once"
    assert np.abs(near[0] - near[1])[~white].mean() < 4
    assert len(reduced) < 0.6 * len(heavy)


def test_few_colours_stay_as_they_are_and_a_picture_of_which_a_palette_would_show_too():
    colours = np.random.default_rng(0).integers(0, 256, (40, 3), dtype=np.uint8)
    given = png(colours[np.random.default_rng(1).integers(0, 40, (50, 60))])
    np.testing.assert_array_equal(pixels(with_palette(given)), pixels(given))
    noise = png(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    assert with_palette(noise) == noise


def test_what_is_transparent_stays_so():
    given = np.zeros((200, 300, 4), np.uint8)
    given[50:150, 50:250, :3] = np.random.default_rng(0).choice([0, 90, 200], (100, 200, 3))
    given[50:100, 50:250, 3], given[100:150, 50:250, 3] = 255, 51
    reduced = with_palette(png(given))
    assert len(reduced) < len(png(given))
    after = pixels(reduced)
    np.testing.assert_array_equal(after[..., 3], np.where(given[..., 3] > 0, 255, 0))
    np.testing.assert_array_equal(after[50:100, 50:250], given[50:100, 50:250])
    on_white = 255 - (255 - given[100:150, 50:250, :3].astype(int)) * 51 / 255
    np.testing.assert_allclose(after[100:150, 50:250, :3], on_white, atol=1)


def test_a_cloud_becomes_one_picture_and_text_and_lines_stay_and_few_points_stay_drawn():
    svg = drawing(CLOUD, "svg")
    assert svg.count(b"<image") == 1
    assert svg.count(b"<use") < CLOUD
    assert b"<!-- a word -->" in svg
    assert re.search(rb'id="line2d_\d+"', svg)
    svg = drawing(CLOUD - 1, "svg")
    assert b"<image" not in svg
    assert svg.count(b"<use") >= CLOUD - 1


def test_points_of_one_panel_count_together():
    figure = Figure()
    many, few = figure.subplots(1, 2)
    for axes, points in ((many, CLOUD // 2), (few, CLOUD // 4)):
        for _ in range(2):
            axes.scatter(np.zeros(points), np.zeros(points))
    clouds_as_pictures(figure)
    assert [cloud.get_rasterized() for cloud in many.collections] == [True, True]
    assert not any(cloud.get_rasterized() for cloud in few.collections)


def test_pictures_in_a_drawing_get_palettes_and_nothing_else_changes():
    svg = drawing(3000, "svg")
    reduced = with_palettes(svg)
    assert reduced == with_palettes(svg)
    assert len(reduced) < 0.6 * len(svg)
    picture = rb"base64,[^\"]+"
    assert re.sub(picture, b"", reduced) == re.sub(picture, b"", svg)


def test_numbers_are_kept_in_float32_and_counts_as_they_are():
    given = {"z": np.linspace(0, 1, 9), "index": np.arange(9), "label": np.ones(9, np.uint8)}
    with np.load(io.BytesIO(packed(given))) as found:
        expected = given | {"z": given["z"].astype(np.float32)}
        assert bits({name: native(x) for name, x in found.items()}) == bits(expected)
    assert packed(given) == packed(given)
    assert len(packed({"index": np.arange(10_000) // 5})) < 10_000


def test_no_tracked_figure_is_over_600_kilobytes_and_together_they_stay_below_8_megabytes():
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    listed = subprocess.run(["git", "ls-files", "figures"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a checkout: nothing is tracked here")
    sizes = {name: (ROOT / name).stat().st_size for name in listed.stdout.split() if (ROOT / name).is_file()}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
    assert sum(sizes.values()) <= TOGETHER
