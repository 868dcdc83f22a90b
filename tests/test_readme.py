"""What the READMEs say holds: their commands, code, links, names and numbers."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import chdir
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image

import drlim_np
from drlim_np.audit.index import LINES
from drlim_np.files import weights
from drlim_np.networks import convnet
from drlim_np.runs.command import main

ROOT = Path(__file__).resolve().parent.parent
WINGS = tuple(f"drlim_np/{wing}" for wing in ("audit", "bench", "data", "estimator"))
FOLDERS = ("", "figures", "findings", "drlim_np", *WINGS, "tests")
PAGES = {Path(folder, "README.md").as_posix(): ROOT / folder / "README.md" for folder in FOLDERS}
TEXTS = {page: path.read_text(encoding="utf-8") for page, path in PAGES.items()}
README, PAPER, FIGURES = TEXTS["README.md"], TEXTS["drlim_np/README.md"], TEXTS["figures/README.md"]
RECORD = json.loads((ROOT / "figures" / "metrics.json").read_text(encoding="utf-8"))
WITH_CODE = ("README.md", *(f"drlim_np/{wing}README.md" for wing in ("", "audit/", "estimator/")))
each_page = pytest.mark.parametrize("page", PAGES)


def test_the_readme_opens_with_two_commands_that_do_their_own_set_up_and_say_at_once_which_python_they_need():
    """pip would first try every version of every dependency, for ten minutes and without a word."""
    version = 'import sys; sys.version_info < (3, 11) and sys.exit("Python 3.11 or later is needed")'
    set_up = 'python3 -m venv .venv && .venv/bin/python -m pip install -q -e ".[test]" && .venv/bin/python '
    commands = [f"python3 -c '{version}' && {set_up}{command}" for command in ("run_all.py", "-m pytest")]
    assert re.findall(r"```sh\n(.*)\n```", README) == commands
    assert tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"] == ">=3.11"
    with mock.patch.object(sys, "version_info", (3, 11, 0)):
        exec(version)
    too_old = pytest.raises(SystemExit, match=r"^Python 3\.11 or later is needed$")
    with mock.patch.object(sys, "version_info", (3, 10, 13)), too_old:
        exec(version)


def test_the_software_is_cited_in_its_own_version_and_the_changes_begin_with_it():
    citing = README.partition("## Citing, and changes")[2]
    assert re.findall(r"version = \{(.*?)\}", citing) == [drlim_np.__version__]
    assert re.search(r"^- \*\*(.*?)\*\*", citing, flags=re.MULTILINE)[1] == drlim_np.__version__


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as the README's code finds it: W beside the map of Figure 7, and a digit of one's own."""
    made = tmp_path_factory.mktemp("readme")
    (made / "figures").mkdir()
    weights.save(made / "figures" / "figure7-mnist-weights.npz", convnet().init(np.random.default_rng(0)))
    shutil.copy(ROOT / "figures" / "figure7-mnist.npz", made / "figures")
    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(made / "digit.png")
    return made


def run(page, folder):
    """What a page's blocks of Python leave behind, run one after the other in the folder."""
    names = {}
    with chdir(folder):
        for block in re.findall(r"```python\n(.*?)```", TEXTS[page], flags=re.DOTALL):
            exec(block, names)
    return names


def test_in_five_lines_each_a_digit_finds_its_place_and_your_own_data_become_a_map_of_unseen_neighbours(folder):
    scope = run("README.md", folder)
    lines = README.partition("import embed\n\n")[2].partition("```")[0].splitlines()
    assert len(lines) == 5 and lines[0].startswith("W = ")
    assert scope["near"].shape == (5,) and set(scope["near"]) <= {4, 9}
    z = scope["z"]
    assert z.shape == (len(scope["unseen"]), 2)
    apart = np.linalg.norm(z[:, None] - z, axis=2)
    step = np.linalg.norm(z - np.roll(z, -1, axis=0), axis=1)
    assert step.max() < 0.15 * apart.mean(), "the spot's next place is near"
    assert apart.mean() > 1, "and the map did not collapse: most are a margin apart"
    lines = README.partition("# From here on")[2].partition("```")[0].splitlines()[1:]
    assert len(lines) == 5
    with Image.open(folder / "map.png") as picture:
        assert picture.size == (600, 600)


def test_the_code_of_the_other_pages_runs_and_refuses_a_wrong_layer(folder):
    assert run("drlim_np/README.md", folder)["dW"]["C1"]["weight"].shape == (15, 1, 6, 6)
    scope = run("drlim_np/estimator/README.md", folder)
    assert scope["table"].shape == (200, 5) and scope["model"].transform(scope["x"]).shape == (200, 2)
    scope = run("drlim_np/audit/README.md", folder)
    layer, params, x = (scope[name] for name in ("layer", "params", "x"))

    def without_half_of_its_gradient(params, x):
        y, pullback = layer(params, x)
        return 2 * y, pullback

    assert not all(row.holds for row in scope["check_layer"](without_half_of_its_gradient, params, x, scope["rng"]))


def test_every_block_of_python_is_on_a_page_that_is_run():
    assert {page for page, text in TEXTS.items() if "```python" in text} == {*WITH_CODE}


def complaints(folder, *arguments):
    """What mypy says, its cache in a folder of its own."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(folder), "--no-error-summary", *arguments]
    environment = os.environ | {"MYPYPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True).stdout


def test_mypy_passes_the_public_api_and_the_code_of_every_page_and_sees_what_is_wrong_there(tmp_path):
    assert complaints(tmp_path) == ""
    for page in WITH_CODE:
        blocks = re.findall(r"```python\n(.*?)```", TEXTS[page], flags=re.DOTALL)
        (tmp_path / f"{page.replace('/', '_').removesuffix('.md')}.py").write_text("\n".join(blocks), encoding="utf-8")
    as_a_user = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent"]
    assert complaints(tmp_path, *as_a_user, *map(str, tmp_path.glob("*.py"))) == ""
    (tmp_path / "wrong.py").write_text("from drlim_np import DrLIM\nDrLIM(n_components='two')\n")
    assert 'expected "int"' in complaints(tmp_path, *as_a_user, str(tmp_path / "wrong.py"))


def test_every_find_has_a_guess_and_what_was_seen_and_is_in_the_index():
    finds = {path.name: path.read_text("utf-8") for path in (ROOT / "findings").glob("*.sh")}
    assert sorted(re.findall(r"\]\((\w+\.sh)\)", TEXTS["findings/README.md"])) == sorted(finds)
    for text in finds.values():
        assert re.search(r"\n# Guess: \S.*(\n# .*)*\n# Seen: +\S", text)
        assert re.search(r"==\d", text) and "drlim_np" not in text


def anchor(heading):
    """The address of a heading: in small letters, blanks as hyphens, without other signs."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@each_page
def test_every_link_leads_somewhere_and_the_images_of_the_readme_are_light(page):
    images = re.findall(r'src="([^"]+)"', TEXTS[page])
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXTS[page]) if not link.startswith("https://")] + images
    assert links
    if page == "README.md":
        assert len(images) == 6
        assert sum(path.stat().st_size for image in images if (path := ROOT / image).exists()) <= 1_500_000
    for link in links:
        file, _, place = link.partition("#")
        there = (PAGES[page].parent / file).resolve() if file else PAGES[page]
        assert there.exists(), link
        assert not place or place in map(anchor, re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.MULTILINE)), link


@each_page
def test_every_function_and_test_is_where_the_page_says(page):
    named = re.findall(r"\[`(\w+)`\]\(([\w/.]+\.py)\)", TEXTS[page])
    assert len(named) >= (150 if page == "drlim_np/README.md" else 0)
    for name, file in named:
        source = (PAGES[page].parent / file).read_text("utf-8")
        assert re.search(rf"^ *(def|class) {name}\b", source, re.MULTILINE), (name, file)


def test_every_module_folder_of_tests_and_figure_of_the_paper_is_on_its_page():
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.glob("test_*.py"))}
    assert folders == set(re.findall(r"^\| \[(\w+)\]\(\1\) \|", TEXTS["tests/README.md"], flags=re.MULTILINE))
    names = PAPER.partition("## Public names")[2]
    top = {path.stem for path in Path(drlim_np.__file__).parent.glob("*.py")} - {"__init__"}
    assert top <= set(re.findall(r"^\| `(\w+)` \|", names, flags=re.MULTILINE))
    assert {f"figure{number}" for number in range(1, 11)} <= {figure for line in LINES for figure in line.figures}


def test_the_table_of_options_has_those_of_the_command_and_no_other(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    options = {*re.findall(r"--[a-z-]+", capsys.readouterr().out)} - {"--help"}
    table = FIGURES[FIGURES.index("| option |") :].partition("\n\n")[0]
    assert {
        option for row in re.findall(r"^\| (.*?) \|", table, re.M) for option in re.findall(r"--[a-z-]+", row)
    } == options


def test_what_the_pages_count_and_what_did_not_reproduce_is_so_in_the_record():
    assert RECORD["figure8-airplane"]["seed"] == 0
    assert f"{RECORD['figure8-airplane']['measured']['similar_pairs']:,} in ours at seed 0 |" in PAPER
    measured = {stem: entry["measured"] for stem, entry in RECORD.items()}
    five, seven, six = (measured[f"figure{number}-mnist"] for number in (5, 7, 6))
    assert six["lle"]["accuracy"] > five["drlim"]["accuracy"]
    assert six["lle"]["slant_r2"] < five["drlim"]["slant_r2"]
    exact = {number: measured[f"figure{number}-exact-mnist"]["drlim"] for number in (4, 5, 7)}
    assert exact[4]["accuracy"] < measured["figure4-mnist"]["drlim"]["accuracy"]
    assert exact[5]["silhouette_by_shift"] < 0.6 * five["drlim"]["silhouette_by_shift"]  # little more than half
    assert exact[7]["shift_ratio"] > seven["drlim"]["shift_ratio"]
    assert measured["figure6-handwriting"]["closed_groups"] == 5
    bare, regularised = measured["figure9-airplane"]["lle"], measured["figure9-airplane"]["lle_by_regularisation"]
    assert regularised["0.001"]["share_of_lighting"] < bare["share_of_lighting"] / 2
    assert regularised["0.001"]["elevation_r2"] < 0.018 and regularised["0.001"]["same_lighting_neighbours"] > 1 / 4
    assert bare["elevation_r2"] < 0.5 < 0.9 < regularised["0.1"]["elevation_r2"]


def test_every_term_is_explained_on_the_page_that_uses_it():
    terms = ("energy", "margin", "5-NN accuracy", "R²", "Unevenness", "Shift ratio", "Resultant length")
    assert [term for term in terms if f"*{term}*" not in README] == []
    terms = ("Energy", "Margin", "Accuracy", "R²", "Unevenness", "Trustworthiness", "Shift ratio", "Silhouette")
    terms += ("Resultant length", "Share of lighting", "Second loop", "Balanced", "exact")
    assert [term for term in terms if f"*{term}*" not in FIGURES] == []
