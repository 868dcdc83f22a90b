"""The pages that a run leaves with its figures: the lesson, the paper's algorithm, two laboratories, the audit."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from drlim_np import verbatim
from drlim_np.audit.first import audited
from drlim_np.audit.page import audit_page
from drlim_np.data import AZIMUTHS, Digits, Views
from drlim_np.figures import Train, figure5, figure7
from drlim_np.figures.airplane_map import setting, train_airplane
from drlim_np.figures.shifted_maps import trained, unseen_digits
from drlim_np.files.frame import of_living_sources
from drlim_np.runs.seeds import Entry, earlier_record
from drlim_np.teaching.map_page import map_page
from drlim_np.teaching.pages import lesson_page, paper_page
from drlim_np.teaching.training_page import training_page

PICKED = 60  # digits of each class, to choose from in the map laboratory


def due(names: Collection[str], quick: bool) -> list[str]:
    """The pages that can be made where these figures were drawn; none of a quick run, its networks being too raw."""
    if quick:
        return []
    shown = {"paper.html": {"figure8"}, "training.html": {"figure8"}, "map.html": {"figure5", "figure7", "invariance"}}
    return [*(page for page, figures in shown.items() if figures <= {*names}), "lesson.html", "audit.html"]


def made(
    out: Path, entries: Mapping[str, Entry], digits: Digits | None, views: Views | None, train: Train
) -> Iterator[tuple[str, bytes]]:
    """Each page that is due, by its name, made from figures just drawn and written into `out`.

    entries: those of the figures, by name.
    """
    makers = {
        "paper.html": lambda: _paper(views, train),
        "training.html": lambda: training_page(views, setting(views, train).test),
        "map.html": lambda: _map(entries["invariance"], digits, train),
        "lesson.html": lesson_page,
        "audit.html": lambda: audit_page(earlier_record(out), out, audited(train.backend, train.cache)),
    }
    for name in due(entries, train.quick):
        with of_living_sources(), redirect_stdout(StringIO()):  # the figures have said what was trained before
            page = makers[name]()
        yield name, page.encode()


def _paper(views: Views, train: Train) -> str:
    """The algorithm next to its equations, with the unseen views after 0, 1, 3 and all epochs."""
    trained_airplane = train_airplane(views, train)
    after, test = trained_airplane.after, trained_airplane.test
    maps = {epoch: after[epoch][test] for epoch in (0, 1, 3, len(after) - 1)}
    return paper_page(verbatim, maps, views.azimuth[test] / AZIMUTHS)


def _map(invariance: Entry, digits: Digits, train: Train) -> str:
    """The networks of Figures 5 and 7 in a student's hand, with unseen digits of this run's data."""
    unseen = unseen_digits(digits, train, PICKED)
    still = unseen.shift == 0
    stories = {"Figure 5": figure5.STORY, "Figure 7": figure7.STORY}
    maps = {name: trained(story, digits, train, "balanced").params for name, story in stories.items()}
    claims = "; ".join(f"{claim['text']} {claim['value']:.2f}" for claim in invariance["claims"])
    return map_page(maps, unseen.inputs[still], unseen.label[still], figure7.STORY.training.margin, claims)
