"""The W beside a figure is the one that drew it, and maps a digit of one's own in five lines."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from drlim_np.checks.numbers import native
from drlim_np.data import SHIFTS, on_canvas, wide
from drlim_np.data.handwriting import generate
from drlim_np.figures import Result, Train, figure4, figure5, figure7
from drlim_np.figures.figure8 import on_footprint
from drlim_np.files import weights
from drlim_np.networks import convnet, two_layer
from drlim_np.runs.record import drawn, write
from drlim_np.training import embed
from drlim_np.tree import leaves, tree_map
from tests.help.comparing import bits

DIGITS = generate(3, train=(30, 30), test=(20, 20))
MNIST = replace(DIGITS, name="mnist")
TRAIN = Train(quick=True, threads=2)
README = Path(__file__).parents[2] / "README.md"
PUBLISHED = {"figure4": figure4, "figure5": figure5, "figure7": figure7}


@pytest.fixture(scope="module")
def made(few_digits, tmp_path_factory):
    """A folder with figures/ in it, made from few digits in few steps, and the network as the figures call it."""
    folder = tmp_path_factory.mktemp("shipped")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure4, "QUICK", (24, 15, 4))
        for name, module in PUBLISHED.items():
            write(folder / "figures", drawn(name, module.make(MNIST, TRAIN), TRAIN, 1.0))
        assert figure4.make_exact(MNIST, TRAIN).weights is None
        return folder, figure5.trained(figure7.STORY, MNIST, TRAIN).network


def beside(folder, name):
    """W and the arrays of a figure, as a reader has them."""
    stem = folder / "figures" / f"{name}-mnist-quick"
    with np.load(f"{stem}.npz") as arrays:
        return weights.load(f"{stem}-weights.npz"), dict(arrays)


def shapes(tree):
    """All names in order, those of layers without parameters too, and shapes."""
    return [*tree], [(name, leaf.shape) for name, leaf in leaves(tree)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_weights_beside_a_figure_are_the_plain_tree_and_give_its_embedding_to_the_last_bit(made, name):
    folder, in_blocks = made
    params, arrays = beside(folder, name)
    images = on_canvas(DIGITS.test.images[arrays["index"]])
    if "shift" in arrays:  # the copies of a character one after another, windows of one picture
        images = wide(images[:: len(SHIFTS)])
        assert arrays["shift"].tolist() == [*SHIFTS] * len(images)
    np.testing.assert_array_equal(embed(in_blocks, params, images), native(arrays["embedding"]), strict=True)
    all_at_once = embed(convnet(), params, images)  # sums in another order
    rounding = 1e-6 * np.ptp(arrays["embedding"])  # float32, in parts of the map's size
    np.testing.assert_allclose(all_at_once, arrays["embedding"], rtol=0, atol=rounding)
    assert shapes(params) == shapes(convnet().init(np.random.default_rng(0)))
    assert {leaf.dtype for _, leaf in leaves(params)} == {np.dtype(np.float32)}
    assert sum(leaf.size for _, leaf in leaves(params)) == 37_127


@pytest.mark.parametrize("side", [28, 32])
def test_five_lines_place_a_digit_of_ones_own_on_the_map(made, side, monkeypatch):
    folder, _ = made
    lines = README.read_text(encoding="utf-8").partition("import embed\n\n")[2].partition("```")[0].splitlines()
    assert len(lines) == 5
    monkeypatch.chdir(folder)
    Image.fromarray(np.pad(DIGITS.test.images[7], (side - 28) // 2)).save("digit.png")
    names = {"np": np, "Image": Image, "weights": weights, "embed": embed, "convnet": convnet, "on_canvas": on_canvas}
    exec("\n".join(lines).replace("-mnist", "-mnist-quick"), names)
    params, arrays = beside(folder, "figure7")
    place = embed(convnet(), params, on_canvas(DIGITS.test.images[7:8]))
    np.testing.assert_array_equal(names["z"], place)
    assert place.shape == (1, 2) and place.dtype == np.float32
    apart = [np.hypot(*(point - place[0])) for point in arrays["embedding"]]
    assert names["near"].tolist() == [arrays["label"][k] for k in sorted(range(len(apart)), key=apart.__getitem__)[:5]]
    assert 7 in arrays["index"] and min(apart) < 1e-6, "what was shown before lies where it lay"


def shipped(params, folder):
    write(folder, drawn("figure8", Result(Figure(figsize=(1, 1)), [], weights=params), TRAIN, 1.0))
    return weights.load(folder / "figure8-quick-weights.npz")


def test_on_the_footprint_every_view_keeps_its_place_and_its_weights_fit_and_are_loaded_as_the_plain_tree(tmp_path):
    """Of views that differ from the background, 0, on half of their pixels, by a G_W on all of these."""
    rng, network = np.random.default_rng(0), two_layer()
    y, x = np.indices((96, 96)) - 47.5
    inputs = rng.normal(size=(40, 96 * 96)).astype(np.float32) * (np.hypot(y, x) < 38).ravel()
    inputs *= rng.random(inputs.shape) < 0.5  # each view is background where others are not
    params = network.init(rng)
    kept, small = on_footprint(params, inputs)
    place, alone = network(params, inputs)[0], two_layer(len(kept))(small, inputs[:, kept])[0]
    np.testing.assert_allclose(alone, place, rtol=0, atol=1e-6 * np.ptp(place))  # but for rounding
    assert kept.tolist() == [pixel for pixel in range(96 * 96) if inputs[:, pixel].any()]
    loaded = shipped(small, tmp_path)
    assert (tmp_path / "figure8-quick-weights.npz").stat().st_size <= 400_000
    assert bits(loaded) == bits(small)
    assert shapes(loaded) == shapes(two_layer(len(kept)).init(np.random.default_rng(0)))


def test_weights_in_float64_ship_in_float32(tmp_path):
    params = two_layer(12, 3).init(np.random.default_rng(0), np.float64)
    assert bits(shipped(params, tmp_path)) == bits(tree_map(np.float32, params))
