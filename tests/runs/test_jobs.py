"""Figures side by side: what is written and said is as with one after another, whatever becomes of a process."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from math import inf

import pytest

from drlim_np.errors import InputError
from drlim_np.runs import board, jobs, pages
from drlim_np.runs.board import Board, Progress
from drlim_np.runs.index import FIGURES, ON_REQUEST
from drlim_np.runs.making import TOGETHER, parts, whole
from drlim_np.runs.record import Run
from tests.help import small_figures
from tests.help.small_figures import diverging, faulty, killed, late, signed, small, talking, trained

RUN = Run(seed=0, quick=False, threads=2, digits=lambda: "digits", views=lambda: "views")


@pytest.fixture
def drawn(tmp_path, capfd):
    """Draws small figures in a folder of that name: status, standard output without seconds, standard error."""

    def draw(count, *arguments, out="out", **figures):
        status = small_figures.main([*arguments, "--jobs", str(count), "--out", str(tmp_path / out)], **figures)
        said, complained = capfd.readouterr()
        return status, re.sub(r"  \d+ s\n", "\n", said).replace(str(tmp_path / out), "OUT"), complained

    return draw


def files(folder):
    found = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: re.sub(rb'"wall_seconds": .*', b"", content) for name, content in found.items()}


# ---- as with one ----


def test_side_by_side_files_words_and_their_order_are_those_of_one_process(drawn, tmp_path):
    figures = {"figure4": late, "figure4-exact": small, "figure5": talking, "figure7": late}
    one, three = (drawn(count, "--seeds", "3", "1", out=str(count), **figures) for count in (1, 3))
    assert files(tmp_path / "1") == files(tmp_path / "3")
    assert one[:2] == three[:2] and one[0] == 0
    assert "figure 5: goes on from step 8 of 12\nOUT/figure5-handwriting.png\n" in three[1]
    assert three[2] == one[2] == "a warning: the cells are small\n" * 2
    assert "figure7-handwriting, seed 1, recorded\n" in three[1]


def test_what_is_verified_side_by_side_agrees(drawn):
    drawn(1, figure4=small, figure5=small)
    status, said, _ = drawn(2, "--verify", figure4=small, figure5=small)
    assert status == 0 and "no record" not in said and re.search(r"All \d+ agree\.\n$", said)


@pytest.mark.parametrize("fresh", [[], ["--fresh"]])
def test_what_one_figure_has_found_another_one_that_comes_after_finds_in_the_memory(drawn, tmp_path, fresh):
    for times in (1, 2 if fresh else 1):
        status, said, _ = drawn(2, *fresh, figure5=trained, invariance=trained)
        assert status == 0
        assert said.count("trained before") == 1, "it speaks of it once"
        assert (tmp_path / "out" / "found").read_text() == "once\n" * times


def test_a_process_that_has_drawn_a_figure_goes_on_with_the_next_one(drawn, tmp_path):
    drawn(2, figure4=signed, figure5=signed, figure6=signed, figure7=signed)
    processes = (tmp_path / "out" / "drawn").read_text().split()
    assert len(processes) == 4 and len({*processes}) <= 2


# ---- when one fails ----


def test_a_process_that_dies_is_named_in_one_line_and_the_others_finish(drawn, tmp_path):
    status, said, complained = drawn(2, figure1=late, figure5=killed, figure7=small, invariance=small)
    assert status == 2
    assert complained.count("\n") == 1
    assert complained.startswith("run_all.py: figure5: the process that was to draw it was ended by SIGKILL: run again")
    assert said == "OUT/figure1.png\nOUT/figure7-handwriting.png\n", "invariance needs figure 5"
    assert "figure5-handwriting.png" not in {path.name for path in tmp_path.rglob("*")}


def test_figures_that_cannot_be_made_are_named_together_and_the_same_fault_once(drawn):
    status, said, complained = drawn(3, figure1=late, figure4=diverging, figure5=diverging, figure7=killed)
    assert (status, said) == (2, "OUT/figure1.png\n")
    assert complained.startswith("run_all.py: ") and complained.count("\n") == 1
    assert complained.count("not finite at step 7") == complained.count("SIGKILL") == 1


def test_a_fault_in_the_program_ends_in_its_traceback(drawn):
    with pytest.raises(KeyError, match="what is not there") as fault:
        drawn(2, figure1=small, figure4=faulty)
    assert "in faulty" in fault.value.__notes__[0]


# ---- when it is stopped ----


@pytest.fixture
def begun(tmp_path, request):
    """run_all.py with a figure that is soon drawn and one that never is, begun: the process, and that of the latter."""
    never = getattr(request, "param", "endless")
    code = f"import sys; from tests.help.small_figures import *; sys.exit(main(sys.argv[1:], figure1={never}, figure4=small))"
    command = [sys.executable, "-c", code, "--jobs", "2", "--out", str(tmp_path)]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environ, start_new_session=True, **pipes) as process:
        try:
            yield process, int(_awaited(lambda: (tmp_path / "begun").read_text()))
        finally:
            process.kill()


def _awaited(found, seconds=60):
    for _ in range(20 * seconds):
        try:
            if answer := found():
                return answer
        except FileNotFoundError:
            pass
        time.sleep(0.05)
    pytest.fail("it takes too long")


def _gone(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_it_keeps_the_figures_that_are_finished_and_leaves_no_process_and_nothing_half_written(
    begun, how, status, tmp_path
):
    process, other = begun
    time.sleep(1)  # for Figure 4, out of turn
    process.send_signal(how)
    said, complained = process.communicate(timeout=60)
    assert process.returncode == status
    assert "Traceback" not in complained
    assert _awaited(lambda: _gone(other))
    assert (tmp_path / "ended").exists(), "the process that draws has cleared up"
    assert f"{tmp_path / 'figure4-handwriting.png'}  " in said
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"begun", "ended", "metrics.json", *(f"figure4-handwriting.{kind}" for kind in ("png", "svg"))}


@pytest.mark.parametrize("begun", ["deaf"], indirect=True)
def test_stopped_it_does_not_wait_for_a_process_that_has_not_heard(begun):
    process, other = begun
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130 and _awaited(lambda: _gone(other))


def test_killed_it_takes_its_processes_along(begun):
    process, other = begun
    process.kill()
    assert _awaited(lambda: _gone(other))


# ---- how many, and who draws what ----


def test_as_many_as_there_are_processors_unless_memory_is_short_or_training_is_on_a_device(monkeypatch):
    monkeypatch.setattr(jobs, "processors", lambda: 8)
    for free, number in ((inf, 8), (jobs.LARGEST + 2.5 * jobs.FURTHER, 3), (jobs.LARGEST, 1), (0.0, 1)):
        monkeypatch.setattr(jobs, "free_memory", lambda free=free: free)
        assert jobs.number_of(None, "numpy") == number
    assert jobs.number_of("5", "numpy") == jobs.number_of("5", "cupy") == 5, "what is asked for is done"
    monkeypatch.setattr(jobs, "free_memory", lambda: inf)
    assert jobs.number_of(None, "cupy") == 1


@pytest.mark.parametrize("asked", ["0", "-1", "x", "1.5", "", "٣"])
def test_what_is_no_number_of_processes_is_refused(asked):
    with pytest.raises(InputError, match=r"^--jobs is '.*': give a whole number from 1 up, or leave it out$"):
        jobs.number_of(asked, "numpy")


def test_every_figure_and_every_page_is_in_one_part_which_has_its_data_alone():
    found = parts(whole(0, RUN, [*FIGURES], pictured=True))
    assert sorted(name for part in found for name in part.figures) == sorted(FIGURES)
    assert sorted(name for part in found for name in part.pages) == sorted(pages.NEEDS)
    for part in found:
        for page in part.pages:
            assert pages.NEEDS[page] <= {*part.figures} | part.after
    images = {next(iter(part.figures)): (part.run.digits, part.run.views) for part in found}
    assert images["figure7"][0]() == "digits" and images["figure8"][1]() == "views"
    assert images["figure7"][1] is images["figure8"][0] is None and images["figure1"] == (None, None)


def test_figures_that_share_a_training_are_not_parted_and_places_keep_the_order_of_the_paper():
    names = ["figure3", "figure4", "invariance", "figure8", "figure9"]
    found = parts(whole(1, RUN, names))
    assert [[*part.figures] for part in found] == [["figure8", "figure9"], ["figure3", "figure4"], ["invariance"]]
    assert not found[-1].after, "what is not drawn is not waited for"
    places = {name: place for part in found for place, name in part.places.items()}
    assert sorted(places, key=places.get) == names
    assert {name for group in TOGETHER for name in group} <= {*FIGURES}


# ---- progress ----


class Terminal(Progress):
    """A stream that passes for a terminal; `text` is all that was written."""

    def __init__(self):
        super().__init__(lambda text: None, visible=True)
        self.text = ""

    def write(self, text):
        self.text += text
        return len(text)


def test_on_a_terminal_each_process_has_a_line_and_all_are_taken_away_before_other_words(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(board.shutil, "get_terminal_size", lambda: os.terminal_size((11, 5)))
    lines = Board()
    lines.show("one", "figure 5: step 10")
    lines.show("two", "figure 7")
    assert stream.text == "figure 5: \n" + "\x1b[1A\x1b[J" + "figure 5: \nfigure 7\n"
    stream.text = ""
    lines.show("one", None)
    lines.clear()
    lines.clear()
    assert stream.text == "\x1b[2A\x1b[J" + "figure 7\n" + "\x1b[1A\x1b[J"


def test_piped_there_are_no_lines(capsys):
    lines = Board()
    lines.show("one", "figure 5: step 10")
    lines.clear()
    assert not lines.visible and capsys.readouterr() == ("", "")


def test_of_what_a_process_writes_its_progress_is_told_and_all_else_is_kept():
    told = []
    stream = Progress(told.append, visible=True)
    for text in ("\rfigure 7: step 10/20 ", "\rfigure 7: step 20/20 ", "\n", "a warning\n", "\n"):
        stream.write(text)
    assert told == ["figure 7: step 10/20", "figure 7: step 20/20"]
    assert stream.getvalue() == "a warning\n\n" and stream.isatty()


def test_processors_are_shared_by_few_pieces_and_one_is_left_to_what_all_will_wait_for():
    def threads(figures, count, turns=1, run=4):
        found = turns * parts(whole(0, replace(RUN, threads=run), figures))
        return {name: jobs._threads(part, count, len(found)) for part in found for name in part.figures}

    assert threads(["figure5", "figure7"], 2) == {"figure5": 2, "figure7": 2}
    default = [name for name in FIGURES if name not in ON_REQUEST]
    assert len(parts(whole(0, RUN, default))) <= 8
    for count, run, sevens in ((2, 2, 1), (3, 3, 1), (4, 4, 2), (8, 4, 2), (4, 1, 1)):
        found = threads(default, count, run=run)
        assert found.pop("figure7") == sevens and {*found.values()} == {1}
    assert {*threads(default, 4, turns=3).values()} == {1}, "of several seeds nothing is waited for long"
