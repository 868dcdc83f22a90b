"""The lesson's command: prints the lesson with its numbers, or writes it as a notebook for Jupyter.

    python -m drlim_np.teaching.lesson
    python -m drlim_np.teaching.lesson --notebook DIR

A notebook that is there already is kept.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import DataError
from drlim_np.files.atomic import replace
from drlim_np.teaching import lesson
from drlim_np.teaching.notebook import notebook

PROGRAM = "python -m drlim_np.teaching.lesson"


def main(arguments: list[str] | None = None) -> int:
    """The command; 2 for what cannot be done."""
    parser = argparse.ArgumentParser(PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notebook", type=Path, metavar="DIR", help="write DIR/lesson.ipynb instead of printing")
    folder = parser.parse_args(arguments).notebook
    return exit_status(lambda: print("\n".join(page() if folder is None else [write(folder)])), PROGRAM)


def page() -> Iterator[str]:
    """The lesson, part by part, with its numbers."""
    found = lesson.sections()
    yield from (lesson.__doc__.partition("\n")[0], "", str(lesson.Section(page, lesson.GIVEN)))
    for section in found:
        heading = section.heading
        yield from ("", "", heading, "-" * len(heading), "", section.prose, "", str(section))
    yield from ("", "drlim_np.siamese.two_towers is steps 1 to 4 for any network.")


def write(folder: Path) -> str:
    """Writes lesson.ipynb into a folder, which it makes, and says so; one that is there may have a student's work."""
    path = folder / "lesson.ipynb"
    if path.exists():
        raise DataError(f"{printable(path)} is there already: name another folder")
    replace({path: notebook().encode()}, "name another folder")
    return f"{printable(path)} is written: open it with Jupyter"
