"""What Figures 8, 9 and 10 share: views of one airplane, neighbours by camera position, and the G_W that maps them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from drlim_np import verbatim
from drlim_np.data import AZIMUTHS, Views
from drlim_np.data.split import in_their_span, split
from drlim_np.figures.record import Run
from drlim_np.graph import SimilarityGraph
from drlim_np.measure.cylinder import Cylinder
from drlim_np.neighbours import contiguous_views
from drlim_np.training import Step
from drlim_np.tree import Tree

HIDDEN = 20
SWEEPS = 30  # pieces of an epoch after each of which the loss is taken, for the record and the line of progress
QUICK_EPOCHS = 2


@dataclass(frozen=True, eq=False)
class Setting:
    """The 972 views, which of them are trained on, and what is similar among those.

    inputs: (972, 9216) float32; train (660,), test (312,): ascending rows of it; similar: the graph among `train`.
    x, basis: the inputs in their span, (972, 660) float32 and (660, 9216) float64: `data.split.in_their_span`.
    """

    views: Views
    inputs: np.ndarray
    train: np.ndarray
    test: np.ndarray
    similar: SimilarityGraph
    x: np.ndarray
    basis: np.ndarray


@dataclass(frozen=True, eq=False)
class Mapped:
    """The map of all 972 views.

    z: (972, 3) float32; params: W on pixels, as `networks.two_layer` has it; losses: the loss per pair after each piece
    of an epoch; cylinder: fitted to the training views.
    """

    z: np.ndarray
    params: Tree
    losses: np.ndarray
    cylinder: Cylinder


@lru_cache(maxsize=1)
def setting(run: Run) -> Setting:
    """A random 660 of the views to train on, the other 312 unseen (Sec. 3.4)."""
    views = run.views()
    inputs, train, test = split(views, run.rng(8))
    similar = contiguous_views(views.azimuth[train], views.elevation[train], AZIMUTHS)
    return Setting(views, inputs, train, test, similar, *in_their_span(inputs, train))


def sweeps(run: Run, after: Step | None = None, pieces: int = SWEEPS) -> Iterator[Step]:
    """Step 2 as `verbatim` has it, an item for each piece of an epoch; W is on the coordinates of the span.

    after: where an earlier descent stood, at the end of an epoch, to go on from there.
    """
    given, epochs = setting(run), epochs_of(run)
    x, rng = given.x[given.train], run.rng(10)
    views = given.views
    pairs = verbatim.pair_up(verbatim.similar_views(views.azimuth[given.train], views.elevation[given.train], AZIMUTHS))
    W = tuple(w.astype(np.float32) for w in verbatim.first_weights(rng, x.shape[1], HIDDEN))
