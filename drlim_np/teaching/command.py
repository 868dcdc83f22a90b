"""The lesson's command: prints the lesson with its numbers, or writes it as a notebook for Jupyter.

    python -m drlim_np.teaching.lesson
    python -m drlim_np.teaching.lesson --notebook DIR

A notebook that is there already is kept. Its text, code, numbers, drawings and exercises are each cut from their
source. Code is in cells that can be changed and run again: the cells below use what they define.
"""

import argparse
import json
import re
from collections.abc import Iterator
from inspect import getsource
from pathlib import Path
from textwrap import dedent

from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import DataError
from drlim_np.files.atomic import replace
from drlim_np.teaching import lesson
from drlim_np.teaching.pages import NEXT_TO
from drlim_np.teaching.problems import EXERCISES

PROGRAM = "python -m drlim_np.teaching.lesson"
IMPORTS = """from drlim_np.teaching import drawings
from drlim_np.teaching.exercises import judge_cell
from drlim_np.teaching.lesson import *"""
BEFORE = {  # what else a cell defines, before that of the step
    lesson.descend: (lesson.loss_of, lesson.error, lesson.verdict, lesson.true_gradient, lesson.relative_error),
    lesson.shared_cache: (lesson.RememberingLayer,),
}


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


def notebook() -> str:
    """The lesson as JSON in Jupyter's format 4.5."""
    cells = []
    for number, (kind, text) in enumerate(_cells()):
        run = {"execution_count": None, "outputs": []} if kind == "code" else {}
        cells.append({"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text.strip("\n"), **run})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _cells() -> Iterator[tuple[str, str]]:
    """The kind of each cell, and its text."""
    found = lesson.sections()
    yield "markdown", "# " + "\n\n".join(lesson.__doc__.split("\n\n")[:2])
    yield "code", IMPORTS
    yield "code", getsource(lesson).partition("\n\n\ndef ")[0].rpartition("\n\n")[2]  # what is given
    # The code of `lesson.steps`, cut after every step, which a cell prints instead of yielding it.
    parts = re.split(r"\n +yield (.+)", getsource(lesson.steps).split('"""')[2])
    for section, before, printed in zip(found, parts[::2], parts[1::2], strict=False):
        draws, exercises = NEXT_TO[section.step]
        yield "markdown", f"## {section.heading}\n\n{section.prose}"
        yield from (("code", getsource(part)) for part in BEFORE.get(section.step, ()))
        head, _, body = getsource(section.step).split('"""')  # without the docstring, which is above
        yield "code", head.rstrip() + body
        yield "code", f"{dedent(before)}\nprint({printed})"
        yield from (("code", f"drawings.Picture(drawings.{draw.__name__}())") for draw in draws)
        if exercises:
            titles = (EXERCISES[k - 1].title for k in exercises)
            links = (f"[{title}](#{title.replace(' ', '-')})" for title in titles)  # headings, as Jupyter names them
            yield "markdown", "Try it: " + ", ".join(links)
    for number, exercise in enumerate(EXERCISES, 1):  # each with a hint that opens, and with the verdict at its end
        _, text, code = exercise.source.split('"""', 2)
        title, _, text = text.partition("\n")
        text = text.partition("Then: ")[0].replace("this file", "this cell")
        text += (
            f"Then run it again: its last line judges it.\n\n<details><summary>Hint</summary>{exercise.hint.strip()}"
        )
        yield "markdown", f"## {title}\n{text}</details>"
        yield "code", f"{code}\n\njudge_cell({number}, loss_and_gradient)"
