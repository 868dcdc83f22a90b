"""How the map of Figure 8 unfolds while it is learned: from a blob to a cylinder. Not a figure of the paper."""

import tempfile
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.animation import PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.data import AZIMUTHS, ELEVATIONS
from drlim_np.drawing.panels import room_for, sheet
from drlim_np.drawing.space import Side, bar, colours, project, reach_of, scatter, space_panel, wires
from drlim_np.drawing.style import INK, RULES, WIDTH
from drlim_np.figures.airplane_map import PIECES, Setting, epochs, mapped, setting, settings, start, sweeps
from drlim_np.measure.cylinder import radians
from drlim_np.measure.metrics import linear_r2, resultant_length
from drlim_np.networks import two_layer
from drlim_np.runs.record import Claim, Result, Run
from drlim_np.training import embed

SIDE = Side("", 20, 25)
CLAIM = "From a blob to a cylinder: how the map of Figure 8\nunfolds while it is learned"
ACROSS = 3  # moments side by side
TURN = 90  # degrees that the animation turns by, from its first frame to its last
FRAMES, A_SECOND, LAST = 26, 9, 9  # of the animation, and for how many more it rests on the last
SHOWN = (0.0, 0.03, 0.1, 0.2, 0.4, 1.0)  # of the training, in the strip


@rc_context(RULES)
def make(run: Run) -> Result:
    """The map of the airplane unfolding during training, as a strip and an animation; not a figure of the paper."""
    given, found, rng = setting(run), mapped(run), run.rng(10)
    steps, network = epochs(run) * PIECES, two_layer(setting(run).x.shape[1])
    shown = sorted({round(part * steps) for part in SHOWN})
    moving = sorted({round(steps * (frame / (FRAMES - 1)) ** 2) for frame in range(FRAMES)})
    first, places = start(given, epochs(run), rng), {}
    for step in (first, *sweeps(given, epochs(run), rng, first)):
        if step.number in {*shown, *moving}:
            places[step.number] = embed(network, step.params, given.x)[given.test]
    # Turned as Figure 8 is, each moment about its own middle: the loss does not know where the map lies.
    at = {number: found.cylinder.upright(z - z.mean(axis=0) + found.cylinder.centre) for number, z in places.items()}

    order = {
        number: (
            linear_r2(found.cylinder.height(places[number]), given.views.elevation[given.test]),
            resultant_length(found.cylinder.angle(places[number]), radians(given.views, given.test)),
        )
        for number in shown
    }
    last = shown[-1]
    claims = [
        Claim("the last moment is Figure 8: largest difference", _apart(places[last], found.z[given.test]), "=", 0.0)
    ]
    measured = {"elevation_r2_and_azimuth_resultant_by_step": {str(number): pair for number, pair in order.items()}}
    reach = 1.2 * reach_of(at[last], [SIDE])
    strip = _strip(given, {number: at[number] for number in shown}, order[last], reach)
    animation = _animation(given, {number: at[number] for number in moving}, reach, steps)
    return Result(strip, claims, settings(run), given.views, measured, files={"gif": animation})


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def _words(number: int) -> str:
    return "before" if number == 0 else f"epoch {number / PIECES:.3g}"


def _strip(given: Setting, at: dict[int, np.ndarray], last: tuple[float, float], reach: float) -> Figure:
    """The moments side by side, in two lines."""
    words = f"{len(given.test)} unseen views, {given.views.title}. At the end:\n"
    words += f"elevation R² {last[0]:.3f}, azimuth resultant {last[1]:.3f}"
    top, foot = room_for(CLAIM, words)
    side, lines = WIDTH / ACROSS, -(-len(at) // ACROSS)
    figure = sheet(top + lines * side + 0.85 + foot, CLAIM, words)
    for number, (step, points) in enumerate(at.items()):
        line, column = divmod(number, ACROSS)
        panel = space_panel(figure, (column * side, top + line * side), side, reach, _words(step))
        _draw(panel, given, points, reach)
    bar(figure, 2.5, top + lines * side + 0.3, 3.0, "azimuth")
    return figure


def _draw(axes: Axes, given: Setting, points: np.ndarray, reach: float, turn: float = 0.0) -> None:
    """The points over the axis that they will lie around; wires between the mean places of the poses."""
    side, rows = SIDE._replace(turn=SIDE.turn + turn), given.test
    poses = np.full((AZIMUTHS, ELEVATIONS, 3), np.nan)
    for pose in {*zip(given.views.azimuth[rows], given.views.elevation[rows], strict=True)}:
        of = (given.views.azimuth[rows] == pose[0]) & (given.views.elevation[rows] == pose[1])
        poses[pose] = points[of].mean(axis=0)
    ends = project(np.array([[0, 0, -0.9 * reach], [0, 0, 0.9 * reach]]), side)[0]
    axes.plot(*ends.T, color=INK, linewidth=1.0, dashes=(4, 2), zorder=0)
    wires(axes, poses, side)
    scatter(axes, points, side, given.views.lighting[rows], colours(given.views, rows, "azimuth"))


def _animation(given: Setting, at: dict[int, np.ndarray], reach: float, steps: int) -> bytes:
    """The moments one after another as a GIF, slowly turning."""
    figure = Figure(figsize=(4, 4), dpi=70)
    writer = PillowWriter(fps=A_SECOND)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "unfolding.gif")
        with writer.saving(figure, path, dpi=70):
            frames = [*at.items(), *[list(at.items())[-1]] * (LAST - 1)]
            for number, (step, points) in enumerate(frames):
                figure.clear()
                panel = space_panel(figure, (0.0, 0.0), 4.0, reach, _words(step))
                _draw(panel, given, points, reach, TURN * number / len(frames))
                writer.grab_frame()
        return path.read_bytes()
