"""Maps of the same unseen digits by DrLIM and by peers of today, each told the same, in tables in Markdown."""

import importlib.metadata
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial

import numpy as np

from drlim_np.bench import heading, row
from drlim_np.data import Digits, shifted
from drlim_np.errors import DrlimError
from drlim_np.fast.devices import processors
from drlim_np.figures import Train, figure4, figure7, invariance, shifted_maps
from drlim_np.figures.digits import Trained, organisation
from drlim_np.files.cache import NOTHING_CACHED
from drlim_np.runs import sources
from drlim_np.training import embed

PEERS = {"UMAP": "umap-learn", "PaCMAP": "pacmap", "openTSNE": "openTSNE", "LLE": "scikit-learn"}
NUMBERS = ("accuracy", "slant_r2", "unevenness", "trustworthiness")
MOVED = {"±1.5, ±4.5 px": invariance.BETWEEN, "±8 px": (-8, 8)}

Mapping = Callable[[np.ndarray], np.ndarray]  # pixels (samples, features) -> places (samples, 2)


def print_tables() -> None:
    """Both tables, and the peers' curves in TOML, as drlim_np/figures/peers.toml keeps them; some minutes."""
    called, missing = {"DrLIM": "DrLIM"}, []
    for name, package in PEERS.items():
        try:
            called[name] = f"{name} ({package} {importlib.metadata.version(package)})"
        except importlib.metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        raise DrlimError(f'{" and ".join(missing)} missing: run pip install ".[maps]"')
    train = Train(threads=processors())
    sources.add_options(parser := ArgumentParser())
    digits = sources.digits(parser.parse_args([]), NOTHING_CACHED)
    _print_neighbours(digits, train, called)
    _print_shifts(digits, train, called)


def _print_neighbours(digits: Digits, train: Train, called: dict[str, str]) -> None:
    from openTSNE import TSNE
    from sklearn.manifold import LocallyLinearEmbedding

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


def _print_shifts(digits: Digits, train: Train, called: dict[str, str]) -> None:
    found = shifted_maps.trained(figure7.STORY, digits, train)
    x = shifted(shifted_maps.train_characters(digits, train)).reshape(found.graph.size, -1)
    unseen = shifted_maps.unseen_digits(digits, train)
    still = shifted_maps.unseen_digits(digits, train, invariance.PER_CLASS)
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
