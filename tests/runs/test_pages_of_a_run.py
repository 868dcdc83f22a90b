"""Which pages a run leaves beside its figures."""

from dataclasses import replace
from pathlib import Path

import pytest

from drlim_np.errors import DataError
from drlim_np.runs import pages
from drlim_np.runs.record import Run
from drlim_np.teaching import frame
from drlim_np.teaching import pages as lesson_pages

RUN = Run(seed=0, quick=False, threads=1, digits=None, views=None)


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (["figure1"], set()),
        (["figure8", "figure1"], {"paper.html"}),
        (["figure5", "figure7"], set()),
        (["figure5", "figure7", "invariance"], {"map.html"}),
    ],
)
def test_a_page_is_made_where_all_that_it_shows_was_drawn(drawn, expected, monkeypatch, tmp_path):
    for name in ("_paper", "_map"):
        monkeypatch.setattr(pages, name, lambda drawn, run: "a page")
    made = {name: pages.made(name, dict.fromkeys(drawn), RUN) for name in pages.due(drawn, RUN)}
    assert set(made) == expected | {"audit.html", "lesson.html"}
    assert made.pop("lesson.html").startswith(b"<!doctype html>")
    assert made.pop("audit.html") == b"", "which shows the record of all figures, once it is written"
    assert set(made.values()) <= {b"a page"}
    assert pages.of_the_record(RUN, tmp_path).startswith(b"<!doctype html>")


def test_a_quick_run_makes_none_because_its_networks_are_too_raw():
    assert pages.due(["figure5", "figure7", "figure8", "invariance"], replace(RUN, quick=True)) == []


def test_sources_that_changed_while_the_run_went_on_are_refused_in_one_line(monkeypatch):
    def read_at_first():
        return "what ran"

    read_at_first.__wrapped__ = lambda: "what lies there now"
    monkeypatch.setattr(frame, "source_digest", read_at_first)
    assert_refused(lambda: pages.made("lesson.html", {}, RUN))
    assert_refused(lambda: pages.of_the_record(RUN, Path("nowhere")))


def test_sources_that_are_gone_are_refused_in_one_line(monkeypatch):
    def gone(_):
        raise OSError("could not get source code")

    monkeypatch.setattr("inspect.getsource", gone)
    monkeypatch.setattr("inspect.getsourcelines", gone)
    assert_refused(lambda: pages.made("lesson.html", {}, RUN))
    assert_refused(lambda: lesson_pages._write(Path("nowhere")))


def assert_refused(call):
    with pytest.raises(
        DataError, match=r"the sources of drlim_np changed or went while this ran \(.*run again"
    ) as said:
        call()
    assert "\n" not in str(said.value)
