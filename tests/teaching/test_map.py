"""The map laboratory: its network, pullback, loss and shifts are drlim_np's, and a hand can do what it promises."""

import numpy as np
import pytest

from drlim_np.data import SHIFTS, shifted
from drlim_np.loss import contrastive
from drlim_np.networks import convnet

PAGE = "map"
BOUND = 1e-5  # of the largest, in float32
STILL = {"right": 0, "down": 0, "turn": 0, "slant": 0, "thick": 0}


@pytest.fixture(scope="module")
def fifty(digits):
    """(50, 1, 32, 32): the digits as the page has them, and twenty strokes of a pen."""
    rng = np.random.default_rng(1)
    drawn = np.zeros((20, 1, 32, 32), np.float32)
    for one in drawn:
        (r, c), (dr, dc) = rng.uniform(8, 24, 2), rng.uniform(-0.6, 0.6, 2)
        for t in range(12):
            one[0, int(r + t * dr), int(c + t * dc)] = rng.uniform(0.3, 1)
    return np.concatenate([np.rint(digits[0] * 255).astype(np.float32) / np.float32(255), drawn])


def draw(page, image):
    page.js("laboratory.set({image: arguments[0]})", image.ravel().tolist())


def transformed(page, image, **moved):
    """The image (32, 32) as the page moves it."""
    call = "Array.from(laboratory.transformed(arguments[0], arguments[1]))"
    return np.reshape(page.js(call, image.ravel().tolist(), STILL | moved), (32, 32))


@pytest.mark.parametrize("which", [0, 1])
def test_fifty_digits_go_where_the_library_puts_them_and_pull_back_as_there(desk, maps, fifty, which):
    network, params = convnet(), list(maps.values())[which]
    dz = np.random.default_rng(2).standard_normal((50, 2)).astype(np.float32)
    z, pullback = network(params, fifty)
    dx = pullback(dz, wrt_input=True).input.reshape(50, -1)
    call = """arguments[0].map((x, k) => { const net = laboratory.nets[arguments[2]], seen = laboratory.forward(net, x);
        return [seen.z, Array.from(laboratory.pullback(net, seen, arguments[1][k]))]; })"""
    found = desk.js(call, fifty.reshape(50, -1).tolist(), dz.tolist(), which)
    for given, true in zip(zip(*found, strict=True), (z, dx), strict=True):
        np.testing.assert_allclose(list(given), true, rtol=0, atol=BOUND * np.abs(true).max())
    assert np.ptp(z, axis=0).min() > 0.05 and np.abs(dx).max() > 0.01


def test_a_shift_by_whole_pixels_is_the_librarys(desk, fifty):
    for shift, there in zip(SHIFTS, shifted(fifty[:1]), strict=True):
        np.testing.assert_array_equal(transformed(desk, fifty[0], right=shift).astype(np.float32), there[0])


def test_turn_is_clockwise_slant_leans_to_the_right_and_thickness_goes_both_ways(desk):
    bar = np.zeros((32, 32))
    bar[8:24, 15:17] = 1
    leaning = transformed(desk, bar, slant=0.5)
    top, bottom = (leaning[row] @ np.arange(32) / leaning[row].sum() for row in (9, 22))
    assert top - bottom == pytest.approx(0.5 * (22 - 9), abs=0.1)
    column = np.tile(np.eye(32)[16], (32, 1))
    np.testing.assert_allclose(transformed(desk, column, turn=90), column.T, atol=1e-6)
    right = np.zeros((32, 32))
    right[15:17, 24:26] = 1
    row, _ = np.unravel_index(transformed(desk, right, turn=90).argmax(), (32, 32))
    assert row >= 24, "what was to the right is below"
    thick, half = (transformed(desk, bar, thick=t)[16] for t in (1, 0.5))
    assert np.flatnonzero(thick).tolist() == [14, 15, 16, 17] and half[[14, 15]].tolist() == [0.5, 1]
    assert not transformed(desk, bar, thick=-1).any()


def test_a_pairs_loss_and_forces_are_the_librarys(desk):
    rng = np.random.default_rng(4)
    for z1, z2 in [*rng.normal(size=(8, 2, 2)) * 0.5, np.zeros((2, 2))]:
        for y in (0, 1):
            loss, dz1, _ = contrastive(z1[None], z2[None], [y], 0.8)
            found = desk.js("laboratory.pairLoss(...arguments, 0.8)", z1.tolist(), z2.tolist(), y)
            assert found["loss"] == pytest.approx(float(loss), rel=1e-12)
            np.testing.assert_allclose(found["dz1"], dz1[0], rtol=1e-12, atol=1e-15)


def test_the_nearest_are_the_nearest_of_all_shifts(page, maps, fifty):
    draw(page, fifty[40])
    params = list(maps.values())[1]
    places, z = convnet()(params, shifted(fifty[:30]))[0], convnet()(params, fifty[40:41])[0]
    order = np.argsort(np.linalg.norm(places - z, axis=1))[:5]
    found = page.js("laboratory.nearest(1)")
    assert [(one["digit"], one["shift"]) for one in found] == [(k // 5, SHIFTS[k % 5]) for k in order]
    assert found[0]["d"] > 0


def test_both_towers_reach_the_pixels(page, maps, fifty):
    params = next(iter(maps.values()))
    draw(page, fifty[20])
    page.until("document.querySelector('#far').textContent")  # which moves the button down
    page.drag(page.middle("#second"))
    draw(page, fifty[3])
    (z1, pullback1), (z2, pullback2) = (convnet()(params, fifty[k : k + 1]) for k in (3, 20))
    _, dz1, dz2 = contrastive(z1, z2, [0], 0.8)
    found = page.js("laboratory.gradients(0, laboratory.towers()[0]).map(dx => Array.from(dx))")
    for given, pullback, dz in zip(found, (pullback1, pullback2), (dz1, dz2), strict=True):
        true = pullback(dz, wrt_input=True).input.ravel()
        np.testing.assert_allclose(given, true, rtol=0, atol=BOUND * np.abs(true).max())
    assert "D = " in page.text("pair")


def test_the_mouse_draws_on_blank_paper_and_the_point_moves_with_it(page):
    before = page.js("laboratory.read().z")
    x, y = page.middle("#pad")
    page.drag((x - 40, y - 40), (x, y), (x + 40, y + 50))
    after = page.js("laboratory.read()")
    assert not after["empty"] and np.abs(np.array(after["z"]) - before).min() > 1e-4
    ink = page.of("#pad", "Array.from(one.getContext('2d').getImageData(0, 0, 32, 32).data)")
    drawn = np.reshape(ink, (32, 32, 4))[..., 0]
    row, column = np.indices((32, 32))
    assert drawn[16, 16] == 255 and not drawn[np.abs(row - column) > 5].any(), "the digit that was there is gone"


def test_blank_paper_and_a_scribble_get_a_sentence(page, fifty):
    page.drag(page.middle("#clear"))
    assert page.js("laboratory.read().empty") and page.text("say").startswith("Nothing is drawn")
    page.js("laboratory.set({image: Array.from({length: 1024}, (_, k) => (k % 32 + (k >> 5)) % 3 === 0 ? 1 : 0)})")
    assert page.text("say").startswith("Unlike every 4 and 9")
    draw(page, fifty[7])
    assert page.text("say") == ""


def test_a_slider_moves_the_digit_leaves_a_trail_and_the_curve_follows(page):
    page.focus("right")
    before = page.js("laboratory.read().z")
    page.press("ArrowRight", "ArrowRight")
    after = page.js("laboratory.read()")
    assert after["moved"]["right"] == 1 and after["z"] != before
    for scheme in ("dark", "light", ""):
        page.prefer("prefers-color-scheme", scheme)
    page.until("laboratory.read().curve.length === 17")
    assert page.call("se/log", type="browser") == [], "other colours while the curve is computed are no fault"
    np.testing.assert_allclose(page.js("laboratory.read().curve")[8], before, rtol=1e-6)
    page.until("document.getElementById('far').textContent.includes('up to')")
    assert all(page.label(identifier) for identifier in ("layers", "curve", "pull-0"))
    assert page.label("map-1").startswith("Figure 7</script>: the digit is at")
    assert page.text("numbers") == "Measured elsewhere."


@pytest.mark.parametrize("how", ["mouse", "keys"])
def test_the_answer_is_hidden_until_one_has_guessed(page, how):
    page.click("guessing")
    assert "hidden" in page.label("map-0") and "Press a map" in page.text("say")
    assert set(page.each(".near span", "one.textContent")) == {"?"}
    if how == "mouse":
        page.drag(page.middle("#map-0"))
    else:
        page.focus("map-0")
        page.press("ArrowLeft", "Enter")
    assert "the digit is at" in page.label("map-0") and "% of the map off in Figure 5" in page.text("say")


OTHER = "no whole number of cells"
MOVES = [(3, "1 cell further"), (-6, "2 cells further"), (0, "by 3, then by 1"), (1, OTHER), (-4, OTHER), (2.5, OTHER)]


def test_moved_by_threes_the_maps_of_s2_move_by_cells_and_c3_answers_else_they_are_other_maps(page, fifty):
    draw(page, fifty[3])
    for right, said in MOVES:
        page.js("laboratory.set({moved: {right: arguments[0]}})", right)
        cells = page.text("cells")
        assert said in cells and ("C3 alone answers" in cells) == (right in (3, -6))
        assert right % 3 == 0 or "0.00" not in cells
