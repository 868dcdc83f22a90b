"""What Figures 8, 9 and 10 share: views of one airplane, neighbours by camera position, and the G_W that maps them."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from drlim_np.backend import to_host
from drlim_np.data import AZIMUTHS, ELEVATIONS, Views
from drlim_np.figures.record import Claim, Run, require_spread
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Sequential
from drlim_np.measure import metrics
from drlim_np.measure.cylinder import Cylinder, fit
from drlim_np.neighbours import contiguous_views
from drlim_np.networks import two_layer
from drlim_np.objective import EveryPair
from drlim_np.principal import principal_images
from drlim_np.training import Adam, embed, minimise
from drlim_np.tree import leaves

TRAIN = 660  # of the 972 views, drawn at random; the others are unseen
HIDDEN = 20
MARGIN = 1.0
STARTS, STEPS = 6, 1000
QUICK_STARTS, QUICK_STEPS = 4, 400
RATE = 1e-2
SMALL = 0.1  # first weights, in parts of the usual size: so that Figure 10 shows what was learned


@dataclass(frozen=True, eq=False)
class Setting:
    """The 972 views, which of them are trained on, and what is similar among those.

    inputs: (972, 9216) float32; train (660,), test (312,): ascending rows of it; azimuth (972,) in radians.
    similar, similar_test: the graphs among the rows of train, and of test.
    """

    views: Views
    inputs: np.ndarray
    train: np.ndarray
    test: np.ndarray
    azimuth: np.ndarray
    similar: SimilarityGraph
    similar_test: SimilarityGraph


@dataclass(frozen=True, eq=False)
class Problem:
    """What is minimised: G_W on the coordinates of the views by the principal images of those trained on.

    principal: (660, 9216) float32. coordinates: (972, 660), the products of views and these. starts: a generator of
    random numbers for each, which draws its first W.
    """

    network: Sequential
    principal: np.ndarray
    coordinates: np.ndarray
    objective: EveryPair
    starts: list[np.random.Generator]
    steps: int


@dataclass(frozen=True, eq=False)
class Mapped:
    """The map of all 972 views by the best of several starts.

    z: (972, 3); weights: (20, 9216), the first layer's, on pixels; objective: (steps,), the best start's before each
    step; losses: what the objective of every start came to; cylinder: fitted to the training views.
    """

    z: np.ndarray
    weights: np.ndarray
    objective: np.ndarray
    losses: list[float]
    cylinder: Cylinder

    @property
    def best(self) -> int:
        """The start that was kept."""
        return int(np.argmin(self.losses))


@cache
def setting(run: Run) -> Setting:
    """A random 660 of the views to train on, the other 312 unseen (Sec. 3.4).

    Pixels count from the background, their median over the training views, in units of their standard deviation there.
    """
    views = run.views()
    shuffled = run.rng(8).permutation(len(views.images))
    train, test = np.sort(shuffled[:TRAIN]), np.sort(shuffled[TRAIN:])
    pixels = views.images.reshape(len(views.images), -1).astype(np.float32)
    inputs = (pixels - np.median(pixels[train])) / pixels[train].std()
    graphs = [contiguous_views(views.azimuth[rows], views.elevation[rows], AZIMUTHS) for rows in (train, test)]
    return Setting(views, inputs, train, test, 2 * np.pi * views.azimuth / AZIMUTHS, *graphs)


def problem(run: Run) -> Problem:
    """The exact objective over every pair of training views, and its random starts: the same on every call."""
    given = setting(run)
    principal = principal_images(given.inputs[given.train])
    coordinates = given.inputs @ principal.T
    network = two_layer(len(principal), HIDDEN, outputs=3, scale=SMALL)
    objective = EveryPair(network, run.beside(coordinates[given.train]), given.similar, MARGIN, "exact")
    starts, steps = (QUICK_STARTS, QUICK_STEPS) if run.quick else (STARTS, STEPS)
    return Problem(network, principal, coordinates, objective, run.rng(8).spawn(starts), steps)


@cache
def mapped(run: Run) -> Mapped:
    """G_W trained from several starts; the one of the lowest training loss is kept, whatever its map looks like.

    A ring twisted into a figure of eight is an equilibrium too, in which some starts end: its loss is higher.
    """
    given, posed = setting(run), problem(run)
    ends, losses = [], []
    for k, rng in enumerate(posed.starts):
        label = f"airplane, start {k + 1} of {len(posed.starts)}"
        start = posed.network.init(rng)
        follows_from = [settings(run), posed.coordinates[given.train], given.similar.pairs, run.backend]
        kept = run.memory.checkpoint(label, *follows_from, rng.bit_generator.state, [leaf for _, leaf in leaves(start)])
        params, course = minimise(
            posed.objective, run.beside(start), Adam(RATE), posed.steps, rng, label=label, checkpoint=kept
        )
        ends.append((params, course))
        losses.append(float(to_host(posed.objective(params, rng, progress=1.0)[0])))
    params, course = ends[int(np.argmin(losses))]
    z = embed(posed.network, params, posed.coordinates)
    require_spread(z, MARGIN, "airplane")
    fitted = fit(z[given.train], given.views.elevation[given.train], given.azimuth[given.train])
    return Mapped(z, to_host(params["hidden"]["weight"]) @ posed.principal, course, losses, fitted)


def organisation(
    z: np.ndarray, cylinder: Cylinder, given: Setting, rows: np.ndarray, similar: SimilarityGraph
) -> dict[str, float]:
    """The numbers that describe a map z (samples, 3) of the views `rows`, with the graph among them."""
    views = given.views
    error = np.angle(np.exp(1j * (cylinder.angle(z) - given.azimuth[rows])))
    return {
        "elevation_r2": metrics.linear_r2(cylinder.height(z), views.elevation[rows]),
        "azimuth_resultant": metrics.resultant_length(cylinder.angle(z), given.azimuth[rows]),
        "azimuth_error_degrees": float(np.degrees(np.median(np.abs(error)))),
        "share_of_lighting": metrics.share_within(z, views.azimuth[rows] * ELEVATIONS + views.elevation[rows]),
        "similar_neighbours": metrics.similar_neighbours(z, similar),
        "same_lighting_neighbours": metrics.same_label_neighbours(z, views.lighting[rows]),
    }


WORDS = {
    "elevation_r2": "elevation along the axis, R²",
    "azimuth_resultant": "azimuth around it, resultant length",
    "azimuth_error_degrees": "azimuth, median error in degrees",
    "share_of_lighting": "share of variance from lighting",
    "similar_neighbours": "5 nearest: neighbours in the graph",
    "same_lighting_neighbours": "5 nearest: of the same lighting (chance .167)",
}


def counts(given: Setting) -> list[Claim]:
    """The pairs of the actual split as claims."""
    pairs = TRAIN * (TRAIN - 1) // 2
    together = given.similar.listed_count + given.similar.dissimilar_count
    return [Claim("similar and dissimilar pairs together", together, "=", pairs)]


def settings(run: Run) -> dict:
    """All that was chosen, for the record."""
    starts, steps = (QUICK_STARTS, QUICK_STEPS) if run.quick else (STARTS, STEPS)
    return {
        "train": TRAIN,
        "test": len(setting(run).test),
        "hidden": HIDDEN,
        "margin": MARGIN,
        "weighting": "exact",
        "starts": starts,
        "steps": steps,
        "rate": RATE,
        "first_weights": SMALL,
    }
