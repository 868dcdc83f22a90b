"""Figure 4: unseen 4s and 9s, mapped by a G_W that was told only which training digits are neighbours (Sec. 3.2)."""

from dataclasses import asdict, replace

import numpy as np
from matplotlib.colors import to_hex

from drlim_np.data import Digits, on_canvas
from drlim_np.drawing import thumbnails
from drlim_np.drawing.panels import by_slant, corners, height_of, in_lines, legend, map_panel, scatter_by, sheet
from drlim_np.drawing.style import LOOKS, WIDTH, signed
from drlim_np.fast.all_pairs import contrastive_all_pairs
from drlim_np.figures import Claim, Result, Train, all_counted, figure
from drlim_np.figures import digits as of_digits
from drlim_np.figures.digits import KNOWN, NEIGHBOURS, TRAIN_PER_CLASS, Trained, Training, Unseen, organisation
from drlim_np.measure import metrics
from drlim_np.objective import dissimilar_weight
from drlim_np.training import embed
from drlim_np.tree import Tree

TRAINING = {
    "balanced": Training(steps=2000),
    "exact": Training(steps=1000, rate=4.0, weighting="exact"),
    "verbatim": Training(steps=60_000, batch=1, rate=0.03, momentum=0.0),
}
WORDS = {"balanced": "balanced weighting", "exact": "exact weighting", "verbatim": "pair by pair"}
NUMBERS = {"slant_r2": "slant R²"} | {name: name for name in ("accuracy", "unevenness", "trustworthiness")}
CLAIM = "Told of neighbours alone, one even map:\n4s and 9s side by side, slant along it"
INNER, SMALL = (5.8, 4.4), 0.36  # inches: the most a map takes of its panel, and a thumbnail's side
QUICK = 1000, 300, 300  # digits of each class, trained on and unseen; and steps, 30 times as many pair by pair

# Bounds on the map of unseen digits: accuracy, slant R² at least; unevenness at most. Those of a quick run are looser,
# because it sees a third of the digits for a seventh of the steps: too few for the exact weighting to part the classes.
BOUNDS = {"balanced": (0.88, 0.82, 0.30), "exact": (0.79, 0.84, 0.30), "verbatim": (None, 0.82, 0.30)}
QUICK_BOUNDS = {"balanced": (0.62, 0.75, 0.40), "exact": (None, 0.75, 0.40), "verbatim": (None, 0.75, 0.40)}


def trained(digits: Digits, train: Train, form: str) -> tuple[Trained, Unseen]:
    """G_W as training leaves it, and the unseen digits; Figure 3 looks into the same network."""
    rng, per_class, test_per_class, training = train.rng(4), TRAIN_PER_CLASS, None, TRAINING[form]
    if train.quick:
        per_class, test_per_class, steps = QUICK
        times, rate = 30 if training.batch == 1 else 1, min(1.0, training.rate)  # at more, so few steps may collapse
        training = replace(training, steps=times * steps, rate=rate)
    chosen = of_digits.draw_at_random(digits, digits.train, per_class, rng)
    unseen = of_digits.draw_unseen(digits, test_per_class, rng)
    x = on_canvas(digits.train.images[chosen])
    return of_digits.learn(f"figure 4, {form}", x, of_digits.nearest(x, train), training, rng, train), unseen


@figure("figure4", needs="digits", seconds=24)
def make(digits: Digits, train: Train, form: str = "balanced") -> Result:
    """The map of unseen 4s and 9s, similar and dissimilar pairs given equal weight ("balanced")."""
    found, unseen = trained(digits, train, form)
    graph, unturned = found.graph, embed(found.network, found.params, unseen.inputs)
    params = turned(found.params, unturned, unseen.slant, unseen.label)
    z = embed(found.network, params, unseen.inputs)

    ours = organisation(z, unseen, train)
    pca = organisation(train.once(metrics.pca, unseen.pixels), unseen, train)
    if "slant" in digits.test.truth:
        ours["known_slant_r2"] = metrics.regression_r2(z, digits.test.truth["slant"][unseen.rows])
    loss, _ = contrastive_all_pairs(embed(found.network, params, found.x), graph, found.training.margin)
    measured = {"similar_pairs_distinct": len(graph.edges), "dissimilar_pairs": graph.dissimilar_count}
    measured |= {"loss_over_all_training_pairs": float(loss), "drlim": ours, "pca": pca}
    settings = asdict(found.training) | {"neighbours": NEIGHBOURS, "train": graph.size, "test": len(z)}
    settings["dissimilar_weight"] = dissimilar_weight(graph, found.training.weighting)

    claims = [Claim("similar pairs listed", graph.listed_count, "=", NEIGHBOURS * graph.size), all_counted(graph)]
    if digits.name in KNOWN:
        accuracy, slant_r2, unevenness = (QUICK_BOUNDS if train.quick else BOUNDS)[form]
        if accuracy is not None:
            claims.append(Claim("classes side by side: 5-NN accuracy", ours["accuracy"], "≥", accuracy))
        claims += [
            Claim("organised by slant: R² of its regression on the map", ours["slant_r2"], "≥", slant_r2),
            Claim("the same, against that of PCA-2", ours["slant_r2"], "≥", pca["slant_r2"]),
            Claim("evenly spread: standard deviation of log r₁₀", ours["unevenness"], "≤", unevenness),
            Claim("trustworthiness, against that of PCA-2", ours["trustworthiness"], "≥", pca["trustworthiness"]),
        ]

    numbers = [f"{text} {signed(ours[name])} ({signed(pca[name])})" for name, text in NUMBERS.items()]
    words = f"{len(z):,} unseen digits, {digits.title}, {WORDS[form]}\n(in brackets PCA-2): {in_lines(numbers, 2)}"

    # The map by digit and by slant, one as large as the other, with the same thumbnails around the rim of both.
    tall, images = height_of(z, INNER) + 1.1, digits.test.images[unseen.rows]
    drawing, top = sheet(CLAIM, words, 2 * tall)
    by_class, unit = map_panel(drawing, (0, top, WIDTH, tall), z, INNER)
    scatter_by(by_class, z, unseen.label, LOOKS, s=14, alpha=0.85)
    side = SMALL * unit
    rim, places = thumbnails.place(z, side, *corners(by_class))
    inside, others = thumbnails.place(z, side, *corners(by_class), hides=len(z), apart=3.2, taken=places)
    for shown, middles in ((rim, places), (inside, others)):
        frames = [LOOKS[digit][0] for digit in unseen.label[shown]]
        thumbnails.draw(by_class, images[shown], frames, z[shown], middles, side)
    legend(by_class, LOOKS, (0.985, 0.02), loc="lower right")
    coloured, _ = map_panel(drawing, (0, top + tall, WIDTH, tall), z, INNER)
    scale = by_slant(coloured, (6.75, top + 2 * tall - 0.55), z, unseen.label, unseen.slant, size=14)
    frames = [to_hex(scale.to_rgba(lean)) for lean in unseen.slant[rim]]
    thumbnails.draw(coloured, images[rim], frames, z[rim], places, side)
    for axes, name in ((by_class, "by digit"), (coloured, "by slant")):
        axes.text(0.015, 0.985, name, transform=axes.transAxes, va="top", weight="bold")
    weights = params if form == "balanced" else None  # one map of one data set is enough to use
    return Result(drawing, claims, settings, digits, measured, unseen.arrays(z) | {"objective": found.losses}, weights)


@figure("figure4-exact", needs="digits", seconds=14)
def make_exact(digits: Digits, train: Train) -> Result:
    """The same from the paper's own sum over all pairs, nearly all of them dissimilar ("exact")."""
    return make(digits, train, "exact")


@figure("figure4-verbatim", needs="digits", on_request=True, seconds=60)
def make_verbatim(digits: Digits, train: Train) -> Result:
    """The same by the paper's own descent, W changed after every single pair; drawn on request."""
    return make(digits, train, "verbatim")


def turned(params: Tree, z: np.ndarray, slant: np.ndarray, label: np.ndarray) -> Tree:
    """W, its last layer turned so that slant grows to the right and 9s are on top; z (samples, 2): the map before."""
    middle = z.mean(axis=0)
    centred = z - middle
    along = np.linalg.lstsq(centred, slant - slant.mean(), rcond=None)[0]
    along /= np.linalg.norm(along)
    across = np.array([-along[1], along[0]])
    if (centred[label == 9] @ across).mean() < (centred[label == 4] @ across).mean():
        across = -across
    turn = np.stack([along, across], axis=1).astype(z.dtype)
    last = params["F4"]
    return params | {"F4": {"weight": turn.T @ last["weight"], "bias": (last["bias"] - middle) @ turn}}
