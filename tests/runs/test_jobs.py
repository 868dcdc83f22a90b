"""Figures side by side: what is written and printed is as with one after another, whatever becomes of a process."""

import io
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from math import inf

import pytest

from drlim_np.figures import Train
from drlim_np.runs import jobs
from drlim_np.runs.command import FIGURES
from drlim_np.runs.jobs import Task
from tests.help import small_figures
from tests.help.comparing import timeless
from tests.help.small_figures import diverging, faulty, killed, late, signed, small, talking, trained

ENVIRON = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
on_posix = pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")


@pytest.fixture
def drawn(tmp_path, capfd):
    """Draws small figures in a folder of that name: status, standard output without seconds, standard error."""

    def draw(count, *arguments, out="out", **figures):
        status = small_figures.main([*arguments, "--jobs", str(count), "--out", str(tmp_path / out)], **figures)
        said, complained = capfd.readouterr()
        return status, re.sub(r"  \d+ s\n", "\n", said).replace(str(tmp_path / out), "OUT"), complained

    return draw


def test_side_by_side_files_words_and_their_order_are_those_of_one_process_and_verified_so_they_agree(drawn, tmp_path):
    figures = {"figure3": small, "figure4": late, "figure5": talking, "figure7": small}
    one, three = (drawn(count, "--seeds", "3", "1", out=str(count), **figures) for count in (1, 3))
    assert timeless(tmp_path / "1") == timeless(tmp_path / "3")
    assert one[:2] == three[:2] and one[0] == 0
    assert "figure 5: trained before\nOUT/figure5-handwriting.png\n" in three[1]
    assert three[1].index("figure3") < three[1].index("figure4"), "which is drawn before it"
    assert three[2] == one[2] == "a warning: the cells are small\n" * 2
    assert "figure7-handwriting, seed 1, recorded\n" in three[1]
    status, said, _ = drawn(2, "--verify", out="3", **figures)
    assert status == 0 and "no record" not in said and re.search(r"All \d+ agree\.\n$", said)


@pytest.mark.parametrize("count", [1, 2])
def test_what_comes_first_is_done_while_others_begin_and_if_it_fails_they_end_and_nothing_is_handed_over(count):
    begun, earlier = [], {*multiprocessing.active_children()}  # of another test
    tasks = [Task(FIGURES[name], None, Train()) for name in ("figure1", "figure2", "towers")]
    assert [*jobs.all_drawn(tasks, count, lambda: begun.extend({*multiprocessing.active_children()} - earlier))] == []
    assert len(begun) == (count if count > 1 else 0)
    assert not any(process.is_alive() for process in begun)


def test_a_training_of_one_figure_is_found_by_another_that_comes_after_it_and_is_spoken_of_once(drawn, tmp_path):
    for count, options, said_so, times in ((2, [], 0, 1), (1, [], 1, 1), (2, ["--fresh"], 0, 2)):
        status, said, _ = drawn(count, *options, figure5=trained, invariance=trained)
        assert (status, said.count("trained before")) == (0, said_so)
        assert len((tmp_path / "out" / "trained").read_text().split()) == times


def test_a_process_draws_one_figure_after_another_and_a_terminal_shows_which(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := io.StringIO())
    terminal.isatty = lambda: True
    monkeypatch.setenv("COLUMNS", "44")
    drawn(2, figure4=signed, figure6=signed, figure7=signed)
    processes = (tmp_path / "out" / "drawn").read_text().split()
    assert len(processes) == 3 and len({*processes}) <= 2
    first, *others = (line for line in terminal.getvalue().split("\r") if "running" in line)
    assert first == "0 of 3 drawn; running: figure7, figure4 " and others
    assert all(len(line) <= 43 for line in terminal.getvalue().split("\r")), "it fits the terminal"
    assert terminal.getvalue().endswith("\r\x1b[K"), "the line is taken away"


def test_figures_that_fail_are_named_in_one_line_each_fault_once_and_the_others_finish(drawn, tmp_path):
    figures = {"figure1": late, "figure4": diverging, "figure5": killed, "figure6": diverging, "figure7": small}
    status, said, complained = drawn(3, **figures, invariance=small)
    assert status == 2
    assert said == "OUT/figure1.png\nOUT/figure7-handwriting.png\n", "invariance needs figure 5"
    assert complained.startswith("run_all.py: ") and complained.count("\n") == 1
    assert complained.count("not finite at step 7") == 1
    assert "figure5: the process that was to draw it died: run again" in complained
    assert "figure5-handwriting.png" not in {path.name for path in tmp_path.rglob("*")}


def test_a_fault_in_the_program_ends_in_its_traceback(drawn):
    with pytest.raises(KeyError, match="what is not there") as fault:
        drawn(2, figure1=small, figure4=faulty)
    assert "in faulty" in str(fault.value.__cause__)


def started(folder, figures, jobs, **environ):
    """run_all.py with these figures, in a process of its own."""
    code = f"import sys; from tests.help.small_figures import *; sys.exit(main(sys.argv[1:], {figures}))"
    command = [sys.executable, "-c", code, "--jobs", str(jobs), "--out", str(folder)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=ENVIRON | environ, start_new_session=True, **pipes)


@pytest.fixture
def begun(tmp_path):
    """run_all.py with one figure that is drawn and two that never are, begun: the process, and those that draw."""
    with started(tmp_path, "figure1=endless, figure4=small, figure5=endless", 2) as process:
        try:  # Figure 1 begins where Figure 4 has been handed over
            _awaited(lambda: len((tmp_path / "begun").read_text().split()) == 2)
            yield process, [int(number) for number in (tmp_path / "begun").read_text().split()]
        finally:
            process.kill()


def _awaited(found, seconds=60):
    for _ in range(20 * seconds):
        with suppress(FileNotFoundError):
            if found():
                return True
        time.sleep(0.05)
    return False


def _gone(number):
    with suppress(ProcessLookupError):
        return bool(os.kill(number, 0))
    return True


@on_posix
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_stopped_it_leaves_no_process_and_unless_it_is_killed_keeps_finished_figures(begun, how, tmp_path):
    process, others = begun
    process.send_signal(number := getattr(signal, how))
    said, complained = process.communicate(timeout=60)
    assert process.returncode == {"SIGINT": 130, "SIGTERM": 143, "SIGKILL": -number}[how]
    assert "Traceback" not in complained
    assert all(_awaited(lambda number=number: _gone(number)) for number in others)
    if how != "SIGKILL":
        assert f"{tmp_path / 'figure4-handwriting.png'}  " in said
        left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
        assert left == {".lock", "begun", "metrics.json", "figure4-handwriting.png", "figure4-handwriting.svg"}


@on_posix
@pytest.mark.parametrize("number", [1, 3])
def test_interrupted_with_its_processes_while_they_start_it_says_one_line(tmp_path, number):
    (tmp_path / "sitecustomize.py").write_text("""import sys, time  # what Python runs when it starts
if any('spawn_main' in argument for argument in sys.orig_argv):
    print('x', end='', file=open(__file__.replace('sitecustomize.py', 'started'), 'a'), flush=True)
    time.sleep(5)
""")
    path, figures = os.pathsep.join([str(tmp_path), *sys.path]), "figure1=endless, figure2=endless, figure4=endless"
    with started(tmp_path / "out", figures, 3, PYTHONPATH=path) as process:
        assert _awaited(lambda: len((tmp_path / "started").read_text()) >= number)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does with Ctrl-C
        said, complained = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "")
    assert re.fullmatch(r"run_all\.py: interrupted; .*\n", complained), complained


def test_ended_by_a_signal_the_audit_leaves_no_process_behind(tmp_path):
    test, pid = tmp_path / "test_it.py", tmp_path / "pid"
    begun = f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))"
    test.write_text(f"import os, pathlib, time\n\n\ndef test_it():\n    {begun}\n    time.sleep(60)\n")
    code = f"""import sys; from drlim_np.audit import first; from drlim_np.runs import command
first.PROPERTIES = ({str(test)!r},)
first.catalogue.findings, first.catalogue.proofs = (lambda backend: iter(())), (lambda: ())
sys.exit(command.main(['--only', 'figure1', '--out', {str(tmp_path / "out")!r}]))"""
    with subprocess.Popen([sys.executable, "-c", code], env=ENVIRON, stdout=subprocess.DEVNULL) as run:
        assert _awaited(lambda: pid.read_text())
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=20) == 128 + signal.SIGTERM
    assert _awaited(lambda: _gone(int(pid.read_text())))
    assert {path.name for path in (tmp_path / "out").iterdir()} <= {".lock", ".checkpoints"}


@pytest.mark.parametrize(
    ("asked", "backend", "free", "number"),
    [(None, "numpy", inf, 8), (None, "numpy", jobs.LARGEST + 2.5 * jobs.FURTHER, 3), (None, "numpy", jobs.LARGEST, 1)]
    + [(None, "numpy", 0.0, 1), (None, "cupy", inf, 1), (5, "numpy", 0.0, 5), (5, "cupy", 0.0, 5)],
)
def test_as_many_as_asked_for_or_as_processors_and_memory_allow(monkeypatch, asked, backend, free, number):
    monkeypatch.setattr(jobs, "processors", lambda: 8)
    monkeypatch.setattr(jobs, "free_memory", lambda: free)
    assert jobs.number_of(asked, backend) == number
