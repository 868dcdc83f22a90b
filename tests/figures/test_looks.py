"""What holds of every figure: letters legible at 480 pixels, nothing clipped, and colours told apart."""

import re
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from drlim_np.data.handwriting import generate
from drlim_np.drawing.style import FIVE_SHIFTS, LOOKS, SIX_LIGHTS
from drlim_np.figures import Train, figure4, figure5, figure8, figure9
from drlim_np.files.cache import Cache
from drlim_np.runs.command import FIGURES
from tests.help.small_views import blobs

CAPITAL = 0.729  # of DejaVu Sans, in parts of its size
NAMES = [name for name in FIGURES if not name.startswith("sheet") and not name.endswith(("-exact", "-verbatim"))]
every = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def drawn(few_digits, tmp_path_factory):
    """Every figure at a small scale, laid out as it is saved, by name; what two figures show is trained once."""
    data = {"views": blobs(), "digits": generate(3, train=(60, 60), test=(150, 150)), None: None}
    quick = Train(quick=True, cache=Cache(tmp_path_factory.mktemp("trained")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure5, "QUICK_TEST", 40)
        patch.setattr(figure4, "QUICK", (40, 150, 4))
        patch.setattr(figure8, "QUICK_EPOCHS", 1)
        patch.setattr(figure9, "OTHERS", ())  # their numbers are recorded, not drawn
        figures = {name: FIGURES[name].make(data[FIGURES[name].needs], quick).drawing for name in NAMES}
    for figure in figures.values():
        FigureCanvasAgg(figure).draw()
    return figures


def letters(figure):
    """Every text that is seen."""
    found = [*figure.texts]
    for key in figure.legends:
        found += [key.get_title(), *key.get_texts()]
    for axes in figure.axes:
        found += axes.texts + (axes.get_legend().get_texts() if axes.get_legend() else [])
        if axes.axison:
            found += [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
            for axis in (axes.xaxis, axes.yaxis):
                low, high = sorted(axis.get_view_interval())
                found += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [text for text in found if text.get_text().strip() and text.get_visible()]


@every
def test_letters_are_8_pixels_tall_where_the_figure_is_480_wide_and_a_minus_sign_is_one(drawn, name):
    figure = drawn[name]
    per_point = 480 / figure.get_figwidth() / 72
    sizes = {text.get_text(): text.get_fontsize() * CAPITAL * per_point for text in letters(figure)}
    assert len(sizes) > 4
    assert min(sizes.values()) >= 8, min(sizes, key=sizes.get)
    assert not [text for text in sizes if re.search(r"(?<![A-Z])-\d", text)]


@every
def test_no_letter_is_clipped_and_no_panel_reaches_over_the_edge(drawn, name):
    edge = drawn[name].bbox.padded(0.5)
    boxes = {text.get_text(): text.get_window_extent() for text in letters(drawn[name])}
    boxes |= {axes: axes.bbox for axes in drawn[name].axes}
    assert not [of for of, box in boxes.items() if not (edge.contains(*box.min) and edge.contains(*box.max))]


FOUR_NINE = [colour for colour, _ in LOOKS.values()]
# Linear RGB as a deuteranope sees it (Viénot, Brettel and Mollon 1999).
WITHOUT_GREEN = np.array([[0.29275, 0.70725, -0.02978], [0.29275, 0.70725, -0.02978], [-0.02234, 0.02234, 1.0]])


@pytest.mark.parametrize(
    ("colours", "in_grey", "without"), [(FOUR_NINE, 0.3, 0.05), (FIVE_SHIFTS, 0.08, 0.05), (SIX_LIGHTS, 0.08, 0.1)]
)
def test_colours_of_one_kind_are_told_apart_in_grey_and_without_green(colours, in_grey, without):
    linear = np.array([to_rgb(colour) for colour in colours]) ** 2.2
    assert min(np.diff((linear @ (0.2126, 0.7152, 0.0722)) ** (1 / 2.2))) > in_grey
    for one, other in combinations(linear @ WITHOUT_GREEN.T, 2):
        assert np.abs(one - other).max() > without
    assert not {*FOUR_NINE} & {*FIVE_SHIFTS}
