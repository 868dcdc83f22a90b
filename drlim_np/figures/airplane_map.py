"""What Figures 8, 9 and 10 share: views of one airplane, neighbours by camera position, and the G_W that maps them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from math import nan

import numpy as np

from drlim_np import verbatim
from drlim_np.data import AZIMUTHS, Views
from drlim_np.data.split import TRAIN, in_their_span, split
from drlim_np.fast.all_pairs import contrastive_all_pairs
from drlim_np.files.resuming import to_the_end
from drlim_np.graph import SimilarityGraph
from drlim_np.measure.cylinder import Cylinder, fit_views
from drlim_np.neighbours import contiguous_views
from drlim_np.networks import two_layer
from drlim_np.runs.record import Claim, Run, require_spread
from drlim_np.training import Step, embed
from drlim_np.tree import Tree

MARGIN = verbatim.MARGIN
PIECES = 30  # of an epoch; after each the loss is taken, for the record and the line of progress
QUICK_EPOCHS = 2


@dataclass(frozen=True, eq=False)
class Setting:
    """The 972 views, which of them are trained on, and what is similar among those.

    inputs: (972, 9216) float32; train (660,), test (312,): ascending rows of it; similar: the graph among `train`.
    x, basis: (972, 660) float32 and (660, 9216) float64, the inputs in the span of those trained on (data.split).
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
    """The map of all 972 views: z (972, 3) float32, and the cylinder fitted to those trained on.

    params: W of `networks.two_layer` on pixels, float32; losses: the loss per pair after each piece of an epoch.
    after: (epochs + 1, 972, 3), the map before training and after each epoch.
    """

    z: np.ndarray
    cylinder: Cylinder
    params: Tree
    losses: np.ndarray
    after: np.ndarray


@lru_cache(maxsize=1)
def setting(run: Run) -> Setting:
    """A random 660 of the views to train on, the other 312 unseen (Sec. 3.4)."""
    views = run.views()
    inputs, train, test = split(views, run.rng(8))
    similar = contiguous_views(views.azimuth[train], views.elevation[train], AZIMUTHS)
    return Setting(views, inputs, train, test, similar, *in_their_span(inputs, train))


@lru_cache(maxsize=1)
def mapped(run: Run) -> Mapped:
    """G_W trained pair by pair, as the paper does, from one start. It runs on the host whatever the backend."""
    given, rng, steps = setting(run), run.rng(10), epochs(run) * PIECES
    first, x = start(given, epochs(run), rng), given.x[given.train]
    kept = run.memory.checkpoint("airplane", settings(run), x, given.similar.pairs, rng.bit_generator.state)
    if run.backend != "numpy":
        print("airplane: trained pair by pair, one pair after another, and therefore on the host", flush=True)
    last, losses = to_the_end(
        partial(sweeps, given, epochs(run), rng),
        first,
        steps,
        rng,
        "airplane",
        checkpoint=kept and replace(kept, every=PIECES),  # the order of the pairs is drawn once per epoch
    )
    params, z = last.params, last.state["after"][-1]
    require_spread(z, MARGIN, "airplane")
    on_pixels = (params["hidden"]["weight"] @ given.basis).astype(np.float32)
    params = {**params, "hidden": {**params["hidden"], "weight": on_pixels}}
    return Mapped(z, fit_views(z[given.train], given.views, given.train), params, losses, last.state["after"])


def start(given: Setting, of_epochs: int, rng: np.random.Generator) -> Step:
    """W before the first pair, on the coordinates of the span."""
    params = _tree(verbatim.first_weights(rng, given.x.shape[1]))
    after = np.zeros((of_epochs + 1, len(given.x), 3), np.float32)
    after[0] = _map(params, given.x)
    return Step(0, params, nan, {"after": after})


def sweeps(given: Setting, of_epochs: int, rng: np.random.Generator, after: Step) -> Iterator[Step]:
    """Step 2 of `verbatim`, an item for each piece of an epoch. `after` stands at the end of an epoch, or at first."""
    x, views = given.x[given.train], given.views
    similar = verbatim.similar_views(views.azimuth[given.train], views.elevation[given.train], AZIMUTHS)
    pairs = verbatim.pair_up(similar)
    count = pairs.shape[1]
    layers = after.params["hidden"], after.params["output"]
    W, maps = tuple(layer[name].copy() for layer in layers for name in ("weight", "bias")), after.state["after"]
    for number in range(after.number, of_epochs * PIECES):
        epoch, piece = divmod(number, PIECES)
        if piece == 0:
            order, rates = rng.permutation(count), verbatim.falling(epoch, of_epochs, count)
        part = slice(piece * count // PIECES, (piece + 1) * count // PIECES)
        verbatim.sweep(W, x, pairs[:, order[part]], MARGIN, rates[part])
        params = _tree(W)
        z = _map(params, given.x)
        if piece == PIECES - 1:
            maps = maps.copy()
            maps[epoch + 1] = z
        loss, _ = contrastive_all_pairs(z[given.train], given.similar, MARGIN)
        yield Step(number + 1, params, float(loss) / count, {"after": maps})


def _map(params: Tree, x: np.ndarray) -> np.ndarray:
    return embed(two_layer(x.shape[1]), params, x)


def _tree(W: tuple[np.ndarray, ...]) -> Tree:
    A, a, B, b = (w.astype(np.float32) for w in W)
    return {"hidden": {"weight": A, "bias": a}, "squash": {}, "output": {"weight": B, "bias": b}}


def counts(given: Setting) -> list[Claim]:
    """The pairs of the actual split as claims."""
    pairs = TRAIN * (TRAIN - 1) // 2
    together = given.similar.listed_count + given.similar.dissimilar_count
    return [Claim("similar and dissimilar pairs together", together, "=", pairs)]


def epochs(run: Run) -> int:
    """How often each pair is seen."""
    return QUICK_EPOCHS if run.quick else verbatim.EPOCHS


def settings(run: Run) -> dict:
    """All that was chosen, for the record."""
    return {
        "train": TRAIN,
        "test": len(setting(run).test),
        "margin": MARGIN,
        "weighting": "exact",
        "descent": "stochastic gradient, pair by pair",
        "rate": verbatim.RATE,
        "epochs": epochs(run),
    }
