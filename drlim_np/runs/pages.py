"""The pages that a run leaves with its figures: the lesson, the paper's algorithm, two laboratories, the audit."""

from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from drlim_np.audit.first import audited
from drlim_np.audit.page import audit_page
from drlim_np.data import AZIMUTHS, Digits, Views
from drlim_np.figures import Train, figure5, figure7
from drlim_np.figures.airplane_map import setting, train_airplane
from drlim_np.figures.shifted_maps import trained, unseen_digits
from drlim_np.files.frame import of_living_sources
from drlim_np.runs.record import Entry, earlier_record
from drlim_np.teaching.laboratories import map_page, training_page
from drlim_np.teaching.pages import lesson_page, paper_page


def made(
    out: Path, entries: Mapping[str, Entry], digits: Digits | None, views: Views | None, train: Train
) -> Iterator[tuple[str, bytes]]:
    """Each page with its name, if all the figures that it shows were just drawn and written into `out`.

    None of a quick run, because its networks are too raw. entries: those of the figures, by name.
    """
    makers = {
        "paper.html": ({"figure8"}, lambda: _paper(views, train)),
        "training.html": ({"figure8"}, lambda: training_page(views, setting(views, train).test)),
        "map.html": ({"figure5", "figure7", "invariance"}, lambda: _map(entries["invariance"], digits, train)),
        "lesson.html": (set(), lesson_page),
        "audit.html": (set(), lambda: audit_page(earlier_record(out), out, audited(train.backend, train.cache))),
    }
    for name, (shown, make) in makers.items():
        if not train.quick and shown <= entries.keys():
            with of_living_sources(), redirect_stdout(StringIO()):  # the figures have said what was trained before
                page = make()
            yield name, page.encode()


def _paper(views: Views, train: Train) -> str:
    """The algorithm next to its equations, with the unseen views after 0, 1, 3 and all epochs."""
    airplane = train_airplane(views, train)
    maps = {epoch: airplane.after[epoch][airplane.test] for epoch in (0, 1, 3, len(airplane.after) - 1)}
    return paper_page(maps, views.azimuth[airplane.test] / AZIMUTHS)


def _map(invariance: Entry, digits: Digits, train: Train) -> str:
    """The networks of Figures 5 and 7 in a student's hand, with 60 unseen digits of each class to choose from."""
    unseen = unseen_digits(digits, train, 60)
    still = unseen.shift == 0
    stories = (("Figure 5", figure5.STORY), ("Figure 7", figure7.STORY))
    maps = {name: trained(story, digits, train, "balanced").params for name, story in stories}
    claims = "; ".join(f"{claim['text']} {claim['value']:.2f}" for claim in invariance["claims"])
    return map_page(maps, unseen.inputs[still], unseen.label[still], figure7.STORY.training.margin, claims)
