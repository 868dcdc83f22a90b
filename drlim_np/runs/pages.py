"""The pages that a run leaves beside its figures: the audit, the lesson, the paper's algorithm, the map laboratory."""

from collections.abc import Collection, Mapping
from pathlib import Path

from drlim_np import verbatim
from drlim_np.audit.first import audited
from drlim_np.audit.page import audit_page
from drlim_np.data import AZIMUTHS
from drlim_np.figures import figure5, figure7
from drlim_np.figures.airplane_map import mapped, setting
from drlim_np.figures.shifted_digits import unseen_digits
from drlim_np.figures.shifted_maps import trained
from drlim_np.runs.record import Result, Run
from drlim_np.runs.seeds import earlier_record
from drlim_np.teaching.frame import of_living_sources
from drlim_np.teaching.map_page import map_page
from drlim_np.teaching.pages import lesson_page, paper_page

DIGITS = 60  # of each class, to pick from in the map laboratory
AUDIT = "audit.html"
NEEDS = {
    AUDIT: set(),
    "lesson.html": set(),
    "paper.html": {"figure8"},
    "map.html": {"figure5", "figure7", "invariance"},
}


def due(figures: Collection[str], run: Run) -> list[str]:
    """The pages whose figures are all among those named; a quick run has networks too raw to show."""
    return [] if run.quick else [name for name in NEEDS if NEEDS[name] <= {*figures}]


def made(name: str, drawn: Mapping[str, Result], run: Run) -> bytes:
    """The page of that name, from figures just drawn; b"" in place of the one that is `of_the_record`.

    Raises DataError where the sources, which pages show, have changed or gone since the run began.
    """
    makers = {AUDIT: lambda *_: "", "lesson.html": lambda *_: lesson_page(), "paper.html": _paper, "map.html": _map}
    with of_living_sources():
        return makers[name](drawn, run).encode()


def of_the_record(run: Run, out: Path) -> bytes:
    """The page of the audit, which shows what is on record in `out` of all figures. Raises DataError as `made` does."""
    with of_living_sources():
        return audit_page(earlier_record(out), out, audited(run.backend, run.memory)).encode()


def _paper(drawn: Mapping[str, Result], run: Run) -> str:
    """The algorithm beside its equations, with the unseen views after 0, 1, 3 and all epochs."""
    given, after = setting(run), mapped(run).after
    maps = {epoch: after[epoch][given.test] for epoch in (0, 1, 3, len(after) - 1)}
    return paper_page(verbatim, maps, given.views.azimuth[given.test] / AZIMUTHS)


def _map(drawn: Mapping[str, Result], run: Run) -> str:
    """The networks of Figures 5 and 7 in a student's hand, with unseen digits of this run's data."""
    unseen = unseen_digits(run, DIGITS)
    still = unseen.shift == 0
    maps = {f"Figure {story.name[-1]}": trained(story, run, "balanced")[1] for story in (figure5.STORY, figure7.STORY)}
    claims = "; ".join(f"{claim.text} {claim.value:.2f}" for claim in drawn["invariance"].claims)
    return map_page(maps, unseen.inputs[still], unseen.label[still], figure7.STORY.training.margin, claims)
