"""The command whose tables the estimator's page shows."""

import importlib.util
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.datasets
from sklearn.datasets import load_digits, make_swiss_roll

from drlim_np.bench import estimator as command


def test_it_prints_a_line_for_each_method_and_each_margin(monkeypatch, capsys):
    """Of sixty samples of each set, a seed, two margins, three steps; UMAP is left out, be it installed or not."""
    digits, roll = SimpleNamespace(data=load_digits().data[:60]), make_swiss_roll(60, random_state=0)
    monkeypatch.setattr(sklearn.datasets, "load_digits", lambda: digits)
    monkeypatch.setattr(sklearn.datasets, "make_swiss_roll", lambda *_, **__: roll)
    for name, few in {"SEEDS": (0,), "MARGINS": (0.5, 2.0), "DrLIM": partial(command.DrLIM, max_iter=3)}.items():
        monkeypatch.setattr(command, name, few)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "umap" else find(name))
    assert command.main([]) == 0
    lines = [line.split("|") for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    methods = [f"{method}, {k} neighbours" for method in ("DrLIM", "scikit-learn's LLE") for k in (5, 12)]
    first_cells = ["trustworthiness, 5 neighbours", "---", *methods, "scikit-learn's PCA", "margin", "---", "0.5", "2"]
    assert [cells[1].strip() for cells in lines] == first_cells
    assert all(0 < float(trust) <= 1 for cells in lines[2:7] for trust in cells[2:4])


def test_without_scikit_learn_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert command.main([]) == 2
    expected = 'drlim_np.bench.estimator: scikit-learn is missing: run pip install ".[test]"\n'
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(("scores", "said"), [([0.9, 0.9001], "0.900"), ([0.9, 0.95, 0.97], "0.940 (0.900 to 0.970)")])
def test_a_score_is_told_with_its_spread_where_seeds_differ(monkeypatch, scores, said):
    monkeypatch.setattr(command, "trustworthiness", lambda x, z, k: z)
    assert command.told(np.empty(0), [SimpleNamespace(fit_transform=lambda x, z=z: z) for z in scores]) == said
