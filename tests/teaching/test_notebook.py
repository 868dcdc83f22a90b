"""The lesson as a notebook: it runs, it judges, and it says what the printed lesson says and no line twice."""

import json
import re
import subprocess
import sys
from inspect import getsource
from pathlib import Path

import pytest

from drlim_np.teaching import exercises, lesson, pages
from drlim_np.teaching.pages import NEXT_TO, notebook
from drlim_np.teaching.problems import EXERCISES
from tests.help.refusals import refuses

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = ["numpy", "matplotlib", "drlim_np"]
RUN_ALONE = """
import json, sys
class OnlyThese:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {*sys.stdlib_module_names, *sys.argv[1:]}:
            raise ModuleNotFoundError(name + " is not installed here")
sys.meta_path.insert(0, OnlyThese())
scope = {"__name__": "__main__"}
for cell in json.load(sys.stdin)["cells"]:
    if cell["cell_type"] == "code":
        exec(compile(cell["source"], cell["id"], "exec"), scope)
"""
CELLS = json.loads(notebook())["cells"]
CODE = [cell["source"] for cell in CELLS if cell["cell_type"] == "code"]
TEXT = "\n".join(cell["source"] for cell in CELLS if cell["cell_type"] == "markdown")


def said(printed):
    """Lines that hold something, without the blanks around them."""
    return [line.strip() for line in printed.splitlines() if line.strip()]


def test_alone_its_numbers_are_those_of_the_printed_lesson_and_every_exercise_is_judged():
    """Where nothing is installed but what the package needs."""
    ran = [sys.executable, "-X", "utf8", "-c", RUN_ALONE, *ALLOWED]
    alone = subprocess.run(ran, input=notebook(), stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    numbers = [line for section in lesson.sections() for line in said(str(section))]
    assert said(alone)[: len(numbers)] == numbers
    verdicts = re.findall(r"^Exercise (\d+)\. .*\n((?:    .*\n)+)", alone, flags=re.MULTILINE)
    assert [int(number) for number, _ in verdicts] == list(range(1, 13))
    assert all("WRONG" in found for _, found in verdicts) and "Right. " not in alone


def test_it_has_the_text_and_code_of_every_step_once_each_exercise_in_order_and_every_drawing():
    places = [TEXT.index(part) for section in lesson.sections() for part in (f"## {section.heading}", section.prose)]
    assert places == sorted(places)
    code = "\n".join(CODE)
    for section in lesson.sections():
        assert TEXT.count(section.prose) == 1 and section.prose not in code
        assert code.count(getsource(section.step).split('"""')[2].strip("\n")) == 1
    assert re.findall(r"^## (Exercise .*)$", TEXT, flags=re.MULTILINE) == [exercise.title for exercise in EXERCISES]
    assert all(exercise.hint.strip() in TEXT for exercise in EXERCISES)
    assert "check 1" not in TEXT and "this file" not in TEXT
    drawn = [draw.__name__ for draws, _ in NEXT_TO.values() for draw in draws]
    assert re.findall(r"drawings\.(\w+)\(\)\)", code) == drawn and len(drawn) == 7
    links = re.findall(r"\(#(Exercise[^)]*)\)", TEXT)
    assert sorted(links) == sorted(exercise.title.replace(" ", "-") for exercise in EXERCISES)


def test_a_cell_that_is_changed_changes_those_below_it():
    scope = {"__name__": "notebook"}
    for source in CODE[: next(k for k, text in enumerate(CODE) if text.startswith("def shared_cache"))]:
        if "def both_towers" in source:
            source = source.replace("pullback1(dz1) + ", "")
        exec(source, scope)
    assert scope["error"](scope["gradient"]) > 0.1


@pytest.mark.parametrize("number", [1, 8, 12])
def test_a_cell_with_the_mistake_mended_is_right(number, capsys):
    exercise = EXERCISES[number - 1]
    (source,) = (text for text in CODE if f"judge_cell({number}, " in text)
    for wrong, right in exercise.mend:
        source = source.replace(wrong.strip("\n"), right.strip("\n"))
    exec(source, {"__name__": "notebook", "judge_cell": exercises.judge_cell})
    printed = capsys.readouterr().out
    assert "Right. " in printed and "WRONG" not in printed and exercise.title in printed
    refuses(lambda: exercises.judge_cell(number, lambda **inputs: 0.0), f"exercise {number}: loss_and_gradient must")


def test_the_command_writes_it_once_and_complains_in_one_line(tmp_path, capsys):
    assert pages.main(["--notebook", str(tmp_path / "new")]) == 0
    path = tmp_path / "new" / "lesson.ipynb"
    assert path.read_text(encoding="utf-8") == notebook() and str(path) in capsys.readouterr().out
    path.write_text("mine")
    for folder, complaint in [(path, "cannot be written"), (path.parent, "is there already")]:
        assert pages.main(["--notebook", str(folder)]) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1 and complaint in printed.err
        assert printed.err.endswith(": name another folder\n")
    assert path.read_text() == "mine"


def test_a_fresh_kernel_runs_it_from_the_first_cell_to_the_last(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: the notebook is not validated")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: the notebook is not run by a kernel")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed: the notebook is not run by a kernel")
    found = nbformat.reads(notebook(), as_version=4)
    nbformat.validate(found)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the kernel is a process of its own
    nbclient.NotebookClient(found, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()
    shown = [output for cell in found.cells if cell.cell_type == "code" for output in cell.outputs]
    assert {output.output_type for output in shown} <= {"stream", "execute_result"}
    drawn = [output.data["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert len(drawn) == 7 and drawn[2].startswith('<img width="420" alt="A spring that pulls')
