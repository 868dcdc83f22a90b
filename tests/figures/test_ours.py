"""The figures that the paper does not print: collapse, the sheet of generated handwriting, the two towers."""

import numpy as np
import pytest

from drlim_np.data.handwriting import generate
from drlim_np.figures import Train, sheets, towers
from drlim_np.figures.collapse import attraction_alone, spread
from drlim_np.graph import SimilarityGraph
from drlim_np.measure import metrics
from drlim_np.networks import two_layer
from drlim_np.objective import EveryPair
from drlim_np.training import embed
from tests.help.drawings import failing, texts

ACROSS = sheets.DIGITS_ACROSS


def test_the_spread_is_the_root_of_the_mean_square_distance_from_the_mean():
    z = np.array([[1.0, 0.0, 5.0], [-1.0, 0.0, 5.0], [0.0, 2.0, 5.0], [0.0, -2.0, 5.0]])
    assert spread(z) == pytest.approx(np.sqrt((1 + 1 + 4 + 4) / 4))
    assert spread(z + 7) == pytest.approx(spread(z))


def test_attraction_alone_is_the_balanced_objective_less_its_dissimilar_half(rng):
    network, x = two_layer(5, 8, 3), rng.standard_normal((12, 5)).astype(np.float32)
    ring = SimilarityGraph(12, np.array([(i, (i + 1) % 12) for i in range(12)]))
    both = EveryPair(network, x, ring, 1.0, "balanced")
    params = network.init(np.random.default_rng(1))
    z = embed(network, params, x).astype(float)
    d = np.linalg.norm(z[:, None] - z, axis=2)
    near = [d[i, j] for i, j in ring.pairs]
    far = [d[i, j] for i in range(12) for j in range(i) if j + 1 != i and (j, i) != (0, 11)]
    alone, whole = (objective(params, None, 1.0)[0] for objective in (attraction_alone(both), both))
    assert alone == pytest.approx(np.mean(np.square(near)) / 4, rel=1e-5)
    assert whole - alone == pytest.approx(np.mean(np.square(np.maximum(0, 1 - np.array(far)))) / 4, rel=1e-4)


@pytest.fixture(scope="module")
def written():
    """The sheet of less handwriting, and the half of it that is trained on."""
    digits = generate(0, train=(150, 150), test=(1, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheets.handwriting, "generate", lambda **_: digits)
        return sheets.make(None, Train()), digits.train


def test_the_sheet_shows_4s_and_9s_of_the_training_set_upright_keeps_its_claims_and_names_its_data(written):
    result, train = written
    for axes, digit in zip(result.drawing.axes, (4, 9), strict=False):
        (shown,) = axes.get_images()
        tiles = shown.get_array().reshape(sheets.WRITTEN, 28, ACROSS, 28).swapaxes(1, 2).reshape(-1, 28, 28)
        of_digit = {image.tobytes() for image in train.images[train.labels == digit]}
        assert len({tile.tobytes() for tile in tiles} & of_digit) == sheets.WRITTEN * ACROSS
        assert axes.get_ylabel().startswith(str(digit))
    assert not failing(result.claims)
    assert result.data.name == "handwriting"


def test_each_row_of_the_sheet_varies_what_it_says(written):
    result, _ = written
    rows = {axes.get_ylabel().split()[0]: axes.get_images()[0].get_array() for axes in result.drawing.axes[2:]}
    assert list(rows) == ["slant", "width", "openness", "roundness"]
    slants = metrics.slant(rows["slant"].reshape(28, ACROSS, 28).swapaxes(0, 1))
    assert (np.diff(slants) > 0).all()
    assert slants[0] < -0.2 and slants[-1] > 0.5


@pytest.fixture(scope="module")
def pair():
    return towers.make(None, Train())


def test_the_claims_of_the_towers_fail_with_the_gradient_of_one_tower_or_ends_that_feel_one_force(pair, monkeypatch):
    assert len(pair.claims) == 2 and not failing(pair.claims)
    whole = towers.two_towers

    def halved(*arguments, **more):
        loss, gradient = whole(*arguments, **more)
        return loss, towers.tree_map(lambda g: 0.5 * g, gradient)

    monkeypatch.setattr(towers, "two_towers", halved)
    assert towers.off_the_complex_step() > 0.1
    monkeypatch.setattr(towers, "contrastive", lambda z1, *_, **__: (0.0, z1, z1))
    assert towers.imbalance() > 0.1


def test_the_towers_show_all_that_a_pair_passes_in_letters_of_13_pixels_where_the_figure_is_480_wide(pair):
    (axes,) = pair.drawing.axes
    said = " ".join(texts(axes))
    for part in ("x_1", "x_2", "G_W", "z_1", "z_2", "$D$", "$L$", "same $W$", "+", "partial L/\\partial W"):
        assert part in said
    points = min(text.get_fontsize() for text in axes.texts if text.get_text())
    assert points / 72 * 480 / pair.drawing.get_figwidth() >= 13
