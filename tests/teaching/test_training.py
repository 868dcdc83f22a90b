"""The training laboratory: Step 2 is `verbatim.update`, as it is and with each mistake, and it is fast enough to watch."""

import inspect

import numpy as np
import pytest

from drlim_np import verbatim
from drlim_np.data import AZIMUTHS
from drlim_np.measure.cylinder import fit_views, organisation
from drlim_np.neighbours import nearest_neighbour_graph
from drlim_np.teaching.training_page import BLOCK, MISTAKES, NEIGHBOURS, blocks, training_page
from tests.help.small_views import UNSEEN, blobs

PAGE = "training"
EXACT = 1e-12
VIEWS = blobs()
SEEN = np.delete(np.arange(972), UNSEEN)
LISTED = "(({A, a, B, b}) => [A, a, B, b].map(w => Array.from(w)))(laboratory.W())"
NAMES = ["", *(mistake.name for mistake in MISTAKES)]
VERDICT = """(({seen, W, verdict}, i, j, Y, wrong) => verdict(W(), seen[i], seen[j], Y, 1, wrong))
    (laboratory, ...arguments)"""


@pytest.fixture(scope="module")
def x():
    """(972, pixels) float64: the inputs as the page has them."""
    small, kept, background = blocks(VIEWS, UNSEEN)
    return BLOCK * (small[:, kept] - background[kept]) / 255


def weights(page):
    """W as `verbatim` has it, in float64."""
    A, a, B, b = (np.array(w, float) for w in page.js(LISTED))
    return A.reshape(-1, len(a)).T.copy(), a, B.reshape(3, len(a)), b


def planted(name):
    """`verbatim.update` with the lines of that mistake in the place of its own."""
    source = inspect.getsource(verbatim.update)
    for mistake in MISTAKES:
        for line, wrong in mistake.lines * (mistake.name == name):
            assert source.count(line) == 1, line
            source = source.replace(line, wrong)
    found = {}
    exec(source, vars(verbatim) | {}, found)  # the module's own names, and the function apart from them
    return found["update"]


def of_all_kinds(W, x, similar, rng, each=67):
    """Pairs (3, 201) of rows of x: similar, dissimilar and nearer than m, and beyond it, in random order."""
    z = np.array([verbatim.G(W, one)[0] for one in x])
    i, j, Y = verbatim.pair_up(similar)
    D = np.linalg.norm(z[i] - z[j], axis=1)
    kinds = [Y == 0, (Y == 1) & (D < 1), (Y == 1) & (D > 1)]
    chosen = np.concatenate([rng.choice(np.flatnonzero(kind), each, replace=False) for kind in kinds])
    return np.stack([i, j, Y])[:, rng.permutation(chosen)]


def by_camera():
    return verbatim.similar_views(VIEWS.azimuth[SEEN], VIEWS.elevation[SEEN], AZIMUTHS)


SWEEP = """((given, m, rate, wrong) => { const {seen, update, scratch, W} = laboratory, t = scratch(W().hidden);
    for (const [i, j, Y] of given) update(W(), seen[i], seen[j], Y, m, rate, wrong, t); })(...arguments) || 0"""


@pytest.mark.parametrize("wrong", NAMES, ids=lambda name: name or "as it is")
def test_two_hundred_pairs_of_all_kinds_move_w_as_verbatim_does_as_it_is_and_with_each_mistake(page, x, wrong):
    page.js("laboratory.train(3000)")
    W = start = weights(page)
    pairs = of_all_kinds(W, x[SEEN], by_camera(), np.random.default_rng(0))
    page.js(SWEEP, pairs.T.tolist(), 1.0, 0.01, wrong)
    W, update, right = [w.copy() for w in start], planted(wrong), [w.copy() for w in start]
    for i, j, Y in pairs.T:
        update(W, x[SEEN][i], x[SEEN][j], Y, 1.0, 0.01)
        verbatim.update(right, x[SEEN][i], x[SEEN][j], Y, 1.0, 0.01)
    for found, expected in zip(weights(page), W, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=EXACT * np.abs(expected).max())
    moved = max(np.abs(one - other).max() for one, other in zip(W, right, strict=True))
    assert (moved > 1e-3) == bool(wrong), "a mistake makes a difference"


def test_after_an_epoch_in_the_same_order_the_map_is_pythons(page, x):
    W = list(weights(page))
    page.js("laboratory.train(laboratory.pairs().count)")
    pairs = verbatim.pair_up(by_camera())[:, page.js("Array.from(laboratory.order())")]
    assert np.unique(page.js("Array.from(laboratory.order())")).size == 217_470
    verbatim.sweep(W, x[SEEN], pairs, verbatim.MARGIN, np.full(217_470, verbatim.RATE))
    z = np.array([verbatim.G(W, one)[0] for one in x])
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
    np.testing.assert_allclose(
        page.js("laboratory.lossOf(arguments[0], laboratory.pairs(), 1)", z[SEEN].tolist()), losses
    )


@pytest.mark.parametrize("kind", ["camera", "azimuth", "pixels"])
def test_the_three_kinds_of_similar_pairs_are_the_librarys(desk, kind):
    turn = np.abs(VIEWS.azimuth[SEEN][:, None] - VIEWS.azimuth[SEEN])
    similar = {"camera": by_camera(), "azimuth": np.minimum(turn, AZIMUTHS - turn) <= 1}.get(kind)
    if similar is None:
        similar = np.zeros((660, 660), bool)
        similar[tuple(nearest_neighbour_graph(blocks(VIEWS, UNSEEN)[0][SEEN].astype(float), NEIGHBOURS).pairs.T)] = True
        similar |= similar.T
    found = desk.js("Array.from(laboratory.pairUp(arguments[0]).Y)", kind)
    assert found == verbatim.pair_up(similar)[2].tolist()


def step(update, W, x1, x2, Y):
    """What an update with rate 1 takes from W, as one vector."""
    moved = [w.copy() for w in W]
    update(moved, x1, x2, Y, 1.0, 1.0)
    return np.concatenate([(w - v).ravel() for w, v in zip(W, moved, strict=True)])


@pytest.mark.parametrize("wrong", NAMES, ids=lambda name: name or "as it is")
def test_the_verdict_is_by_how_much_the_gradient_of_each_kind_of_pair_is_off(desk, x, wrong):
    if desk.js("laboratory.read().done") < 3000:
        desk.js("laboratory.train(3000)")
    W, mistaken = weights(desk), planted(wrong)
    for i, j, Y in of_all_kinds(W, x[SEEN], by_camera(), np.random.default_rng(1), each=3).T.tolist():
        pair = x[SEEN][i], x[SEEN][j], Y
        true, given = step(verbatim.update, W, *pair), step(mistaken, W, *pair)
        found = desk.js(VERDICT, i, j, Y, wrong)
        assert found["size"] == pytest.approx(np.linalg.norm(true), rel=1e-9, abs=1e-14)
        assert found["off"] == pytest.approx(np.linalg.norm(given - true), rel=1e-9, abs=1e-13)
