"""The exercises: each starts wrong, each solution is right, and nothing a student does breaks the command."""

import ast
import io
import sys
import warnings
from contextlib import redirect_stdout, suppress
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

from drlim_np.audit.gradcheck import COMPLEX_BOUND
from drlim_np.errors import DataError, InputError
from drlim_np.teaching import exercises
from drlim_np.teaching.exercises import of_file, verdict
from drlim_np.teaching.problems import EXERCISES
from tests.help.refusals import refuses

ROOT = str(Path(__file__).parents[2])
EACH = pytest.mark.parametrize("exercise", EXERCISES, ids=[exercise.file for exercise in EXERCISES])
FIRST = EXERCISES[0]
OFF = ["loss", "z1 z2", "loss z", "loss z1 z2", "z1 z2", "w b", "w", "w", "loss z", "a x", "x", "x"]
WRONG = {exercise.file: set(names.split()) for exercise, names in zip(EXERCISES, OFF, strict=True)}  # as they are given


def written(tmp_path, exercise, content):
    file = tmp_path / exercise.file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def judged(tmp_path, exercise, content):
    """How far off a file with that content is, by tensor."""
    return verdict(exercise, partial(of_file, written(tmp_path, exercise, content)), exercise.file)


@cache
def output(text):
    """What a file prints when it is run as a program."""
    with redirect_stdout(io.StringIO()) as printed, warnings.catch_warnings(action="ignore"):
        exec(compile(text, "exercise.py", "exec"), {"__name__": "__main__"})
    return printed.getvalue()


def off(found):
    """The names of what is not right."""
    return {name for name, error in found.items() if not error <= COMPLEX_BOUND}


def test_there_are_a_dozen_in_order_and_the_list_names_each(capsys):
    assert [exercise.file[:2] for exercise in EXERCISES] == [f"{k:02}" for k in range(1, 13)]
    assert [exercise.title.split(".")[0] for exercise in EXERCISES] == [f"Exercise {k}" for k in range(1, 13)]
    assert exercises.main([]) == 0
    assert capsys.readouterr().out.splitlines()[:12] == [exercise.title for exercise in EXERCISES]


@EACH
def test_it_starts_wrong_in_the_tensors_that_it_is_about_by_far_and_in_no_other(tmp_path, exercise):
    found = judged(tmp_path, exercise, exercise.source)
    assert off(found) == WRONG[exercise.file]
    assert all(not found[name] < 0.01 for name in WRONG[exercise.file])


@EACH
def test_its_solution_is_right_and_half_of_it_is_not(tmp_path, exercise):
    assert all(exercise.source.count(wrong) == 1 for wrong, _ in exercise.mend)
    found = judged(tmp_path, exercise, exercise.solution)
    assert set(found) == {"loss", *exercise.tensors} and not off(found)
    for wrong, right in exercise.mend:
        with suppress(InputError):  # it does not even run
            assert off(judged(tmp_path, exercise, exercise.solution.replace(right, wrong)))


@EACH
def test_the_file_needs_numpy_alone_is_short_and_runs(exercise):
    imported = [node for node in ast.walk(ast.parse(exercise.source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imported] == ["import numpy as np"]
    assert len(exercise.source.splitlines()) <= 70
    assert f"exercises check {int(exercise.file[:2])}\n" in exercise.source
    assert "loss" in output(exercise.source) and "loss" in output(exercise.solution)


FALLS = [exercise for exercise in EXERCISES if "loss falls" in exercise.source.replace("\n", " ")]


@pytest.mark.parametrize("exercise", FALLS, ids=[exercise.file for exercise in FALLS])
def test_where_a_falling_loss_is_promised_it_falls_with_the_mistake_in_it(exercise):
    assert len(FALLS) == 6
    for text in (exercise.source, exercise.solution):
        rows = [line for line in output(text).splitlines() if line.startswith("step")]
        losses = [float(row.partition(" loss ")[2].replace("of this batch", "").split()[0]) for row in rows]
        assert losses[-1] < 0.6 * losses[0]


def test_the_batch_of_exercise_9_stands_for_all_pairs_in_the_mean():
    scope = {"__name__": "exercise"}
    exec(EXERCISES[8].solution, scope)
    rng = np.random.default_rng(3)
    z, pairs = rng.normal(size=(5, 2)), np.stack(np.triu_indices(5, k=1), axis=1)
    y = np.where(pairs[:, 1] - pairs[:, 0] == 1, 0, 1)
    whole, gradient = scope["loss_and_gradient"](z, pairs, y, np.arange(len(y)), 2.0)
    draws = [[s, d] for s in np.flatnonzero(y == 0) for d in np.flatnonzero(y == 1)]  # each as likely as the other
    each = [scope["loss_and_gradient"](z, pairs, y, np.array(drawn), 2.0) for drawn in draws]
    np.testing.assert_allclose(np.mean([loss for loss, _ in each]), whole, rtol=1e-12)
    np.testing.assert_allclose(np.mean([found["z"] for _, found in each], axis=0), gradient["z"], rtol=1e-9)


def test_start_writes_all_of_them_and_never_over_what_a_student_wrote(tmp_path, capsys):
    folder = tmp_path / "mine" / "deep"
    assert exercises.main(["start", "--folder", str(folder)]) == 0
    mine = written(folder, EXERCISES[2], "mine")
    (folder / "04_squared.py").unlink()
    assert exercises.main(["start", "--folder", str(folder)]) == 0
    said = [f"12 exercises written to {folder}", f"1 exercises written to {folder}, 11 there already and kept"]
    assert capsys.readouterr().out.splitlines() == said
    sources = {one.file: one.source for one in EXERCISES} | {mine.name: "mine"}
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == sources


def test_check_says_what_is_wrong_until_it_is_right(tmp_path, capfd):
    for status, text, said in ((1, EXERCISES[6].source, "WRONG"), (0, EXERCISES[6].solution, "\nRight. The gradient")):
        written(tmp_path, EXERCISES[6], text)
        assert exercises.main(["check", "7", "--folder", str(tmp_path)]) == status
        printed = capfd.readouterr()
        assert printed.err == "" and said in printed.out and printed.out.count("right") == 2 - status


@EACH
def test_neither_check_nor_hint_gives_the_answer_away_and_solution_does(tmp_path, capsys, monkeypatch, exercise):
    monkeypatch.setattr(sys, "path", [*sys.path])
    number = exercise.file[:2].lstrip("0")
    written(tmp_path, exercise, exercise.source)
    assert exercises.main(["judge", number, "--folder", str(tmp_path)]) == exercises.JUDGED + 1
    assert exercises.main(["hint", number]) == 0
    said = capsys.readouterr().out
    assert exercises.main(["solution", number]) == 0
    solved = capsys.readouterr().out
    assert not any(right.strip() in said for _, right in exercise.mend)
    assert all(f"+{line}" in solved or line in exercise.source for line in exercise.solution.splitlines())
    assert max(map(len, (said + solved).splitlines())) <= 121


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "13"], " (choose from "),
        (["solution", "²"], "invalid int value: '²'"),
        (["hint"], "hint takes a number"),
        (["cheat"], "invalid choice: 'cheat'"),
        (["list", "3"], "list takes no number"),
        (["start", "mine"], "invalid int value: 'mine'"),
        (["start", "--folder", "taken"], "01_half.py: cannot be written ("),
        (["start", "--folder", "taken/below"], "): name another folder"),
        (["check", "1"], "01_half.py is not there: run start, or name its folder with --folder"),
    ],
)
def test_a_command_that_cannot_be_done_is_refused_and_writes_nothing(tmp_path, monkeypatch, capsys, arguments, message):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        sys.exit(exercises.main(arguments))
    said = capsys.readouterr()
    assert said.out == "" and message in said.err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


DEF = "def loss_and_gradient(**a):\n    "
UTF_8 = "01_half.py: UnicodeError: this is not text in UTF-8: save it as UTF-8"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("def loss_and_gradient(:\n", "01_half.py, line 1: "),
        ("a = 1\n  b = 2\n", "01_half.py, line 2: "),
        ("\n\nimport nonsense_that_is_not_there\n", "01_half.py, line 3: ModuleNotFoundError"),
        (DEF + "return 1 / 0\n", "line 2: ZeroDivisionError"),
        ("def again(n):\n    return again(n)\n" + DEF + "return again(0)\n", "line 2: RecursionError"),
        ("x = 1\n", "defines no function loss_and_gradient"),
        (DEF + "pass\n", "must return a loss and a dict"),
        (DEF + "return 1.0, {'z1': a['z1']}\n", "no gradient of z2"),
        (DEF + "return 1.0, {'z1': a['z1'], 'z2': a['z2'].T}\n", "shape (2, 8) for z2"),
        (DEF + "return 1.0, {'z1': 'a', 'z2': None}\n", "z1 is not made of real numbers"),
        (DEF + "return 1j, {'z1': a['z1'], 'z2': a['z2']}\n", "loss is not made of real"),
        ("raise ValueError('two\\nlines')\n", "ValueError: 'two\\nlines'"),
        *((FIRST.solution.encode(encoding), UTF_8) for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")),
        ("# ½\n".encode("latin-1"), "01_half.py"),
        (b"x = 1\ny = '\xe4'\n", "01_half.py, line 2: SyntaxError: "),
        (b"# coding: nonsense\n", "01_half.py: SyntaxError: unknown encoding: nonsense"),
        *((f"\n{end}", "01_half.py, line 2: ") for end in ("exit(0)", "import sys; sys.exit()")),
        *((f"\nraise {end}", f"line 2: {end}") for end in ("KeyboardInterrupt", "GeneratorExit", "BaseException")),
    ],
)
def test_a_file_that_cannot_be_judged_gets_one_line_with_the_place(tmp_path, content, message):
    refuses(lambda: judged(tmp_path, FIRST, content), message)


def test_such_a_file_ends_the_command_with_2_a_loop_is_ended_and_no_file_is_missing_data(tmp_path, capfd):
    refuses(lambda: exercises.check(1, tmp_path), "run start", DataError)
    written(tmp_path, FIRST, "1 / 0\n")
    assert exercises.check(1, tmp_path) == 2
    said = f"{exercises.PROGRAM}: 01_half.py, line 1: ZeroDivisionError: division by zero\n"
    assert capfd.readouterr() == ("", said)
    written(tmp_path, FIRST, "while True:\n    pass\n")
    refuses(lambda: exercises.check(1, tmp_path, limit=0.5), "01_half.py did not end within 0.5 seconds")


ENDS = {
    "at once": "import os\nos._exit({})\n",
    "when called": "import os\ndef loss_and_gradient(**a):\n    os._exit({})\n",
    "after the verdict": "import atexit, os\natexit.register(os._exit, {})\n" + FIRST.source,
    "by a crash": "import os\nos.abort()\n",
}


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("status", [0, 1, 2])
def test_a_file_that_ends_the_check_by_itself_is_told_so_and_is_never_right(tmp_path, ends, status):
    written(tmp_path, FIRST, ENDS[ends].replace("{}", str(status)))
    told = "01_half.py ended the check, by os._exit or a crash: remove that line"
    refuses(lambda: exercises.check(1, tmp_path), told)


def test_what_is_next_to_the_file_is_found(tmp_path, monkeypatch, capfd):
    uses = (
        "from __future__ import annotations\nfrom helper import a\nfrom tools import b\nfrom typing_helper import c\n"
    )
    text = FIRST.solution.replace("import numpy as np\n", f"{uses}import numpy as np\n", 1)
    text += "\nimport dataclasses\n@dataclasses.dataclass\nclass Kept:\n    x: dataclasses.InitVar[float] = a + b + c\n"
    written(tmp_path / "mine", FIRST, text)
    (tmp_path / "mine" / "tools").mkdir()
    for name in ("helper.py", "tools/__init__.py", "typing_helper.py"):
        (tmp_path / "mine" / name).write_text("a = b = c = 0.5\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ROOT)
    assert exercises.main(["check", "1", "--folder", "mine"]) == 0
    assert "\nRight." in capfd.readouterr().out


ENCODED = [f"# coding: {name}\n# ½\n{FIRST.solution}".encode(name, "replace") for name in ("utf-8-sig", "latin-1")]
CHANGING = FIRST.solution.replace("    return loss", "    z1 *= 0\n    return loss")


@pytest.mark.parametrize("content", [*ENCODED, CHANGING])
def test_a_file_in_an_encoding_that_it_declares_or_that_changes_what_it_is_given_is_judged(tmp_path, content):
    assert not off(judged(tmp_path, FIRST, content))
