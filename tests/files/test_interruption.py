"""Runs that are stopped, killed, doubled, cut off from their reader or led astray: nothing lost, nothing silent."""

import json
import os
import re
import subprocess
import sys
import time
from math import inf, nan
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import run_all
from drlim_np.audit import first as audit_first
from drlim_np.audit.gradcheck import Row
from drlim_np.data import handwriting
from drlim_np.errors import DivergedError, DrlimError
from drlim_np.figures import digits, figure4
from drlim_np.files import atomic
from drlim_np.runs import verify
from drlim_np.runs.index import FIGURES
from drlim_np.runs.record import COLLAPSED, CollapsedError, require_spread
from drlim_np.training import minimise

STEPS = 12
QUICK = {"train_per_class": 20, "test_per_class": 15, "steps": STEPS}


def command(*arguments):
    return [sys.executable, run_all.__file__, *map(str, arguments)]


ENVIRON = os.environ | {"PYTHONUTF8": "1", "MPLCONFIGDIR": matplotlib.get_cachedir()}


@pytest.fixture
def small(monkeypatch):
    """Figure 4 of a few digits, drawn quickly, whatever its claims."""
    few = handwriting.generate(1, train=(25, 25), test=(20, 20))
    monkeypatch.setattr(handwriting, "generate", lambda memory: few)
    monkeypatch.setattr(figure4, "QUICK", QUICK)


def run(out, *arguments):
    only = [] if "--only" in arguments else ["--only", "figure4"]
    return run_all.main(["--generated", "--quick", "--no-audit", "--jobs", "1", "--out", str(out), *only, *arguments])


def files(folder):
    """The bytes of the figures and arrays, and the record without its wall time."""
    kept = {path.name: path.read_bytes() for path in folder.glob("figure*")}
    return kept, re.sub(rb'"wall_seconds": .*', b"", (folder / "metrics.json").read_bytes())


# ---- stopped, and run again ----


def test_a_run_interrupted_in_training_goes_on_and_leaves_the_same_bytes(small, tmp_path, monkeypatch, capsys):
    run(tmp_path / "whole")
    capsys.readouterr()

    def interrupted(objective, *others, checkpoint, **options):
        calls = []

        def stopping(*given):
            calls.append(given)
            if len(calls) == 9:
                raise KeyboardInterrupt
            return objective(*given)

        object.__setattr__(checkpoint, "every", 4)
        return minimise(stopping, *others, checkpoint=checkpoint, **options)

    with monkeypatch.context() as patch:
        patch.setattr(digits, "minimise", interrupted)
        assert run(tmp_path / "out") == 130
    assert "the next run goes on with the training" in capsys.readouterr().err
    run(tmp_path / "out")
    assert f"figure 4, balanced: goes on from step 8 of {STEPS}\n" in capsys.readouterr().out
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_a_second_run_trains_nothing_and_leaves_the_same_bytes_and_fresh_trains(small, tmp_path, monkeypatch, capsys):
    run(tmp_path)
    first, steps = files(tmp_path), []
    update = figure4.learn.__globals__["SGD"].update
    monkeypatch.setattr(digits.SGD, "update", lambda *given: steps.append(1) or update(*given))
    run(tmp_path)
    assert (files(tmp_path), len(steps)) == (first, 0)
    assert "figure 4, balanced: trained before; --fresh trains anew\n" in capsys.readouterr().out
    run(tmp_path, "--fresh")
    assert (files(tmp_path), len(steps)) == (first, STEPS)
    assert "trained before" not in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--seed", "1"], ["--only", "figure4-exact"]])
def test_another_seed_or_weighting_is_trained_for_itself(small, tmp_path, capsys, arguments):
    run(tmp_path)
    run(tmp_path, *arguments)
    assert "trained before" not in capsys.readouterr().out
    assert len(list((tmp_path / ".checkpoints").glob("figure-4-*"))) == 2


def test_a_damaged_checkpoint_is_named_and_not_used(small, tmp_path, capsys):
    run(tmp_path)
    (kept,) = (tmp_path / ".checkpoints").glob("figure-4-*")
    kept.write_bytes(kept.read_bytes()[:-50])
    before = files(tmp_path)
    assert run(tmp_path) == 2
    complained = capsys.readouterr().err
    assert complained.startswith(f"run_all.py: {kept}: ") and complained.count("\n") == 1
    assert "--fresh" in complained
    assert files(tmp_path) == before
    run(tmp_path, "--fresh")
    assert files(tmp_path) == before


@pytest.mark.skipif(os.environ.get("DRLIM_TESTS") != "deep", reason="takes a minute: set DRLIM_TESTS=deep")
def test_a_whole_run_killed_at_ten_random_moments_leaves_the_bytes_of_one_that_was_not(tmp_path):
    def arguments(out):
        return command("--quick", "--generated", "--no-audit", "--only", "figure4,figure5", "--out", tmp_path / out)

    subprocess.run(arguments("whole"), check=True, capture_output=True, env=ENVIRON)
    said = ""
    for seconds in np.random.default_rng(0).uniform(1, 8, 10):
        with subprocess.Popen(arguments("killed"), stdout=subprocess.PIPE, env=ENVIRON, text=True) as process:
            time.sleep(seconds)
            process.kill()
            said += process.stdout.read()
    assert "goes on from step" in said
    subprocess.run(arguments("killed"), check=True, capture_output=True, env=ENVIRON)
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


# ---- two at once ----


def test_a_second_run_into_the_same_folder_is_refused_until_the_first_one_ends(small, tmp_path, capsys):
    holder = "import pathlib, sys\nfrom drlim_np.files import atomic\n"
    holder += f"with atomic.alone_in(pathlib.Path({str(tmp_path)!r})):\n"
    holder += "    print('held', flush=True); sys.stdin.read()"
    environ = ENVIRON | {"PYTHONPATH": str(audit_first.HERE)}
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
    ) as first:
        assert first.stdout.readline() == b"held\n"
        assert run(tmp_path, "--only", "figure1") == 2
        said = capsys.readouterr().err
        assert said.startswith(f"run_all.py: {tmp_path}: process {first.pid}, since 20")
        assert said.endswith("is at work there: wait until it ends, or choose another folder by --out\n")
        assert {path.name for path in tmp_path.iterdir()} == {atomic.LOCK}
        first.kill()
    assert run(tmp_path, "--only", "figure1") == 0  # what a killed process held is free, its lock file notwithstanding
    assert not (tmp_path / atomic.LOCK).exists()


def test_the_folder_is_free_again_after_a_fault(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic.alone_in(tmp_path):
        raise ZeroDivisionError
    with atomic.alone_in(tmp_path), pytest.raises(DrlimError), atomic.alone_in(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_had_half_written_is_removed_and_nothing_else(tmp_path):
    (tmp_path / ".checkpoints").mkdir()
    names = [
        ".figure4.png.17.partial",
        ".checkpoints/.training.npz.9.partial",
        "notes.partial",
        ".notes",
        "figure4.png",
    ]
    for name in names:
        (tmp_path / name).touch()
    with atomic.alone_in(tmp_path):
        pass
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"notes.partial", ".notes", "figure4.png"}


# ---- files ----


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_disk_that_fills_up_leaves_the_earlier_file_and_says_so(tmp_path, monkeypatch):
    (tmp_path / "figure.png").write_bytes(b"earlier")
    (tmp_path / f".figure.png.{os.getpid()}.partial").symlink_to("/dev/full")
    with pytest.raises(DrlimError, match=r"figure\.png: cannot be written \(No space left on device\)"):
        atomic.replace({tmp_path / "figure.png": b"later"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"figure.png": b"earlier"}


# ---- a reader that goes away ----


def test_a_reader_that_goes_away_ends_the_run_without_a_traceback(tmp_path):
    arguments = ["--only", "figure1,figure2", "--no-audit", "--out", tmp_path]
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRON) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
    json.loads((tmp_path / "metrics.json").read_bytes())
    assert not (tmp_path / atomic.LOCK).exists()


# ---- led astray ----


def test_points_in_one_place_are_a_collapse_and_points_apart_are_not():
    z = np.random.default_rng(0).standard_normal((50, 2))
    require_spread(z, 1.0, "a map")
    require_spread(1e-2 * z + 5, 0.1, "a map")
    with pytest.raises(CollapsedError, match=r"^a map: the map has collapsed, its points are 0\.0"):
        require_spread(1e-3 * z + 5, 1.0, "a map")
    with pytest.raises(CollapsedError):
        require_spread(1e-2 * z, 10.0, "a map")
    with pytest.raises(DivergedError, match=r"^a map: the map is not finite"):
        require_spread(z * np.nan, 1.0, "a map")
    require_spread(z * [1, 0], 1.0, "a line is no heap")
    assert COLLAPSED == 0.01


def test_a_collapsed_map_is_reported_and_stamped_and_the_status_says_so(small, tmp_path, monkeypatch, capsys):
    def collapsing(objective, start, *others, **options):
        params, losses = minimise(objective, start, *others, **options)
        params["F4"]["weight"] = 0 * params["F4"]["weight"]
        return params, losses

    monkeypatch.setattr(digits, "minimise", collapsing)
    assert run(tmp_path, "--only", "figure1,figure4") == 1
    said = capsys.readouterr().out
    assert "figure 4, balanced: the map has collapsed" in said
    assert "the map has not collapsed: its spread in margins" in said
    assert said.count("FAILS") == 1
    svg = (tmp_path / "figure4-handwriting-quick.svg").read_text(encoding="utf-8")
    assert "<!-- QUICK, CLAIMS FAIL -->" in svg
    entry = json.loads((tmp_path / "metrics.json").read_bytes())["figure4-handwriting-quick"]
    assert [claim["holds"] for claim in entry["claims"]] == [False]


def test_a_training_that_diverges_stops_the_run_with_its_step_and_draws_nothing(small, tmp_path, monkeypatch, capsys):
    def diverging(objective, *others, **options):
        calls = []

        def fails(*given):
            loss, gradient = objective(*given)
            calls.append(given)
            gradient["C3"]["weight"][0] *= np.inf if len(calls) == 7 else 1
            return loss, gradient

        return minimise(fails, *others, **options)

    monkeypatch.setattr(digits, "minimise", diverging)
    with np.errstate(invalid="ignore"):
        assert run(tmp_path, "--only", "figure4") == 2
    complained = capsys.readouterr().err
    assert complained == (
        "run_all.py: the gradient of C3.weight is not finite at step 7:"
        " lower the learning rate, or look for NaN in the data\n"
    )
    assert not list(tmp_path.glob("figure4*"))


# ---- determinism ----


def test_a_figure_has_the_same_bytes_alone_or_together_in_any_locale_and_for_any_hash_seed(tmp_path):
    runs = {"alone": ("figure2", "0", "C"), "together": ("figure1,figure2", "77", "de_DE.UTF-8")}
    found = []
    for name, (only, hash_seed, locale) in runs.items():
        arguments = ["--only", only, "--no-audit", "--out", tmp_path / name]
        environ = ENVIRON | {"PYTHONHASHSEED": hash_seed, "LC_ALL": locale, "LANG": locale, "TZ": "Asia/Tokyo"}
        subprocess.run(command(*arguments), check=True, capture_output=True, env=environ)
        found.append([(tmp_path / name / f"figure2.{kind}").read_bytes() for kind in ("png", "svg")])
    assert found[0] == found[1]


def test_every_figure_has_a_generator_of_its_own_whatever_was_drawn_before(small, tmp_path):
    run(tmp_path / "alone", "--only", "figure4-exact")
    run(tmp_path / "together", "--only", "figure4,figure4-exact")
    alone = files(tmp_path / "alone")[0]
    assert alone.items() <= files(tmp_path / "together")[0].items()
    assert set(FIGURES) >= {"figure4", "figure4-exact"}


# ---- the audit ----


def test_an_audit_that_passed_is_not_repeated_for_the_same_sources(tmp_path, monkeypatch, capsys):
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert True\n")
    row = Row("weight", 6, 0.0, 0.0)
    monkeypatch.setattr(
        audit_first.catalogue, "findings", lambda backend: iter([audit_first.catalogue.Finding("a layer", row)])
    )

    monkeypatch.setattr(audit_first.catalogue, "proofs", lambda: ())
    monkeypatch.setattr(audit_first, "PROPERTIES", (str(tmp_path / "test_it.py"),))

    def said(*arguments):
        assert run_all.main(["--only", "figure1", "--out", str(tmp_path / "out"), *arguments]) == 0
        return capsys.readouterr().out

    again = "Audit: passed before, of these very sources; --fresh repeats it"
    assert [again in said(), again in said(), again in said("--fresh")] == [False, True, False]
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert 1\n")
    assert [again in said(), again in said()] == [False, True]


# ---- --verify ----


def test_a_run_verified_on_the_same_machine_agrees_and_leaves_the_folder_as_it_was(small, tmp_path, capsys):
    run(tmp_path, "--only", "figure1,figure4")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()
    arguments = ["--verify", "--generated", "--no-audit", "--jobs", "1", "--out", str(tmp_path)]
    assert run_all.main([*arguments, "--only", "figure1,figure4"]) == 0
    said = capsys.readouterr().out
    assert "trained before" not in said
    assert re.search(r"All \d\d agree\.\n$", said)
    assert "figure4-handwriting-quick  drlim.accuracy" in said
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


CHANGES = {
    "a number": lambda entry: entry["measured"]["drlim"].update(accuracy=entry["measured"]["drlim"]["accuracy"] - 0.2),
    "a count": lambda entry: entry["measured"].update(dissimilar_pairs=entry["measured"]["dissimilar_pairs"] + 1),
    "a claim": lambda entry: entry["claims"][0].update(holds=False),
    "the data": lambda entry: entry["data"]["sha256"].update({"train-images": "ab"}),
    "the settings": lambda entry: entry["settings"].update(margin=2.0),
    "a number more": lambda entry: entry["measured"].update(more=1.0),
    "a number less": lambda entry: entry["measured"].pop("loss_over_all_training_pairs"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_record_that_differs_is_shown_and_the_status_says_so(small, tmp_path, capsys, change):
    run(tmp_path)
    record = json.loads((tmp_path / "metrics.json").read_bytes())
    CHANGES[change](record["figure4-handwriting-quick"])
    (tmp_path / "metrics.json").write_text(json.dumps(record))
    capsys.readouterr()
    assert run(tmp_path, "--verify") == 1
    said = capsys.readouterr().out
    assert said.count("DIFFERS") == 1
    assert said.endswith(" compared, 1 differ\n")


def test_without_a_record_there_is_nothing_to_verify(tmp_path, capsys):
    assert run_all.main(["--verify", "--only", "figure1", "--out", str(tmp_path)]) == 2
    assert "there is no record of figure1 to compare with" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("record", "now", "spread", "agrees"),
    [(0.5, 0.52, 0.03, True), (0.5, 0.54, 0.03, False), (0.5, nan, 0.03, False), (nan, 0.5, 1, False)]
    + [
        (3, 3, None, True),
        (3, 4, None, False),
        (3, 3.0, None, False),
        (1.0, None, 0.1, False),
        (1, 9, inf, True),
    ],
)
def test_numbers_agree_within_their_spread_and_counts_if_equal(record, now, spread, agrees):
    assert verify.Compared("figure1", "a number", record, now, spread).agrees is agrees


def test_the_figures_of_a_record_are_found_with_their_seeds_and_sizes():
    record = {
        "figure4-mnist": {"seed": 0, "quick": False},
        "figure4-exact-mnist": {"seed": 1, "quick": False},
        "figure1-quick": {"seed": 0, "quick": True},
        "figure10-airplane": {"seed": 0, "quick": False},
    }
    assert verify.entries(record, ["figure1", "figure4", "figure4-exact"]) == {
        (0, False): ["figure4"],
        (0, True): ["figure1"],
        (1, False): ["figure4-exact"],
    }
