"""The drawing of the two towers: what it says holds, and where it is small it can still be read."""

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from drlim_np.drawing.light import DPI
from drlim_np.figures import Train, towers
from tests.help.drawings import failing

READABLE = 13  # pixels of an em, where the drawing is 480 wide


@pytest.fixture(scope="module")
def result():
    return towers.make(None, Train())


def test_both_claims_hold_and_fail_with_the_gradient_of_one_tower_alone_or_ends_that_feel_one_force(
    result, monkeypatch
):
    assert len(result.claims) == 2 and not failing(result.claims)
    whole = towers.two_towers

    def halved(*arguments, **more):
        loss, gradient = whole(*arguments, **more)
        return loss, towers.tree_map(lambda g: 0.5 * g, gradient)

    monkeypatch.setattr(towers, "two_towers", halved)
    assert towers.off_the_complex_step() > 0.1
    monkeypatch.setattr(towers, "contrastive", lambda z1, *_, **__: (0.0, z1, z1))
    assert towers.imbalance() > 0.1


def test_it_shows_all_that_a_pair_passes_and_no_word_leaves_it(result):
    figure: Figure = result.drawing
    words = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    said = " ".join(text.get_text() for text in words)
    for part in ("x_1", "x_2", "G_W", "z_1", "z_2", "$D$", "$L$", "same $W$", "+", "partial L/\\partial W"):
        assert part in said
    figure.dpi = DPI["png"]
    figure.canvas.draw()
    wide, high = figure.get_size_inches() * figure.dpi
    for text in words:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= wide and 0 <= box.y0 < box.y1 <= high
        assert text.get_fontsize() / 72 * figure.dpi * 480 / wide >= READABLE
