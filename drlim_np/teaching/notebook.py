"""The lesson as a notebook: text, code, numbers, drawings and exercises, each cut from its source.

Code is in cells that can be changed and run again: the cells below use what they define. Drawings are always those of
the lesson as it is.
"""

import json
import re
from collections.abc import Iterator
from inspect import getsource
from textwrap import dedent

from drlim_np.teaching import lesson
from drlim_np.teaching.pages import NEXT_TO
from drlim_np.teaching.problems import EXERCISES

IMPORTS = """from drlim_np.teaching import drawings
from drlim_np.teaching.exercises import judge_cell
from drlim_np.teaching.lesson import *"""
BEFORE = {  # what else a cell defines, before that of the step
    lesson.descend: (lesson.loss_of, lesson.error, lesson.verdict, lesson.true_gradient, lesson.relative_error),
    lesson.shared_cache: (lesson.RememberingLayer,),
}


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
