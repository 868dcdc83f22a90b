"""The commands under settings of Matplotlib and Python, a terminal, a full disk, a signal: no tracebacks."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import matplotlib
import pytest

from drlim_np.audit import first as audit_first
from drlim_np.audit.gradcheck import Row
from drlim_np.files.cache import Cache

ROOT = Path(__file__).resolve().parents[2]
RUN_ALL = [str(ROOT / "run_all.py")]
LESSON, BENCH = (["-m", f"drlim_np.{name}"] for name in ("teaching.lesson", "bench"))
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")


def environ(variables):
    found = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return found | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "MPLCONFIGDIR": matplotlib.get_cachedir()} | variables


def python(*arguments, folder, stdout=subprocess.PIPE, **variables):
    """A fresh Python in that folder: exit status, what it printed, what it complained of."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environ(variables), stdout=stdout, stderr=subprocess.PIPE, encoding="utf-8"
    )
    return done.returncode, done.stdout, done.stderr


def figures(folder, **variables):
    """Figures 1 and 2 drawn in that folder."""
    folder.mkdir(exist_ok=True)
    arguments = ["--only", "figure1", "figure2", "--quick", "--no-audit", "--out", folder / "out"]
    status, _, complained = python(*RUN_ALL, *arguments, folder=folder, **variables)
    assert (status, complained) == (0, "")
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir() if path.suffix in (".png", ".svg")}


@pytest.fixture(scope="module")
def as_they_are(tmp_path_factory):
    return figures(tmp_path_factory.mktemp("plain"))


RCFILE = "text.usetex: True\nfont.size: 20\naxes.facecolor: red\nsavefig.dpi: 30\nsvg.fonttype: none\n"


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "no such backend"])
def test_neither_a_matplotlibrc_nor_a_backend_that_is_not_there_changes_a_byte_of_a_figure(
    tmp_path, as_they_are, backend
):
    (tmp_path / "matplotlibrc").write_text(RCFILE)
    assert figures(tmp_path, MPLBACKEND=backend) == as_they_are
    assert len(as_they_are) == 4


def test_a_python_that_leaves_out_the_folder_of_the_script_draws_too(tmp_path):
    variables = {"PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
    status, said, complained = python(*RUN_ALL, "--list", folder=tmp_path, **variables)
    assert (status, complained) == (0, "") and said.startswith("figure1 ")


def test_without_docstrings_a_list_has_its_names_and_says_what_it_lacks(tmp_path):
    status, said, complained = python("-OO", *RUN_ALL, "--list", folder=tmp_path)
    assert (status, complained) == (0, "")
    assert "python -OO has stripped" in said and len(said.splitlines()) > 10


def test_without_docstrings_the_lesson_says_why_it_is_silent(tmp_path):
    status, said, complained = python("-OO", *LESSON, folder=tmp_path)
    assert (status, said) == (2, "")
    assert complained.startswith("python -m drlim_np.teaching.lesson: the lesson's text is its docstrings, which ")
    assert complained.endswith("python -OO strips: run it without\n") and complained.count("\n") == 1


def test_properties_are_held_under_an_optimised_python_too(tmp_path, monkeypatch):
    # pytest rewrites an assertion of its own; one inside `exec` is stripped, as those of a helper are
    (tmp_path / "test_it.py").write_text("def test_it():\n    exec('assert False')\n")
    monkeypatch.setattr(audit_first, "PROPERTIES", (str(tmp_path / "test_it.py"),))
    right = audit_first.catalogue.Finding("a layer", Row("weight", 6, 0.0, 0.0))
    monkeypatch.setattr(audit_first.catalogue, "findings", lambda backend: iter([right]))
    monkeypatch.setattr(audit_first.catalogue, "proofs", lambda: ())
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    assert not audit_first.audit_passes("numpy", Cache(tmp_path))


@pytest.mark.parametrize("settings", ["os.environ['DRLIM_TESTS'] = 'audit'", "os.access = lambda *_: False"])
def test_the_audit_and_a_checkout_that_may_not_be_written_keep_no_examples(tmp_path, settings):
    code = f"import os; {settings}; import tests.conftest, hypothesis; print(hypothesis.settings().database)"
    status, said, _ = python("-c", code, folder=tmp_path)
    assert (status, said) == (0, "None\n")


@FULL
@pytest.mark.parametrize("command", [[*RUN_ALL, "--list"], LESSON, [*BENCH, "--list"]], ids=str)
def test_a_full_disk_under_standard_output_is_told_in_one_line(tmp_path, command):
    with open("/dev/full", "w") as full:
        status, _, complained = python(*command, folder=tmp_path, stdout=full)
    assert status == 2
    assert complained.endswith(": standard output: No space left on device: free the disk, or choose another place\n")
    assert complained.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="needs a shell that closes standard output")
@pytest.mark.parametrize("command", [[*RUN_ALL, "--only", "figure1", "--no-audit", "--quick"], LESSON], ids=str)
def test_a_closed_standard_output_is_no_fault(tmp_path, command):
    closing = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, *command]
    done = subprocess.run(closing, cwd=tmp_path, env=environ({}), stderr=subprocess.PIPE, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")


SHORT_AUDIT = [
    "-c",
    "import sys; from drlim_np.audit import __main__ as audit, catalogue, gradcheck, proof\n"
    "row = catalogue.Finding('½D²', gradcheck.Row('weight', 6, 0.0, 0.0))\n"
    "one = proof.Proof('½D²', 'both sides are equal', ('eq-1',), ('½D²',), True, 'once')\n"
    "catalogue.findings, catalogue.proofs = (lambda *_, **__: [row]), (lambda *_: (one,))\n"
    "sys.exit(audit.main([]))",
]
ONE_FIGURE = [*RUN_ALL, "--only", "figure1", "--no-audit", "--quick"]


@pytest.mark.parametrize("command", [LESSON, SHORT_AUDIT, ONE_FIGURE], ids=["lesson", "audit", "run_all"])
def test_an_ascii_terminal_is_shown_question_marks(tmp_path, command):
    status, said, complained = python(*command, folder=tmp_path, PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert (status, complained) == (0, "")
    assert said.isascii() and "?" in said


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc to see which processes live")
def test_ended_by_a_signal_the_audit_leaves_no_process_behind(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import os, pathlib, time\n"
        "def test_it():\n"
        f"    pathlib.Path({str(tmp_path)!r}, 'pid').write_text(str(os.getpid()))\n"
        "    time.sleep(60)\n"
    )
    code = (
        "import sys; from drlim_np.audit import first as audit_first; from drlim_np.runs import command\n"
        f"audit_first.PROPERTIES = ({str(tmp_path / 'test_it.py')!r},)\n"
        "audit_first.catalogue.findings = lambda backend: iter(())\n"
        "audit_first.catalogue.proofs = lambda: ()\n"
        f"sys.exit(command.main(['--only', 'figure1', '--out', {str(tmp_path / 'out')!r}]))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], env=environ({}), stdout=subprocess.DEVNULL) as run:
        for _ in range(600):
            if (tmp_path / "pid").exists() and (child := (tmp_path / "pid").read_text()):
                break
            time.sleep(0.05)
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=20) == 128 + signal.SIGTERM
    assert not Path("/proc", child).exists()
    assert list((tmp_path / "out").iterdir()) in ([], [tmp_path / "out" / ".checkpoints"])
