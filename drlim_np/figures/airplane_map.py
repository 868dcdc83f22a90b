"""What Figures 8, 9 and 10 share: views of one airplane, neighbours by camera position, and the G_W that maps them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from drlim_np import verbatim
from drlim_np.checks.terminal import ProgressLine
from drlim_np.data import AZIMUTHS, TRAIN, Views, in_their_span, split
from drlim_np.fast.all_pairs import contrastive_all_pairs
from drlim_np.figures import Train, require_spread
from drlim_np.graph import SimilarityGraph
from drlim_np.measure.cylinder import Cylinder, fit_views
from drlim_np.neighbours import contiguous_views
from drlim_np.networks import two_layer
from drlim_np.training import embed
from drlim_np.tree import Tree

MARGIN = verbatim.MARGIN
PIECES = 30  # of an epoch; after each the loss is kept
QUICK_EPOCHS = 2


@dataclass(frozen=True, eq=False)
class Setting:
    """The 972 views, those that are trained on, and what is similar among those."""

    views: Views
    inputs: np.ndarray  # (972, 9216) float32
    train: np.ndarray  # (660,), ascending rows of the inputs
    test: np.ndarray  # (312,), the others
    similar: SimilarityGraph  # among `train`
    x: np.ndarray  # (972, 660) float32: the inputs in the span of those trained on
    basis: np.ndarray  # (660, 9216) float64, an orthonormal basis of that span


@dataclass(frozen=True, eq=False)
class Trained(Setting):
    """The setting, and G_W trained in it."""

    settings: dict[str, Any]  # all that was chosen, for the record
    params: Tree  # W of `networks.two_layer` on pixels, float32
    losses: np.ndarray  # (epochs · PIECES,) float64, the loss per pair after each piece of an epoch
    after: np.ndarray  # (epochs + 1, 972, 3) float32, the map before training and after each epoch
    z: np.ndarray  # the last of them
    cylinder: Cylinder  # fitted to the views trained on


def setting(views: Views, train: Train) -> Setting:
    """A random 660 of the views to train on, the other 312 unseen (Sec. 3.4)."""
    inputs, seen, unseen = split(views, train.rng(8))
    similar = contiguous_views(views.azimuth[seen], views.elevation[seen], AZIMUTHS)
    return Setting(views, inputs, seen, unseen, similar, *in_their_span(inputs, seen))


def train_airplane(views: Views, train: Train) -> Trained:
    """G_W trained pair by pair, as the paper does, from one start. It runs on the host for every backend."""
    given = setting(views, train)
    rng = train.rng(10)
    if train.backend != "numpy":
        print("airplane: trained pair by pair, one pair after another, and therefore on the host", flush=True)
    epochs = QUICK_EPOCHS if train.quick else verbatim.EPOCHS
    chosen = {"train": TRAIN, "test": len(given.test), "margin": MARGIN, "weighting": "exact"}
    chosen |= {"descent": "stochastic gradient, pair by pair", "rate": verbatim.RATE, "epochs": epochs}
    follows_from = [chosen, PIECES, given.x, given.train, given.similar.pairs, rng.bit_generator.state]
    found = train("airplane", follows_from, lambda: descent(given, epochs, rng))
    maps = found["maps"]
    require_spread(maps[-1], MARGIN, "airplane")
    A, a, B, b = (found["W"][name] for name in "AaBb")
    learned = {"params": as_tree((A @ given.basis, a, B, b)), "losses": found["losses"], "after": maps, "z": maps[-1]}
    cylinder = fit_views(maps[-1][given.train], views, given.train)
    return Trained(**vars(given), settings=chosen, cylinder=cylinder, **learned)


def descent(given: Setting, epochs: int, rng: np.random.Generator) -> Tree:
    """Step 2 of `verbatim` on coordinates: W = (A, a, B, b), and the losses and maps as `Trained` has them."""
    x, views = given.x[given.train], given.views
    pairs = verbatim.pair_up(verbatim.similar_views(views.azimuth[given.train], views.elevation[given.train], AZIMUTHS))
    count = pairs.shape[1]
    W = tuple(w.astype(np.float32) for w in verbatim.first_weights(rng, x.shape[1]))
    network = two_layer(x.shape[1])
    maps, losses, line = [embed(network, as_tree(W), given.x)], [], ProgressLine()
    for epoch in range(epochs):
        order = rng.permutation(count)
        rates = verbatim.falling(epoch, epochs, count)
        for piece in range(PIECES):
            part = slice(piece * count // PIECES, (piece + 1) * count // PIECES)
            verbatim.sweep(W, x, pairs[:, order[part]], MARGIN, rates[part])
            z = embed(network, as_tree(W), given.x)
            loss, _ = contrastive_all_pairs(z[given.train], given.similar, MARGIN)
            losses.append(float(loss) / count)
            line.show(f"airplane: epoch {epoch + 1}/{epochs}, loss per pair {losses[-1]:.5f}")
        maps.append(z)
    line.end()
    return {"W": dict(zip("AaBb", W, strict=True)), "losses": np.array(losses), "maps": np.array(maps)}


def as_tree(W: tuple[np.ndarray, ...]) -> Tree:
    """W of `verbatim` as `networks.two_layer` takes it, in float32."""
    A, a, B, b = (w.astype(np.float32) for w in W)
    return {"hidden": {"weight": A, "bias": a}, "squash": {}, "output": {"weight": B, "bias": b}}


def labelled(z: np.ndarray, views: Views, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The map z of the views `rows` with what is known of each, for the .npz."""
    known = {name: getattr(views, name)[rows] for name in ("azimuth", "elevation", "lighting")}
    return {"embedding": z, "index": rows, **known}
