"""The commands under settings of Matplotlib and Python, and without a terminal that shows all: no tracebacks."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN_ALL = [str(ROOT / "run_all.py")]
LESSON, BENCH = (["-m", f"drlim_np.{name}"] for name in ("teaching.lesson", "bench"))
ONE_FIGURE = [*RUN_ALL, "--only", "figure1", "--no-audit", "--quick"]


def environ(variables):
    found = {name: value for name, value in os.environ.items() if not name.startswith(("DISPLAY", "PYTHON"))}
    return found | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "MPLCONFIGDIR": matplotlib.get_cachedir()} | variables


def python(*arguments, folder, **variables):
    """A fresh Python in that folder: exit status, what it printed, what it complained of."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=environ(variables), capture_output=True, encoding="utf-8")
    return done.returncode, done.stdout, done.stderr


def figures(folder, *options, **variables):
    """Figures 1 and 2 drawn in that folder by a Python for which a warning is an error: all files but the record."""
    aged = ["-W", "ignore::DeprecationWarning"] if matplotlib.__version_info__ < (3, 10) else []  # names of pyparsing
    drawing = ["--only", "figure1,figure2", "--no-audit", "--out", folder / "out", *options]
    status, said, complained = python("-W", "error", *aged, *RUN_ALL, *drawing, folder=folder, **variables)
    assert (status, complained) == (0, "") and said.endswith("All 9 claims hold.\n")
    files = [path for path in (folder / "out").iterdir() if path.suffix != ".json" and path.name != ".lock"]
    assert all(str(path) in said for path in files if path.suffix != ".svg"), "each is named"
    return {path.name: path.read_bytes() for path in files}


def test_figures_and_pages_are_made_without_a_display_or_a_warning(tmp_path):
    pictures = {f"figure{number}.{kind}" for number in (1, 2) for kind in ("png", "svg")}
    assert set(figures(tmp_path)) == pictures | {"audit.html", "lesson.html"}
    assert (tmp_path / "out" / "metrics.json").exists()


def test_neither_a_matplotlibrc_nor_a_backend_that_is_not_there_nor_a_locale_changes_a_byte_of_a_figure(tmp_path):
    plain = figures(tmp_path, "--quick", "--jobs", "1", PYTHONHASHSEED="0", LC_ALL="C")
    shutil.rmtree(tmp_path / "out")
    rules = "text.usetex: True\nfont.size: 20\naxes.facecolor: red\nsavefig.dpi: 30\nsvg.fonttype: none\n"
    (tmp_path / "matplotlibrc").write_text(rules)
    other = {"MPLBACKEND": "no such backend", "PYTHONHASHSEED": "77", "LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Tokyo"}
    assert figures(tmp_path, "--quick", "--jobs", "2", **other) == plain and len(plain) == 4


def test_a_python_that_leaves_out_the_folder_of_the_script_finds_the_package_and_complains_in_one_line(tmp_path):
    variables = {"PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
    command = [*RUN_ALL, "--only", "figure0", "--out", tmp_path / "out"]
    status, said, complained = python(*command, folder=tmp_path, **variables)
    assert (status, said) == (2, "")
    assert complained.startswith("run_all.py: --only names figure0: ") and complained.count("\n") == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".lock"]


def test_without_docstrings_a_list_has_its_names_and_the_lesson_says_why_it_is_silent(tmp_path):
    assert "\nfigure10" in python("-OO", *RUN_ALL, "--list", folder=tmp_path)[1]
    status, said, complained = python("-OO", *LESSON, folder=tmp_path)
    assert (status, said, complained.count("\n")) == (2, "", 1)
    assert complained.startswith("python -m drlim_np.teaching.lesson: the lesson's text is its docstrings, which ")


@pytest.mark.skipif(os.name != "posix", reason="needs a shell that closes standard output")
@pytest.mark.parametrize("command", [ONE_FIGURE, LESSON], ids=str)
def test_a_closed_standard_output_is_no_fault(tmp_path, command):
    closing = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, *command]
    done = subprocess.run(closing, cwd=tmp_path, env=environ({}), stderr=subprocess.PIPE, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_goes_away_ends_the_run_without_a_traceback(tmp_path):
    command = [sys.executable, *ONE_FIGURE, "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ({})) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
    assert json.loads((tmp_path / "metrics.json").read_bytes())
