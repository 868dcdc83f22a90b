"""The lesson and the paper as pages: one file each, with no script and nothing to fetch. `run_all.py` writes both.

Text, code and numbers of the lesson are those of `lesson.py`, and the shapes are found by running it. `paper_page` sets
the source of the paper's algorithm next to the equations that its comments name.
"""

import re
import tomllib
from html import escape
from inspect import cleandoc, getsource
from types import ModuleType

import numpy as np

from drlim_np.errors import InputError
from drlim_np.files.frame import page, template
from drlim_np.teaching import drawings, lesson
from drlim_np.teaching.lesson import Section, as_text
from drlim_np.teaching.problems import EXERCISES
from drlim_np.teaching.shapes import shapes

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


def paper_page(algorithm: ModuleType, maps: dict[int, np.ndarray], turn: np.ndarray | None = None) -> str:
    """The paper on one page: its maps, and the algorithm's source line by line next to the equations it names.

    algorithm: the module; its docstrings and comments name equations as "Eq. 6", "Eqs. 1 to 4" or "Step 2".
    maps: epochs done → the map, (points, 2) or (points, 3). Those in space are all seen from one side, tilted by 30
    degrees: around the axis about which `turn` goes in the last of them, or else on its two longest axes.
    turn: (points,) from 0 to 1, the colour of each point on a circle of colours, or None for ink.
    """
    lines = getsource(algorithm).splitlines()
    title = lines[0].strip('"')
    pictures = zip(maps, _pictures(list(maps.values()), turn), strict=True)
    body = template("paper_page.html", __package__).substitute(
        title=escape(title),
        maps="".join(
            f"<figure>{picture}<figcaption>after {epoch} epoch{'s' * (epoch != 1)}</figcaption></figure>"
            for epoch, picture in pictures
        ),
        listing=_listing([(line, _equations(line)) for line in lines], "paper"),
    )
    return page(title.rstrip("."), [body])


def _anchor(section: Section) -> str:
    return section.heading.partition(".")[0].lower().replace(" ", "-")


def _section(section: Section) -> str:
    code = _listing(without_docstring(shapes(section.step, lesson.sections)))
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


def without_docstring(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without the docstring, which is above as text."""
    ends = [k for k, (line, _) in enumerate(lines) if line.rstrip().endswith('"""')]
    return lines[:1] + lines[ends[0] + 1 :]


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
    """What the paper says where the line names it."""
    named = _named(line)
    return "\n".join(f"{name}: {says}" for name, says in EQUATIONS.items() if name in named)


def _named(text: str) -> set[str]:
    """The equations and steps that a text names: "Eqs. 1 to 4" are four, "Eqs. 6 and 7" two."""
    found = {f"Step {number}" for number in re.findall(r"Step (\d)", text)}
    for first, joint, last in re.findall(r"Eqs?\. (\d)(?:(,| to| and) (\d))?", text):
        through = range(int(first), int(last) + 1) if joint == " to" else [int(k) for k in (first, last) if k]
        found |= {f"Eq. {number}" for number in through}
    return found


def _pictures(maps: list[np.ndarray], turn: np.ndarray | None) -> list[str]:
    """Each map as a square picture; all from one side and to one scale, each around its own middle."""
    for one in maps:
        if np.ndim(one) != 2 or one.shape[1] not in (2, 3) or one.shape != maps[-1].shape or not np.isfinite(one).all():
            raise InputError(f"a map has shape {np.shape(one)}: (points, 2) or (points, 3), finite, the same for all")
    flat = [one - one.mean(axis=0) for one in maps]
    if maps and maps[-1].shape[1] == 3:
        angle = 2 * np.pi * (np.zeros(len(flat[0])) if turn is None else np.asarray(turn))
        around = np.linalg.lstsq(np.stack([np.cos(angle), np.sin(angle)], axis=1), flat[-1])[0]
        across, away = np.linalg.svd(flat[-1] if turn is None else around)[2][:2]
        upright = np.cross(across, away)
        flat = [one @ np.stack([across, 0.87 * upright + 0.5 * away], axis=1) for one in flat]
    scale = 92 / max(np.abs(one).max() for one in flat) if maps else 1
    colours = np.zeros(len(flat[0]), int) if turn is None else np.floor(np.asarray(turn) * 18).astype(int) % 18
    return [_picture(np.rint(100 + scale * one * [1, -1]).astype(int), colours, turn is None) for one in flat]


def _picture(places: np.ndarray, colours: np.ndarray, plain: bool) -> str:
    paths = []
    for colour in np.unique(colours):
        dots = "".join(f"M{x} {y}h0" for x, y in places[colours == colour])
        stroke = "var(--ink)" if plain else f"hsl({20 * colour} 65% 50%)"
        paths.append(f'<path class="points" style="stroke: {stroke}" d="{dots}"/>')
    return drawings.drawing(200, 200, f"A map of {len(places)} points", *paths)
