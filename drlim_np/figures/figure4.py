"""Figure 4: unseen 4s and 9s, mapped by a G_W that was told only which training digits are neighbours (Sec. 3.2)."""

from dataclasses import asdict, replace
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from drlim_np.backend import like, to_host
from drlim_np.data.canvas import on_canvas
from drlim_np.drawing import thumbnails
from drlim_np.drawing.panels import box, by_slant, corners, fitted, map_panel, room_for, sheet
from drlim_np.drawing.style import RULES, WIDTH
from drlim_np.errors import DataError
from drlim_np.fast.all_pairs import contrastive_all_pairs
from drlim_np.fast.blocks import Blockwise
from drlim_np.figures.digits import LOOKS, Training, draw_at_random, learn, nearest, scatter_by_class, slant_of
from drlim_np.figures.shifted_digits import by_digit
from drlim_np.graph import SimilarityGraph
from drlim_np.measure import metrics
from drlim_np.objective import dissimilar_weight
from drlim_np.runs.record import Claim, Result, Run
from drlim_np.training import embed
from drlim_np.tree import Tree, tree_map

NEIGHBOURS = 5
TRAIN_PER_CLASS = 3000
TRAINING = {
    "balanced": Training(steps=2000),
    "exact": Training(steps=2000),
    "verbatim": Training(steps=60_000, batch=1, rate=0.03, momentum=0.0),
}
WORDS = {"balanced": "balanced weighting", "exact": "exact weighting", "verbatim": "pair by pair"}
CLAIM = "Told of neighbours alone, one even map:\n4s and 9s side by side, slant along it"
INNER = (5.8, 4.4)  # inches: the most a map takes of its panel
SMALL = 0.36  # inches: a thumbnail's side
LEAST = 25  # test digits: trustworthiness looks at 12 neighbours, which must be fewer than half
QUICK = {"train_per_class": 1000, "test_per_class": 300, "steps": 300}  # 30 times as many pair by pair

# Bounds on the map of unseen digits: accuracy, slant R² at least; unevenness at most. Those of a quick run are looser,
# for it sees a third of the digits for a seventh of the steps: too few for the exact weighting to part the classes.
BOUNDS = {
    ("balanced", False): (0.88, 0.82, 0.30),
    ("exact", False): (0.79, 0.84, 0.30),
    ("verbatim", False): (None, 0.82, 0.30),
    ("balanced", True): (0.62, 0.75, 0.40),
    ("exact", True): (None, 0.75, 0.40),
    ("verbatim", True): (None, 0.75, 0.40),
}


def make(run: Run) -> Result:
    """The map of unseen 4s and 9s, similar and dissimilar pairs given equal weight ("balanced")."""
    return _make(run, "balanced")


def make_exact(run: Run) -> Result:
    """The same from the paper's own sum over all pairs, nearly all of them dissimilar ("exact")."""
    return _make(run, "exact")


def make_verbatim(run: Run) -> Result:
    """The same by the paper's own descent, W changed after every single pair; drawn on request."""
    return _make(run, "verbatim")


class Trained(NamedTuple):
    """G_W trained on `x`, the digits `train`, among which `similar` is the graph; `unseen` are the digits `test`.

    train, test: rows of the data's halves; x, unseen: (samples, 1, 32, 32); losses: the objective before each step.
    """

    train: np.ndarray
    test: np.ndarray
    x: np.ndarray
    unseen: np.ndarray
    similar: SimilarityGraph
    training: Training
    network: Blockwise
    params: Tree
    losses: np.ndarray


@lru_cache(maxsize=1)
def trained(run: Run, form: Literal["balanced", "exact", "verbatim"]) -> Trained:
    """What Figure 4 shows before it is drawn; Figure 3 looks into the same network."""
    digits, rng = run.digits(), run.rng(4)
    per_class, test_per_class = (
        (QUICK["train_per_class"], QUICK["test_per_class"]) if run.quick else (TRAIN_PER_CLASS, None)
    )
    training, weighting = TRAINING[form], "exact" if form == "exact" else "balanced"
    if run.quick:
        training = replace(training, steps=QUICK["steps"] * (30 if training.batch == 1 else 1))
    train = draw_at_random(digits, digits.train, per_class, rng)
    test = draw_at_random(digits, digits.test, test_per_class, rng)
    if len(test) < LEAST:
        raise DataError(f"{digits.title} has {len(test)} test images labelled 4 or 9, {LEAST} needed: use MNIST")
    slant_of(digits, test)  # refuses a digit without ink before anything is trained
    x, unseen = on_canvas(digits.train.images[train]), on_canvas(digits.test.images[test])
    similar = nearest(run, x, NEIGHBOURS)
    network, params, losses = learn(x, similar, weighting, training, run, rng, f"figure 4, {form}")
    return Trained(train, test, x, unseen, similar, training, network, params, losses)


@rc_context(RULES)
def _make(run: Run, form: Literal["balanced", "exact", "verbatim"]) -> Result:
    digits, weighting = run.digits(), "exact" if form == "exact" else "balanced"
    train, test, x, unseen, similar, training, network, params, losses = trained(run, form)
    label, slant = digits.test.labels[test], slant_of(digits, test)

    params = turned(params, embed(network, params, unseen), slant, label)
    z = embed(network, params, unseen)
    pixels = unseen.reshape(len(unseen), -1)
    pca = run.memory.remembered(metrics.pca, pixels)
    ours, linear = (_organisation(pixels, points, label, slant, run) for points in (z, pca))
    true_slant = digits.test.truth.get("slant")
    if true_slant is not None:
        ours["known_slant_r2"] = metrics.regression_r2(z, true_slant[test])

    pairs = len(x) * (len(x) - 1) // 2
    claims = [
        Claim("similar pairs listed", similar.listed_count, "=", NEIGHBOURS * len(train)),
        Claim("similar and dissimilar pairs together", len(similar.edges) + similar.dissimilar_count, "=", pairs),
    ]
    if digits.name in ("mnist", "handwriting"):
        accuracy, slant_r2, unevenness = BOUNDS[form, run.quick]
        if accuracy is not None:
            claims.append(Claim("classes side by side: 5-NN accuracy", ours["accuracy"], "≥", accuracy))
        claims += [
            Claim("organised by slant: R² of its regression on the map", ours["slant_r2"], "≥", slant_r2),
            Claim("the same, against that of PCA-2", ours["slant_r2"], "≥", linear["slant_r2"]),
            Claim("evenly spread: standard deviation of log r₁₀", ours["unevenness"], "≤", unevenness),
            Claim("trustworthiness, against that of PCA-2", ours["trustworthiness"], "≥", linear["trustworthiness"]),
        ]
    loss, _ = contrastive_all_pairs(embed(network, params, x), similar, training.margin)
    measured = {
        "similar_pairs_distinct": len(similar.edges),
        "dissimilar_pairs": similar.dissimilar_count,
        "loss_over_all_training_pairs": float(loss),
        "drlim": ours,
        "pca": linear,
    }
    settings = asdict(training) | {
        "weighting": weighting,
        "dissimilar_weight": dissimilar_weight(similar, weighting),
        "neighbours": NEIGHBOURS,
        "train": len(train),
        "test": len(test),
    }
    arrays = {"embedding": z, "index": test, "label": label, "slant": slant, "objective": _course(losses)}
    figure = _draw(
        z,
        label,
        slant,
        digits.test.images[test],
        f"{len(test):,} unseen digits, {digits.title}, {WORDS[form]}",
        ours,
        linear,
    )
    ships = params if form == "balanced" else None  # one map of one data set is enough to use
    return Result(figure, claims, settings, digits, measured, arrays, ships)


def _course(losses: np.ndarray, most: int = 2000) -> np.ndarray:
    """The objective's course in at most that many numbers: means over as many steps each."""
    each = -(-len(losses) // most)
    return losses[: len(losses) // each * each].reshape(-1, each).mean(axis=1)


def _organisation(pixels, z, label, slant, run: Run) -> dict[str, float]:
    """The numbers that describe a map `z` (samples, 2) of the images `pixels` (samples, features)."""
    found = run.memory.remembered
    return {
        "accuracy": found(metrics.accuracy, z, label),
        "slant_r2": found(metrics.regression_r2, z, slant),
        "unevenness": found(metrics.unevenness, z),
        "trustworthiness": found(metrics.trustworthiness, pixels, z, threads=run.threads),
    }


def turned(params: Tree, z: np.ndarray, slant: np.ndarray, label: np.ndarray) -> Tree:
    """W with its last layer turned such that slant grows to the right and the 9s are on top; the middle of z is at 0.

    z (samples, 2): the map before. The loss knows neither direction nor place, so it is the same for any.
    """
    middle, turn = z.mean(axis=0), _turn(z, slant, label)
    last = tree_map(to_host, params["F4"])
    last = {"weight": turn.T @ last["weight"], "bias": (last["bias"] - middle) @ turn}
    return params | {"F4": tree_map(lambda new, old: like(new, old), last, params["F4"])}


def _turn(z: np.ndarray, slant: np.ndarray, label: np.ndarray) -> np.ndarray:
    """The orthonormal (2, 2) by which the map z is multiplied."""
    z = z - z.mean(axis=0)
    along = np.linalg.lstsq(z, slant - slant.mean(), rcond=None)[0]
    along /= np.linalg.norm(along)
    across = np.array([-along[1], along[0]])
    if (z[label == 9] @ across).mean() < (z[label == 4] @ across).mean():
        across = -across
    return np.stack([along, across], axis=1).astype(z.dtype)


def _draw(z, label, slant, images, words: str, ours: dict, linear: dict) -> Figure:
    """The map by digit and by slant, one as large as the other, with the same thumbnails around the rim of both."""
    numbers = _numbers(words, ours, linear)
    top, foot = room_for(CLAIM, numbers)
    tall = np.ptp(z, axis=0)[1] / fitted(z, *INNER) + 1.1
    figure = sheet(top + 2 * tall + foot, CLAIM, numbers)
    by_class, unit = map_panel(figure, (0, top, WIDTH, tall), z, INNER)
    scatter_by_class(by_class, z, label, s=14, alpha=0.85)
    side = SMALL * unit
    around = thumbnails.place(z, side, *corners(by_class))
    inside = thumbnails.place(z, side, *corners(by_class), hides=len(z), apart=3.2, taken=around[1])
    shown, middles = (np.concatenate(both) for both in zip(around, inside, strict=True))
    thumbnails.draw(by_class, images[shown], [LOOKS[d][0] for d in label[shown]], z[shown], middles, side)
    by_digit(by_class, (0.985, 0.02), loc="lower right")

    coloured, _ = map_panel(figure, (0, top + tall, WIDTH, tall), z, INNER)
    bar = figure.add_axes(box(figure, 6.75, top + 2 * tall - 0.55, 1.0, 0.14))
    scale = by_slant(coloured, bar, z, label, slant, size=14)
    colours = [to_hex(scale.to_rgba(lean)) for lean in slant[around[0]]]
    thumbnails.draw(coloured, images[around[0]], colours, z[around[0]], around[1], side)
    for axes, name in ((by_class, "by digit"), (coloured, "by slant")):
        axes.text(0.015, 0.985, name, transform=axes.transAxes, va="top", weight="bold")
    return figure


def _numbers(words: str, ours: dict, linear: dict) -> str:
    said = [("slant R²", "slant_r2"), ("accuracy", "accuracy"), ("unevenness", "unevenness")]
    said.append(("trustworthiness", "trustworthiness"))
    numbers = [f"{name} {ours[key]:.3f} ({linear[key]:.3f})" for name, key in said]
    return f"{words}\n(in brackets PCA-2): {', '.join(numbers[:2])},\n{', '.join(numbers[2:])}"
