"""How far the maps of DrLIM and of others can be trusted, and the effect of the margin: the estimator's tables."""

import argparse
import importlib.util

import numpy as np

from drlim_np.checks.terminal import exit_status
from drlim_np.errors import DrlimError
from drlim_np.estimator import DrLIM
from drlim_np.measure.metrics import trustworthiness, unevenness

SEEDS = 0, 1, 2
MARGINS = 0.25, 0.5, 1.0, 2.0, 4.0


def main(arguments: list[str] | None = None) -> int:
    """0 when all was measured, 2 where the user can mend it, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m drlim_np.bench.estimator", description=__doc__)
    parser.add_argument("--steps", type=int, default=DrLIM().max_iter, help="max_iter of DrLIM (default: %(default)s)")
    return exit_status(lambda: tables(parser.parse_args(arguments).steps), "drlim_np.bench.estimator")


def tables(steps: int) -> None:
    """Prints both tables, in a few minutes. scikit-learn brings the data and the other methods."""
    if importlib.util.find_spec("sklearn") is None:
        raise DrlimError('scikit-learn is missing: run pip install ".[test]"')
    from sklearn.datasets import load_digits, make_swiss_roll

    data = {"swiss roll": make_swiss_roll(1500, random_state=0)[0], "digits": load_digits().data}
    print(f"| {'trustworthiness, 5 neighbours':50} | {' | '.join(data)} |\n|---|---|---|")
    for name, models in methods(steps).items():
        cells = [told([trustworthiness(x, model.fit_transform(x), 5) for model in models]) for x in data.values()]
        print(f"| {name:50} | {' | '.join(cells)} |", flush=True)
    print("\n| margin | objective / m² | trustworthiness | unevenness | width of the map / m |\n|---|---|---|---|---|")
    x = data["digits"]
    for margin in MARGINS:
        model = DrLIM(margin=margin, max_iter=steps, random_state=0).fit(x)
        z = model.embedding_
        loss = model.loss_curve_[-100:].mean() / margin**2
        width = np.sqrt(z.var(axis=0).sum()) / margin
        measured = loss, trustworthiness(x, z, 5), unevenness(z), width
        print(f"| {margin:g} | {' | '.join(f'{number:.3f}' for number in measured)} |", flush=True)


def methods(steps: int) -> dict[str, list]:
    """The models that are compared, one for each seed, or one where nothing is drawn."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import LocallyLinearEmbedding as LLE

    found: dict[str, list] = {}
    for k in (5, 12):
        found[f"DrLIM, {k} neighbours"] = [DrLIM(n_neighbors=k, max_iter=steps, random_state=seed) for seed in SEEDS]
    for k in (5, 12):
        found[f"scikit-learn's LLE, {k} neighbours"] = [LLE(n_neighbors=k, random_state=seed) for seed in SEEDS]
    found["scikit-learn's PCA"] = [PCA(2)]
    if importlib.util.find_spec("umap"):
        from umap import UMAP

        for k in (5, 15):
            found[f"UMAP, {k} neighbours"] = [UMAP(n_neighbors=k, random_state=seed) for seed in SEEDS]
    return found


def told(scores: list[float]) -> str:
    """The mean, with the least and the most where they differ."""
    spread = f" ({min(scores):.3f} to {max(scores):.3f})" if max(scores) - min(scores) >= 0.0005 else ""
    return f"{np.mean(scores):.3f}{spread}"


if __name__ == "__main__":
    raise SystemExit(main())
