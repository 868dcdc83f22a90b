"""Which pages a run leaves with its figures."""

from types import SimpleNamespace

import numpy as np
import pytest

from drlim_np.data import Views
from drlim_np.errors import DataError
from drlim_np.figures import Train
from drlim_np.files import frame
from drlim_np.runs import pages
from tests.help.refusals import refuses


def made(out, figures=(), quick=False):
    return dict(pages.made(out, dict.fromkeys(figures), None, None, Train(quick=quick)))


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
        monkeypatch.setattr(pages, name, lambda *_: "a page")
    found = made(tmp_path, drawn)
    assert set(found) == expected | {"audit.html", "lesson.html"}
    assert found.pop("lesson.html").startswith(b"<!doctype html>")
    assert found.pop("audit.html").startswith(b"<!doctype html>")
    assert set(found.values()) <= {b"a page"}


def test_a_quick_run_makes_none_because_its_networks_are_too_raw(tmp_path):
    assert made(tmp_path, ["figure5", "figure7", "figure8", "invariance"], quick=True) == {}


def test_the_page_of_the_paper_shows_the_unseen_views_after_0_1_3_and_all_epochs(monkeypatch):
    views, test = Views("airplane", "", np.zeros((972, 2, 2), np.uint8), {}), np.array([0, 54])
    after = np.arange(6)[:, None, None] + np.zeros((6, 972, 3))
    monkeypatch.setattr(pages, "train_airplane", lambda views, train: SimpleNamespace(after=after, test=test))
    monkeypatch.setattr(pages, "paper_page", lambda *shown: shown)
    _, maps, turn = pages._paper(views, Train())
    assert {epoch: z.tolist() for epoch, z in maps.items()} == {k: [[k] * 3] * 2 for k in (0, 1, 3, 5)}
    assert turn.tolist() == [0, 1 / 18]


def test_sources_that_changed_while_the_run_went_on_are_refused_in_one_line(monkeypatch, tmp_path):
    def read_at_first():
        return "what ran"

    read_at_first.__wrapped__ = lambda: "what is there now"
    monkeypatch.setattr(frame, "source_digest", read_at_first)
    refuses(lambda: made(tmp_path), "the sources of drlim_np changed or went while this ran (", DataError)


def test_sources_that_are_gone_are_refused_in_one_line(monkeypatch, tmp_path):
    def gone(_):
        raise OSError("could not get source code")

    monkeypatch.setattr("inspect.getsource", gone)
    monkeypatch.setattr("inspect.getsourcelines", gone)
    refuses(lambda: made(tmp_path), "the sources of drlim_np changed or went while this ran (", DataError)
