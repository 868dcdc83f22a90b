"""Figure 7: shifted digits with the prior knowledge that a shift changes nothing: the map does not show it."""

import numpy as np

from drlim_np.data.shifts import SHIFTS
from drlim_np.figures.digits import Training, nearest
from drlim_np.figures.record import Result, Run
from drlim_np.figures.shifted_digits import NEIGHBOURS
from drlim_np.figures.shifted_maps import Story, tell
from drlim_np.graph import SimilarityGraph
from drlim_np.neighbours import alike_in_any_copy


def near_whatever_the_shift(run: Run, characters: np.ndarray) -> SimilarityGraph:
    """Every copy with all copies of its character and of that one's 5 nearest, found among the unshifted."""
    return alike_in_any_copy(nearest(run, characters, NEIGHBOURS), len(SHIFTS))


STORY = Story(
    name="figure 7",
    similar=near_whatever_the_shift,
    listed=len(SHIFTS) - 1 + NEIGHBOURS * len(SHIFTS),
    training=Training(steps=3000),
    quick_steps=300,
    title="similar whatever the shift",
    claims=(
        ("the shifts of a character packed together: shift ratio", "shift_ratio", "≤"),
        ("no organisation by shift: neighbours of the same shift", "same_shift_neighbours", "≤"),
        ("organised by slant: R² of its regression on the map", "slant_r2", "≥"),
        ("classes side by side: 5-NN accuracy", "accuracy", "≥"),
    ),
    bounds={
        ("mnist", False): (0.06, 0.22, 0.87, 0.76),
        ("handwriting", False): (0.06, 0.22, 0.87, 0.76),
        ("mnist", True): (0.25, 0.30, 0.4, 0.6),
        ("handwriting", True): (0.25, 0.30, 0.4, 0.6),
    },
    joined=12,
)


def make(run: Run) -> Result:
    """Digits and their shifts, similar whatever the shift: copies packed together, one coherent map."""
    return tell(STORY, run)


def make_exact(run: Run) -> Result:
    """The same from the paper's own sum over all pairs ("exact"); drawn on request."""
    return tell(STORY, run, "exact")
