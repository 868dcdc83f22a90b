"""The sheet of generated handwriting, read back from its axes."""

import numpy as np
import pytest

from drlim_np.data.handwriting import generate
from drlim_np.figures import Train, sheets
from drlim_np.measure import metrics
from tests.help.drawings import failing

ACROSS = sheets.DIGITS_ACROSS


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
