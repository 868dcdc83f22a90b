"""The springs of Figure 2, read back from the drawing and held against Eqs. 4, 6 and 7 written out."""

from itertools import combinations
from math import cos, dist, hypot, pi, sin

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Circle
from matplotlib.path import Path
from matplotlib.quiver import Quiver

from drlim_np.drawing import zigzag
from drlim_np.figures import Train, figure2
from drlim_np.figures.figure2 import BLUE, DISSIMILAR, MARGIN, RED, ROOM, SCALE, SIMILAR, make, relax
from drlim_np.loss import contrastive
from tests.help.drawings import failing


@pytest.fixture(scope="module")
def drawn():
    """The result laid out as it is saved, and its panels by letter."""
    result = make(None, Train())
    result.drawing.draw_without_rendering()
    return result, {axes.get_title(loc="left")[1]: axes for axes in result.drawing.axes}


@pytest.fixture(scope="module")
def panels(drawn):
    return drawn[1]


def arrows(axes):
    """Every arrow's foot, force and pair: [((x, y), (force x, force y), y)]."""
    (quiver,) = (artist for artist in axes.collections if isinstance(artist, Quiver))
    assert (quiver.angles, quiver.scale_units, quiver.scale, quiver.pivot) == ("xy", "xy", 1, "tail")
    forces = np.stack([quiver.U, quiver.V], axis=1) / SCALE
    labels = [{RED: SIMILAR, BLUE: DISSIMILAR}[to_hex(colour).upper()] for colour in quiver.get_facecolor()]
    return list(zip(map(tuple, quiver.get_offsets().tolist()), map(tuple, forces.tolist()), labels, strict=True))


def ends(axes):
    """Every arrow from its foot to its tip, (arrows, 2, 2)."""
    return np.array([[foot, np.add(foot, SCALE * np.array(force))] for foot, force, _ in arrows(axes)])


def lines(axes, kind):
    """The polylines drawn as `kind`, from the centre to the point."""
    return [line.get_xydata() for line in axes.get_lines() if line.get_gid() == kind]


# ---- the springs and the arrows ----


@pytest.mark.line("eq-5")
@pytest.mark.parametrize(
    ("panel", "labels"), [("a", [SIMILAR] * 5), ("c", [DISSIMILAR] * 5), ("e", [SIMILAR] * 5 + [DISSIMILAR])]
)
def test_arrows_on_the_points_are_the_forces_of_their_springs(panels, panel, labels):
    """In (e) they are on the centre, of which only one is free to move."""
    axes, found = panels[panel], arrows(panels[panel])
    drawn_springs = [line for line in axes.get_lines() if line.get_gid() == "spring"]
    points, centre = (line.get_xydata() for line in axes.get_lines() if line.get_marker() == "o")
    joined = [line.get_xydata()[-1] for line in drawn_springs] + [slack[-1] for slack in lines(axes, "slack")]
    np.testing.assert_array_equal(sorted(map(tuple, joined)), sorted(map(tuple, points)))
    assert [y for *_, y in found] == labels
    for line, (foot, drawn_force, y) in zip(drawn_springs, found, strict=True):
        start, *_, end = line.get_xydata()
        other = end if panel == "e" else start
        assert tuple(start) == tuple(centre[0]) and foot == tuple(start if panel == "e" else end)
        assert line.get_color() == (RED if y == SIMILAR else BLUE)
        d = dist(foot, other)
        slope = d if y == SIMILAR else -max(0, MARGIN - d)
        by_hand = -slope * np.subtract(foot, other) / d  # Eqs. 6 and 7
        np.testing.assert_allclose(drawn_force, by_hand, rtol=1e-12, atol=1e-15)
        _, dz1, _ = contrastive(np.array([foot]), np.array([other]), [y], MARGIN)
        np.testing.assert_array_equal(drawn_force, -dz1[0])


def test_no_arrow_and_no_spring_reach_a_point_beyond_the_margin(panels):
    axes = panels["c"]
    (circle,) = (patch for patch in axes.patches if isinstance(patch, Circle))
    centre = tuple(circle.get_center())
    assert circle.get_radius() == MARGIN
    reached = [*(foot for foot, *_ in arrows(axes)), *(spring[-1] for spring in lines(axes, "spring"))]
    assert all(dist(place, centre) < MARGIN for place in reached)
    slack = lines(axes, "slack")
    assert len(slack) == 2 and not lines(panels["a"], "slack") + lines(panels["e"], "slack")
    for start, end in slack:
        assert tuple(start) == centre and dist(end, centre) > MARGIN
        assert all(dist(end, place) > 0.1 for place in reached)


@pytest.mark.line("equilibrium")
def test_at_equilibrium_the_forces_balance_and_every_step_of_the_free_point_raises_the_loss(panels):
    found = arrows(panels["e"])
    (centre,) = {foot for foot, *_ in found}
    held = [(spring[-1], y) for spring, (*_, y) in zip(lines(panels["e"], "spring"), found, strict=True)]
    forces = [drawn_force for _, drawn_force, _ in found]
    assert hypot(*np.sum(forces, axis=0)) <= 1e-6 * max(hypot(*one) for one in forces)

    def loss(place):
        d = [(dist(place, end), y) for end, y in held]
        return sum(gap**2 / 2 if y == SIMILAR else max(0, MARGIN - gap) ** 2 / 2 for gap, y in d)

    for angle in np.arange(8) * pi / 4:
        assert loss((centre[0] + 1e-3 * cos(angle), centre[1] + 1e-3 * sin(angle))) > loss(centre)


def test_the_arrows_end_to_end_are_those_of_the_equilibrium_and_close(drawn):
    result, panels = drawn
    assert sorted(one[1:] for one in arrows(panels["f"])) == sorted(one[1:] for one in arrows(panels["e"]))
    feet, tips = ends(panels["f"]).swapaxes(0, 1)
    np.testing.assert_allclose(tips, np.roll(feet, -1, axis=0), atol=1e-12)
    (net,) = (claim.value for claim in result.claims if claim.text.startswith("net force"))
    assert f"net force in (e): {net:.0e} of the largest".replace("-", "−") in result.drawing.texts[1].get_text()


@pytest.mark.parametrize("start", [(0.0, 0.0), (1.0, -1.0), (-0.5, 0.5)])
def test_the_free_point_comes_to_rest_amid_similar_ones_wherever_it_is_let_go(start):
    points = np.array([[1.0, 0.2], [-0.4, 0.9], [-0.3, -1.0]])
    found = relax(points, np.zeros(3, int), np.array(start))
    np.testing.assert_allclose(found.centre, points.mean(axis=0), atol=1e-12)


# ---- how all of it is drawn ----


def test_arrows_have_one_scale_in_all_panels_on_paper_too(panels):
    for letter in "ace":
        assert panels[letter].get_xlim() == panels[letter].get_ylim() == (-ROOM, ROOM)
        assert panels[letter].get_aspect() == 1
        (bar,) = lines(panels[letter], "scale")
        assert dist(*bar) == pytest.approx(SCALE * MARGIN)
    pixels = [np.diag(panels[name].transData.get_matrix())[:2] for name in "acef"]
    np.testing.assert_allclose(pixels, np.full((4, 2), pixels[0][0]), rtol=0.01)


@pytest.mark.parametrize("end", [(4.0, -2.0), (1.1, 2.0), (0.1, 0.3)])
def test_a_zigzag_starts_and_ends_at_its_points_straight_and_goes_to_both_sides(end):
    start, end = np.array([1.0, 2.0]), np.array(end)
    path = zigzag(start, end, turns=8, width=0.05)
    np.testing.assert_array_equal(path[[0, -1]], [start, end])
    along = (end - start) / dist(start, end)
    across = (path - start) @ [-along[1], along[0]]
    np.testing.assert_allclose(across, [0, 0, *[0.05, -0.05] * 4, 0, 0], atol=1e-12)
    assert (np.diff((path - start) @ along) > 0).all()


@pytest.mark.parametrize("panel", "acef")
def test_all_that_is_drawn_is_within_the_panel(panels, panel):
    axes = panels[panel]
    xy = np.concatenate([ends(axes).reshape(-1, 2), *(line.get_xydata() for line in axes.get_lines())])
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    assert (low < xy).all() and (xy < high).all()
    assert all((np.abs(patch.get_center()) + patch.get_radius() < high).all() for patch in axes.patches)


def test_no_text_is_clipped_or_covers_another_or_the_drawing(drawn):
    figure, panels = drawn[0].drawing, drawn[1]
    boxes = [legend.get_window_extent() for axes in figure.axes if (legend := axes.get_legend())]
    for axes in figure.axes:
        titles = [axes.title, axes._left_title, axes.xaxis.label]
        ticks = [*axes.get_xticklabels(), *axes.get_yticklabels()] if axes.axison else []
        boxes += [text.get_window_extent() for text in [*axes.texts, *titles, *ticks] if text.get_text()]
    boxes += [text.get_window_extent() for text in figure.texts]
    assert len(boxes) > 20
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(figure.bbox.contains(*corner) for box in boxes for corner in (box.min, box.max))
    for letter, axes in panels.items():
        strokes = [artist.get_path().transformed(artist.get_transform()) for artist in [*axes.lines, *axes.patches]]
        strokes += [Path(axes.transData.transform(arrow)) for arrow in (ends(axes) if letter not in "bd" else ())]
        assert strokes
        assert not any(stroke.intersects_bbox(box, filled=False) for stroke in strokes for box in boxes)


@pytest.mark.parametrize(
    ("panel", "loss", "slope", "look"),
    [
        ("b", lambda d: d**2 / 2, lambda d: d, (RED, "--")),
        ("d", lambda d: max(0, MARGIN - d) ** 2 / 2, lambda d: -(MARGIN - d) if d < MARGIN else 0, (BLUE, "-")),
    ],
)
def test_the_curves_are_the_loss_and_its_gradient(panels, panel, loss, slope, look):
    axes = panels[panel]
    first, second = (line for line in axes.get_lines() if len(line.get_xdata()) > 2)
    for line, expected in ((first, loss), (second, slope)):
        np.testing.assert_allclose(line.get_ydata(), [expected(d) for d in line.get_xdata()], rtol=1e-12, atol=1e-15)
        assert line.get_xdata()[-1] > 1.5 * MARGIN
        assert axes.get_ylim()[0] < line.get_ydata().min() and line.get_ydata().max() < axes.get_ylim()[1]
    assert (first.get_color(), first.get_linestyle()) == look
    assert axes.get_xticks().tolist() == [0, MARGIN]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "$m$"]


# ---- the claims ----


def wrongly(similar=1.0, dissimilar=1.0, reaction=None, wider=1.0):
    """`contrastive` with its forces multiplied, by Y, or the margin; `reaction` times the force at the other end."""

    def wrong(z1, z2, y, margin):
        loss, dz1, dz2 = contrastive(z1, z2, y, wider * margin)
        factor = np.where(np.asarray(y) == DISSIMILAR, dissimilar, similar)[:, None]
        return loss, factor * dz1, factor * dz2 if reaction is None else reaction * dz1

    return wrong


@pytest.mark.parametrize(
    ("name", "wrong", "broken"),
    [
        ("contrastive", wrongly(dissimilar=-1), {"arrows", "slopes"}),
        ("contrastive", wrongly(similar=-1e-3), {"arrows", "slopes"}),
        ("contrastive", wrongly(reaction=1e-3), {"arrows"}),
        ("contrastive", wrongly(wider=1.5), {"arrows", "force", "slopes"}),
        ("similar_loss", lambda d: d * d, {"slopes"}),
        ("dissimilar_loss", lambda d, m: (m - d) ** 2 / 2, {"slopes"}),
        ("STEPS", 5, {"net"}),
    ],
)
def test_the_claims_hold_and_with_a_wrong_loss_those_about_it_fail(drawn, monkeypatch, name, wrong, broken):
    assert len(drawn[0].claims) == 4 and not failing(drawn[0].claims)
    monkeypatch.setattr(figure2, name, wrong)
    assert broken <= {text.split()[0] for text in failing(make(None, Train()).claims)}
