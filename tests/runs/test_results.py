"""Marked numbers in the READMEs: each is what the record says now."""

import json
import re
from pathlib import Path

import pytest

from drlim_np.runs.command import FIGURES
from drlim_np.runs.results import MARK, main, shown

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / page for page in ("README.md", "figures/README.md", "drlim_np/README.md")]
ACCURACY = "drlim/accuracy"
PAGE = f"# Mine\n\n<!--= figure4-mnist {ACCURACY} -->old<!--/-->, seeds <!--= figure4-mnist seeds --><!--/-->.\n"


def entry(*accuracies, first=0):
    """A record with one seed after another, which measured these accuracies."""
    claims = [{"text": "a bound is kept", "value": 0.75, "bound": 0.5}]
    made = [{"settings": {"test": 1991}, "claims": claims, "measured": {"drlim": {"accuracy": x}}} for x in accuracies]
    others = {str(first + k): other for k, other in enumerate(made[1:], start=1)}
    return made[0] | {"seed": first, "quick": False, "data": None} | ({"seeds": others} if others else {})


@pytest.fixture
def out(tmp_path):
    """A folder with a record of Figure 4 on MNIST, of three seeds."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "metrics.json").write_text(json.dumps({"figure4-mnist": entry(0.9, 0.92, 0.97)}))
    return tmp_path / "out"


def test_the_pages_show_what_the_shipped_record_says(capsys):
    assert main(["--out", str(ROOT / "figures"), "--check", *map(str, PAGES)]) == 0
    assert capsys.readouterr() == ("", "")


def test_every_marked_number_is_in_the_shipped_record():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    absent = {(figure, number) for _, figure, number, _ in MARK.findall(text) if f"{number} -->–<!--/-->" in text}
    inside = {("figure6-handwriting", f"lle/{name}") for name in ("slant_r2", "accuracy")}
    assert {found for found in absent if found[0] == "figure6-handwriting"} == inside
    assert text.count(" -->–<!--/-->") == len(inside), "where all samples of a shift are in one place"
    assert len(MARK.findall(text)) > 100
    for line in text.splitlines():
        pictured = re.findall(r"([\w-]+)\.png", line)
        assert not pictured or {figure for _, figure, _, _ in MARK.findall(line)} <= {*pictured}, "of that figure"


def test_the_gallery_shows_every_figure_that_ships():
    shown = re.findall(r'<img src="\./([\w-]+?)(?:-mnist|-handwriting|-airplane)?\.png"', PAGES[1].read_text("utf-8"))
    unshown = {"figure5-exact", "figure7-exact"}  # the tables have their numbers
    assert {*shown} == {re.sub("-airplane$", "", name) for name in FIGURES} - unshown


@pytest.mark.parametrize(
    ("record", "number", "text"),
    [(entry(0.9004), ACCURACY, "0.900"), (entry(-0.0024), ACCURACY, "-0.002")]
    + [(entry(0.97, 0.9, 0.92), ACCURACY, "0.930 (0.900 to 0.970)")]
    + [(entry(0.9, None, 0.7), ACCURACY, "0.800 (0.700 to 0.900), 2 of 3 seeds")]
    + [(entry(0.9), number, "–") for number in ("drlim/slant_r2", "lle/accuracy", "claims/a bound")]
    + [(entry(0.9), "claims/a bound is kept", "0.750"), (entry(0.9, 0.8), "settings/test", "1,991")]
    + [(entry(0.9, first=3), "seeds", "3"), (entry(0.9, 0.9, first=3), "seeds", "3, 4")]
    + [(entry(0.9, 0.9, 0.9, first=3), "seeds", "3 to 5")],
)
def test_of_one_seed_a_number_is_alone_and_of_several_it_is_the_mean_with_the_least_and_the_most(record, number, text):
    assert shown(record, number) == text


def test_a_page_is_written_within_its_marks_and_then_is_current(out, tmp_path, capsys):
    page, arguments = tmp_path / "README.md", ["--out", str(out), str(tmp_path / "README.md")]
    page.write_text(PAGE)
    assert main(["--check", *arguments]) == 1
    assert page.read_text() == PAGE
    assert main(arguments) == 0
    after = page.read_text()
    assert after == PAGE.replace("old", "0.930 (0.900 to 0.970)").replace("seeds --><", "seeds -->0 to 2<")
    assert main(["--check", *arguments]) == 0
    page.write_text(after.replace("0.930", "0.931"))
    assert main(["--check", *arguments]) == 1
    assert f"{page}: not current" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "page", "told"),
    [(None, "# Mine\n", "the page has no <!--= FIGURE NUMBER --><!--/-->: mark")]
    + [(None, "<!--= figure4-mnist drlim/accuracy -->\n", "the page has no <!--= FIGURE NUMBER --><!--/-->")]
    + [(None, PAGE.replace("mnist", "letters"), "there is no record of figure4-letters: draw it first")]
    + [("[", PAGE, "cannot be read"), ("{}", PAGE, "no record of figure4"), (None, None, "cannot be")],
)
def test_a_page_that_cannot_be_written_is_refused_in_one_line(out, tmp_path, capsys, content, page, told):
    if content:
        (out / "metrics.json").write_text(content)
    if page:
        (tmp_path / "README.md").write_text(page)
    assert main(["--out", str(out), str(tmp_path / "README.md")]) == 2
    said, complained = capsys.readouterr()
    assert said == "" and complained.startswith("python -m drlim_np.runs.results: ") and told in complained
    assert complained.count("\n") == 1 and (page is None or (tmp_path / "README.md").read_text() == page)
