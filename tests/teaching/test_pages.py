"""The pages: text, code, shapes and numbers are the lesson's own, and a browser shows them whole, asking nobody."""

import inspect
import re
import sys
from html import unescape

import numpy as np
import pytest

from drlim_np import verbatim
from drlim_np.errors import InputError
from drlim_np.teaching import drawings, lesson, pages
from drlim_np.teaching.lesson import RATE, W, as_text, sections
from drlim_np.teaching.problems import EXERCISES
from drlim_np.teaching.shapes import shapes
from tests.help.browser import SIZES, missing, opened

STEPS = [section.step for section in sections()]
POINTS = np.random.default_rng(0).normal(size=(660, 3)) * [1, 2, 5]
MAPS = {0: 0.01 * POINTS, 1: 0.3 * POINTS, 3: 0.8 * POINTS, 8: POINTS}

needs_a_browser = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def html():
    return pages.lesson_page()


@pytest.fixture(scope="module")
def paper():
    return pages.paper_page(verbatim, MAPS, np.linspace(0, 1, 660, endpoint=False))


@pytest.fixture(scope="module", params=["lesson", "paper"])
def browser(request, tmp_path_factory, html, paper):
    file = tmp_path_factory.mktemp("pages") / f"{request.param}.html"
    file.write_text({"lesson": html, "paper": paper}[request.param], encoding="utf-8")
    with opened(file.as_uri()) as page:
        yield page


def texts(html):
    """What the page says, without its tags."""
    return unescape(re.sub(r"<[^>]+>", "\n", html.partition("</style>")[2]))


def code(html):
    """The lines of code of the page, and what stands beside each."""
    rows = re.findall(r"<div><span([^>]*)>(.*?)</span><span class=beside>(.*?)</span></div>", html, flags=re.DOTALL)
    return [
        (" " * int((re.findall(r"left:(\d+)ch", style) or [0])[0]) + unescape(line), unescape(beside))
        for style, line, beside in rows
    ]


def numbers(d):
    return np.array([float(x) for x in re.findall(r"-?[\d.]+", d)])


# ---- the lesson ----


def test_both_pages_are_one_small_file_that_asks_the_network_for_nothing(html, paper):
    for page in (html, paper):
        assert len(page.encode()) <= 60_000
        assert "default-src 'none'" in page and "<script" not in page
        for word in ("http:", "https:", "src=", "url(", "@import"):
            assert word not in page, word
        links = re.findall(r'href="([^"]*)"', page)
        assert all(link.startswith("#") and f'id="{link[1:]}"' in page for link in links)


def test_the_page_says_what_the_text_says_in_its_order(html):
    said, at = re.sub(r"\s+", " ", texts(html)), 0
    for section in sections():
        for part in (section.heading, *section.prose.split("\n\n")):
            at = said.index(re.sub(r"\s+", " ", part.strip()), at)
    for section in sections():
        for name, value in section.numbers.items():
            assert f"<dt>{name}</dt><dd>{as_text(value)}</dd>" in unescape(html)
        assert all(verdict in unescape(html) for verdict in section.verdicts)
    assert html.count("right</p>") == 1 and html.count("WRONG</p>") == 3


def test_every_line_of_code_is_there_and_every_assignment_has_its_shapes(html):
    lines = code(html)
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
    assert (line, beside) in code(html)


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


def test_every_exercise_is_linked_from_the_step_it_belongs_to(html):
    assert sorted(k for numbers in pages.BELONGS.values() for k in numbers) == list(range(1, 13))
    for k, exercise in enumerate(EXERCISES, 1):
        assert f'href="#exercise-{k}"' in html and exercise.title.partition(". ")[2] in texts(html)


# ---- its drawings ----


def test_each_step_has_its_drawing_and_each_drawing_a_name(html):
    assert html.count("<svg") == 7 and len(set(re.findall(r'aria-label="([^"]*)"', html))) == 7
    assert set(pages.DRAWINGS) == set(STEPS) - {lesson.one_tower}


def test_the_energies_are_drawn_as_long_as_they_are():
    z1, z2 = lesson.layer(W, lesson.X1)[0], lesson.layer(W, lesson.X2)[0]
    d, _ = lesson.energy_and_loss(z1, z2)
    svg = drawings.pair_and_energy()
    radius = float(re.findall(r' r="([\d.]+)"/>', svg)[-1])
    lines = [numbers(found).reshape(-1, 2) for found in re.findall(r'class="line (?:dis)?similar" d="([^"]*)"', svg)]
    lengths = [np.linalg.norm(line[1] - line[0]) for line in lines]
    np.testing.assert_allclose(lengths, d * radius / lesson.MARGIN, atol=0.1)


def test_the_arrows_are_the_forces_minus_the_gradient():
    dz1, dz2 = lesson.springs(lesson.layer(W, lesson.X1)[0], lesson.layer(W, lesson.X2)[0])
    svg = drawings.spring()
    ends = re.findall(r'class="line " d="M([\d. ]*)L[^"]*"/><polygon class="dot " points="([\d.]*,[\d.]*) ', svg)
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


# ---- the paper on one page ----


def test_the_paper_shows_every_line_of_the_source_in_order(paper):
    assert [line for line, _ in code(paper)] == [line.rstrip() for line in inspect.getsource(verbatim).splitlines()]


def test_an_equation_stands_beside_each_line_that_names_it_and_beside_no_other(paper):
    beside = {line: said for line, said in code(paper) if said}
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


def test_every_map_has_all_its_points_and_all_are_to_one_scale(paper):
    figures = re.findall(r"<figure>(.*?)</figure>", paper, flags=re.DOTALL)
    assert [re.search(r"after (\d) epoch", figure)[1] for figure in figures] == ["0", "1", "3", "8"]
    assert "after 1 epoch<" in figures[1]
    spread = []
    for figure in figures:
        places = np.array([[int(x), int(y)] for x, y in re.findall(r"M(-?\d+) (-?\d+)h0", figure)])
        assert len(places) == 660 and places.min() >= 0 and places.max() <= 200
        spread.append(np.ptp(places))
    np.testing.assert_allclose(np.array(spread[1:]) / spread[-1], [0.3, 0.8, 1], atol=0.02)
    assert figures[-1].count("<path") == 18


def test_a_cylinder_stands_upright_however_it_lies_in_space():
    turn, height = np.repeat(np.arange(18) / 18, 9), np.tile(np.linspace(-0.6, 0.6, 9), 18)
    ring = np.stack([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn), height], axis=1)
    lying = ring @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    figure = pages.paper_page(verbatim, {8: lying}, turn)
    places = np.array([[int(x), int(y)] for x, y in re.findall(r"M(-?\d+) (-?\d+)h0", figure)])
    columns = places.reshape(18, 9, 2)  # a path a colour, so a column an azimuth
    assert np.ptp(columns[..., 0], axis=1).max() <= 1, "each azimuth is a vertical line"
    assert np.ptp(columns[..., 1], axis=1).min() > 80 and np.ptp(columns[..., 0]) > 150


def test_a_flat_map_is_drawn_as_it_is():
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    figure = pages.paper_page(verbatim, {8: square})
    places = re.findall(r"M(\d+ \d+)h0", figure)
    assert places == ["8 192", "192 192", "192 8", "8 8"] and "var(--ink)" in figure


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((4, 4)), np.full((660, 3), np.nan), np.zeros((5, 3))])
def test_a_map_that_cannot_be_drawn_is_said_in_one_line(bad):
    with pytest.raises(InputError, match=r"a map has shape \(") as caught:
        pages.paper_page(verbatim, {0: bad, 8: POINTS})
    assert "\n" not in str(caught.value)


# ---- in a browser ----


@needs_a_browser
@pytest.mark.parametrize("size", SIZES)
def test_nothing_overflows_and_no_words_in_a_drawing_overlap(browser, size):
    browser.resize(size)
    assert browser.js("document.documentElement.scrollWidth <= innerWidth")
    assert browser.astray() == []
    overlapping = browser.js(
        """[...document.querySelectorAll("svg")].flatMap(svg => { const words = [...svg.querySelectorAll("text")];
        const boxes = words.map(one => one.getBoundingClientRect());
        return boxes.flatMap((a, i) => boxes.slice(0, i).flatMap((b, j) =>
          Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
          && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3
          ? [words[i].textContent + " / " + words[j].textContent] : [])); })"""
    )
    assert overlapping == []


@needs_a_browser
def test_no_request_leaves_the_page_and_it_has_no_complaint(browser):
    browser.call("refresh")
    assert browser.js("performance.getEntriesByType('resource').length") == 0
    assert browser.call("se/log", type="browser") == []
    assert browser.js("document.documentElement.lang") == "en" and browser.js("document.title")


@needs_a_browser
def test_every_link_is_reached_by_tab_is_seen_there_and_leads_to_its_place(browser):
    links = browser.js("[...document.querySelectorAll('a')].map(one => one.hash)")
    for expected in links:
        browser.press("Tab")
        where, outline = browser.js(
            "[document.activeElement.hash, getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert where == expected and outline != "none"
    if links:
        browser.press("Enter")
        assert browser.js("location.hash") == links[-1]
        assert browser.js("document.querySelector(location.hash).getBoundingClientRect().top < innerHeight")


@needs_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_words_stands_out_from_its_ground(browser, scheme):
    names = ["ink", "dim", "similar", "dissimilar", "back", "card", "ground"]
    *words, card, ground = browser.luminances(names, scheme)
    assert (card > 0.5) == (scheme == "light")
    for word in words:
        for behind in (card, ground):
            assert (max(word, behind) + 0.05) / (min(word, behind) + 0.05) >= 4.5


# ---- the command ----


def test_the_command_writes_the_page_or_says_in_one_line_why_not(tmp_path, capsys, html):
    assert pages.main([str(tmp_path / "new")]) == 0
    assert (tmp_path / "new" / "lesson.html").read_text(encoding="utf-8") == html
    (tmp_path / "file").write_text("", encoding="utf-8")
    capsys.readouterr()
    assert pages.main([str(tmp_path / "file")]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "name another folder" in said.err
