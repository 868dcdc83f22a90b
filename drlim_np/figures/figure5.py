"""Figure 5: shifted digits, similar if near in pixels: only equal shifts are, and the map falls apart by shift."""

import numpy as np

from drlim_np.data.shifts import shifted
from drlim_np.figures.digits import Training, nearest
from drlim_np.figures.record import Result, Run
from drlim_np.figures.shifted_digits import NEIGHBOURS
from drlim_np.figures.shifted_maps import Story, tell
from drlim_np.graph import SimilarityGraph


def near_in_pixels(run: Run, characters: np.ndarray) -> SimilarityGraph:
    """Every copy with its 5 nearest among all copies."""
    return nearest(run, shifted(characters), NEIGHBOURS)


STORY = Story(
    name="figure 5",
    similar=near_in_pixels,
    listed=NEIGHBOURS,
    training=Training(steps=800),
    quick_steps=200,
    title="neighbours by pixels",
    claims=(
        ("the shifts of a character lie apart: shift ratio", "shift_ratio", "≥"),
        ("neighbours of the same shift", "same_shift_neighbours", "≥"),
        ("five clusters: silhouette by shift", "silhouette_by_shift", "≥"),
    ),
    bounds={
        ("mnist", False): (1.1, 0.98, 0.40),
        ("handwriting", False): (1.0, 0.95, 0.30),
        ("mnist", True): (1.0, 0.80, 0.20),
        ("handwriting", True): (1.0, 0.80, 0.20),
    },
)


def make(run: Run) -> Result:
    """Digits and their shifts, similar if near in pixels: five clusters by shift."""
    return tell(STORY, run)


def make_exact(run: Run) -> Result:
    """The same from the paper's own sum over all pairs ("exact"); drawn on request."""
    return tell(STORY, run, "exact")
