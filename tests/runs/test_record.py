"""What a figure leaves in its folder: named files, an entry that proves its claims, never half of either; and pages."""

import json
import platform
import re
from dataclasses import replace
from functools import wraps
from math import inf, nan
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure as Drawing

import drlim_np
from drlim_np.checks.numbers import native
from drlim_np.data import Digits, Split, Views
from drlim_np.errors import DataError, DivergedError
from drlim_np.figures import COLLAPSED, Claim, CollapsedError, Result, Train, of_collapsed, require_spread
from drlim_np.files import atomic
from drlim_np.runs import command
from drlim_np.runs.record import compare, drawn, earlier_record, of_seed, repeated, seeds_of, write
from tests.help.comparing import bits, contents
from tests.help.refusals import refuses

EMPTY = Split(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))
DIGITS = Digits("handwriting", "generated handwriting", EMPTY, EMPTY, {"train-images": "ab", "test-images": "cd"})
VIEWS = Views("airplane", "rendered airplane", np.zeros((972, 96, 96), np.uint8), {"images": "ef"})
TRAIN = Train(seed=7, threads=3)
CLAIMS = [Claim("as high as it should be", 0.5, "≥", 0.25), Claim("as low as it should be", 0.5, "≤", 0.25)]
WRITTEN = ["figure4-handwriting.png", "figure4-handwriting.svg", "figure4-handwriting.npz", "metrics.json"]
ARRAYS = {"embedding": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), "index": np.array([5, 6])}


def result(height=1.0, **parts):
    """One line in a small figure, and all that a result may hold."""
    drawing = Drawing(figsize=(1, 1))
    drawing.add_subplot().plot([0, height])
    parts = {"settings": {"margin": 1.25}, "data": DIGITS, "measured": {"loss": 2.5}, "arrays": ARRAYS} | parts
    return Result(drawing, parts.pop("claims", CLAIMS), **parts)


def put(out, found, train=TRAIN, name="figure4", seconds=1.0, pictured=True):
    """Writes the figure; returns the entries of the record by then."""
    write(out, drawn(name, found, train, seconds, pictured))
    return json.loads((out / "metrics.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("relation", "above", "equal", "below"),
    [("≥", True, True, False), ("≤", False, True, True), ("=", False, True, False)],
)
def test_a_claim_holds_where_its_value_keeps_the_bound_and_never_for_nan(relation, above, equal, below):
    found = [Claim("", value, relation, 0.5).holds for value in (0.6, inf, 0.5, 0.4)]
    assert found == [above, above, equal, below]
    assert Claim("", 15, relation, 15.0).holds is equal
    of_nan = [Claim("", nan, relation, bound).holds for bound in (0.5, inf, nan)]
    assert [*of_nan, Claim("", 0.5, relation, nan).holds] == [False] * 4


Z = np.random.default_rng(0).standard_normal((50, 2))


@pytest.mark.parametrize(
    ("z", "margin", "kind", "message"),
    [(1e-3 * Z + 5, 1.0, CollapsedError, "has collapsed, its points are 0.0"), (1e-2 * Z, 10.0, CollapsedError, "has")]
    + [(Z * nan, 1.0, DivergedError, "is not finite")],
)
def test_points_in_one_place_are_a_collapse_and_points_apart_are_not(z, margin, kind, message):
    with pytest.raises(kind, match=f"^a map: the map {message}"):
        require_spread(z, margin, "a map")
    for apart, size in ((Z, 1.0), (1e-2 * Z + 5, 0.1), (Z * [1, 0], 1.0)):  # a line is no heap
        require_spread(apart, size, "a map")
    assert COLLAPSED == 0.01


def test_each_figure_and_seed_has_numbers_of_its_own_whether_or_not_others_were_drawn_before():
    alone = TRAIN.rng(4).random()
    TRAIN.rng(1).random(1000)
    assert TRAIN.rng(4).random() == replace(TRAIN, quick=True, threads=1).rng(4).random() == alone
    assert len({tuple(Train(seed).rng(figure).random(3)) for seed in range(5) for figure in range(5)}) == 25


@pytest.mark.parametrize(
    ("name", "data", "quick", "key"),
    [("figure1", None, False, "figure1"), ("figure1", None, True, "figure1-quick")]
    + [("figure1", replace(DIGITS, name="idx-1a2b"), False, "figure1-idx-1a2b")]
    + [("figure1", replace(VIEWS, name="norb-airplane4"), True, "figure1-norb-airplane4-quick")]
    + [("sheet-airplane", VIEWS, False, "sheet-airplane"), ("airplane", VIEWS, False, "airplane-airplane")],
)
def test_a_figure_is_named_after_its_data_once_and_after_quick(name, data, quick, key):
    assert drawn(name, result(data=data), Train(quick=quick), 1.0, pictured=False).key == key


def test_a_figure_becomes_a_png_an_svg_and_its_arrays_each_time_with_the_same_bytes(tmp_path, monkeypatch):
    put(tmp_path, result())
    files = contents(tmp_path)
    replaced, replace_files = [], atomic.replace
    monkeypatch.setattr(atomic, "replace", lambda files: replaced.append([*files]) or replace_files(files))
    put(tmp_path, result())
    assert contents(tmp_path) == files and set(files) == set(WRITTEN)
    assert replaced == [[tmp_path / name for name in WRITTEN]], "at once, with the record last"
    png, svg = (files[f"figure4-handwriting.{kind}"] for kind in ("png", "svg"))
    assert png.startswith(b"\x89PNG\r\n\x1a\n") and png.endswith(b"IEND\xaeB`\x82") and b"tEXt" not in png
    assert b"</svg>" in svg and not re.search(rb"dc:date|dc:creator|Matplotlib v|\b20\d\d-\d\d", svg)
    with np.load(tmp_path / "figure4-handwriting.npz") as arrays:
        assert set(arrays) == set(ARRAYS) and bits({name: native(arrays[name]) for name in ARRAYS}) == bits(ARRAYS)


def test_a_figure_without_data_and_arrays_says_so_and_leaves_no_npz(tmp_path):
    entries = put(tmp_path, result(data=None, arrays=None), replace(TRAIN, quick=True), "figure1")
    assert set(contents(tmp_path)) == {"figure1-quick.png", "figure1-quick.svg", "metrics.json"}
    assert (entries["figure1-quick"]["data"], entries["figure1-quick"]["quick"]) == (None, True)


def test_the_entry_says_all_that_made_the_figure_and_holds_each_claim_with_its_verdict(tmp_path):
    entry = put(tmp_path, result(), seconds=12.345)["figure4-handwriting"]
    assert entry["data"] == {"name": DIGITS.name, "title": DIGITS.title, "sha256": DIGITS.sha256}
    assert (entry["settings"], entry["measured"]) == ({"margin": 1.25}, {"loss": 2.5})
    assert (entry["seed"], entry["quick"], entry["wall_seconds"]) == (7, False, 12.3)
    versions = {"numpy": np.__version__, "matplotlib": matplotlib.__version__, "drlim_np": drlim_np.__version__}
    assert entry["versions"] == versions | {"python": platform.python_version()}
    assert entry["machine"]["threads"] == 3 and entry["machine"]["blas"]
    assert entry["claims"] == [
        {"text": "as high as it should be", "value": 0.5, "relation": "≥", "bound": 0.25, "holds": True},
        {"text": "as low as it should be", "value": 0.5, "relation": "≤", "bound": 0.25, "holds": False},
    ]


def test_the_record_is_text_with_its_figures_in_order_where_earlier_ones_stay_and_the_same_is_replaced(tmp_path):
    first, second = (put(tmp_path, result(), name=name)[f"{name}-handwriting"] for name in ("figure4", "figure1"))
    entries = put(tmp_path, result(measured={"loss": 0.0}), seconds=3.0)
    text = (tmp_path / "metrics.json").read_text(encoding="utf-8")
    assert "≥" in text and text.endswith("}\n")
    changed = first | {"measured": {"loss": 0.0}, "wall_seconds": 3.0}
    assert [*entries.items()] == [("figure1-handwriting", second), ("figure4-handwriting", changed)]


def of(seed, **parts):
    """A figure that measures its seed, and the run of that seed."""
    return result(measured={"loss": seed + 0.5}, **parts), replace(TRAIN, seed=seed)


def test_the_record_of_another_seed_is_added_to_the_first_one_and_no_picture_changes(tmp_path):
    entry = put(tmp_path, *of(7))["figure4-handwriting"]
    before, settings = contents(tmp_path), {"margin": 1.25, "dissimilar_weight": 3}
    both = put(tmp_path, *of(8, height=9, settings=settings), pictured=False)["figure4-handwriting"]
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before.get(name)} == {"metrics.json"}
    other = {"settings": settings, "claims": entry["claims"], "measured": {"loss": 8.5}}
    assert both == entry | {"seeds": {"8": other}}
    assert seeds_of(both) == [7, 8]


def test_recorded_again_a_seed_replaces_its_own_record_alone_whichever_has_the_picture(tmp_path):
    put(tmp_path, *of(7))
    for seed in (10, 9):
        put(tmp_path, *of(seed), pictured=False)
    put(tmp_path, result(measured={"loss": 0.0}), replace(TRAIN, seed=9), pictured=False)
    entry = put(tmp_path, result(measured={"loss": 1.0}), pictured=False)["figure4-handwriting"]
    assert {seed: of_seed(entry, seed)["measured"]["loss"] for seed in seeds_of(entry)} == {7: 1.0, 9: 0.0, 10: 10.5}
    for seed, others in ((8, ["10", "7", "9"]), (9, ["10", "7", "8"])):
        entry = put(tmp_path, *of(seed))["figure4-handwriting"]
        assert (entry["seed"], entry["measured"]["loss"], [*entry["seeds"]]) == (seed, seed + 0.5, others)


@pytest.mark.parametrize("other", [{"settings": {"margin": 2.0}}, {"data": replace(DIGITS, sha256={"other": "00"})}])
def test_records_of_other_settings_or_data_are_never_in_one_entry(tmp_path, capsys, other):
    refuses(lambda: put(tmp_path, *of(7), pictured=False), "draw the figure again", DataError)
    assert contents(tmp_path) == {}
    for seed, pictured in ((7, True), (8, False)):
        put(tmp_path, *of(seed), pictured=pictured)
    before = contents(tmp_path)
    message = "figure4-handwriting, seed 9: its record has other data or settings"
    refuses(lambda: put(tmp_path, *of(9, **other), pictured=False), message, DataError)
    assert contents(tmp_path) == before
    assert "seeds" not in put(tmp_path, *of(7, **other))["figure4-handwriting"]
    dropped = "figure4-handwriting: the records of seeds 8 had other data or settings: dropped\n"
    assert dropped in capsys.readouterr().out


def test_a_collapsed_map_is_recorded_with_those_that_have_not_collapsed(tmp_path):
    put(tmp_path, *of(7))
    heap = of_collapsed(CollapsedError("the map has collapsed", np.zeros((3, 2)), 0.0), DIGITS)
    entries = put(tmp_path, heap, replace(TRAIN, seed=8), pictured=False)
    assert entries["figure4-handwriting"]["seeds"]["8"]["measured"] == {"collapsed": "the map has collapsed"}


@pytest.mark.parametrize(
    ("quick", "claims", "stamp"),
    [(False, CLAIMS[:1], []), (False, [], []), (True, [], ["QUICK"])]
    + [(False, CLAIMS, ["CLAIMS FAIL"]), (True, CLAIMS, ["QUICK, CLAIMS FAIL"])],
)
def test_a_figure_is_stamped_if_it_is_quick_or_a_claim_fails(quick, claims, stamp):
    found = result(claims=claims)
    files = drawn("figure4", found, replace(TRAIN, quick=quick), 1.0).files
    assert [text.get_text() for text in found.drawing.texts] == stamp
    assert all(f"<!-- {words} -->" in files[".svg"].decode() for words in stamp)
    plain = drawn("figure4", result(claims=[]), TRAIN, 1.0).files
    assert (files[".png"] == plain[".png"]) is (stamp == [])


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"[1, 2]", b'"figure1"', b'{"a": 3}', b'{"a": {}}'], ids=repr)
def test_a_damaged_record_is_named_and_all_files_stay_as_they_were(tmp_path, damage):
    put(tmp_path, result())
    (tmp_path / "metrics.json").write_bytes(damage)
    before, named = contents(tmp_path), f"{tmp_path / 'metrics.json'}: "
    refuses(lambda: put(tmp_path, result(height=2)), named, DataError)
    refuses(lambda: earlier_record(tmp_path), "move it away or choose another folder by --out", DataError)
    assert contents(tmp_path) == before


def made(out, figures=(), quick=False):
    return dict(command.pages(out, dict.fromkeys(figures), None, None, Train(quick=quick)))


@pytest.mark.parametrize(
    ("figures", "quick", "expected"),
    [
        (["figure1", "figure5", "figure7"], False, ["audit.html", "lesson.html"]),
        (["figure8", "figure1"], False, ["audit.html", "lesson.html", "paper.html", "training.html"]),
        (["figure5", "figure7", "invariance"], False, ["audit.html", "lesson.html", "map.html"]),
        (["figure5", "figure7", "figure8", "invariance"], True, []),  # its networks are too raw
    ],
)
def test_a_page_is_made_where_all_that_it_shows_was_drawn(figures, quick, expected, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "setting", lambda *_: SimpleNamespace(test=None))
    for name in ("_paper", "_map", "training_page"):
        monkeypatch.setattr(command, name, lambda *_: "<!doctype html> of the figures")
    found = made(tmp_path, figures, quick)
    assert sorted(found) == expected
    assert all(page.startswith(b"<!doctype html>") for page in found.values())


def test_the_page_of_the_paper_shows_the_unseen_views_after_0_1_3_and_all_epochs(monkeypatch):
    views, test = Views("airplane", "", np.zeros((972, 2, 2), np.uint8), {}), np.array([0, 54])
    after = np.arange(6)[:, None, None] + np.zeros((6, 972, 3))
    monkeypatch.setattr(command, "train_airplane", lambda views, train: SimpleNamespace(after=after, test=test))
    monkeypatch.setattr(command, "paper_page", lambda *shown: shown)
    maps, turn = command._paper(views, Train())
    assert {epoch: z.tolist() for epoch, z in maps.items()} == {k: [[k] * 3] * 2 for k in (0, 1, 3, 5)}
    assert turn.tolist() == [0, 1 / 18]


def test_sources_that_changed_while_the_run_went_on_or_are_gone_are_refused_in_one_line(monkeypatch, tmp_path):
    def gone(_):
        raise OSError("could not get source code")

    read_at_first = wraps(lambda: "what is there now")(lambda: "what ran")
    for place, fault in (("inspect.getsourcelines", gone), ("drlim_np.runs.command.source_digest", read_at_first)):
        with monkeypatch.context() as patch:
            patch.setattr(place, fault)
            refuses(lambda: made(tmp_path), "the sources of drlim_np changed or went while this ran (", DataError)


# ---- drawn again, it is held against its record: what may differ, by how much, and what is found to repeat ----


@pytest.mark.parametrize(
    ("part", "old", "new", "agrees"),
    [("slant_r2", 0.5, now, agrees) for now, agrees in ((0.52, True), (0.54, False), (nan, False))]
    + [("a loss", 1.0, now, agrees) for now, agrees in ((1.049, True), (1.051, False), (None, False))]
    + [("a loss", nan, 1.0, False), ("a number less", None, 1.0, False)]
    + [("a count", 3, now, type(now) is int and now == 3) for now in (3, 4, 3.0)]
    + [(part, {"cd": 1.0}, {"cd": now}, now == 1) for part in ("data", "settings") for now in (1.0, 1.01)]
    + [
        ("claims", [{"text": "a bound", "holds": True}], [{"text": "a bound", "holds": now}], now)
        for now in (True, False)
    ],
)
def test_drawn_again_numbers_agree_within_their_spread_and_all_else_if_equal(part, old, new, agrees):
    kept = {"data": {}, "settings": {}, "claims": [], "measured": {"loss": 2.5}}
    entries = []
    for value in (old, new):
        changed = {part: value} if part in kept else {"measured": {} if value is None else {part: value}}
        entries.append(kept | changed)
    verdicts = [row[-1] for row in compare("figure1", *entries)]
    assert verdicts.count("DIFFERS") == (not agrees)
    assert set(verdicts) <= {"agrees", "DIFFERS"}


def test_the_figures_of_a_record_are_found_with_their_seeds_and_sizes():
    kept = [("figure4-mnist", 0, False), ("figure4-exact-mnist", 1, False), ("figure1-quick", 0, True)]
    record = {key: {"seed": seed, "quick": quick} for key, seed, quick in [*kept, ("figure10-airplane", 0, False)]}
    found = {(0, False): ["figure4"], (0, True): ["figure1"], (1, False): ["figure4-exact"]}
    assert repeated(record, ["figure1", "figure4", "figure4-exact"], []) == found
