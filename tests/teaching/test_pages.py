"""The lesson and the paper: right numbers, mistakes far off, pages and a notebook that say that, drawings to scale."""

import inspect
import json
import re
import subprocess
import sys
from html import unescape
from math import dist, tanh
from pathlib import Path

import numpy as np
import pytest

from drlim_np import verbatim
from drlim_np.audit.gradcheck import COMPLEX_BOUND, complex_step
from drlim_np.layers import Linear, Sequential, Tanh
from drlim_np.loss import contrastive
from drlim_np.siamese import two_towers
from drlim_np.teaching import drawings, exercises, lesson, pages
from drlim_np.teaching.lesson import MARGIN, RATE, X1, X2, W, Y, as_text, both_towers, error, loss_of, sections
from drlim_np.teaching.problems import EXERCISES
from tests.help.comparing import BOUND
from tests.help.refusals import refuses

STEPS = [section.step for section in sections()]
POINTS = drawings.Z1, drawings.Z2
GRADIENT = both_towers(W)
AFTER = loss_of(lesson.descend(W, GRADIENT))
ROOT = Path(__file__).resolve().parents[2]
CELLS = json.loads(pages.notebook())["cells"]
CODE = [cell["source"] for cell in CELLS if cell["cell_type"] == "code"]
TEXT = "\n".join(cell["source"] for cell in CELLS if cell["cell_type"] == "markdown")


def test_step_1_energy_and_loss_by_hand():
    by_hand = [[[tanh(sum(row * x)) for row in W] for x in inputs] for inputs in (X1, X2)]
    np.testing.assert_allclose(POINTS, by_hand, rtol=BOUND)
    similar, dissimilar = (dist(*pair) for pair in zip(*by_hand, strict=True))
    assert Y.tolist() == [0, 1] and 0.1 < dissimilar < 0.9 * MARGIN, "a pair of either kind, both felt"
    d, loss = lesson.energy_and_loss(*POINTS)
    np.testing.assert_allclose(d, [similar, dissimilar], rtol=BOUND)
    assert loss == pytest.approx(similar**2 / 2 + (MARGIN - dissimilar) ** 2 / 2, rel=BOUND)


def test_step_2_the_springs_are_the_librarys_and_a_pair_beyond_the_margin_feels_nothing():
    _, dz1, dz2 = contrastive(*POINTS, Y, MARGIN)
    np.testing.assert_allclose(lesson.springs(*POINTS), [dz1, dz2], rtol=BOUND)
    z1, z2 = np.zeros((2, 2)), np.array([[3.0, 4.0], [3.0, 4.0]])
    d, loss = lesson.energy_and_loss(z1, z2)
    assert d.tolist() == [5, 5] and loss == 12.5
    np.testing.assert_array_equal(lesson.springs(z1, z2)[0], [[-3, -4], [0, 0]])


def test_steps_3_and_4_the_sum_of_both_towers_is_the_gradient():
    assert error(GRADIENT) <= BOUND == COMPLEX_BOUND
    assert error(GRADIENT * (1 + 1e-9)) == pytest.approx(1e-9, rel=1e-3)
    network = Sequential(only=Linear(3, 2), squash=Tanh())
    params = {"only": {"weight": W, "bias": np.zeros(2)}, "squash": {}}
    loss, gradient = two_towers(network, params, X1, X2, Y, MARGIN)
    np.testing.assert_allclose(GRADIENT, gradient["only"]["weight"], rtol=BOUND)
    assert loss_of(W) == pytest.approx(loss, rel=BOUND)


def test_step_5_goes_down_at_the_slope_that_the_gradient_promises():
    slope = complex_step(lambda r: loss_of(lesson.descend(W, GRADIENT, r)), np.zeros(()), np.ones(()))
    assert slope == pytest.approx(-np.sum(GRADIENT**2), rel=BOUND)
    np.testing.assert_array_equal(lesson.descend(W, GRADIENT), W - RATE * GRADIENT)
    assert 0.85 * loss_of(W) > AFTER


def test_either_mistake_fails_by_orders_of_magnitude_and_doubled_as_well_though_the_loss_may_fall():
    for mistake in STEPS[5:]:
        assert min(error(mistake(W)), error(2 * mistake(W))) > 0.1 > 1e10 * BOUND
    assert AFTER < loss_of(lesson.descend(W, lesson.one_tower(W))) < loss_of(W)


def test_the_layer_that_remembers_is_right_as_long_as_it_is_called_once_and_shared_it_cancels_exactly():
    layer, dz = lesson.RememberingLayer(), np.array([[0.3, -1.0], [0.7, 0.2]])
    z, pullback = lesson.layer(W, X1)
    np.testing.assert_array_equal(layer.forward(W, X1), z)
    np.testing.assert_array_equal(layer.backward(dz), pullback(dz))
    np.testing.assert_array_equal(lesson.shared_cache(W), np.zeros_like(W))


def test_the_printed_lesson_says_every_step_and_every_number_in_order():
    ran = [sys.executable, "-m", "drlim_np.teaching.lesson"]
    page = subprocess.run(ran, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    assert page == "\n".join(pages.printed()) + "\n"
    headings = [function.__doc__.partition("\n")[0] for function in STEPS]
    assert [line for line in page.splitlines() if line.startswith(("Step", "Mistake"))] == headings
    assert [h.split(".")[0] for h in headings] == [f"Step {k}" for k in range(1, 6)] + ["Mistake 1", "Mistake 2"]
    assert page.count(": right\n") == 1 and page.count(": WRONG\n") == 3
    assert page.index(": right\n") < page.index("Mistake 1.") < page.index(": WRONG\n")
    assert f"    L before = {loss_of(W):.4f}\n" in page
    assert max(map(len, page.splitlines())) <= 120


def texts(page):
    """What the page says, without its tags."""
    return unescape(re.sub(r"<[^>]+>", "\n", page.partition("</style>")[2]))


def code(page):
    """The lines of code of the page, and what is next to each."""
    rows = re.findall(r"<div><span([^>]*)>(.*?)</span><span class=beside>(.*?)</span></div>", page, flags=re.DOTALL)
    indents = [int("0" + "".join(re.findall(r"left:(\d+)ch", style))) for style, _, _ in rows]
    return [(" " * n + unescape(line), unescape(beside)) for n, (_, line, beside) in zip(indents, rows, strict=True)]


def numbers(d):
    return np.array(re.findall(r"-?[\d.]+", d), float)


def places(page):
    return np.array(re.findall(r"M(-?\d+) (-?\d+)h0", page), int)


def test_the_page_says_what_the_text_says_in_its_order_and_is_small(html):
    said, at = re.sub(r"\s+", " ", texts(html["lesson"])), 0
    for section in sections():
        for part in (section.heading, *section.prose.split("\n\n")):
            at = said.index(re.sub(r"\s+", " ", part.strip()), at)
        for name, value in section.numbers.items():
            assert f"<dt>{name}</dt><dd>{as_text(value)}</dd>" in unescape(html["lesson"])
        assert all(verdict in unescape(html["lesson"]) for verdict in section.verdicts)
    assert html["lesson"].count("right</p>") == 1 and html["lesson"].count("WRONG</p>") == 3
    for name in ("lesson", "paper"):
        assert len(html[name].encode()) <= 60_000 and "$" not in html[name]


def test_every_line_of_code_is_there_and_every_assignment_has_its_shapes(html):
    lines = code(html["lesson"])
    listed = "\n".join(line for line, _ in lines)
    assert all(inspect.getsource(step).split('"""')[2].strip("\n") in listed for step in STEPS)
    bare = [line.strip() for line, beside in lines if re.search(r" = |return|def ", line) and not beside]
    assert bare == ["shared = RememberingLayer()"]
    assert set(lines) >= {
        ("    return d, np.where(Y == 0, d * d / 2, gap * gap / 2).sum()", "→ (2,), number"),
        ("    def pullback(dz: np.ndarray) -> np.ndarray:", "dz (2, 2)"),
        ("        da = dz * (1 - z * z)", "da (2, 2)"),
        ("        return da.T @ x", "→ (2, 3)"),
        ("    dz1, dz2 = springs(z1, z2)", "dz1 (2, 2), dz2 (2, 2)"),
        ("        self.x, self.z = x, np.tanh(x @ weight.T)", "self.x (2, 3), self.z (2, 2)"),
    }


def test_shapes_are_found_by_running_and_the_tracer_before_is_put_back():
    def grows(x):
        y = np.concatenate([x, x])
        if len(y) > 100:
            y = y[:1]
        for _ in range(2):
            z = x
        return y.sum() + z.sum()

    found = dict(pages.shapes(grows, lambda: grows(np.zeros(3))))
    assert found["        y = np.concatenate([x, x])"] == "y (6,)"
    assert found["            y = y[:1]"] == "" and found["        return y.sum() + z.sum()"] == "→ number"
    assert found["            z = x"] == "z (3,)", "the second time nothing is new"
    before = sys.gettrace()
    with pytest.raises(ZeroDivisionError):
        pages.shapes(grows, lambda: 1 / 0)
    assert sys.gettrace() is before


def test_every_step_has_its_drawings_with_a_name_each_and_its_exercises_are_linked(html):
    assert sorted(k for _, exercises in pages.NEXT_TO.values() for k in exercises) == list(range(1, 13))
    for k, exercise in enumerate(EXERCISES, 1):
        assert f'href="#exercise-{k}"' in html["lesson"] and exercise.title.partition(". ")[2] in texts(html["lesson"])
    assert html["lesson"].count("<svg") == 7 and len(set(re.findall(r'aria-label="([^"]*)"', html["lesson"]))) == 7
    assert [step for step, (drawn, _) in pages.NEXT_TO.items() if not drawn] == [lesson.one_tower]


def test_the_energies_are_drawn_as_long_as_they_are_and_only_the_right_gradient_is_before_the_bound():
    svg = drawings.seen_by_the_check()
    bound = numbers(re.search(r'class="line faint" d="([^"]*)"', svg)[1])[0]
    ends = [float(x) for x in re.findall(r'circle class="dot \w+" cx="(.*?)"', svg)]
    assert ends[0] < bound and len(ends) == 4 and min(ends[1:]) > bound + 100
    svg = drawings.pair_and_energy()
    radius = float(re.findall(r' r="([\d.]+)"/>', svg)[-1])
    lines = [numbers(found).reshape(-1, 2) for found in re.findall(r'class="line (?:dis)?similar" d="([^"]*)"', svg)]
    lengths = [np.linalg.norm(line[1] - line[0]) for line in lines]
    np.testing.assert_allclose(lengths, lesson.energy_and_loss(*POINTS)[0] * radius / MARGIN, atol=0.1)


def test_the_arrows_are_the_forces_minus_the_gradient():
    dz1, dz2 = lesson.springs(*POINTS)
    arrow = r'class="line" d="M([\d. ]*)L[^"]*"/><polygon class="dot" points="([\d.]*,[\d.]*) '
    ends = re.findall(arrow, drawings.spring())
    drawn = [numbers(tip.replace(",", " ")) - numbers(start) for start, tip in ends]
    forces = [-dz1[0], -dz2[0], -dz1[1], -dz2[1]]
    np.testing.assert_allclose(drawn, [30 * force * [1, -1] for force in forces], atol=0.15)


def test_the_step_down_is_drawn_at_the_losses_before_and_after_it():
    svg = drawings.step_down()
    dots = np.array(re.findall(r'circle class="dot ink" cx="(.*?)" cy="(.*?)"', svg), float)
    height = (165 - dots[:, 1]) / (165 - dots[0, 1])
    np.testing.assert_allclose(height, [1, AFTER / loss_of(W)], atol=0.002)
    assert dots[1, 0] - dots[0, 0] == pytest.approx(200 * RATE, abs=0.1)


def test_the_paper_shows_the_source_in_order_with_an_equation_next_to_each_line_that_names_it(html):
    source = inspect.getsource(verbatim).splitlines()
    assert [line for line, _ in code(html["paper"])] == [line.rstrip() for line in source]
    beside = {line: said for line, said in code(html["paper"]) if said}
    (line,) = (line for line in beside if "(Eq. 7)" in line)
    assert beside[line].count("\n") == 0 and beside[line].startswith("Eq. 7: ∂L_D")
    assert {f"Eq. {k}" for k in (1, 2, 3, 4, 6, 7)} <= {row[:5] for said in beside.values() for row in said.split("\n")}
    assert all(re.search(r"Eqs?\. \d|Step \d", line) for line in beside)
    for text, names in (("Eqs. 1 to 4", "1234"), ("Eqs. 5 and 7", "57"), ("Eq. 4 and then", "4"), ("an equation", "")):
        found = [said.partition(":")[0] for said in pages._equations(text).splitlines()]
        assert found == [f"Eq. {k}" for k in names]


def test_every_map_has_all_its_points_and_all_are_to_one_scale(html):
    figures = re.findall(r"<figure>(.*?)</figure>", html["paper"], flags=re.DOTALL)
    words = [re.search(r"after \d epochs?(?=<)", figure)[0] for figure in figures]
    assert words == ["after 0 epochs", "after 1 epoch", "after 3 epochs", "after 8 epochs"]
    found = np.array([places(figure) for figure in figures])
    assert found.shape == (4, 660, 2) and found.min() >= 0 and found.max() <= 200
    spread = np.ptp(found, axis=(1, 2))
    np.testing.assert_allclose(spread[1:] / spread[-1], [0.3, 0.8, 1], atol=0.02)
    assert figures[-1].count("<path") == 18


def test_a_cylinder_is_drawn_upright_however_it_is_turned_in_space():
    turn, height = np.repeat(np.arange(18) / 18, 9), np.tile(np.linspace(-0.6, 0.6, 9), 18)
    ring = np.stack([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn), height], axis=1)
    turned = ring @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    columns = places(pages.paper_page({8: turned}, turn)).reshape(18, 9, 2)  # a path is a colour, an azimuth
    assert np.ptp(columns[..., 0], axis=1).max() <= 1, "each azimuth is a vertical line"
    assert np.ptp(columns[..., 1], axis=1).min() > 80 and np.ptp(columns[..., 0]) > 150


@pytest.mark.filterwarnings("ignore")  # the exercises' mistakes divide by 0
def test_its_numbers_are_those_of_the_printed_lesson_and_every_exercise_is_judged(capsys):
    scope = {"__name__": "__main__"}
    for source in CODE:
        exec(source, scope)
    alone = capsys.readouterr().out
    assert set(re.findall(r"^(?:from|import) (\w+)", "\n".join(CODE), flags=re.MULTILINE)) == {"numpy", "drlim_np"}
    numbers = [line.strip() for section in sections() for line in str(section).splitlines()]
    assert [line.strip() for line in alone.splitlines()][: len(numbers)] == numbers
    verdicts = re.findall(r"^Exercise (\d+)\. .*\n((?:    .*\n)+)", alone, flags=re.MULTILINE)
    assert [int(number) for number, _ in verdicts] == list(range(1, 13))
    assert all("WRONG" in found for _, found in verdicts) and "Right. " not in alone


def test_it_has_the_text_and_code_of_every_step_once_each_exercise_in_order_and_every_drawing():
    places = [TEXT.index(part) for section in sections() for part in (f"## {section.heading}", section.prose)]
    assert places == sorted(places)
    code = "\n".join(CODE)
    for section in sections():
        assert TEXT.count(section.prose) == 1 and section.prose not in code
        assert code.count(inspect.getsource(section.step).split('"""')[2].strip("\n")) == 1
    assert re.findall(r"^## (Exercise .*)$", TEXT, flags=re.MULTILINE) == [exercise.title for exercise in EXERCISES]
    assert all(exercise.hint.strip() in TEXT for exercise in EXERCISES)
    assert "check 1" not in TEXT and "this file" not in TEXT
    drawn = [draw.__name__ for draws, _ in pages.NEXT_TO.values() for draw in draws]
    assert re.findall(r"drawings\.(\w+)\(\)\)", code) == drawn and len(drawn) == 7
    links = re.findall(r"\(#(Exercise[^)]*)\)", TEXT)
    assert sorted(links) == sorted(exercise.title.replace(" ", "-") for exercise in EXERCISES)


def test_a_cell_that_is_changed_changes_those_below_it():
    scope = {"__name__": "notebook"}
    for source in CODE[: next(k for k, text in enumerate(CODE) if text.startswith("def shared_cache"))]:
        if "def both_towers" in source:
            source = source.replace("pullback1(dz1) + ", "")
        exec(source, scope)
    assert scope["error"](scope["gradient"]) > 0.1


@pytest.mark.parametrize("number", [1, 8, 12])
def test_a_cell_with_the_mistake_mended_is_right(number, capsys):
    exercise = EXERCISES[number - 1]
    (source,) = (text for text in CODE if f"judge_cell({number}, " in text)
    for wrong, right in exercise.mend:
        source = source.replace(wrong.strip("\n"), right.strip("\n"))
    exec(source, {"__name__": "notebook", "judge_cell": exercises.judge_cell})
    printed = capsys.readouterr().out
    assert "Right. " in printed and "WRONG" not in printed and exercise.title in printed
    refuses(lambda: exercises.judge_cell(number, lambda **inputs: 0.0), f"exercise {number}: loss_and_gradient must")


def test_the_command_writes_it_once_and_complains_in_one_line(tmp_path, capsys):
    assert pages.main(["--notebook", str(tmp_path / "new")]) == 0
    path = tmp_path / "new" / "lesson.ipynb"
    assert path.read_text(encoding="utf-8") == pages.notebook() and str(path) in capsys.readouterr().out
    path.write_text("mine")
    for folder, complaint in [(path, "cannot be written"), (path.parent, "is there already")]:
        assert pages.main(["--notebook", str(folder)]) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1 and complaint in printed.err
        assert printed.err.endswith(": name another folder\n")
    assert path.read_text() == "mine"


def test_a_fresh_kernel_runs_it_from_the_first_cell_to_the_last(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: the notebook is not validated")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: the notebook is not run by a kernel")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed: the notebook is not run by a kernel")
    found = nbformat.reads(pages.notebook(), as_version=4)
    nbformat.validate(found)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the kernel is a process of its own
    nbclient.NotebookClient(found, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()
    shown = [output for cell in found.cells if cell.cell_type == "code" for output in cell.outputs]
    assert {output.output_type for output in shown} <= {"stream", "execute_result"}
    drawn = [output.data["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert len(drawn) == 7 and drawn[2].startswith('<img width="420" alt="A spring that pulls')
