"""The lesson as a notebook: text, code, numbers, drawings and exercises, each cut from its source.

Code is in cells that can be changed and run again: the cells below use what they define. Drawings are always those of
the lesson as it is.
"""

import ast
import json
from collections.abc import Iterator
from inspect import getsource
from textwrap import dedent

from drlim_np.teaching import lesson
from drlim_np.teaching.pages import NEXT_TO, without_docstring
from drlim_np.teaching.problems import EXERCISES, Exercise

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
    for section, numbers in zip(found, _numbers(), strict=True):
        draws, exercises = NEXT_TO[section.step]
        yield "markdown", f"## {section.heading}\n\n{section.prose}"
        yield from (("code", getsource(part)) for part in BEFORE.get(section.step, ()))
        lines = [(line, "") for line in getsource(section.step).splitlines()]
        yield "code", "\n".join(line for line, _ in without_docstring(lines))
        yield "code", numbers
        yield from (("code", f"drawings.Picture(drawings.{draw.__name__}())") for draw in draws)
        if exercises:
            yield "markdown", "Try it: " + ", ".join(_link(EXERCISES[k - 1].title) for k in exercises)
    for number, exercise in enumerate(EXERCISES, 1):
        yield from _exercise(number, exercise)


def _numbers() -> Iterator[str]:
    """The code of `lesson.steps`, cut after every step, which it prints instead of yielding it."""
    source = dedent(getsource(lesson.steps))
    lines, (function,) = source.splitlines(), ast.parse(source).body
    start = function.body[0].end_lineno  # of the docstring
    for node in function.body[1:]:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield):
            before = dedent("\n".join(lines[start : node.lineno - 1]))
            yield f"{before}\nprint({ast.get_source_segment(source, node.value.value)})"
            start = node.end_lineno


def _exercise(number: int, exercise: Exercise) -> Iterator[tuple[str, str]]:
    """Its text with a hint that opens, and its code, which ends with the verdict."""
    _, text, code = exercise.source.split('"""', 2)
    title, _, text = text.partition("\n")
    text = text.partition("Then: ")[0].replace("this file", "this cell") + "Then run it again: its last line judges it."
    yield "markdown", f"## {title}\n{text}\n\n<details><summary>Hint</summary>{exercise.hint.strip()}</details>"
    yield "code", f"{code}\n\njudge_cell({number}, loss_and_gradient)"


def _link(title: str) -> str:
    """To the heading of that title, as Jupyter names it."""
    return f"[{title}](#{title.replace(' ', '-')})"
