"""The tables of results: each number is what the records say, and what a page shows is what they say now."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from drlim_np.errors import InputError
from drlim_np.runs.gallery import GALLERY, GLANCE
from drlim_np.runs.index import FIGURES
from drlim_np.runs.results import GALLERIES, INDEX, TABLES, cell, main, tables, written

ROOT = Path(__file__).resolve().parents[2]
PAGE = "# Mine\n\n<!-- results: begin digits -->\nold\n<!-- results: end -->\n\nText.\n"
SETTINGS = {"test": 1991}


def entry(*accuracies, first=0):
    """A record with one seed after another, whose accuracies these are."""
    made = [{"settings": SETTINGS, "claims": [], "measured": {"drlim": {"accuracy": found}}} for found in accuracies]
    others = {str(first + k): other for k, other in enumerate(made[1:], start=1)}
    return made[0] | {"seed": first, "quick": False, "data": None} | ({"seeds": others} if others else {})


@pytest.fixture
def out(tmp_path):
    """A folder with a record of Figure 4 on MNIST, exact of one seed, balanced of three."""
    (tmp_path / "out").mkdir()
    record = {"figure4-mnist": entry(0.9, 0.92, 0.97), "figure4-exact-mnist": entry(0.8)}
    (tmp_path / "out" / "metrics.json").write_text(json.dumps(record))
    return tmp_path / "out"


def test_what_the_pages_show_is_what_the_shipped_record_says(capsys):
    pages = [str(ROOT / page) for page in ("README.md", "figures/README.md", "drlim_np/README.md")]
    assert main(["--out", str(ROOT / "figures"), "--check", *pages]) == 0
    assert capsys.readouterr() == ("", "")
    text = "".join(Path(page).read_text(encoding="utf-8") for page in pages)
    assert all(text.count(f"<!-- results: begin {name} -->") == 1 for name in [*TABLES, *GALLERIES, INDEX])


ACCURACY = ("drlim", "accuracy")


def test_of_one_seed_a_number_stands_alone_and_of_several_the_mean_with_the_least_and_the_most():
    assert cell(entry(0.9004), ACCURACY) == "0.900"
    assert cell(entry(0.9, 0.92, 0.97), ACCURACY) == "0.930 (0.900 to 0.970)"
    assert cell(entry(0.97, 0.9), ACCURACY) == "0.935 (0.900 to 0.970)"
    assert cell(entry(-0.0024), ACCURACY) == "-0.002"


def test_what_was_not_measured_is_a_dash_and_what_some_seeds_lack_is_told():
    assert cell(entry(0.9), ("drlim", "slant_r2")) == cell(entry(0.9), ("lle", "accuracy")) == "–"
    collapsed = entry(0.9, 0.8, 0.7)
    collapsed["seeds"]["1"]["measured"] = {"collapsed": "the map has collapsed"}
    assert cell(collapsed, ACCURACY) == "0.800 (0.700 to 0.900), 2 of 3 seeds"


def test_a_table_has_a_line_for_each_record_there_is_and_says_which_seeds_where_some_has_several(out):
    record = json.loads((out / "metrics.json").read_bytes())
    heading, _, *rows = tables("digits", record, "pictures").splitlines()
    assert heading.startswith("| Figure 4: 1,991 unseen digits | 5-NN accuracy, 4 against 9 | ")
    assert heading.endswith(" | seeds: mean (least to most) |")
    assert rows[0].startswith("| [MNIST](pictures/figure4-mnist.png), balanced weighting | 0.930 (0.900 to 0.970) | ")
    assert [row.rpartition(" | ")[2] for row in rows] == ["0 to 2 |", "0 |", "0 to 2 |"]
    assert "seeds" not in tables("digits", {"figure4-exact-mnist": record["figure4-exact-mnist"]}, "pictures")


@pytest.mark.parametrize(("seeds", "said"), [((3,), "3"), ((3, 4), "3, 4"), ((3, 4, 5), "3 to 5")])
def test_seeds_are_listed(seeds, said):
    record = {"figure4-mnist": entry(*(0.9 for _ in seeds), first=3), "figure4-exact-mnist": entry(0.1, 0.2)}
    assert f" | {said} |" in tables("digits", record, "pictures").splitlines()[2]


def test_the_gallery_has_a_line_for_each_figure_that_there_is():
    stems = [stem for shown in GALLERY for stem in shown.stems]
    assert len(stems) == len(set(stems))
    without_data = {re.sub("-(mnist|handwriting|airplane)$", "", stem) for stem in stems}
    not_shown = {"figure4-scores", "figure5-exact", "figure7-exact"}
    assert without_data == {re.sub("-airplane$", "", name) for name in FIGURES} - not_shown
    assert [shown.heading for shown in GLANCE] == [f"Figure {number}" for number in (2, 4, 7, 8)]


def test_every_number_that_the_gallery_names_is_in_the_shipped_record():
    record = json.loads((ROOT / "figures" / "metrics.json").read_bytes())
    assert "–" not in tables("gallery", record, "figures")


def test_a_line_of_the_gallery_has_the_picture_the_numbers_of_the_record_and_where_else_it_was_drawn():
    record = {
        "figure4-mnist": entry(0.9, 0.92, 0.97),
        "figure4-handwriting": entry(0.8) | {"data": {"title": "generated"}},
        "figure10-airplane": entry(0.5),
    }
    told = "structure, not noise: correlation of weights of adjoining pixels inside"
    record["figure10-airplane"]["claims"] = [{"text": told, "value": 0.75}]
    _, _, four, ten = tables("gallery", record, "pictures").splitlines()
    assert four.startswith('| [<img src="pictures/figure4-mnist.png" width="480" alt="Figure 4">](pictures/figure4-mni')
    assert " | **Figure 4.** Unseen 4s and 9s, " in four
    assert "5-NN accuracy 0.930 (0.900 to 0.970), slant R² –, " in four, "what was not measured is a dash"
    assert four.endswith(". Also [generated](pictures/figure4-handwriting.png). |")
    assert ten.endswith(" correlate by 0.750. |")
    del record["figure4-mnist"]
    assert 'src="pictures/figure4-handwriting.png"' in tables("glance", record, "pictures"), "the next best is shown"


def test_a_page_is_written_between_its_markers_and_then_is_current(out, tmp_path, capsys):
    page, arguments = tmp_path / "README.md", ["--out", str(out), str(tmp_path / "README.md")]
    page.write_text(PAGE)
    assert main(["--check", *arguments]) == 1
    assert page.read_text() == PAGE
    assert main(arguments) == 0
    after = page.read_text()
    assert "old" not in after and "](out/figure4-mnist.png)" in after
    assert after.startswith("# Mine\n\n<!-- results: begin digits -->\n\n| Figure 4")
    assert after.endswith("|\n\n<!-- results: end -->\n\nText.\n")
    assert main(["--check", *arguments]) == 0
    page.write_text(after.replace("0.930", "0.931"))
    assert main(["--check", *arguments]) == 1
    assert f"{page}: not current" in capsys.readouterr().out


def test_a_marker_without_a_name_is_for_all_tables(out):
    record = json.loads((ROOT / "figures" / "metrics.json").read_bytes())
    page = written("<!-- results: begin -->\n<!-- results: end -->", record, "figures")
    assert all(tables(name, record, "figures") in page for name in TABLES)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("# Mine\n", "the page has no <!-- results: begin -->"),
        ("<!-- results: begin digits -->\n", "the page has no <!-- results: begin --> with an end"),
        (PAGE.replace("digits", "letters"), "there are no results by the name letters: choose from digits, "),
        (PAGE.replace("digits", "airplane"), "there is no record of airplane: draw the figures first"),
        (PAGE.replace("digits", "gallery"), "there is no record of gallery: draw the figures first"),
    ],
)
def test_a_page_that_cannot_be_written_is_refused(out, page, told):
    with pytest.raises(InputError) as caught:
        written(page, {} if "gallery" in page else json.loads((out / "metrics.json").read_bytes()), "out")
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize("content", ['{"figure4-mnist": {}}', '{"figure4-mnist": 3}', '{"figure4-mnist": []}', "["])
def test_a_record_that_is_none_is_told_in_one_line(out, capsys, content):
    (out / "metrics.json").write_text(content)
    assert main(["--out", str(out)]) == 2
    said, complained = capsys.readouterr()
    assert said == "" and complained.startswith("python -m drlim_np.runs.results: ")
    assert complained.count("\n") == 1


def test_the_command_needs_no_matplotlib_and_prints_what_there_is(out):
    code = f"""import sys; sys.modules["matplotlib"] = None
from drlim_np.runs.results import main
sys.exit(main(["--out", {str(out)!r}]))"""
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("| Figure 4: 1,991 unseen digits |")
