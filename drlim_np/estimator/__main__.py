"""How far the maps of DrLIM and of other methods can be trusted, and what the margin does: the tables of the README.

python -m drlim_np.estimator             with scikit-learn, and UMAP if it is installed: a few minutes
python -m drlim_np.estimator --steps 20  to see that it works
"""

import argparse
import importlib.util
from collections.abc import Callable, Sequence

import numpy as np

from drlim_np.checks.terminal import exit_status
from drlim_np.errors import DrlimError
from drlim_np.estimator.drlim import DrLIM
from drlim_np.measure.metrics import trustworthiness, unevenness

SEEDS = 0, 1, 2
MARGINS = 0.25, 0.5, 1.0, 2.0, 4.0


def main(arguments: list[str] | None = None) -> int:
    """0 when all was measured, 2 where the user can mend it, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m drlim_np.estimator", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=DrLIM().max_iter, help="max_iter of DrLIM (default: %(default)s)")
    options = parser.parse_args(arguments)
    return exit_status(lambda: _tables(options.steps), "drlim_np.estimator")


def _tables(steps: int) -> None:
    """Raises DrlimError where scikit-learn, which brings the data and the peers, is not installed."""
    if importlib.util.find_spec("sklearn") is None:
        raise DrlimError('scikit-learn is missing: run pip install ".[test]"')
    from sklearn.datasets import load_digits, make_swiss_roll

    data = {"swiss roll": make_swiss_roll(1500, random_state=0)[0], "digits": load_digits().data}
    print(f"| {'trustworthiness, 5 neighbours':50} | {' | '.join(data)} |\n|---|---|---|")
    for words, fits in _contestants(steps).items():
        cells = [_told([trustworthiness(x, fit(x), 5) for fit in fits]) for x in data.values()]
        print(f"| {words:50} | {' | '.join(cells)} |", flush=True)
    print("\n| margin | objective / m² | trustworthiness | unevenness | width of the map / m |\n|---|---|---|---|---|")
    for margin in MARGINS:
        model = DrLIM(margin=margin, max_iter=steps, random_state=0).fit(x := data["digits"])
        z, loss = model.embedding_, model.loss_curve_[-100:].mean() / margin**2
        measured = loss, trustworthiness(x, z, 5), unevenness(z), np.sqrt(z.var(axis=0).sum()) / margin
        print(f"| {margin:g} | {' | '.join(f'{number:.3f}' for number in measured)} |", flush=True)


def _contestants(steps: int) -> dict[str, Sequence[Callable[[np.ndarray], np.ndarray]]]:
    """What maps are compared, each with one fit a seed, or one where there is nothing to draw."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import LocallyLinearEmbedding

    found: dict[str, Sequence[Callable[[np.ndarray], np.ndarray]]] = {}
    for k in (5, 12):
        ours = [DrLIM(n_neighbors=k, max_iter=steps, random_state=seed) for seed in SEEDS]
        found[f"DrLIM, {k} neighbours"] = [model.fit_transform for model in ours]
    for k in (5, 12):
        theirs = [LocallyLinearEmbedding(n_neighbors=k, random_state=seed) for seed in SEEDS]
        found[f"scikit-learn's LLE, {k} neighbours"] = [model.fit_transform for model in theirs]
    found["scikit-learn's PCA"] = [PCA(2).fit_transform]
    if importlib.util.find_spec("umap"):
        from umap import UMAP

        for k in (5, 15):
            found[f"UMAP, {k} neighbours"] = [UMAP(n_neighbors=k, random_state=seed).fit_transform for seed in SEEDS]
    return found


def _told(scores: list[float]) -> str:
    spread = f" ({min(scores):.3f} to {max(scores):.3f})" if max(scores) - min(scores) >= 0.0005 else ""
    return f"{np.mean(scores):.3f}{spread}"


if __name__ == "__main__":
    raise SystemExit(main())
