"""Figures 5 to 7 at a small scale."""

from dataclasses import replace

import pytest

from drlim_np.figures import figure5, figure7


@pytest.fixture(scope="module")
def few_digits():
    """Few digits and few steps: what tests look at here does not depend on their number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure5, "QUICK_TRAIN", 24)
        patch.setattr(figure5, "QUICK_TEST", 15)
        for module in (figure5, figure7):
            patch.setattr(module, "STORY", replace(module.STORY, quick_steps=4))
        yield
