"""Which pages a run leaves beside its figures."""

from dataclasses import replace

import pytest

from drlim_np.figures import pages
from drlim_np.figures.record import Run

RUN = Run(seed=0, quick=False, threads=1, digits=None, views=None)


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (["figure1"], {"lesson.html"}),
        (["figure8", "figure1"], {"lesson.html", "paper.html"}),
        (["figure5", "figure7"], {"lesson.html"}),
        (["figure5", "figure7", "invariance"], {"lesson.html", "map.html"}),
    ],
)
def test_a_page_is_made_where_all_that_it_shows_was_drawn(drawn, expected, monkeypatch):
    for name in ("_paper", "_map"):
        monkeypatch.setattr(pages, name, lambda drawn, run: "a page")
    made = {name: pages.made(name, dict.fromkeys(drawn), RUN) for name in pages.due(drawn, RUN)}
    assert set(made) == expected
    assert made.pop("lesson.html").startswith(b"<!doctype html>")
    assert set(made.values()) <= {b"a page"}


def test_a_quick_run_makes_none_because_its_networks_are_too_raw():
    assert pages.due(["figure5", "figure7", "figure8", "invariance"], replace(RUN, quick=True)) == []
