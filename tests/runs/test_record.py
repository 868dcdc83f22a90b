import json
import os
import re
from dataclasses import replace
from math import inf, nan
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

import drlim_np
from drlim_np.data import Digits, Split, Views
from drlim_np.errors import DataError, DrlimError
from drlim_np.runs import record
from drlim_np.runs.record import Claim, CollapsedError, Result, Run, of_collapsed, publish, require_writable, stem
from drlim_np.runs.seeds import of_seed, seeds_of

EMPTY = Split(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))
DIGITS = Digits("handwriting", "generated handwriting", EMPTY, EMPTY, {"train-images": "ab", "test-images": "cd"})
VIEWS = Views("airplane", "rendered airplane", np.zeros((972, 96, 96), np.uint8), {"images": "ef"})
RUN = Run(seed=7, quick=False, threads=3, digits=lambda: DIGITS, views=lambda: VIEWS)
CLAIMS = [Claim("as high as it should be", 0.5, "≥", 0.25), Claim("as low as it should be", 0.5, "≤", 0.25)]
ARRAYS = {"embedding": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), "index": np.array([5, 6])}


def result(height=1.0, **parts):
    """One line in a small figure, and all that a result may hold."""
    figure = Figure(figsize=(1, 1))
    figure.add_subplot().plot([0, height])
    parts = {"settings": {"margin": 1.25}, "data": DIGITS, "measured": {"loss": 2.5}, "arrays": ARRAYS} | parts
    return Result(figure, parts.pop("claims", CLAIMS), **parts)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def entries(folder):
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def complaint(kind, call, *arguments):
    """The message of the error that a call must raise."""
    with pytest.raises(kind) as caught:
        call(*arguments)
    assert str(caught.value).isprintable(), "more than one line"
    return str(caught.value)


# ---- claims ----


@pytest.mark.parametrize(
    ("value", "relation", "bound", "holds"),
    [
        (0.6, "≥", 0.5, True),
        (0.5, "≥", 0.5, True),
        (0.4, "≥", 0.5, False),
        (0.6, "≤", 0.5, False),
        (0.5, "≤", 0.5, True),
        (0.4, "≤", 0.5, True),
        (0.6, "=", 0.5, False),
        (0.5, "=", 0.5, True),
        (0.4, "=", 0.5, False),
        (15, "=", 15.0, True),
        (inf, "≥", 0.5, True),
        (inf, "≤", 0.5, False),
        *((nan, relation, bound, False) for relation in "≥≤=" for bound in (0.5, inf, nan)),
        *((0.5, relation, nan, False) for relation in "≥≤="),
    ],
)
def test_a_claim_holds_where_its_value_keeps_the_bound_and_never_for_nan(value, relation, bound, holds):
    assert Claim("", value, relation, bound).holds is holds


# ---- randomness ----


def test_a_figure_draws_the_same_numbers_whether_or_not_others_were_drawn_before():
    alone = RUN.rng(4).random(9)
    RUN.rng(1).random(1000)
    np.testing.assert_array_equal(RUN.rng(4).random(9), alone)
    np.testing.assert_array_equal(replace(RUN, quick=True, threads=1).rng(4).random(9), alone)


def test_each_figure_and_each_seed_has_numbers_of_its_own():
    drawn = {tuple(replace(RUN, seed=seed).rng(figure).random(3)) for seed in range(5) for figure in range(5)}
    assert len(drawn) == 25


# ---- names ----


@pytest.mark.parametrize(
    ("data", "quick", "name"),
    [
        (None, False, "figure1"),
        (None, True, "figure1-quick"),
        (DIGITS, False, "figure1-handwriting"),
        (DIGITS, True, "figure1-handwriting-quick"),
        (replace(DIGITS, name="idx-1a2b3c4d"), False, "figure1-idx-1a2b3c4d"),
        (VIEWS, False, "figure1-airplane"),
        (replace(VIEWS, name="norb-airplane4"), True, "figure1-norb-airplane4-quick"),
    ],
)
def test_a_figure_is_named_after_its_data_and_after_quick(data, quick, name, tmp_path):
    run = replace(RUN, quick=quick)
    assert stem("figure1", result(data=data), run) == name
    assert publish("figure1", result(data=data), run, 0.0, tmp_path) == name
    assert set(contents(tmp_path)) == {f"{name}.png", f"{name}.svg", f"{name}.npz", "metrics.json"}
    assert set(entries(tmp_path)) == {name}


@pytest.mark.parametrize(("quick", "name"), [(False, "sheet-airplane"), (True, "sheet-airplane-quick")])
def test_a_name_that_ends_in_that_of_its_data_does_not_get_it_twice(quick, name):
    views = Views("airplane", "rendered airplane", np.zeros((1, 2, 2), np.uint8), {"images": "ab"})
    assert stem("sheet-airplane", result(data=views), replace(RUN, quick=quick)) == name
    assert stem("figure8", result(data=views), RUN) == "figure8-airplane"
    assert stem("airplane", result(data=views), RUN) == "airplane-airplane"


# ---- what is written ----


def test_a_figure_becomes_a_png_an_svg_and_its_arrays(tmp_path):
    publish("figure4", result(), RUN, 1.0, tmp_path)
    files = contents(tmp_path)
    assert files["figure4-handwriting.png"].startswith(b"\x89PNG\r\n\x1a\n")
    assert files["figure4-handwriting.png"].endswith(b"IEND\xaeB`\x82")
    assert b"</svg>" in files["figure4-handwriting.svg"]
    with np.load(tmp_path / "figure4-handwriting.npz") as arrays:
        assert set(arrays) == set(ARRAYS)
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(arrays[name], array, strict=True)


def test_a_figure_without_arrays_leaves_no_npz(tmp_path):
    publish("figure1", result(data=None, arrays=None), RUN, 1.0, tmp_path)
    assert set(contents(tmp_path)) == {"figure1.png", "figure1.svg", "metrics.json"}


def test_the_entry_of_a_figure_of_views_names_them_and_their_hashes(tmp_path):
    publish("figure8", result(data=VIEWS), RUN, 1.0, tmp_path)
    data = entries(tmp_path)["figure8-airplane"]["data"]
    assert data == {"name": "airplane", "title": "rendered airplane", "sha256": {"images": "ef"}}


def test_the_entry_says_all_that_made_the_figure(tmp_path):
    publish("figure4", result(), RUN, 12.345, tmp_path)
    entry = entries(tmp_path)["figure4-handwriting"]
    assert entry["data"] == {"name": DIGITS.name, "title": DIGITS.title, "sha256": DIGITS.sha256}
    assert entry["settings"] == {"margin": 1.25}
    assert entry["measured"] == {"loss": 2.5}
    assert (entry["seed"], entry["quick"], entry["wall_seconds"]) == (7, False, 12.3)
    assert entry["versions"]["numpy"] == np.__version__
    assert entry["versions"]["matplotlib"] == matplotlib.__version__
    assert entry["versions"]["drlim_np"] == drlim_np.__version__
    assert re.fullmatch(r"3\.\d+\.\d+\S*", entry["versions"]["python"])
    assert entry["machine"]["threads"] == 3
    assert entry["machine"]["blas"]


def test_the_entry_holds_each_claim_with_its_value_its_bound_and_its_verdict(tmp_path):
    publish("figure4", result(), RUN, 1.0, tmp_path)
    assert entries(tmp_path)["figure4-handwriting"]["claims"] == [
        {"text": "as high as it should be", "value": 0.5, "relation": "≥", "bound": 0.25, "holds": True},
        {"text": "as low as it should be", "value": 0.5, "relation": "≤", "bound": 0.25, "holds": False},
    ]


def test_a_figure_without_data_says_so(tmp_path):
    publish("figure1", result(data=None), replace(RUN, quick=True), 1.0, tmp_path)
    assert entries(tmp_path)["figure1-quick"]["data"] is None
    assert entries(tmp_path)["figure1-quick"]["quick"] is True


def test_the_record_is_readable_text_with_its_figures_in_order(tmp_path):
    for name in ("figure4", "figure1"):
        publish(name, result(data=None), RUN, 1.0, tmp_path)
    text = (tmp_path / "metrics.json").read_text(encoding="utf-8")
    assert "≥" in text
    assert text.endswith("}\n")
    assert list(json.loads(text)) == ["figure1", "figure4"]


def test_earlier_entries_stay_and_that_of_the_same_figure_is_replaced(tmp_path):
    publish("figure1", result(), RUN, 1.0, tmp_path)
    publish("figure4", result(), RUN, 2.0, tmp_path)
    first, second = entries(tmp_path).values()
    publish("figure4", result(measured={"loss": 0.0}), RUN, 3.0, tmp_path)
    kept, anew = entries(tmp_path).values()
    assert kept == first
    assert anew == second | {"measured": {"loss": 0.0}, "wall_seconds": 3.0}


def test_figures_of_other_data_or_of_a_quick_run_are_never_overwritten(tmp_path):
    kinds = [(DIGITS, False), (DIGITS, True), (replace(DIGITS, name="mnist"), False), (None, False)]
    seen = {}
    for height, (data, quick) in enumerate(kinds, start=1):
        publish("figure4", result(height, data=data), replace(RUN, quick=quick), 1.0, tmp_path)
        files = contents(tmp_path)
        del files["metrics.json"]
        assert seen.items() < files.items()
        assert len(files) == 3 * height == 3 * len(entries(tmp_path))
        seen = files


# ---- several seeds ----


def made_with(seed, **parts):
    return result(measured={"loss": seed + 0.5}, **parts), replace(RUN, seed=seed)


def test_the_record_of_another_seed_stands_beside_the_first_one_and_no_picture_changes(tmp_path):
    publish("figure4", *made_with(7), 1.0, tmp_path)
    before, entry = contents(tmp_path), entries(tmp_path)["figure4-handwriting"]
    publish("figure4", *made_with(8, height=9, settings={"margin": 1.25, "dissimilar_weight": 3}), 1.0, tmp_path, False)
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before.get(name)} == {"metrics.json"}
    other = {"settings": {"margin": 1.25, "dissimilar_weight": 3}, "claims": entry["claims"], "measured": {"loss": 8.5}}
    assert entries(tmp_path)["figure4-handwriting"] == entry | {"seeds": {"8": other}}
    assert seeds_of(entries(tmp_path)["figure4-handwriting"]) == [7, 8]


def test_recorded_again_a_seed_replaces_its_own_record_alone(tmp_path):
    publish("figure4", *made_with(7), 1.0, tmp_path)
    for seed in (10, 9):
        publish("figure4", *made_with(seed), 1.0, tmp_path, False)
    publish("figure4", result(measured={"loss": 0.0}), replace(RUN, seed=9), 1.0, tmp_path, False)
    publish("figure4", result(measured={"loss": 1.0}), RUN, 1.0, tmp_path, False)
    entry = entries(tmp_path)["figure4-handwriting"]
    assert {seed: of_seed(entry, seed)["measured"]["loss"] for seed in seeds_of(entry)} == {7: 1.0, 9: 0.0, 10: 10.5}


@pytest.mark.parametrize("other", [{"settings": {"margin": 2.0}}, {"data": replace(DIGITS, sha256={"other": "00"})}])
def test_records_of_other_settings_or_data_never_stand_together(tmp_path, capsys, other):
    for seed, pictured in ((7, True), (8, False)):
        publish("figure4", *made_with(seed), 1.0, tmp_path, pictured)
    before = contents(tmp_path)
    message = complaint(DataError, publish, "figure4", *made_with(9, **other), 1.0, tmp_path, False)
    assert message.startswith("figure4-handwriting, seed 9: its record has other data or settings")
    assert contents(tmp_path) == before
    publish("figure4", *made_with(7, **other), 1.0, tmp_path)
    assert "seeds" not in entries(tmp_path)["figure4-handwriting"]
    assert (
        "figure4-handwriting: the records of seeds 8 had other data or settings: dropped\n" in capsys.readouterr().out
    )


def test_a_seed_whose_picture_was_never_drawn_has_nothing_to_stand_beside(tmp_path):
    assert "draw the figure anew" in complaint(DataError, publish, "figure4", *made_with(7), 1.0, tmp_path, False)
    assert contents(tmp_path) == {}


def test_a_collapsed_map_is_recorded_beside_those_that_are_none(tmp_path):
    publish("figure4", *made_with(7), 1.0, tmp_path)
    fault = CollapsedError("the map has collapsed", np.zeros((3, 2)), 0.0)
    publish("figure4", of_collapsed(fault, DIGITS), replace(RUN, seed=8), 1.0, tmp_path, False)
    assert entries(tmp_path)["figure4-handwriting"]["seeds"]["8"]["measured"] == {"collapsed": "the map has collapsed"}


# ---- what stays the same ----


@pytest.mark.parametrize("quick", [False, True])
def test_published_twice_the_bytes_are_the_same(tmp_path, quick):
    run = replace(RUN, quick=quick)
    publish("figure4", result(), run, 1.0, tmp_path)
    first = contents(tmp_path)
    publish("figure4", result(), run, 1.0, tmp_path)
    assert contents(tmp_path) == first


def test_neither_date_nor_software_is_written_into_a_figure(tmp_path):
    publish("figure4", result(), RUN, 1.0, tmp_path)
    files = contents(tmp_path)
    svg = files["figure4-handwriting.svg"].decode()
    for word in ("dc:date", "dc:creator", "Matplotlib v"):
        assert word not in svg
    assert not re.search(r"\b20\d\d-\d\d", svg)
    assert b"tEXt" not in files["figure4-handwriting.png"]


def test_a_figure_of_which_a_claim_fails_is_stamped_so(tmp_path):
    fails, holds = result(claims=CLAIMS), result(claims=CLAIMS[:1])
    publish("figure4", fails, replace(RUN, quick=True), 1.0, tmp_path)
    publish("figure5", holds, RUN, 1.0, tmp_path)
    assert [text.get_text() for text in fails.figure.texts] == ["QUICK, CLAIMS FAIL"]
    assert [text.get_text() for text in holds.figure.texts] == []
    assert "<!-- QUICK, CLAIMS FAIL -->" in contents(tmp_path)["figure4-handwriting-quick.svg"].decode()


def test_only_a_quick_figure_is_stamped(tmp_path):
    slow, quick = result(claims=[]), result(claims=[])
    publish("figure4", slow, RUN, 1.0, tmp_path)
    publish("figure4", quick, replace(RUN, quick=True), 1.0, tmp_path)
    assert [text.get_text() for text in slow.figure.texts] == []
    assert [text.get_text() for text in quick.figure.texts] == ["QUICK"]
    files = contents(tmp_path)
    assert "<!-- QUICK -->" in files["figure4-handwriting-quick.svg"].decode()
    assert "<!-- QUICK -->" not in files["figure4-handwriting.svg"].decode()
    assert files["figure4-handwriting-quick.png"] != files["figure4-handwriting.png"]


# ---- what goes wrong ----

DAMAGED = pytest.mark.parametrize(
    "damage", [b"", b'{"figure1": ', b"\xff\xfe", b"[1, 2]", b'"figure1"', b"null"], ids=repr
)


@DAMAGED
def test_a_damaged_record_is_named_and_all_files_stay_as_they_were(tmp_path, damage):
    publish("figure4", result(), RUN, 1.0, tmp_path)
    (tmp_path / "metrics.json").write_bytes(damage)
    before = contents(tmp_path)
    message = complaint(DataError, publish, "figure4", result(height=2), RUN, 1.0, tmp_path)
    assert message.startswith(f"{tmp_path / 'metrics.json'}: ")
    assert "move it away or choose another folder by --out" in message
    assert contents(tmp_path) == before


@DAMAGED
def test_a_damaged_record_is_noticed_before_anything_is_drawn(tmp_path, damage):
    (tmp_path / "metrics.json").write_bytes(damage)
    assert str(tmp_path / "metrics.json") in complaint(DataError, require_writable, tmp_path)
    assert contents(tmp_path) == {"metrics.json": damage}


def test_a_folder_in_place_of_the_record_is_named(tmp_path):
    (tmp_path / "metrics.json").mkdir()
    assert str(tmp_path / "metrics.json") in complaint(DataError, require_writable, tmp_path)


def test_a_folder_is_made_with_its_parents_and_nothing_is_left_in_it(tmp_path):
    require_writable(tmp_path / "some" / "folder")
    assert contents(tmp_path / "some" / "folder") == {}
    require_writable(tmp_path / "some" / "folder")


@pytest.mark.parametrize("inside", ["", "folder"])
def test_a_file_in_place_of_the_folder_is_named_and_stays(tmp_path, inside):
    (tmp_path / "taken").write_bytes(b"content")
    out = tmp_path / "taken" / inside
    message = complaint(DrlimError, require_writable, out)
    assert message.startswith(f"{out}: ")
    assert "choose another folder by --out" in message
    assert str(tmp_path / "taken") in complaint(DrlimError, publish, "figure1", result(), RUN, 1.0, out)
    assert contents(tmp_path) == {"taken": b"content"}


def test_a_folder_that_may_not_be_written_is_named(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    for call in (lambda: require_writable(tmp_path), lambda: publish("figure1", result(), RUN, 1.0, tmp_path)):
        message = complaint(DrlimError, call)
        assert str(tmp_path) in message
        assert "Permission denied" in message
        assert "--out" in message
    assert contents(tmp_path) == {}


WRITTEN = ["figure4-handwriting.png", "figure4-handwriting.svg", "figure4-handwriting.npz", "metrics.json"]
CHANGED = {"height": 2, "measured": {"loss": 0.0}, "arrays": {"index": np.arange(3)}}


def failing_at(name, fault, monkeypatch):
    """Has os.replace raise the fault where it should put a file of that name in place."""
    rename = os.replace

    def fail(source, target):
        if Path(target).name == name:
            raise fault
        rename(source, target)

    monkeypatch.setattr(record.os, "replace", fail)


@pytest.mark.parametrize("failing", WRITTEN)
def test_a_file_that_cannot_be_written_stays_as_it_was_and_so_does_the_record(tmp_path, monkeypatch, failing):
    publish("figure4", result(), RUN, 1.0, tmp_path)
    before = contents(tmp_path)
    failing_at(failing, OSError(28, "No space left on device"), monkeypatch)
    message = complaint(DrlimError, publish, "figure4", result(**CHANGED), RUN, 2.0, tmp_path)
    assert message.startswith(f"{tmp_path / failing}: cannot be written (No space left on device)")
    after = contents(tmp_path)
    assert set(after) == set(before)
    assert after[failing] == before[failing]
    assert after["metrics.json"] == before["metrics.json"]


@pytest.mark.parametrize("failing", WRITTEN)
def test_an_interruption_leaves_no_partial_file(tmp_path, monkeypatch, failing):
    failing_at(failing, KeyboardInterrupt(), monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        publish("figure4", result(), RUN, 1.0, tmp_path)
    assert set(contents(tmp_path)) == set(WRITTEN[: WRITTEN.index(failing)])


@pytest.mark.parametrize("failing", WRITTEN)
def test_no_file_takes_its_place_before_all_are_written(tmp_path, monkeypatch, failing):
    publish("figure4", result(), RUN, 1.0, tmp_path)
    before = contents(tmp_path)
    whole = Path.write_bytes

    def run_out(path, content):
        if failing in path.name:
            raise OSError(28, "No space left on device")
        whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", run_out)
    assert failing in complaint(DrlimError, publish, "figure4", result(**CHANGED), RUN, 2.0, tmp_path)
    assert contents(tmp_path) == before


def test_a_file_cut_short_by_a_full_disk_never_takes_the_place_of_the_earlier_one(tmp_path, monkeypatch):
    publish("figure4", result(), RUN, 1.0, tmp_path)
    before = contents(tmp_path)
    whole = Path.write_bytes

    def run_out(path, content):
        whole(path, content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", run_out)
    complaint(DrlimError, publish, "figure4", result(**CHANGED), RUN, 2.0, tmp_path)
    assert contents(tmp_path) == before
