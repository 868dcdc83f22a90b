"""Maps of the same unseen digits by DrLIM and by peers of today, each told the same, in tables in Markdown."""

import importlib.metadata
import importlib.util
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial

import numpy as np

from drlim_np.bench.report import heading, row
from drlim_np.data import Digits
from drlim_np.data.shifts import shifted
from drlim_np.errors import DrlimError
from drlim_np.fast.devices import processors
from drlim_np.figures import Train, figure4, figure7, invariance, shifted_maps
from drlim_np.figures.digits import organisation
from drlim_np.files.cache import NOTHING_CACHED
from drlim_np.runs import sources
from drlim_np.training import embed

PEERS = {"umap": "umap-learn", "pacmap": "pacmap", "openTSNE": "openTSNE", "sklearn": "scikit-learn"}
NUMBERS = ("accuracy", "slant_r2", "unevenness", "trustworthiness")
MOVED = {"±1.5, ±4.5 px": invariance.BETWEEN, "±8 px": (-8, 8)}

Mapping = Callable[[np.ndarray], np.ndarray]  # pixels (samples, features) -> places (samples, 2)


def print_tables() -> None:
    """Both tables, and the peers' curves in TOML, as drlim_np/figures/peers.toml keeps them; some minutes."""
    if missing := [package for name, package in PEERS.items() if importlib.util.find_spec(name) is None]:
        raise DrlimError(f'{" and ".join(missing)} missing: run pip install ".[maps]"')
    train = Train(threads=processors())
    sources.add_options(parser := ArgumentParser())
    digits = sources.digits(parser.parse_args([]), NOTHING_CACHED)
    _print_neighbours(digits, train)
    _print_shifts(digits, train)


def _print_neighbours(digits: Digits, train: Train) -> None:
    found, unseen = figure4.trained(digits, train, "balanced")
    x, near = found.x.reshape(len(found.x), -1), _table(found.graph.pairs, len(found.x))
    fits = {"UMAP": partial(_umap, x, near), "PaCMAP": partial(_pacmap, x, near), "openTSNE": partial(_tsne, x)}
    fits |= {"DrLIM": lambda: _of_images(partial(embed, found.network, found.params)), "LLE": partial(_lle, x)}
    print(heading(f"Unseen digits of Figure 4, {digits.title}", "map", *NUMBERS))
    for name, fit in fits.items():
        numbers = organisation(fit()(unseen.pixels), unseen, train)
        print(row(_called(name), *(f"{numbers[number]:.3f}" for number in NUMBERS)), flush=True)


def _print_shifts(digits: Digits, train: Train) -> None:
    found = shifted_maps.trained(figure7.STORY, digits, train)
    x = shifted(shifted_maps.train_characters(digits, train)).reshape(found.graph.size, -1)
    near = _table(found.graph.pairs, len(x))
    unseen = shifted_maps.unseen_digits(digits, train)
    still = shifted_maps.unseen_digits(digits, train, invariance.PER_CLASS)
    images = still.inputs[still.shift == 0]
    fits = {"DrLIM": lambda: _of_images(partial(embed, found.network, found.params))}
    fits |= {"UMAP": partial(_umap, x, near), "PaCMAP": partial(_pacmap, x, near)}
    title = f"Figure 7, unseen, {digits.title}: similar are the copies by its prior knowledge"
    print(heading(title, "map", "shift ratio", "slant R²", "accuracy", *MOVED))
    records = []
    for name, fit in fits.items():
        mapping = fit()
        z = mapping(unseen.pixels)
        numbers = organisation(z, unseen, train)
        curves = invariance.curves(lambda moved, of=mapping: of(moved.reshape(len(moved), -1)), images)
        farthest = [max(invariance.at(curves, "right", *amounts)) for amounts in MOVED.values()]
        shown = [numbers["shift_ratio"], numbers["slant_r2"], numbers["accuracy"], *farthest]
        print(row(_called(name), *(f"{number:.3f}" for number in shown)), flush=True)
        if name != "DrLIM":
            lists = (f"{kind} = {np.round(values, 3).tolist()}" for kind, values in curves.items())
            records.append("\n".join([f'["{_called(name)}"]', *lists]))
    print(*records, sep="\n\n")


def _called(name: str) -> str:
    """A map's name, and the version of the library that made it."""
    package = {"UMAP": "umap-learn", "PaCMAP": "pacmap", "openTSNE": "openTSNE", "LLE": "scikit-learn"}.get(name)
    return f"{name} ({package} {importlib.metadata.version(package)})" if package else name


def _table(pairs: np.ndarray, samples: int) -> np.ndarray:
    """The listed pairs as a table (samples, k) of those similar to each."""
    return pairs[np.argsort(pairs[:, 0], kind="stable"), 1].reshape(samples, -1)


def _of_images(mapping: Callable) -> Mapping:
    return lambda pixels: mapping(pixels.reshape(-1, 1, 32, 32))


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


def _tsne(x: np.ndarray) -> Mapping:
    from openTSNE import TSNE

    return TSNE(random_state=0, n_jobs=processors()).fit(x).transform


def _lle(x: np.ndarray) -> Mapping:
    from sklearn.manifold import LocallyLinearEmbedding

    return LocallyLinearEmbedding(n_neighbors=5, random_state=0).fit(x).transform
