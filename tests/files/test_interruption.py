"""Runs that are stopped, killed, repeated, cut off from their reader or led astray: nothing lost, nothing silent."""

import json
import os
import re
import shutil
import subprocess
import sys
from copy import deepcopy
from math import nan

import matplotlib
import numpy as np
import pytest

import run_all
from drlim_np.data import handwriting
from drlim_np.errors import DivergedError
from drlim_np.figures import COLLAPSED, CollapsedError, digits, figure4, require_spread
from drlim_np.files import atomic
from drlim_np.runs import verify
from drlim_np.training import minimise

STEPS = 12
KEY = "figure4-handwriting-quick"


def run(out, *arguments):
    only = [] if "--only" in arguments else ["--only", "figure4"]
    return run_all.main(["--generated", "--quick", "--no-audit", "--jobs", "1", "--out", str(out), *only, *arguments])


def files(folder):
    """The bytes of the figures and arrays, and the record without its wall time."""
    figures = {path.name: path.read_bytes() for path in folder.glob("figure*")}
    return figures, re.sub(rb'"wall_seconds": .*', b"", (folder / "metrics.json").read_bytes())


@pytest.fixture(scope="module")
def small():
    """Figure 4 of a few digits, drawn quickly, whatever its claims."""
    few = handwriting.generate(1, train=(25, 25), test=(20, 20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handwriting, "generate", lambda draw: few)
        patch.setattr(figure4, "QUICK", {"train_per_class": 20, "test_per_class": 15, "steps": STEPS})
        yield


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """A run that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder)
    return folder


@pytest.fixture
def out(whole, tmp_path):
    """A copy of its folder."""
    return shutil.copytree(whole, tmp_path / "out")


# ---- stopped, and run again ----


def test_a_run_interrupted_in_training_says_so_and_the_next_leaves_the_same_bytes(whole, tmp_path, monkeypatch, capsys):
    def stopped(objective, *others, **options):
        left = iter(range(8))

        def watched(*given):
            if next(left, None) is None:
                raise KeyboardInterrupt
            return objective(*given)

        return minimise(watched, *others, **options)

    with monkeypatch.context() as patch:
        patch.setattr(digits, "minimise", stopped)
        assert run(tmp_path) == 130
    assert "the next run finds the finished trainings" in capsys.readouterr().err
    run(tmp_path)
    assert files(tmp_path) == files(whole)


def test_a_second_run_trains_nothing_and_leaves_the_same_bytes_and_fresh_trains(whole, out, monkeypatch, capsys):
    steps, update = [], digits.SGD.update
    monkeypatch.setattr(digits.SGD, "update", lambda *given: steps.append(1) or update(*given))
    found = "figure 4, balanced: trained before; --fresh trains again\n"
    for arguments, trained, said in (((), 0, True), (("--fresh",), STEPS, False)):
        steps.clear()
        run(out, *arguments)
        assert (files(out), len(steps)) == (files(whole), trained)
        assert (found in capsys.readouterr().out) == said


@pytest.mark.parametrize("arguments", [["--seed", "1"], ["--only", "figure4-exact"]])
def test_another_seed_or_weighting_is_trained_for_itself(out, capsys, arguments):
    run(out, *arguments)
    assert "trained before" not in capsys.readouterr().out
    assert len(list((out / ".checkpoints").glob("figure-4-*"))) == 2


def test_a_reader_that_goes_away_ends_the_run_without_a_traceback(tmp_path):
    command = [sys.executable, run_all.__file__, "--only", "figure1,figure2", "--no-audit", "--out", str(tmp_path)]
    environ = os.environ | {"PYTHONUTF8": "1", "MPLCONFIGDIR": matplotlib.get_cachedir()}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
    json.loads((tmp_path / "metrics.json").read_bytes())
    assert not (tmp_path / atomic.LOCK).exists()


# ---- led astray ----

Z = np.random.default_rng(0).standard_normal((50, 2))


@pytest.mark.parametrize(
    ("z", "margin", "kind", "message"),
    [
        (1e-3 * Z + 5, 1.0, CollapsedError, "a map: the map has collapsed, its points are 0.0"),
        (1e-2 * Z, 10.0, CollapsedError, "a map: the map has collapsed"),
        (Z * nan, 1.0, DivergedError, "a map: the map is not finite"),
    ],
)
def test_points_in_one_place_are_a_collapse_and_points_apart_are_not(z, margin, kind, message):
    with pytest.raises(kind, match=f"^{message}"):
        require_spread(z, margin, "a map")
    for apart, size in ((Z, 1.0), (1e-2 * Z + 5, 0.1), (Z * [1, 0], 1.0)):  # a line is no heap
        require_spread(apart, size, "a map")
    assert COLLAPSED == 0.01


def test_a_collapsed_map_is_reported_and_stamped_and_the_status_says_so(small, tmp_path, monkeypatch, capsys):
    def collapsing(*given, **options):
        params, losses = minimise(*given, **options)
        params["F4"]["weight"] = 0 * params["F4"]["weight"]
        return params, losses

    monkeypatch.setattr(digits, "minimise", collapsing)
    assert run(tmp_path, "--only", "figure1,figure4") == 1
    said = capsys.readouterr().out
    assert "figure 4, balanced: the map has collapsed" in said
    assert "the map has not collapsed: its spread in margins" in said
    assert said.count("FAILS") == 1
    assert "<!-- QUICK, CLAIMS FAIL -->" in (tmp_path / f"{KEY}.svg").read_text(encoding="utf-8")
    entry = json.loads((tmp_path / "metrics.json").read_bytes())[KEY]
    assert [claim["holds"] for claim in entry["claims"]] == [False]


# ---- --verify ----

CHANGES = {
    "a number": lambda entry: entry["measured"]["drlim"].update(accuracy=entry["measured"]["drlim"]["accuracy"] - 0.2),
    "a count": lambda entry: entry["measured"].update(dissimilar_pairs=entry["measured"]["dissimilar_pairs"] + 1),
    "a claim": lambda entry: entry["claims"][0].update(holds=not entry["claims"][0]["holds"]),
    "the data": lambda entry: entry["data"]["sha256"].update({"train-images": "ab"}),
    "the settings": lambda entry: entry["settings"].update(margin=2.0),
    "a number more": lambda entry: entry["measured"].update(more=1.0),
    "a number less": lambda entry: entry["measured"].pop("loss_over_all_training_pairs"),
}


def test_a_run_verified_trains_again_agrees_and_leaves_the_folder_as_it_was(out, capsys):
    before = files(out)
    assert run(out, "--verify") == 0
    printed = capsys.readouterr().out
    assert "trained before" not in printed and f"{KEY}  drlim.accuracy" in printed
    assert re.search(r"All \d\d agree\.\n$", printed)
    assert files(out) == before


@pytest.mark.parametrize("change", CHANGES)
def test_what_differs_from_a_record_is_one_row(whole, change):
    entry = json.loads((whole / "metrics.json").read_bytes())[KEY]
    CHANGES[change](changed := deepcopy(entry))
    assert {row[-1] for row in verify.compare(KEY, entry, entry)} == {"agrees"}
    assert [row[-1] for row in verify.compare(KEY, changed, entry)].count("DIFFERS") == 1


@pytest.mark.parametrize(
    ("name", "record", "now", "agrees"),
    [("slant_r2", 0.5, 0.52, True), ("slant_r2", 0.5, 0.54, False), ("slant_r2", 0.5, nan, False)]
    + [("a loss", 1.0, 1.049, True), ("a loss", 1.0, 1.051, False), ("a loss", nan, 1.0, False)]
    + [("a count", 3, 3, True), ("a count", 3, 4, False), ("a count", 3, 3.0, False), ("a loss", 1.0, None, False)],
)
def test_numbers_agree_within_their_spread_and_counts_if_equal(name, record, now, agrees):
    old, new = ({"data": 0, "settings": 0, "claims": [], "measured": {name: value}} for value in (record, now))
    assert [row[-1] == "agrees" for row in verify.compare("figure1", old, new)] == [True, True, agrees]


def test_the_figures_of_a_record_are_found_with_their_seeds_and_sizes():
    record = {
        "figure4-mnist": {"seed": 0, "quick": False},
        "figure4-exact-mnist": {"seed": 1, "quick": False},
        "figure1-quick": {"seed": 0, "quick": True},
        "figure10-airplane": {"seed": 0, "quick": False},
    }
    assert verify.repeated(record, ["figure1", "figure4", "figure4-exact"], []) == {
        (0, False): ["figure4"],
        (0, True): ["figure1"],
        (1, False): ["figure4-exact"],
    }
