"""The springs of Figure 2, read back from the drawing and held against Eqs. 4, 6 and 7 written out."""

from math import dist

import numpy as np
import pytest
from matplotlib.quiver import Quiver

from drlim_np.loss import contrastive
from figures import figure2
from figures.figure2 import DISSIMILAR, MARGIN, ROOM, SCALE, SIMILAR, make, relax, springs, zigzag
from figures.record import Run, publish

RUN = Run(seed=0, quick=False, threads=1, digits=lambda: pytest.fail("this figure needs no digits"))


@pytest.fixture(scope="module")
def drawn():
    """The result, and the panels by letter."""
    result = make(RUN)
    return result, {axes.get_title(loc="left")[1]: axes for axes in result.figure.axes}


def arrows(axes):
    """Every arrow as ((x, y) of its foot, (force x, force y))."""
    (quiver,) = (artist for artist in axes.collections if isinstance(artist, Quiver))
    assert (quiver.angles, quiver.scale_units, quiver.scale) == ("xy", "xy", 1)
    return quiver.get_offsets().tolist(), (np.stack([quiver.U, quiver.V], axis=1) / SCALE).tolist()


def lines(axes, kind):
    return [np.transpose(line.get_data()) for line in axes.get_lines() if line.get_gid() == kind]


def force(end, other, y):
    """On `end` from a spring to `other`, by Eqs. 6 and 7: the spring's stiffness along the line between them."""
    d = dist(end, other)
    size = -d if y == SIMILAR else max(0, MARGIN - d)
    return [size * (e - o) / d for e, o in zip(end, other, strict=True)]


@pytest.mark.parametrize(("panel", "y"), [("a", SIMILAR), ("c", DISSIMILAR)])
def test_arrows_on_the_points_are_the_forces_of_their_springs(drawn, panel, y):
    feet, forces = arrows(drawn[1][panel])
    assert len(feet) == 5
    for foot, drawn_force in zip(feet, forces, strict=True):
        np.testing.assert_allclose(drawn_force, force(foot, (0, 0), y), rtol=1e-12, atol=1e-15)
        _, dz1, _ = contrastive(np.array([foot]), np.zeros((1, 2)), [y], MARGIN)
        np.testing.assert_array_equal(drawn_force, -dz1[0])


def test_similar_points_are_pulled_towards_the_centre_and_dissimilar_ones_pushed_away(drawn):
    for panel, sign in (("a", -1), ("c", 1)):
        for foot, drawn_force in zip(*arrows(drawn[1][panel]), strict=True):
            assert sign * np.dot(foot, drawn_force) > 0


def test_no_arrow_and_no_spring_reach_a_point_beyond_the_margin(drawn):
    axes = drawn[1]["c"]
    feet, _ = arrows(axes)
    assert max(dist(foot, (0, 0)) for foot in feet) < MARGIN
    slack = lines(axes, "slack")
    assert len(slack) == 2
    assert all(dist(*line) >= MARGIN for line in slack)
    assert all(dist(line[0], line[-1]) < MARGIN for line in lines(axes, "spring"))


def test_at_equilibrium_the_forces_on_the_centre_balance(drawn):
    _, panels = drawn
    feet, forces = arrows(panels["e"])
    assert len(forces) == 6
    assert len(set(map(tuple, feet))) == 1
    strongest = max(np.hypot(*one) for one in forces)
    assert np.hypot(*np.sum(forces, axis=0)) <= 1e-6 * strongest
    ends = [line[-1] for line in lines(panels["e"], "spring")]
    for end, drawn_force in zip(ends, forces, strict=True):
        np.testing.assert_allclose(
            drawn_force, min((force(feet[0], end, y) for y in (0, 1)), key=lambda f: dist(f, drawn_force)), rtol=1e-9
        )


def test_at_equilibrium_every_step_of_the_centre_raises_the_loss(drawn):
    axes = drawn[1]["e"]
    ends = np.array([line[-1] for line in lines(axes, "spring")])
    y = np.array([SIMILAR] * 5 + [DISSIMILAR])
    centre = np.array(arrows(axes)[0][0])

    def loss(place):
        return contrastive(np.tile(place, (6, 1)), ends, y, MARGIN)[0]

    for angle in np.arange(8) * np.pi / 4:
        assert loss(centre + 1e-3 * np.array([np.cos(angle), np.sin(angle)])) > loss(centre)


def test_the_centre_comes_to_rest_in_the_same_place_wherever_it_is_let_go():
    points = np.array([[1.0, 0.2], [-0.4, 0.9], [-0.3, -1.0]])
    found = [relax(points, np.zeros(3, int), np.array(start)).centre for start in ([0.0, 0], [1.0, -1], [-0.5, 0.5])]
    np.testing.assert_allclose(found, np.tile(points.mean(axis=0), (3, 1)), atol=1e-12)


def test_arrows_have_one_scale_in_all_panels(drawn):
    for letter in "ace":
        axes = drawn[1][letter]
        assert axes.get_xlim() == axes.get_ylim() == (-ROOM, ROOM)
        assert axes.get_aspect() == 1


@pytest.mark.parametrize("panel", "ace")
def test_a_spring_joins_the_centre_to_every_point_that_it_acts_on_and_all_lies_in_the_panel(drawn, panel):
    axes = drawn[1][panel]
    feet, forces = arrows(axes)
    assert len(lines(axes, "spring")) == len(feet)
    for spring in lines(axes, "spring"):
        assert np.abs(spring).max() < ROOM
    assert np.abs(np.add(feet, SCALE * np.array(forces))).max() < ROOM


def test_a_zigzag_starts_and_ends_at_its_points_and_goes_to_both_sides():
    start, end = np.array([1.0, 2.0]), np.array([4.0, -2.0])
    path = zigzag(start, end)
    assert (path[[0, -1]] == [start, end]).all()
    across = (path - start) @ [4 / 5, 3 / 5]
    assert np.count_nonzero(np.diff(np.sign(across[2:-2]))) == len(path) - 5


@pytest.mark.parametrize(
    ("panel", "loss", "slope"),
    [
        ("b", lambda d: d**2 / 2, lambda d: d),
        ("d", lambda d: max(0, MARGIN - d) ** 2 / 2, lambda d: -max(0, MARGIN - d)),
    ],
)
def test_the_curves_are_the_loss_and_its_slope(drawn, panel, loss, slope):
    first, second = (line for line in drawn[1][panel].get_lines() if len(line.get_xdata()) > 2)
    for line, expected in ((first, loss), (second, slope)):
        np.testing.assert_allclose(line.get_ydata(), [expected(d) for d in line.get_xdata()], rtol=1e-12, atol=1e-12)


def test_the_claims_hold_and_fail_for_a_wrong_loss(drawn, monkeypatch):
    assert all(claim.holds for claim in drawn[0].claims)

    def reversed_push(z1, z2, y, margin):
        loss, dz1, dz2 = contrastive(z1, z2, y, margin)
        return loss, np.where(np.asarray(y)[:, None] == DISSIMILAR, -dz1, dz1), dz2

    monkeypatch.setattr(figure2, "contrastive", reversed_push)
    assert not all(claim.holds for claim in make(RUN).claims)


def test_forces_at_the_two_ends_of_a_spring_are_opposite():
    found = springs(np.array([0.1, 0.2]), np.array([[0.5, 0.5], [2.0, 0.0]]), np.array([1, 0]))
    assert (found.on_points == -found.on_centre).all()


def test_figure_2_made_twice_has_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        publish("figure2", make(RUN), RUN, 1.0, tmp_path / folder)
    for name in ("figure2.png", "figure2.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
