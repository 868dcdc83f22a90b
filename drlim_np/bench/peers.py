"""Maps of the same samples by DrLIM and by peers of today, each told the same, in tables in Markdown."""

from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

import numpy as np

from drlim_np.bench import heading, row
from drlim_np.data import shifted
from drlim_np.estimator import DrLIM
from drlim_np.fast.devices import processors
from drlim_np.figures import Train, figure4, figure5, figure7, invariance
from drlim_np.figures.digits import Trained, organisation
from drlim_np.files.cache import NOTHING_CACHED
from drlim_np.measure.metrics import trustworthiness, unevenness
from drlim_np.runs import sources
from drlim_np.training import embed

PEERS = {"UMAP": "umap-learn", "PaCMAP": "pacmap", "openTSNE": "openTSNE", "LLE": "scikit-learn"}
NUMBERS = ("accuracy", "slant_r2", "unevenness", "trustworthiness")
MOVED = {"±1.5, ±4.5 px": invariance.BETWEEN, "±8 px": (-8, 8)}
SEEDS, MARGINS = (0, 1, 2), (0.25, 0.5, 1.0, 2.0, 4.0)  # of the estimator's tables

Mapping = Callable[[np.ndarray], np.ndarray]  # pixels (samples, features) -> places (samples, 2)


def print_maps() -> None:
    """Both tables, and the peers' curves in TOML, as drlim_np/figures/peers.toml keeps them; some minutes."""
    called = {"DrLIM": "DrLIM"} | {name: f"{name} ({package} {version(package)})" for name, package in PEERS.items()}
    from openTSNE import TSNE  # after the versions, which name any package that is missing
    from sklearn.manifold import LocallyLinearEmbedding

    train = Train(threads=processors())
    sources.add_options(parser := ArgumentParser())
    digits = sources.digits(parser.parse_args([]), NOTHING_CACHED)
    found, unseen = figure4.trained(digits, train, "balanced")
    x = found.x.reshape(len(found.x), -1)
    fits = _told(found, x) | {
        "openTSNE": lambda: TSNE(random_state=0, n_jobs=processors()).fit(x).transform,
        "LLE": lambda: LocallyLinearEmbedding(n_neighbors=5, random_state=0).fit(x).transform,
    }
    print(heading(f"Unseen digits of Figure 4, {digits.title}", "map", *NUMBERS))
    for name, fit in fits.items():
        numbers = organisation(fit()(unseen.pixels), unseen, train)
        print(row(called[name], *(f"{numbers[number]:.3f}" for number in NUMBERS)), flush=True)

    found = figure5.trained(figure7.STORY, digits, train)
    x = shifted(figure5.train_characters(digits, train)).reshape(found.graph.size, -1)
    unseen = figure5.unseen_digits(digits, train)
    still = figure5.unseen_digits(digits, train, invariance.PER_CLASS)
    images = still.inputs[still.shift == 0]
    title = f"Figure 7, unseen, {digits.title}: similar are the copies by its prior knowledge"
    print(heading(title, "map", "shift ratio", "slant R²", "accuracy", *MOVED))
    records = []
    for name, fit in _told(found, x).items():
        mapping = fit()
        numbers = organisation(mapping(unseen.pixels), unseen, train)
        curves = invariance.curves(lambda moved, of=mapping: of(moved.reshape(len(moved), -1)), images)
        shown = [numbers["shift_ratio"], numbers["slant_r2"], numbers["accuracy"]]
        shown += [max(invariance.at(curves, "right", *amounts)) for amounts in MOVED.values()]
        print(row(called[name], *(f"{number:.3f}" for number in shown)), flush=True)
        if name != "DrLIM":
            lists = (f"{kind} = {np.round(values, 3).tolist()}" for kind, values in curves.items())
            records.append("\n".join([f'["{called[name]}"]', *lists]))
    print(*records, sep="\n\n")


def _told(found: Trained, x: np.ndarray) -> dict[str, Callable[[], Mapping]]:
    """How to fit each map that can be told which samples in x (samples, features) are similar; ours is trained."""
    pairs = found.graph.pairs
    near = pairs[np.argsort(pairs[:, 0], kind="stable"), 1].reshape(len(x), -1)  # those similar to each

    def ours(pixels: np.ndarray) -> np.ndarray:
        return embed(found.network, found.params, pixels.reshape(-1, 1, 32, 32))

    return {"DrLIM": lambda: ours, "UMAP": partial(_umap, x, near), "PaCMAP": partial(_pacmap, x, near)}


def _umap(x: np.ndarray, near: np.ndarray) -> Mapping:
    """Told those similar to each as its neighbours; unseen samples find theirs in pixels."""
    from pynndescent import NNDescent
    from umap import UMAP

    distance = np.stack([np.linalg.norm(x[column] - x, axis=1) for column in near.T], axis=1)
    order = distance.argsort(axis=1, kind="stable")
    itself = np.arange(len(x))[:, None]
    index = np.hstack([itself, np.take_along_axis(near, order, axis=1)])
    distance = np.hstack([np.zeros((len(x), 1)), np.take_along_axis(distance, order, axis=1)]).astype(np.float32)
    search = NNDescent(x, n_neighbors=index.shape[1], random_state=0)
    model = UMAP(n_neighbors=index.shape[1], precomputed_knn=(index, distance, search), random_state=0, n_jobs=1)
    return model.fit(x).transform


def _pacmap(x: np.ndarray, near: np.ndarray) -> Mapping:
    """Told the similar pairs as its pairs of neighbours; unseen samples find theirs in pixels."""
    from pacmap import PaCMAP

    samples, k = near.shape
    pairs = np.stack([np.repeat(np.arange(samples), k), near.ravel()], axis=1).astype(np.int32)
    model = PaCMAP(n_neighbors=k, pair_neighbors=pairs, random_state=0)
    model.fit(x)
    return lambda pixels: model.transform(pixels, basis=x)


def print_estimator() -> None:
    """How far the maps of DrLIM and of others can be trusted, and the effect of the margin."""
    from sklearn.datasets import load_digits, make_swiss_roll
    from sklearn.decomposition import PCA
    from sklearn.manifold import LocallyLinearEmbedding
    from umap import UMAP

    lle = partial(LocallyLinearEmbedding, neighbors_algorithm="kd_tree")  # others choose others where distances tie
    kinds = ("DrLIM", DrLIM, (5, 12)), ("scikit-learn's LLE", lle, (5, 12)), ("UMAP", UMAP, (5, 15))
    methods = {f"{name}, {k} neighbours": partial(kind, n_neighbors=k) for name, kind, counts in kinds for k in counts}
    roll, digits = make_swiss_roll(1500, random_state=0)[0], load_digits().data
    print(heading("Of each method", "trustworthiness, 5 neighbours", "swiss roll", "digits"))
    for name, method in (methods | {"scikit-learn's PCA": partial(PCA, 2)}).items():
        models = [method(random_state=seed) for seed in SEEDS]
        print(row(name, *(trust_told(x, models) for x in (roll, digits))), flush=True)
    print(heading("Digits", "margin", "objective / m²", "trustworthiness", "unevenness", "width of the map / m"))
    for margin in MARGINS:
        model = DrLIM(margin=margin, random_state=0).fit(digits)
        z = model.embedding_
        loss, width = model.loss_curve_[-100:].mean() / margin**2, np.sqrt(z.var(axis=0).sum()) / margin
        numbers = loss, trustworthiness(digits, z, 5), unevenness(z), width
        print(row(f"{margin:g}", *(f"{number:.3f}" for number in numbers)), flush=True)


def trust_told(x: np.ndarray, models: list) -> str:
    """The mean trustworthiness of these models' maps of x, with the least and the most where they differ."""
    scores = [trustworthiness(x, model.fit_transform(x), 5) for model in models]
    spread = f" ({min(scores):.3f} to {max(scores):.3f})" if max(scores) - min(scores) >= 0.0005 else ""
    return f"{np.mean(scores):.3f}{spread}"
