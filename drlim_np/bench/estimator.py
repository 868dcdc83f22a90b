"""How far the maps of DrLIM and of others can be trusted, and the effect of the margin: the estimator's tables."""

import argparse
import importlib.util
from functools import partial

import numpy as np

from drlim_np.bench import heading, row
from drlim_np.checks.terminal import exit_status
from drlim_np.errors import DrlimError
from drlim_np.estimator import DrLIM
from drlim_np.measure.metrics import trustworthiness, unevenness

SEEDS = 0, 1, 2
MARGINS = 0.25, 0.5, 1.0, 2.0, 4.0


def main(arguments: list[str] | None = None) -> int:
    """0 when all was measured, 2 where the user can mend it, 130 when interrupted."""
    argparse.ArgumentParser(prog="python -m drlim_np.bench.estimator", description=__doc__).parse_args(arguments)
    return exit_status(tables, "drlim_np.bench.estimator")


def tables() -> None:
    """Prints both tables, in a few minutes. scikit-learn brings the data and the other methods."""
    if importlib.util.find_spec("sklearn") is None:
        raise DrlimError('scikit-learn is missing: run pip install ".[test]"')
    from sklearn.datasets import load_digits, make_swiss_roll
    from sklearn.decomposition import PCA
    from sklearn.manifold import LocallyLinearEmbedding

    lle = partial(LocallyLinearEmbedding, neighbors_algorithm="kd_tree")  # others choose others where distances tie
    kinds = [("DrLIM", DrLIM, (5, 12)), ("scikit-learn's LLE", lle, (5, 12))]
    if importlib.util.find_spec("umap"):
        from umap import UMAP

        kinds.append(("UMAP", UMAP, (5, 15)))
    methods = {f"{name}, {k} neighbours": partial(kind, n_neighbors=k) for name, kind, counts in kinds for k in counts}
    roll, digits = make_swiss_roll(1500, random_state=0)[0], load_digits().data
    print(heading("Of each method", "trustworthiness, 5 neighbours", "swiss roll", "digits"))
    for name, method in methods.items():
        models = [method(random_state=seed) for seed in SEEDS]
        print(row(name, *(told(x, models) for x in (roll, digits))), flush=True)
    print(row("scikit-learn's PCA", *(told(x, [PCA(2)]) for x in (roll, digits))))
    print(heading("Digits", "margin", "objective / m²", "trustworthiness", "unevenness", "width of the map / m"))
    for margin in MARGINS:
        model = DrLIM(margin=margin, random_state=0).fit(digits)
        z = model.embedding_
        loss, width = model.loss_curve_[-100:].mean() / margin**2, np.sqrt(z.var(axis=0).sum()) / margin
        numbers = loss, trustworthiness(digits, z, 5), unevenness(z), width
        print(row(f"{margin:g}", *(f"{number:.3f}" for number in numbers)), flush=True)


def told(x: np.ndarray, models: list) -> str:
    """The mean trustworthiness of these models' maps of x, with the least and the most where they differ."""
    scores = [trustworthiness(x, model.fit_transform(x), 5) for model in models]
    spread = f" ({min(scores):.3f} to {max(scores):.3f})" if max(scores) - min(scores) >= 0.0005 else ""
    return f"{np.mean(scores):.3f}{spread}"


if __name__ == "__main__":
    raise SystemExit(main())
