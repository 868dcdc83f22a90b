"""The spring laboratory in a browser: its numbers against drlim_np.loss, and every way to work it."""

import re
from math import hypot
from pathlib import Path

import numpy as np
import pytest

from drlim_np.figures.figure2 import BLUE, DISSIMILAR, RED, SCALE, SIMILAR
from drlim_np.loss import contrastive, energy
from tests.help.browser import missing, opened

FILE = Path(__file__).resolve().parents[2] / "figures" / "springs.html"
BOUND = 1e-12
RATE = 0.1
FIRST, SECOND = np.triu_indices(6, k=1)
RING = np.where((SECOND - FIRST == 1) | (SECOND - FIRST == 5), SIMILAR, DISSIMILAR)
CHAIN = np.where(SECOND - FIRST == 1, SIMILAR, DISSIMILAR)
POINTS = np.random.default_rng(0).uniform(-1.2, 1.2, (6, 2))
CONTROLS = ["step", "run", "scatter", "margin", "only", "preset"]
BUTTONS = [f"pair-{'ABCDEF'[i]}{'ABCDEF'[j]}" for i, j in zip(FIRST, SECOND, strict=True)]
CHALLENGES = [f"challenge-{name}" for name in ("square", "ring", "clusters")]
DOTS = [f"point-{letter}" for letter in "ABCDEF"]

needs_a_browser = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def desk():
    with opened(FILE.as_uri()) as page:
        yield page


@pytest.fixture(scope="module")
def phone():
    with opened(FILE.as_uri(), phone=True) as page:
        yield page


@pytest.fixture
def page(desk):
    """The page on a desk, as it looks when it has just been opened."""
    desk.call("refresh")
    return desk


def put(page, points=POINTS, labels=RING, margin=1.0, similar_only=False):
    """Sets the system up through the page's own function; what the page then makes of it."""
    change = {"points": np.asarray(points).tolist(), "labels": np.asarray(labels).tolist()}
    page.js("laboratory.set(arguments[0])", change | {"margin": margin, "similarOnly": similar_only})
    return page.js("laboratory.read()")


def by_library(points, labels, margin, similar_only=False):
    """Loss, net forces (6, 2) and forces on the first point of each pair (15, 2), by drlim_np.loss."""
    points, labels = np.asarray(points, float), np.asarray(labels)
    counts = (labels == SIMILAR) | (not similar_only)
    loss, dz1, dz2 = contrastive(points[FIRST][counts], points[SECOND][counts], labels[counts], margin)
    each, net = np.zeros((15, 2)), np.zeros((6, 2))
    each[counts] = -dz1
    np.add.at(net, FIRST[counts], -dz1)
    np.add.at(net, SECOND[counts], -dz2)
    return loss, net, each


def assert_as_in_the_library(found):
    points, labels, margin = np.array(found["points"], float), np.array(found["labels"]), found["margin"]
    loss, net, each = by_library(points, labels, margin, found["similarOnly"])
    assert abs(found["loss"] - loss) <= BOUND * loss
    assert np.linalg.norm(found["net"] - net) <= BOUND * np.linalg.norm(each)
    np.testing.assert_allclose([pair["force"] for pair in found["springs"]], each, rtol=BOUND, atol=0)
    np.testing.assert_allclose(
        [pair["d"] for pair in found["springs"]], energy(points[FIRST], points[SECOND]), rtol=BOUND, atol=0
    )
    assert found["largest"] == pytest.approx(np.linalg.norm(found["net"], axis=1).max(), rel=BOUND)


def spread(points):
    return energy(np.array(points)[FIRST], np.array(points)[SECOND]).max()


def number(text):
    return float(text.replace("−", "-"))


def shown(page, identifier):
    return page.js("document.getElementById(arguments[0]).textContent", identifier)


def middle(page, query):
    """Where an element is on the screen."""
    box = page.js("document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", query)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def focused(page):
    return page.js("document.activeElement.id")


def go_to(page, identifier):
    """By Tab alone."""
    for _ in range(40):
        page.press("Tab")
        if focused(page) == identifier:
            return
    pytest.fail(f"Tab never came to {identifier}")


def vertices(page, query):
    """The corners of each path drawn, in the unit of the points."""
    drawn = page.js("[...document.querySelectorAll(arguments[0])].map(one => one.getAttribute('d'))", query)
    return [np.array([float(x) for x in re.findall(r"-?[\d.]+", d)]).reshape(-1, 2) for d in drawn]


# ---- without a browser: what the file may not do ----


def test_the_page_is_one_file_that_asks_the_network_for_nothing():
    text = FILE.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    for word in ("http:", "https:", "//cdn", "src=", "href=", "url(", "@import", "import(", "fetch(", "XMLHttp"):
        assert word not in text, word
    assert len(text.splitlines()) < 500


def test_colours_and_the_length_of_arrows_are_those_of_figure_2():
    text = FILE.read_text(encoding="utf-8")
    assert f"--similar: {RED.lower()}; --dissimilar: {BLUE.lower()};" in text
    assert f"SCALE = {SCALE}," in text and f"RATE = {RATE}," in text


# ---- the numbers ----


@needs_a_browser
@pytest.mark.parametrize("similar_only", [False, True])
@pytest.mark.parametrize("margin", [0.2, 1.0, 1.5])
@pytest.mark.parametrize("seed", range(4))
def test_forces_and_loss_are_the_librarys(desk, seed, margin, similar_only):
    rng = np.random.default_rng(seed)
    points, labels = rng.uniform(-1.2, 1.2, (6, 2)), rng.integers(0, 2, 15)
    found = put(desk, points, labels, margin, similar_only)
    np.testing.assert_array_equal(found["points"], points)
    assert found["loss"] > 0
    assert_as_in_the_library(found)


@needs_a_browser
def test_two_dissimilar_points_in_one_place_cost_half_m_squared_and_feel_nothing(desk):
    points = np.array([[0.0, 0.0], [0.0, 0.0], [5, 0], [0, 5], [-5, 0], [0, -5]])
    found = put(desk, points, np.full(15, DISSIMILAR), margin=1.2)
    assert found["loss"] == pytest.approx(1.2**2 / 2, rel=BOUND)
    assert np.array(found["net"]).tolist() == np.zeros((6, 2)).tolist()
    assert_as_in_the_library(found)
    assert_as_in_the_library(put(desk, points, np.full(15, SIMILAR), margin=1.2))


@needs_a_browser
@pytest.mark.parametrize("d", [1.0, 1.25, 2.0])
def test_no_force_from_the_margin_on(desk, d):
    points = np.array([[0.0, 0.0], [d, 0.0], [9, 0], [0, 9], [-9, 0], [0, -9]])
    found = put(desk, points, np.full(15, DISSIMILAR), margin=1.0)
    assert found["loss"] == found["largest"] == 0
    assert_as_in_the_library(found)
    assert put(desk, points, np.full(15, DISSIMILAR), margin=d + 0.25)["largest"] > 0.2


@needs_a_browser
def test_what_the_page_shows_are_those_numbers(page):
    found = put(page)
    similar = by_library(POINTS, RING, 1.0, similar_only=True)[0]
    dissimilar = by_library(POINTS, RING, 1.0)[0] - similar
    assert number(shown(page, "loss")) == pytest.approx(found["loss"], abs=5e-5)
    assert number(shown(page, "loss-similar")) == pytest.approx(similar, abs=5e-5)
    assert number(shown(page, "loss-dissimilar")) == pytest.approx(dissimilar, abs=5e-5)
    assert number(shown(page, "largest")) == pytest.approx(found["largest"], abs=5e-5)
    assert shown(page, "who") == "A"
    pair = [number(x) for x in re.findall(r"[−\d.]+", shown(page, "force"))]
    np.testing.assert_allclose(pair, found["net"][0], atol=5e-5)


@needs_a_browser
@pytest.mark.parametrize("chosen", [0, 2, 4])
def test_arrows_are_the_forces_and_springs_that_exert_none_are_slack(page, chosen):
    _, net, each = by_library(POINTS, RING, 1.0)
    put(page)
    page.js("document.getElementById(arguments[0]).focus()", DOTS[chosen])
    for at, force, corners in zip(POINTS, net, vertices(page, ".net"), strict=True):
        np.testing.assert_allclose(corners[3], at + SCALE * force, atol=1e-4)
    for other, corners in enumerate(vertices(page, ".push")):
        ahead, behind = (chosen == FIRST) & (other == SECOND), (other == FIRST) & (chosen == SECOND)
        on_chosen = each[ahead].sum(axis=0) - each[behind].sum(axis=0)
        if on_chosen.any():
            np.testing.assert_allclose(corners[3], POINTS[chosen] + SCALE * on_chosen, atol=1e-4)
        else:
            assert corners.size == 0
    slack = page.js("[...document.querySelectorAll('.spring')].map(one => one.classList.contains('slack'))")
    assert slack == [not force.any() for force in each]
    assert True in slack and False in slack
    for corners, i, j in zip(vertices(page, ".spring"), FIRST, SECOND, strict=True):
        np.testing.assert_allclose(corners[[0, -1]], POINTS[[i, j]], atol=1e-4)


# ---- descent ----


@needs_a_browser
@pytest.mark.parametrize("similar_only", [False, True])
def test_a_step_goes_down_the_gradient(desk, similar_only):
    put(desk, similar_only=similar_only)
    desk.js("laboratory.step()")
    _, net, _ = by_library(POINTS, RING, 1.0, similar_only)
    np.testing.assert_allclose(desk.js("laboratory.read()")["points"], POINTS + RATE * net, rtol=BOUND)


@needs_a_browser
@pytest.mark.parametrize("labels", [RING, CHAIN], ids=["ring", "chain"])
def test_it_settles_where_the_library_finds_no_net_force_and_does_not_collapse(desk, labels):
    before = put(desk, labels=labels)
    taken = desk.js("laboratory.settle()")
    found = desk.js("laboratory.read()")
    assert 10 < taken < 20000 and found["loss"] < before["loss"]
    _, net, each = by_library(found["points"], labels, 1.0)
    assert np.linalg.norm(net, axis=1).max() <= 1e-6 < np.linalg.norm(each, axis=1).max()
    assert energy(np.array(found["points"])[FIRST], np.array(found["points"])[SECOND]).min() > 0.2
    assert "Equilibrium" in shown(desk, "say") and "collapse" not in shown(desk, "say")


@needs_a_browser
@pytest.mark.parametrize("labels", [RING, CHAIN], ids=["ring", "chain"])
def test_with_similar_pairs_only_everything_collapses_at_no_loss_and_the_push_undoes_it(desk, labels):
    put(desk, labels=labels, similar_only=True)
    desk.js("laboratory.settle()")
    found = desk.js("laboratory.read()")
    assert spread(found["points"]) < 1e-4 and found["loss"] < 1e-9
    assert_as_in_the_library(found)
    np.testing.assert_allclose(np.mean(found["points"], axis=0), POINTS.mean(axis=0), atol=1e-9)
    assert "This is the collapse" in shown(desk, "say") and shown(desk, "loss-dissimilar") == "off"
    put(desk, points=found["points"], labels=labels)
    desk.js("laboratory.settle()")
    assert spread(desk.js("laboratory.read().points")) > 0.5


# ---- what it says about itself ----


@needs_a_browser
def test_the_list_names_the_similar_pairs_as_they_are_and_any_entry_can_be_chosen_again(page):
    put(page)
    listed = "(one => one.selectedOptions[0].textContent)(document.getElementById('preset'))"
    assert page.js(listed) == "ring"
    page.drag(middle(page, "#pair-CE"))
    assert page.js(listed) == "your own"
    go_to(page, "preset")
    page.press("r")
    assert page.js("laboratory.read().labels") == RING.tolist() and page.js(listed) == "ring"
    put(page, labels=CHAIN)
    assert page.js(listed) == "chain"


@needs_a_browser
def test_similar_only_sets_the_points_in_motion_both_ways(page):
    put(page)
    page.drag(middle(page, "#only"))
    assert shown(page, "run") == "Pause"
    page.until("document.getElementById('say').textContent.includes('This is the collapse')")
    assert spread(page.js("laboratory.read().points")) < 1e-4
    page.drag(middle(page, "#only"))
    page.until("document.getElementById('say').textContent.startsWith('Equilibrium')")
    assert spread(page.js("laboratory.read().points")) > 0.5


@needs_a_browser
@pytest.mark.parametrize("together", ["ABC", "DEF", "AD", "ABCDEF"])
def test_points_in_one_place_show_every_letter_beside_the_other(page, together):
    points = [[0, 0] if letter in together else [1.2, k / 2 - 1] for k, letter in enumerate("ABCDEF")]
    put(page, points=points)
    boxes = [
        page.js("document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", f"#point-{letter} text")
        for letter in "ABCDEF"
    ]
    for k, one in enumerate(boxes):
        assert one["width"] > 3
        for other in boxes[:k]:
            apart_x = max(one["left"], other["left"]) - min(one["right"], other["right"])
            apart_y = max(one["top"], other["top"]) - min(one["bottom"], other["bottom"])
            assert max(apart_x, apart_y) > -3, (one, other)
    places = page.js("[...document.querySelectorAll('.point text')].map(one => one.classList.contains('beside'))")
    assert places == [letter in together for letter in "ABCDEF"]


@needs_a_browser
def test_two_groups_with_similar_only_collapse_each_to_a_point_and_it_is_said(page):
    groups = np.where((FIRST < 3) == (SECOND < 3), SIMILAR, DISSIMILAR)
    put(page, labels=groups, similar_only=True)
    page.js("laboratory.settle()")
    found = np.array(page.js("laboratory.read().points"))
    for three in (found[:3], found[3:]):
        assert np.ptp(three, axis=0).max() < 1e-4
    assert "each group has collapsed to one point" in shown(page, "say")
    put(page, points=found, labels=groups)
    page.js("laboratory.settle()")
    assert "collapse" not in shown(page, "say")


# ---- challenges ----


def take_up(page, challenge):
    page.js("document.getElementById(arguments[0]).click()", f"challenge-{challenge}")


def rest(page, **change):
    """Changes the state as the page's controls would, lets it settle, and returns what is said."""
    page.js("laboratory.set(arguments[0])", change)
    page.js("laboratory.settle()")
    return shown(page, "say")


def met(page, challenge):
    return page.js("document.getElementById(arguments[0]).classList.contains('met')", f"challenge-{challenge}")


def similar(*names):
    return np.where([button[-2:] in names for button in BUTTONS], SIMILAR, DISSIMILAR).tolist()


@needs_a_browser
def test_a_challenge_says_what_is_asked_and_nothing_is_judged_that_was_not_taken_up(page):
    for challenge in ("square", "ring", "clusters"):
        take_up(page, challenge)
        assert shown(page, "say") and not met(page, challenge)
        assert page.js("document.querySelectorAll('[aria-pressed=true]').length") == 1
    page.call("refresh")
    rest(page, labels=similar("AB", "BC", "CD", "AD"))
    assert not met(page, "square") and "Met" not in shown(page, "say")


@needs_a_browser
def test_a_square_is_met_by_four_tied_to_a_fifth_and_not_by_a_ring_that_leans_nor_by_what_no_spring_holds(page):
    take_up(page, "square")
    assert "no four points" in rest(page), "a hexagon has no square in it"
    corners = [[-1, -1], [1, -1], [1, 1], [-1, 1], [0, 3], [3, 0]]
    assert "no spring holds" in rest(page, points=corners, labels=[DISSIMILAR] * 15)
    assert "a rectangle" in rest(page, points=POINTS.tolist(), labels=similar("AB", "BC", "CD", "AD"))
    assert not met(page, "square")
    assert rest(page, points=POINTS.tolist(), labels=similar("AE", "BE", "CE", "DE")).startswith("Met")
    assert met(page, "square")
    found = np.array(page.js("laboratory.read().points"))
    by_hand = (1 + np.sqrt(2)) / 5  # the fifth pulls by D, two neighbours push by m - √2 D, one opposite by m - 2 D
    np.testing.assert_allclose(energy(found[:4], found[[4, 4, 4, 4]]), by_hand, rtol=1e-4)
    rest(page, labels=RING.tolist())
    assert met(page, "square"), "what is met stays met"


@needs_a_browser
def test_the_ring_opens_up_to_one_margin_and_the_challenge_is_met_there_alone(page):
    take_up(page, "ring")
    start = page.js("laboratory.read().points")
    opened_at, met_at = [], []
    for margin in np.arange(4, 31) / 20:
        said = rest(page, points=start, labels=RING.tolist(), margin=margin)
        found = np.array(page.js("laboratory.read().points"))
        sides = energy(found, np.roll(found, -1, axis=0))
        hexagon = bool(np.ptp(sides) < 1e-3 * margin)
        assert said.startswith("Not yet: it stays twisted") == (not hexagon)
        opened_at += [margin] if hexagon else []
        if hexagon:  # by hand: D = (1 + √3)/6 m
            np.testing.assert_allclose(sides, (1 + np.sqrt(3)) / 6 * margin, rtol=1e-4)
        met_at += [margin] if said.startswith("Met") else []
    assert 3 < len(opened_at) < 24 and opened_at == sorted(opened_at) and opened_at[0] == 0.2
    assert met_at == [max(opened_at)] and met(page, "ring")


@needs_a_browser
def test_two_clusters_are_met_by_the_fewest_springs_alone(page):
    take_up(page, "clusters")
    assert rest(page).startswith("Not yet")
    groups = np.where((FIRST < 3) == (SECOND < 3), SIMILAR, DISSIMILAR).tolist()
    assert "fewer" in rest(page, points=POINTS.tolist(), labels=groups) and not met(page, "clusters")
    three = similar("AB", "CD", "EF")
    assert rest(page, points=POINTS.tolist(), labels=three).startswith("Not yet: 3 clusters")
    assert rest(page, points=POINTS.tolist(), labels=similar("AB", "BC", "DE"), similarOnly=True).startswith("Not yet")
    assert not met(page, "clusters")
    said = rest(page, points=POINTS.tolist(), labels=similar("AB", "BC", "DE", "EF"), similarOnly=False)
    assert said.startswith("Met") and met(page, "clusters")


# ---- in sight ----


@needs_a_browser
def test_on_a_desk_the_drawing_the_loss_its_chart_and_run_are_above_the_fold(desk):
    desk.cdp("Emulation.setDeviceMetricsOverride", width=1400, height=900, deviceScaleFactor=1, mobile=False)
    desk.call("refresh")
    for identifier in ("stage", "loss", "say", "run", "chart", "margin", "pair-EF", "challenge-clusters"):
        assert_in_sight(desk, identifier)
    assert desk.js("document.documentElement.scrollWidth <= innerWidth")
    desk.cdp("Emulation.clearDeviceMetricsOverride")


@needs_a_browser
def test_on_a_phone_drawing_loss_and_run_are_in_sight_at_the_top_and_stay_so_at_the_last_control(phone):
    phone.call("refresh")
    for last in ("stage", "challenge-clusters"):
        phone.js("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", last)
        for identifier in ("stage", "loss", "run", "say", last):
            assert_in_sight(phone, identifier)


def assert_in_sight(page, identifier):
    """Wholly within the window, and nothing else in front of its middle."""
    box, hit, size = page.js(
        """(one => { const box = one.getBoundingClientRect();
        const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return [box.toJSON(), one.contains(seen), [innerWidth, innerHeight]]; })
        (document.getElementById(arguments[0]))""",
        identifier,
    )
    assert hit and box["left"] >= 0 and box["top"] >= 0, identifier
    assert box["right"] <= size[0] and box["bottom"] <= size[1], (identifier, box)


# ---- by mouse ----


@needs_a_browser
def test_the_mouse_drags_a_point_and_the_rest_stays(page):
    put(page)
    (x, y), unit = middle(page, "#point-B .dot"), page.js("document.getElementById('stage').clientWidth / 2.9")
    page.drag((x, y), (x + 40, y - 10), (x + 60, y - 30))
    after = np.array(page.js("laboratory.read().points"))
    np.testing.assert_allclose(after[1], POINTS[1] + np.array([60, 30]) / unit, atol=0.02)
    np.testing.assert_array_equal(np.delete(after, 1, axis=0), np.delete(POINTS, 1, axis=0))
    assert shown(page, "who") == "B"
    page.drag((x + 200, y + 200), (x, y))
    np.testing.assert_array_equal(page.js("laboratory.read().points"), after)


@needs_a_browser
def test_a_point_stays_on_the_drawing_and_in_the_hand_while_the_others_move(page):
    put(page)
    page.drag(middle(page, "#point-A .dot"), (2, 2), release=False)
    held = np.array(page.js("laboratory.read().points"))
    assert held[0].tolist() == [-1.35, 1.35]
    page.js("laboratory.step()")
    _, net, _ = by_library(held, RING, 1.0)
    net[0] = 0
    np.testing.assert_allclose(page.js("laboratory.read().points"), held + RATE * net, rtol=BOUND)
    page.call("actions", method="DELETE")
    page.js("laboratory.step()")
    assert page.js("laboratory.read().points[0]") != [-1.35, 1.35]


@needs_a_browser
def test_pressing_a_spring_or_its_button_switches_the_pair(page):
    put(page, points=[[-1, -1], [1, -1], [1, 1], [-1, 1], [0.2, 0.7], [0.9, 0.1]])
    place = middle(page, ".hit[data-pair='0']")
    page.drag(place)
    assert page.js("laboratory.read().labels[0]") == DISSIMILAR
    assert shown(page, "say") == "A B is dissimilar"
    page.drag(place)
    page.drag(middle(page, "#pair-CE"))
    after = np.array(page.js("laboratory.read().labels"))
    assert np.flatnonzero(after != RING).tolist() == [BUTTONS.index("pair-CE")]
    assert page.label("pair-CE") == "C E: similar" and shown(page, "pair-CE") == "C→←E"


# ---- by keyboard ----


@needs_a_browser
def test_tab_goes_through_every_point_and_control_and_focus_is_seen_on_each(page):
    order = []
    for _ in DOTS + CONTROLS + BUTTONS + CHALLENGES:
        page.press("Tab")
        order.append(focused(page))
        ring = page.js(
            "(one => one.matches('.point') ? getComputedStyle(one.querySelector('.ring')).stroke"
            " : getComputedStyle(one).outlineStyle)(document.activeElement)"
        )
        assert ring != "none", order[-1]
    assert order == DOTS + CONTROLS + BUTTONS + CHALLENGES
    stroke = "getComputedStyle(document.querySelector('#point-B .ring')).stroke"
    assert page.js(stroke) == "none", "seen on the focused one only"


@needs_a_browser
def test_arrow_keys_move_a_point_and_letters_switch_its_pairs(page):
    put(page, points=np.zeros((6, 2)))
    page.js("addEventListener('keydown', event => { window.stopped = event.defaultPrevented; })")
    go_to(page, "point-B")
    assert page.js("stopped") is False
    page.press("ArrowRight", "ArrowRight", "ArrowUp")
    assert page.js("stopped") is True, "or the page would scroll"
    page.press("ArrowLeft", "ArrowDown", shift=True)
    after = np.array(page.js("laboratory.read().points"))
    np.testing.assert_allclose(after[1], [0.19, 0.09], atol=1e-12)
    assert not np.delete(after, 1, axis=0).any()
    assert shown(page, "say").startswith("Point B at 0.1900, 0.0900, net force")
    page.press("d", "b", "A")
    changed = np.flatnonzero(np.array(page.js("laboratory.read().labels")) != RING)
    assert [BUTTONS[k] for k in changed] == ["pair-AB", "pair-BD"]
    assert shown(page, "who") == "B" and focused(page) == "point-B"


@needs_a_browser
def test_every_control_works_by_keyboard(page):
    put(page)
    go_to(page, "step")
    page.press("Enter")
    _, net, _ = by_library(POINTS, RING, 1.0)
    np.testing.assert_allclose(page.js("laboratory.read().points"), POINTS + RATE * net, rtol=BOUND)
    page.press("Tab", "Space")
    page.until("document.getElementById('say').textContent.startsWith('Equilibrium')")
    assert shown(page, "run") == "Run" and page.js("laboratory.read().largest") <= 1e-6
    page.press("Tab", "Enter")
    assert page.js("laboratory.read().largest") > 1e-6 and shown(page, "say") == ""
    page.press("Tab", "ArrowRight", "ArrowRight")
    assert page.js("laboratory.read().margin") == pytest.approx(1.1) and shown(page, "m") == "1.10"
    page.press("Tab", "Space")
    assert page.js("laboratory.read().similarOnly") is True
    page.press("Tab", "ArrowDown")
    assert page.js("laboratory.read().labels") == CHAIN.tolist()
    page.press("ArrowDown")
    groups = np.where((FIRST < 3) == (SECOND < 3), SIMILAR, DISSIMILAR)
    assert page.js("laboratory.read().labels") == groups.tolist()
    page.press("Tab", "Enter")
    assert page.js("laboratory.read().labels[0]") == DISSIMILAR


@needs_a_browser
def test_run_can_be_paused_and_goes_at_once_for_those_who_want_no_motion(page):
    put(page)
    page.js("document.getElementById('run').click()")
    assert shown(page, "run") == "Pause"
    page.js("document.getElementById('run').click()")
    assert shown(page, "run") == "Run" and shown(page, "say") == ""
    page.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    page.js("document.getElementById('run').click()")
    assert page.js("laboratory.read().largest") <= 1e-6 and shown(page, "run") == "Run"
    page.cdp("Emulation.setEmulatedMedia", features=[])


@needs_a_browser
def test_a_screen_reader_has_a_name_for_everything(page):
    put(page)
    force = hypot(*by_library(POINTS, RING, 1.0)[1][2])
    assert page.label("point-C") == f"Point C at {POINTS[2][0]:.4f}, {POINTS[2][1]:.4f}, net force {force:.4f}".replace(
        "-", "−"
    )
    assert page.label("pair-AB") == "A B: similar"
    assert page.label("margin").startswith("Margin m")
    assert all(page.label(identifier) for identifier in DOTS + CONTROLS + BUTTONS + CHALLENGES + ["stage", "chart"])
    assert page.js("document.getElementById('say').getAttribute('aria-live')") == "polite"
    assert page.js("document.documentElement.lang") == "en"


# ---- on a phone, and in the dark ----


@needs_a_browser
def test_a_phone_scrolls_down_only_and_every_control_can_be_reached_and_hit(phone):
    phone.call("refresh")
    width = phone.js("innerWidth")
    assert width == 390
    assert phone.js("document.documentElement.scrollWidth") <= width
    for identifier in DOTS + CONTROLS + BUTTONS + CHALLENGES:
        box, hit = phone.js(
            """(one => { one.scrollIntoView({block: "center"}); const box = one.getBoundingClientRect();
            const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            return [(one.closest("label") || one).getBoundingClientRect().toJSON(), one.contains(seen)]; })
            (document.getElementById(arguments[0]))""",
            identifier,
        )
        assert hit, identifier
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, identifier
        assert box["height"] >= 44 and box["width"] >= 44, identifier


@needs_a_browser
def test_a_finger_drags_a_point_and_does_not_scroll(phone):
    phone.call("refresh")
    put(phone)
    scrolled = phone.js("(scrollTo(0, 0), scrollY)")
    (x, y), unit = middle(phone, "#point-B .dot"), phone.js("document.getElementById('stage').clientWidth / 2.9")
    phone.drag((x, y), (x + 10, y - 20), (x + 20, y - 50), pointer="touch")
    after = np.array(phone.js("laboratory.read().points"))
    np.testing.assert_allclose(after[1], POINTS[1] + np.array([20, 50]) / unit, atol=0.02)
    assert phone.js("scrollY") == scrolled


@needs_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(page, scheme):
    page.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    colours = page.js(
        """["ink", "dim", "similar", "dissimilar", "card", "ground"].map(name => {
        document.body.style.color = `var(--${name})`; return getComputedStyle(document.body).color; })"""
    )
    *texts, card, ground = (luminance(colour) for colour in colours)
    assert (card > 0.5) == (scheme == "light")
    for text in texts:
        for behind in (card, ground):
            assert (max(text, behind) + 0.05) / (min(text, behind) + 0.05) >= 4.5
    page.cdp("Emulation.setEmulatedMedia", features=[])


def luminance(colour):
    """The relative luminance of rgb(r, g, b), as the Web Content Accessibility Guidelines define it."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    ]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@needs_a_browser
def test_the_page_has_no_complaint(page):
    put(page)
    page.js("laboratory.settle()")
    assert page.call("se/log", type="browser") == []
