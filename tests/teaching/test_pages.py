"""The lesson and the paper as pages: text, code, shapes and numbers are the lesson's own, and drawings are to scale."""

import inspect
import re
import sys
from html import unescape

import numpy as np
import pytest

from drlim_np import verbatim
from drlim_np.teaching import drawings, lesson, pages
from drlim_np.teaching.lesson import RATE, W, as_text, sections
from drlim_np.teaching.problems import EXERCISES
from drlim_np.teaching.shapes import shapes
from tests.help.refusals import refuses

STEPS = [section.step for section in sections()]


def texts(page):
    """What the page says, without its tags."""
    return unescape(re.sub(r"<[^>]+>", "\n", page.partition("</style>")[2]))


def code(page):
    """The lines of code of the page, and what is next to each."""
    rows = re.findall(r"<div><span([^>]*)>(.*?)</span><span class=beside>(.*?)</span></div>", page, flags=re.DOTALL)
    return [
        (" " * int((re.findall(r"left:(\d+)ch", style) or [0])[0]) + unescape(line), unescape(beside))
        for style, line, beside in rows
    ]


def numbers(d):
    return np.array([float(x) for x in re.findall(r"-?[\d.]+", d)])


def places(page):
    return np.array([[int(x), int(y)] for x, y in re.findall(r"M(-?\d+) (-?\d+)h0", page)])


def test_both_pages_are_small_and_filled_in(html):
    for name in ("lesson", "paper"):
        assert len(html[name].encode()) <= 60_000 and "$" not in html[name]


def test_the_page_says_what_the_text_says_in_its_order(html):
    said, at = re.sub(r"\s+", " ", texts(html["lesson"])), 0
    for section in sections():
        for part in (section.heading, *section.prose.split("\n\n")):
            at = said.index(re.sub(r"\s+", " ", part.strip()), at)
        for name, value in section.numbers.items():
            assert f"<dt>{name}</dt><dd>{as_text(value)}</dd>" in unescape(html["lesson"])
        assert all(verdict in unescape(html["lesson"]) for verdict in section.verdicts)
    assert html["lesson"].count("right</p>") == 1 and html["lesson"].count("WRONG</p>") == 3


def test_every_line_of_code_is_there_and_every_assignment_has_its_shapes(html):
    lines = code(html["lesson"])
    listed = "\n".join(line for line, _ in lines)
    for step in STEPS:
        body = inspect.getsource(step).split('"""')[2].strip("\n")
        assert body and body in listed
    bare = [line.strip() for line, beside in lines if re.search(r" = |return|def ", line) and not beside]
    assert bare == ["shared = RememberingLayer()"]


@pytest.mark.parametrize(
    ("line", "beside"),
    [
        ("    d = np.sqrt((difference * difference).sum(axis=1))", "d (2,)"),
        ("    return d, np.where(Y == 0, d * d / 2, gap * gap / 2).sum()", "→ (2,), number"),
        ("    a = x @ weight.T", "a (2, 2)"),
        ("    def pullback(dz: np.ndarray) -> np.ndarray:", "dz (2, 2)"),
        ("        da = dz * (1 - z * z)", "da (2, 2)"),
        ("        return da.T @ x", "→ (2, 3)"),
        ("    dz1, dz2 = springs(z1, z2)", "dz1 (2, 2), dz2 (2, 2)"),
        ("        self.x, self.z = x, np.tanh(x @ weight.T)", "self.x (2, 3), self.z (2, 2)"),
    ],
)
def test_the_shapes_are_right(html, line, beside):
    assert (line, beside) in code(html["lesson"])


def test_shapes_are_found_by_running_and_the_tracer_before_is_put_back():
    def grows(x):
        y = np.concatenate([x, x])
        if len(y) > 100:
            y = y[:1]
        for _ in range(2):
            z = x
        return y.sum() + z.sum()

    found = dict(shapes(grows, lambda: grows(np.zeros(3))))
    assert found["        y = np.concatenate([x, x])"] == "y (6,)"
    assert found["            y = y[:1]"] == "" and found["        return y.sum() + z.sum()"] == "→ number"
    assert found["            z = x"] == "z (3,)", "the second time nothing is new"
    before = sys.gettrace()
    with pytest.raises(ZeroDivisionError):
        shapes(grows, lambda: 1 / 0)
    assert sys.gettrace() is before


def test_every_step_has_its_drawings_with_a_name_each_and_its_exercises_are_linked(html):
    assert sorted(k for _, exercises in pages.NEXT_TO.values() for k in exercises) == list(range(1, 13))
    for k, exercise in enumerate(EXERCISES, 1):
        assert f'href="#exercise-{k}"' in html["lesson"] and exercise.title.partition(". ")[2] in texts(html["lesson"])
    assert html["lesson"].count("<svg") == 7 and len(set(re.findall(r'aria-label="([^"]*)"', html["lesson"]))) == 7
    assert [step for step, (drawn, _) in pages.NEXT_TO.items() if not drawn] == [lesson.one_tower]


def test_the_energies_are_drawn_as_long_as_they_are():
    d, _ = lesson.energy_and_loss(drawings.Z1, drawings.Z2)
    svg = drawings.pair_and_energy()
    radius = float(re.findall(r' r="([\d.]+)"/>', svg)[-1])
    lines = [numbers(found).reshape(-1, 2) for found in re.findall(r'class="line (?:dis)?similar" d="([^"]*)"', svg)]
    lengths = [np.linalg.norm(line[1] - line[0]) for line in lines]
    np.testing.assert_allclose(lengths, d * radius / lesson.MARGIN, atol=0.1)


def test_the_arrows_are_the_forces_minus_the_gradient():
    dz1, dz2 = lesson.springs(drawings.Z1, drawings.Z2)
    svg = drawings.spring()
    ends = re.findall(r'class="line " d="M([\d. ]*)L[^"]*"/><polygon class="dot" points="([\d.]*,[\d.]*) ', svg)
    drawn = [numbers(tip.replace(",", " ")) - numbers(start) for start, tip in ends]
    forces = [-dz1[0], -dz2[0], -dz1[1], -dz2[1]]
    np.testing.assert_allclose(drawn, [30 * force * [1, -1] for force in forces], atol=0.15)


def test_the_step_down_is_drawn_at_the_losses_before_and_after_it():
    svg = drawings.step_down()
    dots = np.array([[float(x), float(y)] for x, y in re.findall(r'circle class="dot ink" cx="(.*?)" cy="(.*?)"', svg)])
    before, after = lesson.loss_of(W), lesson.loss_of(lesson.descend(W, lesson.both_towers(W)))
    curve = numbers(re.search(r'class="line ink" d="([^"]*)"', svg)[1]).reshape(-1, 2)
    np.testing.assert_allclose(curve[0], dots[0], atol=0.1)
    height = (165 - dots[:, 1]) / (165 - dots[0, 1])
    np.testing.assert_allclose(height, [1, after / before], atol=0.002)
    assert dots[1, 0] - dots[0, 0] == pytest.approx(RATE / 1.5 * (curve[-1, 0] - curve[0, 0]), abs=0.1)


def test_the_check_puts_the_right_gradient_before_the_bound_and_all_mistakes_behind_it():
    svg = drawings.seen_by_the_check()
    bound = numbers(re.search(r'class="line faint" d="([^"]*)"', svg)[1])[0]
    ends = [float(x) for x in re.findall(r'circle class="dot \w+" cx="(.*?)"', svg)]
    assert ends[0] < bound and len(ends) == 4 and min(ends[1:]) > bound + 100


def test_the_paper_shows_every_line_of_the_source_in_order(html):
    source = inspect.getsource(verbatim).splitlines()
    assert [line for line, _ in code(html["paper"])] == [line.rstrip() for line in source]


def test_an_equation_is_next_to_each_line_that_names_it_and_to_no_other(html):
    beside = {line: said for line, said in code(html["paper"]) if said}
    (line,) = (line for line in beside if "(Eq. 7)" in line)
    assert beside[line].count("\n") == 0 and beside[line].startswith("Eq. 7: ∂L_D")
    assert {f"Eq. {k}" for k in (1, 2, 3, 4, 6, 7)} <= {row[:5] for said in beside.values() for row in said.split("\n")}
    assert all(re.search(r"Eqs?\. \d|Step \d", line) for line in beside)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("(Eq. 6)", {"Eq. 6"}),
        ("Eqs. 1 to 4", {"Eq. 1", "Eq. 2", "Eq. 3", "Eq. 4"}),
        ("Eqs. 5 and 7", {"Eq. 5", "Eq. 7"}),
        ("Step 2 (a).", {"Step 2"}),
        ("Eq. 4 and then", {"Eq. 4"}),
        ("an equation", set()),
    ],
)
def test_which_equations_a_line_names(text, names):
    assert pages._named(text) == names


def test_every_map_has_all_its_points_and_all_are_to_one_scale(html):
    figures = re.findall(r"<figure>(.*?)</figure>", html["paper"], flags=re.DOTALL)
    words = [re.search(r"after \d epochs?(?=<)", figure)[0] for figure in figures]
    assert words == ["after 0 epochs", "after 1 epoch", "after 3 epochs", "after 8 epochs"]
    spread = []
    for figure in figures:
        found = places(figure)
        assert len(found) == 660 and found.min() >= 0 and found.max() <= 200
        spread.append(np.ptp(found))
    np.testing.assert_allclose(np.array(spread[1:]) / spread[-1], [0.3, 0.8, 1], atol=0.02)
    assert figures[-1].count("<path") == 18


def test_a_cylinder_is_drawn_upright_however_it_is_turned_in_space():
    turn, height = np.repeat(np.arange(18) / 18, 9), np.tile(np.linspace(-0.6, 0.6, 9), 18)
    ring = np.stack([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn), height], axis=1)
    turned = ring @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    columns = places(pages.paper_page(verbatim, {8: turned}, turn)).reshape(18, 9, 2)  # a path is a colour, an azimuth
    assert np.ptp(columns[..., 0], axis=1).max() <= 1, "each azimuth is a vertical line"
    assert np.ptp(columns[..., 1], axis=1).min() > 80 and np.ptp(columns[..., 0]) > 150


def test_a_flat_map_is_drawn_as_it_is():
    figure = pages.paper_page(verbatim, {8: np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])})
    assert places(figure).tolist() == [[8, 192], [192, 192], [192, 8], [8, 8]] and "var(--ink)" in figure


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((4, 4)), np.full((660, 3), np.nan), np.zeros((5, 3))])
def test_a_map_that_cannot_be_drawn_is_refused(bad):
    refuses(lambda: pages.paper_page(verbatim, {0: bad, 8: np.zeros((660, 3))}), f"a map has shape {bad.shape}")
