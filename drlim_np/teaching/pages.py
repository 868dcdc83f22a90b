"""The lesson in every form, and the paper on a page: one file each, with no script and nothing to fetch.

    python -m drlim_np.teaching.lesson                   prints the lesson with its numbers
    python -m drlim_np.teaching.lesson --notebook DIR    writes it for Jupyter; a notebook that is there is kept

Text, code, numbers and exercises are cut from their source, and the shapes are found by running it.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from html import escape
from inspect import cleandoc, getsource, getsourcefile, getsourcelines
from pathlib import Path
from textwrap import dedent

import numpy as np

from drlim_np import verbatim
from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import DataError
from drlim_np.files.atomic import replace
from drlim_np.files.frame import page, template
from drlim_np.teaching import drawings, lesson
from drlim_np.teaching.lesson import Section, as_text
from drlim_np.teaching.problems import EXERCISES

NEXT_TO = {  # the drawings of each step, and the numbers of the exercises to do after it
    lesson.energy_and_loss: ((drawings.pair_and_energy, drawings.loss_curves), (1, 4)),
    lesson.springs: ((drawings.spring,), (2, 3, 5)),
    lesson.layer: ((drawings.tower,), (6, 10, 11, 12)),
    lesson.both_towers: ((drawings.two_towers,), (9,)),
    lesson.descend: ((drawings.step_down,), ()),
    lesson.shared_cache: ((drawings.seen_by_the_check,), (8,)),
    lesson.one_tower: ((), (7,)),
}
EQUATIONS = tomllib.loads(template("equations.toml", __package__).template)
IMPORTS = """from drlim_np.teaching import drawings
from drlim_np.teaching.exercises import judge_cell
from drlim_np.teaching.lesson import *"""
BEFORE = {  # what else a cell defines, before that of the step
    lesson.descend: (lesson.loss_of, lesson.error, lesson.verdict, lesson.true_gradient, lesson.relative_error),
    lesson.shared_cache: (lesson.RememberingLayer,),
}


def main(arguments: list[str] | None = None) -> int:
    program = "python -m drlim_np.teaching.lesson"
    parser = argparse.ArgumentParser(program, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notebook", type=Path, metavar="DIR", help="write DIR/lesson.ipynb instead of printing")
    folder = parser.parse_args(arguments).notebook

    def run() -> None:
        if folder is None:
            print("\n".join(printed()))
            return
        path = folder / "lesson.ipynb"
        if path.exists():  # it may have a student's work
            raise DataError(f"{printable(path)} is there already: name another folder")
        replace({path: notebook().encode()}, "name another folder")
        print(f"{printable(path)} is written: open it with Jupyter")

    return exit_status(run, program)


def printed() -> Iterator[str]:
    """The lesson, part by part, with its numbers."""
    found = lesson.sections()
    yield from (lesson.__doc__.partition("\n")[0], "", str(Section(printed, lesson.GIVEN)))
    for one in found:
        yield from ("", "", one.heading, "-" * len(one.heading), "", one.prose, "", str(one))
    yield from ("", "drlim_np.siamese.two_towers is steps 1 to 4 for any network.")


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
        hint = f"Then run it again: its last line judges it.\n\n<details><summary>Hint</summary>{exercise.hint.strip()}"
        yield "markdown", f"## {title}\n{text}{hint}</details>"
        yield "code", f"{code}\n\njudge_cell({number}, loss_and_gradient)"


def lesson_page() -> str:
    """The lesson as HTML: its steps with the shapes at every line, their numbers, drawings and exercises."""
    found = lesson.sections()
    title = lesson.__doc__.partition("\n")[0]
    names = [section.heading.partition(".")[0] for section in found]
    anchors = [name.lower().replace(" ", "-") for name in names]
    exercises = ((k, exercise.title.partition(". ")[2]) for k, exercise in enumerate(EXERCISES, 1))
    body = template("lesson_page.html", __package__).substitute(
        title=escape(title),
        links="".join(f'<a href="#{anchor}">{escape(name)}</a>' for anchor, name in zip(anchors, names, strict=True)),
        given=_numbers(lesson.GIVEN),
        sections="".join(map(_section, found, anchors)),
        exercises="".join(f'<li id="exercise-{k}">{escape(name)} <code>check {k}</code></li>' for k, name in exercises),
    )
    return page(title.rstrip("."), [body])


def paper_page(maps: dict[int, np.ndarray], turn: np.ndarray) -> str:
    """The paper on one page: its maps, and the source of `verbatim` line by line next to the equations that it names.

    maps: epochs done → the map, (points, 3). turn: (points,) from 0 to 1, the place of each on a circle of colours.
    """
    lines = getsource(verbatim).splitlines()
    title = lines[0].strip('"')
    pictures = drawings.of_maps(list(maps.values()), turn)
    captions = ((f"after {epoch} epoch{'s' * (epoch != 1)}", next(pictures)) for epoch in maps)
    body = template("paper_page.html", __package__).substitute(
        title=escape(title),
        maps="".join(f"<figure>{picture}<figcaption>{words}</figcaption></figure>" for words, picture in captions),
        listing=_listing([(line, _equations(line)) for line in lines], "paper"),
    )
    return page(title.rstrip("."), [body])


def _section(section: Section, anchor: str) -> str:
    lines = shapes(section.step, lesson.sections)
    text = next(k for k, (line, _) in enumerate(lines) if line.endswith('"""'))  # of the docstring, which is above
    code = _listing(lines[:1] + lines[text + 1 :])
    if section.step is lesson.shared_cache:
        code = _listing(shapes(lesson.RememberingLayer, lesson.sections)) + code
    draws, exercises = NEXT_TO[section.step]
    colour = {"right": "right", "WRONG": "wrong"}
    verdicts = (f'<p class="{colour.get(one.split()[-1], "")}">{escape(one)}</p>' for one in section.verdicts)
    links = ", ".join(f'<a href="#exercise-{k}">{escape(EXERCISES[k - 1].title.rstrip("."))}</a>' for k in exercises)
    return template("section.html", __package__).substitute(
        anchor=anchor,
        heading=escape(section.heading),
        prose=_prose(section.prose),
        code=code,
        drawings="".join(draw() for draw in draws),
        numbers=_numbers(section.numbers),
        verdicts="".join(verdicts),
        exercises=f"<p>Try it: {links}</p>" if links else "",
    )


def _listing(lines: list[tuple[str, str]], kind: str = "") -> str:
    """Lines of code, each with a remark next to it; a line that has to be broken keeps its indentation."""
    rows = []
    for line, beside in lines:
        indent = len(line) - len(line.lstrip())
        style = f" style=margin-left:{indent}ch" if indent else ""
        rows += [f"<div><span{style}>{escape(line.lstrip())}</span><span class=beside>{escape(beside)}</span></div>"]
    return f'<div class="code {kind}">{"".join(rows)}</div>'


def _prose(text: str) -> str:
    """Paragraphs, and what is indented as formulas."""
    blocks = (block.strip("\n") for block in text.split("\n\n"))
    return "".join(
        f'<pre class="formula">{escape(cleandoc(block))}</pre>' if block.startswith(" ") else f"<p>{escape(block)}</p>"
        for block in blocks
    )


def _numbers(numbers: dict) -> str:
    rows = (f"<dt>{escape(name)}</dt><dd>{escape(as_text(value))}</dd>" for name, value in numbers.items())
    return f'<dl class="numbers">{"".join(rows)}</dl>'


def _equations(line: str) -> str:
    """The equations and steps that a line names, in the paper's words: "Eqs. 1 to 4" are four, "Eqs. 6 and 7" two."""
    named = {f"Step {number}" for number in re.findall(r"Step (\d)", line)}
    for first, joint, last in re.findall(r"Eqs?\. (\d)(?:(,| to| and) (\d))?", line):
        through = range(int(first), int(last) + 1) if joint == " to" else (first, last)
        named |= {f"Eq. {number}" for number in through}
    return "\n".join(f"{name}: {says}" for name, says in EQUATIONS.items() if name in named)


def shapes(code: Callable | type, run: Callable[[], object]) -> list[tuple[str, str]]:
    """The lines of `code`, a function or a class, each with the names it sets and their shapes, as in "d (2,)", or "".

    They are found by running `run`, which calls the code, and the functions defined in it, so that none is out of date.
    """
    lines, first = getsourcelines(code)
    file, found, seen = getsourcefile(code), {}, {}

    def follow(frame, event, argument):
        start = frame.f_code.co_firstlineno
        if frame.f_code.co_filename != file or not first <= start < first + len(lines):
            return None
        before, at = seen.get(frame, ({}, start))
        now = {name: value for name, value in frame.f_locals.items() if name not in frame.f_code.co_freevars}
        if "self" in now:
            now |= {f"self.{name}": value for name, value in vars(now["self"]).items()}
        new = {name: _shape(value) for name, value in now.items() if before.get(name) is not value and name != "_"}
        set_here = ", ".join(f"{name} {shape}" for name, shape in new.items() if shape)
        handed = ", ".join(filter(None, map(_shape, argument if isinstance(argument, tuple) else [argument])))
        found[at] = found.get(at) or set_here + (f"→ {handed}" if event == "return" and handed else "")
        seen[frame] = now, frame.f_lineno
        return follow

    previous = sys.gettrace()
    sys.settrace(follow)
    try:
        run()
    finally:
        sys.settrace(previous)
    return [(line.rstrip("\n"), found.get(first + k, "")) for k, line in enumerate(lines)]


def _shape(value) -> str:
    if isinstance(value, np.ndarray | np.floating | float):
        return str(np.shape(value)) if np.ndim(value) else "number"
    return ""
