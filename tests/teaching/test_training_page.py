"""The training laboratory: its Step 2 is `verbatim.update`, as it is and with each mistake, fast enough to watch."""

import inspect
import time
from functools import cache

import numpy as np
import pytest

from drlim_np import verbatim
from drlim_np.data import AZIMUTHS
from drlim_np.graph import nearest_neighbour_graph
from drlim_np.measure.cylinder import fit_views, organisation
from drlim_np.teaching.laboratories import BLOCK, MISTAKES, NEIGHBOURS, blocks
from tests.help.small_views import UNSEEN, blobs

PAGE = "training"
EXACT = 1e-12
VIEWS = blobs()
SEEN = np.delete(np.arange(972), UNSEEN)
SMALL, KEPT, GROUND = blocks(VIEWS, UNSEEN)
X = BLOCK * (SMALL[:, KEPT] - GROUND[KEPT]) / 255  # (972, pixels) float64: the inputs as the page has them
BY_CAMERA = verbatim.similar_views(VIEWS.azimuth[SEEN], VIEWS.elevation[SEEN], AZIMUTHS)
PAIRS = verbatim.pair_up(BY_CAMERA)  # (3, 217,470) indices of X[SEEN], and Y
LINES = {"": (), **{name: lines for name, (_, *lines) in MISTAKES.items()}}
EACH = pytest.mark.parametrize("wrong", LINES, ids=lambda name: name or "as it is")
LISTED = "(({A, a, B, b}) => [A, a, B, b].map(w => Array.from(w)))(laboratory.W())"
VERDICT = """(({seen, W, verdict}, i, j, Y, wrong) => verdict(W(), seen[i], seen[j], Y, 1, wrong))
    (laboratory, ...arguments)"""
SWEEP = """((given, m, rate, wrong) => { const {seen, update, scratch, W} = laboratory, t = scratch(W().hidden);
    for (const [i, j, Y] of given) update(W(), seen[i], seen[j], Y, m, rate, wrong, t); })(...arguments) || 0"""
DRAWINGS = """(kind => { const clear = kind.clearRect; window.drawings = 0;
    kind.clearRect = function(...box) { drawings += this.canvas.id === "map"; clear.apply(this, box); };
})(CanvasRenderingContext2D.prototype) || 0"""


def weights(page):
    """W as `verbatim` has it, in float64."""
    A, a, B, b = (np.array(w, float) for w in page.js(LISTED))
    return A.reshape(-1, len(a)).T.copy(), a, B.reshape(3, len(a)), b


@cache
def planted(name):
    """`verbatim.update` with the lines of that mistake in the place of its own."""
    source = inspect.getsource(verbatim.update)
    for line, wrong in LINES[name]:
        assert source.count(line) == 1, line
        source = source.replace(line, wrong)
    found = {}
    exec(source, vars(verbatim) | {}, found)  # the module's own names, and the function apart from them
    return found["update"]


def of_all_kinds(page, seed, each):
    """(3 each, 3) of the pairs: similar, dissimilar and nearer than m, and beyond it, in random order."""
    rng, W = np.random.default_rng(seed), weights(page)
    z = np.array([verbatim.G(W, one)[0] for one in X[SEEN]])
    D, Y = np.linalg.norm(z[PAIRS[0]] - z[PAIRS[1]], axis=1), PAIRS[2]
    kinds = [Y == 0, (Y == 1) & (D < 1), (Y == 1) & (D > 1)]
    chosen = np.concatenate([rng.choice(np.flatnonzero(kind), each, replace=False) for kind in kinds])
    return PAIRS.T[rng.permutation(chosen)]


def moved_alike(page, pairs, wrong):
    """How far the mistake moves W from where it belongs; the page must move it as the planted update does."""
    expected, right = list(weights(page)), list(weights(page))
    page.js(SWEEP, np.asarray(pairs).tolist(), 1.0, 0.01, wrong)
    for i, j, Y in pairs:
        for W, update in ((expected, planted(wrong)), (right, verbatim.update)):
            update(W, X[SEEN[i]], X[SEEN[j]], Y, 1.0, 0.01)
    for found, w in zip(weights(page), expected, strict=True):
        np.testing.assert_allclose(found, w, rtol=0, atol=EXACT * np.abs(w).max())
    return max(np.abs(one - other).max() for one, other in zip(expected, right, strict=True))


@EACH
def test_two_hundred_pairs_of_all_kinds_move_w_as_verbatim_does_as_it_is_and_with_each_mistake(desk, wrong):
    desk.js("laboratory.set({seed: 0})")
    # At first all points are near each other; a view and itself are in one place.
    moved_alike(desk, [[0, 0, 0], [0, 0, 1], [0, 1, 0], [3, 300, 0], [3, 300, 1]], wrong)
    desk.js("laboratory.train(3000)")
    moved = moved_alike(desk, of_all_kinds(desk, 0, 67), wrong)
    assert (moved > 1e-3) == bool(wrong), "a mistake makes a difference"


def test_after_an_epoch_in_the_same_order_the_map_is_pythons(page):
    W = list(weights(page))
    page.js("laboratory.train(laboratory.pairs().count)")
    order = page.js("Array.from(laboratory.order())")
    pairs = PAIRS[:, order]
    assert np.unique(order).size == 217_470
    verbatim.sweep(W, X[SEEN], pairs, verbatim.MARGIN, np.full(217_470, verbatim.RATE))
    z = np.array([verbatim.G(W, one)[0] for one in X])
    np.testing.assert_allclose(page.js("laboratory.mapped()"), z, rtol=0, atol=1e-6)
    assert np.ptp(z, axis=0).min() > 1
    found = page.js("laboratory.organisation(arguments[0])", z.tolist())
    expected = organisation(z[UNSEEN], fit_views(z[SEEN], VIEWS, SEEN), VIEWS, UNSEEN)
    names = {"elevation": "elevation_r2", "azimuth": "azimuth_resultant", "lighting": "share_of_lighting"}
    names |= {"near": "similar_neighbours", "lit": "same_lighting_neighbours"}
    for name, known in names.items():
        assert found[name] == pytest.approx(expected[known], rel=1e-9), name
    D = np.linalg.norm(z[SEEN][pairs[0]] - z[SEEN][pairs[1]], axis=1)
    losses = [(D[pairs[2] == 0] ** 2 / 2).mean(), (np.maximum(0, 1 - D[pairs[2] == 1]) ** 2 / 2).mean()]
    found = page.js("laboratory.lossOf(arguments[0], laboratory.pairs(), 1)", z[SEEN].tolist())
    np.testing.assert_allclose(found, losses)


def test_the_three_kinds_of_similar_pairs_are_the_librarys(desk):
    turn = np.abs(VIEWS.azimuth[SEEN][:, None] - VIEWS.azimuth[SEEN])
    near = nearest_neighbour_graph(SMALL[SEEN].astype(float), NEIGHBOURS).pairs
    in_pixels = np.zeros((660, 660), bool)
    in_pixels[*near.T] = in_pixels[*near.T[::-1]] = True
    kinds = {"camera": BY_CAMERA, "azimuth": np.minimum(turn, AZIMUTHS - turn) <= 1, "pixels": in_pixels}
    for kind, similar in kinds.items():
        found = desk.js("Array.from(laboratory.pairUp(arguments[0]).Y)", kind)
        assert found == verbatim.pair_up(similar)[2].tolist(), kind


def step(update, W, x1, x2, Y):
    """What an update with rate 1 takes from W, as one vector."""
    moved = [w.copy() for w in W]
    update(moved, x1, x2, Y, 1.0, 1.0)
    return np.concatenate([(w - v).ravel() for w, v in zip(W, moved, strict=True)])


@EACH
def test_the_verdict_is_by_how_much_the_gradient_of_each_kind_of_pair_is_off(desk, wrong):
    if desk.js("laboratory.read().done") < 3000:
        desk.js("laboratory.train(3000)")
    W = weights(desk)
    for i, j, Y in of_all_kinds(desk, 1, 3).tolist():
        true, given = (step(by, W, X[SEEN[i]], X[SEEN[j]], Y) for by in (verbatim.update, planted(wrong)))
        found = desk.js(VERDICT, i, j, Y, wrong)
        assert found["size"] == pytest.approx(np.linalg.norm(true), rel=1e-9, abs=1e-14)
        assert found["off"] == pytest.approx(np.linalg.norm(given - true), rel=1e-9, abs=1e-13)


def test_a_frame_takes_25_ms_and_an_epoch_8_seconds_of_one_core(page):
    page.js("laboratory.train(20000)")
    page.cdp("Performance.enable", timeDomain="threadTicks")

    def busy():
        """Seconds that the page's thread has computed, on one core."""
        found = page.cdp("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in found if one["name"] == "TaskDuration")

    whole = "laboratory.train(laboratory.pairs().count)"
    limits = {f"laboratory.{part}()": (30, 0.025) for part in ("measure", "check", "draw")} | {whole: (1, 8)}
    for code, (times, most) in limits.items():  # training takes slices of 10 ms
        before = busy()
        page.js(f"(() => {{ for (let k = 0; k < {times}; k += 1) {code}; }})() || 0")
        assert (busy() - before) / times <= most, code


def test_run_trains_until_it_is_paused_and_says_what_became_of_the_map(page):
    page.drag(page.middle("#run"))
    page.until("laboratory.read().done > 3000")
    assert page.text("run") == "Pause"
    page.click("run")
    done = page.js("laboratory.read().done")
    assert page.text("say").startswith(f"{done:,} pairs: elevation R² 0.") and page.text("run") == "Run"
    assert page.js("laboratory.read().loss")[0] == done and f"after {done:,} pairs" in page.label("map")
    page.js("laboratory.set({seed: 0})")
    page.of("#speed", "(one.value = '100')")
    page.click("run")
    page.until("laboratory.read().done >= 300")
    page.click("run")
    assert page.js("laboratory.read().done") % 100 == 0, "slowly, as many pairs a frame as chosen"


@pytest.mark.parametrize(("button", "pairs"), [("one", 1), ("hundred", 100), ("epoch", 217_470)])
def test_a_button_trains_on_as_many_pairs_as_it_says_and_a_seed_gives_the_same_again(page, button, pairs):
    page.click(button)
    page.until(f"!laboratory.read().moving && laboratory.read().done === {pairs}", 120)
    W = page.js(LISTED)
    page.js("laboratory.set({seed: 3})")
    assert page.js("laboratory.read().done") == 0 and page.js(LISTED)[2] != W[2]
    page.js(f"laboratory.set({{seed: 0}}) || laboratory.train({pairs})")
    assert page.js(LISTED) == W


def test_the_pair_at_hand_shows_distance_loss_and_force_and_both_gradients_meet_in_their_sum(page):
    page.js("laboratory.train(600)")
    page.js("(() => { do laboratory.train(1); while (laboratory.pairs().Y[laboratory.read().hand]); })() || 0")
    page.js("laboratory.set({})")
    k = page.js("laboratory.read().hand")
    W, (i, j, Y) = weights(page), PAIRS[:, k]
    (z1, _), (z2, _) = verbatim.G(W, X[SEEN[i]]), verbatim.G(W, X[SEEN[j]])
    D, said = np.linalg.norm(z1 - z2), page.text("hand")
    loss = verbatim.loss(W, X[SEEN[i]], X[SEEN[j]], Y, 1.0)
    assert said == f"Y0, similarD{D:.3f}L{loss:.4f}force{D:.3f}, together"
    view = SEEN[i]
    place = f"azimuth {20 * VIEWS.azimuth[view]}°, elevation {30 + 5 * VIEWS.elevation[view]}°"
    assert page.label("x1").startswith(f"X1: {place}")
    one, two, both = page.each(".sum canvas", "Array.from(one.getContext('2d').getImageData(0, 0, 24, 24).data)")
    parts = np.array([one, two, both], int)[:, ::4] - 128
    assert np.abs(parts[0] + parts[1] - parts[2])[np.abs(parts[2]) < 126].max() <= 2
    assert np.abs(parts).max() > 100


def test_a_switch_shows_its_line_in_the_code_and_the_verdict_calls_it_wrong(page):
    page.js("laboratory.train(3000) || laboratory.set({})")
    assert "wrong" not in page.text("verdict") and page.text("verdict").count("right") == 3
    for wrong in MISTAKES:
        page.click(f"wrong-{wrong}")
        assert page.each("#source mark", "one.textContent") == [there for _, there in LINES[wrong]]
        assert "wrong" in page.text("verdict") and "falling" not in page.text("though")  # it has not trained since
        expected = inspect.getsource(verbatim.update)
        for line, there in LINES[wrong]:
            expected = expected.replace(line, there)
            assert line in page.of(f"label:has(#wrong-{wrong})", "one.textContent")
        assert page.text("source") == expected


def test_without_dissimilar_pairs_the_map_collapses_and_that_meets_a_challenge(page):
    page.js("laboratory.train(3000) || laboratory.set({wrong: 'attract'})")
    page.js("laboratory.train(60000) || laboratory.set({})")
    assert "This is the collapse" in page.text("say") and "not counted" in page.text("numbers")
    assert page.js("laboratory.read().met") == {"collapse": True}
    assert "✓" in page.of("#challenges .met", "getComputedStyle(one, '::before').content")


def test_keys_a_mouse_and_a_finger_turn_the_map_and_point_at_views(page):
    page.js("laboratory.train(3000) || laboratory.set({})")
    page.focus("map")
    page.press("ArrowRight", "ArrowUp")
    assert page.js("[laboratory.read().angle, laboratory.read().tilt]") == [45, 35]
    page.press("n")
    assert "azimuth 0°, elevation 30°, lighting 1" in page.text("look")
    x, y = page.middle("#map")
    for pointer in ("mouse", "touch"):
        before = page.js("laboratory.read().angle")
        page.drag((x, y), (x + 40, y + 10), pointer=pointer)
        assert page.js("laboratory.read().angle") - before == pytest.approx(20, abs=1)
    page.of("#turn", "(one.value = -90, one.dispatchEvent(new Event('input')))")
    assert page.js("laboratory.read().angle") == -90


def test_what_is_told_and_chosen_changes_what_is_learned(page):
    for change, words in (({"kind": "azimuth"}, "from any height"), ({"kind": "pixels"}, "nearest in pixels")):
        page.js("laboratory.set(arguments[0])", change)
        assert words in page.text("told") and page.of("#kind", "one.value") == change["kind"]
    page.js("laboratory.set({hidden: 7})")
    assert page.js("laboratory.W().B.length") == 21 and page.js("document.getElementById('unit').length") == 8
    assert page.text("hidden-out") == "7"


@pytest.mark.parametrize(("preference", "least", "most"), [("reduce", 1, 4), ("", 8, 100)])
def test_with_reduced_motion_the_map_is_drawn_once_a_second(page, preference, least, most):
    page.prefer("prefers-reduced-motion", preference)
    page.js(DRAWINGS)
    page.click("run")
    time.sleep(1.5)
    page.click("run")
    page.prefer("prefers-reduced-motion", "")
    assert least <= page.js("drawings") <= most


def test_without_a_script_it_says_so_and_it_is_as_short_as_was_promised(html):
    assert "switched off" in html[PAGE].split("<noscript>")[1].split("</noscript>")[0]
    assert len(html[PAGE].splitlines()) <= 900
