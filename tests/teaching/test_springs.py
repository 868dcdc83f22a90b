"""The spring laboratory in a browser: its numbers against drlim_np.loss, and every way to work it."""

import re
from itertools import product
from math import hypot

import numpy as np
import pytest

from drlim_np.figures.figure2 import BLUE, DISSIMILAR, RED, SCALE, SIMILAR
from drlim_np.loss import contrastive, energy
from tests.help.comparing import BOUND

PAGE = "springs"
RATE = 0.1
FIRST, SECOND = np.triu_indices(6, k=1)
ENDS = np.eye(6)[FIRST] - np.eye(6)[SECOND]  # of each pair: 1 at its first point, -1 at its second
RING = np.where(np.isin(SECOND - FIRST, [1, 5]), SIMILAR, DISSIMILAR)
CHAIN = np.where(SECOND - FIRST == 1, SIMILAR, DISSIMILAR)
GROUPS = np.where((FIRST < 3) == (SECOND < 3), SIMILAR, DISSIMILAR)
NOBODY, ALL = np.full(15, DISSIMILAR), np.full(15, SIMILAR)
POINTS = np.random.default_rng(0).uniform(-1.2, 1.2, (6, 2))
CONTROLS = ["step", "run", "scatter", "margin", "only", "preset"]
BUTTONS = [f"pair-{'ABCDEF'[i]}{'ABCDEF'[j]}" for i, j in zip(FIRST, SECOND, strict=True)]
CHALLENGES = [f"challenge-{name}" for name in ("square", "ring", "clusters")]
DOTS = [f"point-{letter}" for letter in "ABCDEF"]
HURRY = "(requestAnimationFrame = frame => setTimeout(frame), 0)"  # an animation that does not wait for the screen
AT_REST = "document.getElementById('say').textContent.startsWith('Equilibrium')"


def change(page, **state):
    """Sets a part of the system through the page's own function; returns what the page computes of it."""
    page.js("laboratory.set(arguments[0])", {name: np.asarray(value).tolist() for name, value in state.items()})
    return page.js("laboratory.read()")


def put(page, points=POINTS, labels=RING, margin=1.0, similar_only=False):
    """The same for all of it."""
    return change(page, points=points, labels=labels, margin=margin, similarOnly=similar_only)


def read(page, name):
    return page.js(f"laboratory.read().{name}")


def by_library(points, labels, margin, similar_only=False):
    """Loss, net forces (6, 2) and forces on the first point of each pair (15, 2), by drlim_np.loss."""
    points, labels, each = np.asarray(points, float), np.asarray(labels), np.zeros((15, 2))
    counts = (labels == SIMILAR) | (not similar_only)
    loss, dz1, _ = contrastive(points[FIRST][counts], points[SECOND][counts], labels[counts], margin)
    each[counts] = -dz1
    return loss, ENDS.T @ each, each


def assert_as_in_the_library(found):
    loss, net, each = by_library(found["points"], found["labels"], found["margin"], found["similarOnly"])
    assert abs(found["loss"] - loss) <= BOUND * loss
    assert np.linalg.norm(found["net"] - net) <= BOUND * np.linalg.norm(each)
    np.testing.assert_allclose([pair["force"] for pair in found["springs"]], each, rtol=BOUND, atol=0)
    d = np.linalg.norm(ENDS @ np.array(found["points"], float), axis=1)
    np.testing.assert_allclose([pair["d"] for pair in found["springs"]], d, rtol=BOUND, atol=0)
    assert found["largest"] == pytest.approx(np.linalg.norm(found["net"], axis=1).max(), rel=BOUND)


def spread(page):
    """The largest distance of two points."""
    return max(pair["d"] for pair in page.js("laboratory.read().springs"))


def numbers(text):
    return [float(found) for found in re.findall(r"-?[\d.]+", text.replace("−", "-"))]


def vertices(page, query):
    """The corners of each path drawn, in the unit of the points."""
    return [np.array(numbers(d)).reshape(-1, 2) for d in page.each(query, "one.getAttribute('d')")]


def test_it_is_short_and_its_colours_and_the_length_of_arrows_are_those_of_figure_2(html):
    assert f"--similar: {RED.lower()}; --dissimilar: {BLUE.lower()};" in html[PAGE]
    assert f"SCALE = {SCALE}," in html[PAGE] and f"RATE = {RATE}," in html[PAGE]
    assert len(html[PAGE].splitlines()) < 500


def systems():
    """Random ones, and pairs in one place, within the margin, at it, and beyond it."""
    for seed, margin, similar_only in product(range(4), (0.2, 1.0, 1.5), (False, True)):
        rng = np.random.default_rng(seed)
        yield rng.uniform(-1.2, 1.2, (6, 2)), rng.integers(0, 2, 15), margin, similar_only
    for d, labels in product((0, 0.75, 1, 1.25, 2), (NOBODY, ALL)):
        yield np.array([[0, 0], [d, 0], [9, 0], [0, 9], [-9, 0], [0, -9]]), labels, 1.0, False


def test_forces_and_loss_are_the_librarys_and_a_step_goes_down_the_gradient(desk):
    for points, labels, margin, similar_only in systems():
        found = put(desk, points, labels, margin, similar_only)
        np.testing.assert_array_equal(found["points"], points)
        assert_as_in_the_library(found)
        desk.js("laboratory.step()")
        _, net, _ = by_library(points, labels, margin, similar_only)
        np.testing.assert_allclose(read(desk, "points"), points + RATE * net, rtol=BOUND, atol=BOUND)


def test_what_the_page_shows_and_tells_a_screen_reader_are_those_numbers(page):
    found = put(page)
    similar = by_library(POINTS, RING, 1.0, similar_only=True)[0]
    losses = {"loss": [found["loss"]], "loss-similar": [similar], "loss-dissimilar": [found["loss"] - similar]}
    for name, values in (losses | {"largest": [found["largest"]], "force": found["net"][0]}).items():
        np.testing.assert_allclose(numbers(page.text(name)), values, atol=5e-5)
    assert page.text("who") == "A"
    force = hypot(*found["net"][2])
    place = f"Point C at {POINTS[2][0]:.4f}, {POINTS[2][1]:.4f}, net force {force:.4f}"
    assert page.label("point-C") == place.replace("-", "−")
    assert page.label("pair-AB") == "A B: similar" and page.label("margin").startswith("Margin m")
    assert page.label("stage") and page.label("chart")
    assert page.of("#say", "one.getAttribute('aria-live')") == "polite"


@pytest.mark.parametrize("chosen", [0, 2, 4])
def test_arrows_are_the_forces_and_springs_that_exert_none_are_slack(desk, chosen):
    _, net, forces = by_library(POINTS, RING, 1.0)
    put(desk)
    desk.focus(DOTS[chosen])
    for at, force, corners in zip(POINTS, net, vertices(desk, ".net"), strict=True):
        np.testing.assert_allclose(corners[3], at + SCALE * force, atol=1e-4)
    for other, corners in enumerate(vertices(desk, ".push")):
        on_chosen = (ENDS[:, chosen] * ENDS[:, other] ** 2) @ forces * (other != chosen)
        if on_chosen.any():
            np.testing.assert_allclose(corners[3], POINTS[chosen] + SCALE * on_chosen, atol=1e-4)
        else:
            assert corners.size == 0
    slack = desk.each(".spring", "one.classList.contains('slack')")
    assert slack == [not force.any() for force in forces]
    assert True in slack and False in slack
    for corners, i, j in zip(vertices(desk, ".spring"), FIRST, SECOND, strict=True):
        np.testing.assert_allclose(corners[[0, -1]], POINTS[[i, j]], atol=1e-4)


@pytest.mark.parametrize("labels", [RING, CHAIN])
def test_it_settles_where_the_library_finds_no_net_force_and_does_not_collapse(desk, labels):
    before = put(desk, labels=labels)
    assert 10 < desk.js("laboratory.settle()") < 20000
    found = desk.js("laboratory.read()")
    _, net, forces = by_library(found["points"], labels, 1.0)
    assert found["loss"] < before["loss"]
    assert np.linalg.norm(net, axis=1).max() <= 1e-6 < np.linalg.norm(forces, axis=1).max()
    assert min(pair["d"] for pair in found["springs"]) > 0.2
    assert "Equilibrium" in desk.text("say") and "collapse" not in desk.text("say")


COLLAPSES = [
    (RING, "This is the collapse"),
    (CHAIN, "This is the collapse"),
    (GROUPS, "each group has collapsed to one"),
]


@pytest.mark.parametrize(("labels", "words"), COLLAPSES)
def test_with_similar_pairs_only_what_hangs_together_collapses_and_the_push_undoes_it(desk, labels, words):
    put(desk, labels=labels, similar_only=True)
    assert words in rest(desk) and desk.text("loss-dissimilar") == "off"
    found = desk.js("laboratory.read()")
    points = np.array(found["points"])
    for part in [range(3), range(3, 6)] if labels is GROUPS else [range(6)]:
        assert np.ptp(points[part], axis=0).max() < 1e-4
        np.testing.assert_allclose(points[part].mean(axis=0), POINTS[part].mean(axis=0), atol=1e-9)
    assert found["loss"] < 1e-9
    assert_as_in_the_library(found)
    assert "collapse" not in rest(desk, similarOnly=False) and spread(desk) > 0.5


def test_similar_only_sets_the_points_in_motion_both_ways(page):
    page.js(HURRY)
    put(page)
    page.drag(page.middle("#only"))
    assert page.text("run") == "Pause"
    page.until("document.getElementById('say').textContent.includes('This is the collapse')")
    assert spread(page) < 1e-4
    page.drag(page.middle("#only"))
    page.until(AT_REST)
    assert spread(page) > 0.5


def test_the_list_names_the_similar_pairs_as_they_are_and_any_entry_can_be_chosen_again(page):
    def listed():
        return page.of("#preset", "one.selectedOptions[0].textContent")

    put(page, labels=CHAIN)
    assert listed() == "chain"
    page.drag(page.middle("#pair-CE"))
    assert listed() == "your own"
    page.focus("preset")
    page.press("r")
    assert read(page, "labels") == RING.tolist() and listed() == "ring"


@pytest.mark.parametrize("together", ["ABC", "DEF", "AD", "ABCDEF"])
def test_points_in_one_place_show_every_letter_next_to_the_other(desk, together):
    put(desk, points=[[0, 0] if letter in together else [1.2, k / 2 - 1] for k, letter in enumerate("ABCDEF")])
    widths = desk.each(".point text", "one.getBoundingClientRect().width")
    assert len(widths) == 6 and min(widths) > 3 and desk.js("overlapping()") == []
    beside = [desk.of(f"#{dot} text", "one.classList.contains('beside')") for dot in DOTS]
    assert beside == [letter in together for letter in "ABCDEF"]


def rest(page, **state):
    """Sets a part of the system, lets it settle, and returns what is said."""
    change(page, **state)
    page.js("laboratory.settle()")
    return page.text("say")


def met(page, challenge):
    return page.of(f"#challenge-{challenge}", "one.classList.contains('met')")


def similar(*names):
    return np.where([button[-2:] in names for button in BUTTONS], SIMILAR, DISSIMILAR)


def test_a_challenge_says_what_is_asked_and_nothing_is_judged_that_was_not_taken_up(page):
    for challenge in ("square", "ring", "clusters"):
        page.click(f"challenge-{challenge}")
        assert page.text("say") and not met(page, challenge)
        assert page.js("document.querySelectorAll('[aria-pressed=true]').length") == 1
    page.call("refresh")
    assert "Met" not in rest(page, labels=similar("AB", "BC", "CD", "AD")) and not met(page, "square")


SQUARE = [[-1, -1], [1, -1], [1, 1], [-1, 1], [0, 3], [3, 0]]
TRIES = {  # what is put, and what is said once it is at rest; the last meets the challenge
    "square": [
        ({}, "no four points"),  # a hexagon has no square in it
        ({"points": SQUARE, "labels": NOBODY}, "no spring holds"),
        ({"points": POINTS, "labels": similar("AB", "BC", "CD", "AD")}, "a rectangle"),  # a ring leans
        ({"points": POINTS, "labels": similar("AE", "BE", "CE", "DE")}, "Met"),
    ],
    "clusters": [
        ({}, "Not yet"),
        ({"points": POINTS, "labels": GROUPS}, "fewer"),
        ({"points": POINTS, "labels": similar("AB", "CD", "EF")}, "Not yet: 3 clusters"),
        ({"points": POINTS, "labels": similar("AB", "BC", "DE"), "similarOnly": True}, "Not yet"),
        ({"points": POINTS, "labels": similar("AB", "BC", "DE", "EF"), "similarOnly": False}, "Met"),
    ],
}


@pytest.mark.parametrize("challenge", TRIES)
def test_a_challenge_is_met_by_what_it_asks_alone_and_stays_so(page, challenge):
    page.click(f"challenge-{challenge}")
    for state, words in TRIES[challenge]:
        assert not met(page, challenge)
        assert words in rest(page, **state)
    assert page.text("say").startswith("Met") and met(page, challenge)
    if challenge == "square":
        found = np.array(read(page, "points"))
        by_hand = (1 + np.sqrt(2)) / 5  # the fifth pulls by D, two neighbours push by m - √2 D, one opposite by m - 2 D
        np.testing.assert_allclose(energy(found[:4], found[[4, 4, 4, 4]]), by_hand, rtol=1e-4)
    rest(page, labels=RING)
    assert met(page, challenge)


def test_the_ring_opens_up_to_one_margin_and_the_challenge_is_met_there_alone(page):
    page.click("challenge-ring")
    start, opened_at, met_at = read(page, "points"), [], []
    for margin in np.arange(4, 31) / 20:
        said = rest(page, points=start, labels=RING, margin=margin)
        found = np.array(read(page, "points"))
        sides = energy(found, np.roll(found, -1, axis=0))
        hexagon = bool(np.ptp(sides) < 1e-3 * margin)
        assert said.startswith("Not yet: it stays twisted") == (not hexagon)
        if hexagon:  # by hand: D = (1 + √3)/6 m
            opened_at.append(margin)
            np.testing.assert_allclose(sides, (1 + np.sqrt(3)) / 6 * margin, rtol=1e-4)
        met_at += [margin] if said.startswith("Met") else []
    assert 3 < len(opened_at) < 24 and opened_at == sorted(opened_at) and opened_at[0] == 0.2
    assert met_at == [max(opened_at)] and met(page, "ring")


@pytest.mark.parametrize("size", ["phone"])
def test_on_a_phone_every_control_can_be_reached_and_is_large_enough_to_hit(page):
    controls = page.each("button, input, select, [tabindex]", "one.id")
    assert controls == DOTS + CONTROLS + BUTTONS + CHALLENGES
    for identifier in controls:
        page.scroll_to(identifier)
        assert page.of(f"#{identifier}", "inFront(one)"), identifier
        box = page.of(f"#{identifier}", "(one.closest('label') || one).getBoundingClientRect().toJSON()")
        assert box["left"] >= 0 and box["right"] <= 390 and min(box["height"], box["width"]) >= 44, identifier


@pytest.mark.parametrize(("size", "pointer", "right", "up"), [("desk", "mouse", 60, 30), ("phone", "touch", 20, 50)])
def test_a_point_is_dragged_and_the_rest_stays(page, size, pointer, right, up):
    put(page)
    scrolled = page.js("(scrollTo(0, 0), scrollY)")
    unit = page.of("#stage", "one.clientWidth / 2.9")
    x, y = page.middle("#point-B .dot")
    page.drag((x, y), (x + right / 2, y - up / 3), (x + right, y - up), pointer=pointer)
    after = np.array(read(page, "points"))
    np.testing.assert_allclose(after[1], POINTS[1] + np.array([right, up]) / unit, atol=0.02)
    np.testing.assert_array_equal(np.delete(after, 1, axis=0), np.delete(POINTS, 1, axis=0))
    assert page.text("who") == "B" and page.js("scrollY") == scrolled
    if size == "desk":
        page.drag((x + 200, y + 40), (x, y))
        np.testing.assert_array_equal(read(page, "points"), after)


def test_a_point_stays_on_the_drawing_and_in_the_hand_while_the_others_move(page):
    put(page)
    page.drag(page.middle("#point-A .dot"), (2, 2), release=False)
    held = np.array(read(page, "points"))
    assert held[0].tolist() == [-1.35, 1.35]
    page.js("laboratory.step()")
    _, net, _ = by_library(held, RING, 1.0)
    net[0] = 0
    np.testing.assert_allclose(read(page, "points"), held + RATE * net, rtol=BOUND)
    page.call("actions", method="DELETE")
    page.js("laboratory.step()")
    assert read(page, "points[0]") != [-1.35, 1.35]


def test_pressing_a_spring_or_its_button_switches_the_pair(page):
    put(page, points=[[-1, -1], [1, -1], [1, 1], [-1, 1], [0.2, 0.7], [0.9, 0.1]])
    place = page.middle(".hit[data-pair='0']")
    page.drag(place)
    assert read(page, "labels[0]") == DISSIMILAR
    assert page.text("say") == "A B is dissimilar"
    page.drag(place)
    page.drag(page.middle("#pair-CE"))
    after = np.array(read(page, "labels"))
    assert np.flatnonzero(after != RING).tolist() == [BUTTONS.index("pair-CE")]
    assert page.label("pair-CE") == "C E: similar" and page.text("pair-CE") == "C→←E"


def test_arrow_keys_move_a_point_and_letters_switch_its_pairs(page):
    put(page, points=np.zeros((6, 2)))
    page.js("addEventListener('keydown', event => { window.stopped = event.defaultPrevented; })")
    page.focus("point-A")
    page.press("Tab")
    assert page.js("stopped") is False
    rings = page.each(".ring", "getComputedStyle(one).stroke !== 'none'")
    assert rings == [False, True, False, False, False, False], "the focus is seen on one only"
    page.press("ArrowRight", "ArrowRight", "ArrowUp")
    assert page.js("stopped") is True, "or the page would scroll"
    page.press("ArrowLeft", "ArrowDown", shift=True)
    after = np.array(read(page, "points"))
    np.testing.assert_allclose(after[1], [0.19, 0.09], atol=1e-12)
    assert not np.delete(after, 1, axis=0).any()
    assert page.text("say").startswith("Point B at 0.1900, 0.0900, net force")
    page.press("d", "b", "A")
    changed = np.flatnonzero(np.array(read(page, "labels")) != RING)
    assert [BUTTONS[k] for k in changed] == ["pair-AB", "pair-BD"]
    assert page.text("who") == "B" and page.js("document.activeElement.id") == "point-B"


def test_every_control_works_by_keyboard(page):
    page.js(HURRY)
    put(page)
    page.focus("step")
    page.press("Enter")
    _, net, _ = by_library(POINTS, RING, 1.0)
    np.testing.assert_allclose(read(page, "points"), POINTS + RATE * net, rtol=BOUND)
    page.press("Tab", "Space")
    page.until(AT_REST)
    assert page.text("run") == "Run" and read(page, "largest") <= 1e-6
    page.press("Tab", "Enter")
    assert read(page, "largest") > 1e-6 and page.text("say") == ""
    page.press("Tab", "ArrowRight", "ArrowRight")
    assert read(page, "margin") == pytest.approx(1.1) and page.text("m") == "1.10"
    page.press("Tab", "Space")
    assert read(page, "similarOnly") is True
    page.press("Tab", "ArrowDown")
    assert read(page, "labels") == CHAIN.tolist()
    page.press("ArrowDown")
    assert read(page, "labels") == GROUPS.tolist()
    page.press("Tab", "Enter")
    assert read(page, "labels[0]") == DISSIMILAR


def test_run_can_be_paused_and_goes_at_once_for_those_who_want_no_motion(page):
    put(page)
    page.click("run")
    assert page.text("run") == "Pause"
    page.click("run")
    assert page.text("run") == "Run" and page.text("say") == ""
    page.prefer("prefers-reduced-motion", "reduce")
    page.click("run")
    assert read(page, "largest") <= 1e-6 and page.text("run") == "Run"
    page.prefer("prefers-reduced-motion", "")
