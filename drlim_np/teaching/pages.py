"""The lesson and the paper as pages: one file each, with no script and nothing to fetch. `run_all.py` writes both.

Text, code and numbers of the lesson are those of `lesson.py`, and the shapes are found by running it. `paper_page` sets
the source of the paper's algorithm next to the equations that its comments name.
"""

import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from html import escape
from inspect import cleandoc, getsource, getsourcefile, getsourcelines

import numpy as np

from drlim_np import verbatim
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


def lesson_page() -> str:
    """The lesson as HTML: its steps with the shapes at every line, their numbers, drawings and exercises."""
    found = lesson.sections()
    title = cleandoc(lesson.__doc__).partition("\n")[0]
    links = ((_anchor(section), section.heading.partition(".")[0]) for section in found)
    exercises = ((k, exercise.title.partition(". ")[2]) for k, exercise in enumerate(EXERCISES, 1))
    body = template("lesson_page.html", __package__).substitute(
        title=escape(title),
        links="".join(f'<a href="#{anchor}">{escape(name)}</a>' for anchor, name in links),
        given=_numbers(lesson.GIVEN),
        sections="".join(map(_section, found)),
        exercises="".join(f'<li id="exercise-{k}">{escape(name)} <code>check {k}</code></li>' for k, name in exercises),
    )
    return page(title.rstrip("."), [body])


def paper_page(maps: dict[int, np.ndarray], turn: np.ndarray) -> str:
    """The paper on one page: its maps, and the source of `verbatim` line by line next to the equations that it names.

    maps: epochs done → the map, (points, 3). All are seen from one side, tilted by 30 degrees, around the axis about
    which `turn` goes in the last of them. turn: (points,) from 0 to 1, the colour of each point on a circle of colours.
    """
    lines = getsource(verbatim).splitlines()
    title = lines[0].strip('"')
    drawn = zip(maps, _pictures(list(maps.values()), turn), strict=True)
    captions = ((picture, f"after {epoch} epoch{'s' * (epoch != 1)}") for epoch, picture in drawn)
    body = template("paper_page.html", __package__).substitute(
        title=escape(title),
        maps="".join(f"<figure>{picture}<figcaption>{words}</figcaption></figure>" for picture, words in captions),
        listing=_listing([(line, _equations(line)) for line in lines], "paper"),
    )
    return page(title.rstrip("."), [body])


def _anchor(section: Section) -> str:
    return section.heading.partition(".")[0].lower().replace(" ", "-")


def _section(section: Section) -> str:
    lines = shapes(section.step, lesson.sections)
    text = next(k for k, (line, _) in enumerate(lines) if line.endswith('"""'))  # of the docstring, which is above
    code = _listing(lines[:1] + lines[text + 1 :])
    if section.step is lesson.shared_cache:
        code = _listing(shapes(lesson.RememberingLayer, lesson.sections)) + code
    draws, exercises = NEXT_TO[section.step]
    colours = {"right": "right", "WRONG": "wrong"}
    verdicts = ((colours.get(verdict.split()[-1], ""), escape(verdict)) for verdict in section.verdicts)
    links = ", ".join(f'<a href="#exercise-{k}">{escape(EXERCISES[k - 1].title.rstrip("."))}</a>' for k in exercises)
    return template("section.html", __package__).substitute(
        anchor=_anchor(section),
        heading=escape(section.heading),
        prose=_prose(section.prose),
        code=code,
        drawings="".join(draw() for draw in draws),
        numbers=_numbers(section.numbers),
        verdicts="".join(f'<p class="{colour}">{verdict}</p>' for colour, verdict in verdicts),
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


def _pictures(maps: list[np.ndarray], turn: np.ndarray) -> Iterator[str]:
    """Each map as a square picture; all from one side and to one scale, each around its own middle."""
    middled = [one - one.mean(axis=0) for one in maps]
    angle = 2 * np.pi * turn
    around = np.linalg.lstsq(np.stack([np.cos(angle), np.sin(angle)], axis=1), middled[-1])[0]
    across, away = np.linalg.svd(around)[2][:2]
    upright = np.cross(across, away)
    flat = [one @ np.stack([across, 0.87 * upright + 0.5 * away], axis=1) for one in middled]
    scale = 92 / max(np.abs(one).max() for one in flat)
    colours = np.floor(turn * 18).astype(int)
    for one in flat:
        places = np.rint(100 + scale * one * [1, -1]).astype(int)
        paths = []
        for colour in range(18):
            dots = "".join(f"M{x} {y}h0" for x, y in places[colours == colour])
            paths.append(f'<path class="points" style="stroke: hsl({20 * colour} 65% 50%)" d="{dots}"/>')
        label = f"A map of {len(places)} points"
        yield f'<svg viewBox="0 0 200 200" role="img" aria-label="{label}">{"".join(paths)}</svg>'


def shapes(code: Callable | type, run: Callable[[], object]) -> list[tuple[str, str]]:
    """The lines of `code`, a function or a class, each with the names it sets and their shapes, as in "d (2,)".

    They are found by running `run`, which calls the code, so that none can be out of date. A line that never runs, or
    sets nothing with a shape, has "". Functions defined inside are followed where `run` calls them.
    """
    lines, first = getsourcelines(code)
    file, found = getsourcefile(code), {}

    def enter(frame, event, argument):
        before, at = {}, frame.f_code.co_firstlineno

        def follow(frame, event, argument):
            nonlocal before, at
            now = {name: value for name, value in frame.f_locals.items() if name not in frame.f_code.co_freevars}
            if "self" in now:
                now |= {f"self.{name}": value for name, value in vars(now["self"]).items()}
            new = {name: _shape(value) for name, value in now.items() if before.get(name) is not value and name != "_"}
            set_here = ", ".join(f"{name} {shape}" for name, shape in new.items() if shape)
            handed = ", ".join(filter(None, map(_shape, argument if isinstance(argument, tuple) else [argument])))
            found[at] = found.get(at) or set_here + (f"→ {handed}" if event == "return" and handed else "")
            before, at = now, frame.f_lineno
            return follow

        return follow if frame.f_code.co_filename == file and first <= at < first + len(lines) else None

    previous = sys.gettrace()
    sys.settrace(enter)
    try:
        run()
    finally:
        sys.settrace(previous)
    return [(line.rstrip("\n"), found.get(first + k, "")) for k, line in enumerate(lines)]


def _shape(value) -> str:
    if isinstance(value, np.ndarray | np.floating | float):
        return str(np.shape(value)) if np.ndim(value) else "number"
    return ""
