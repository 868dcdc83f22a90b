"""How the map of Figure 8 unfolds while it is learned: from a blob to a cylinder. Not a figure of the paper."""

import tempfile
from pathlib import Path

import numpy as np
from matplotlib.animation import PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.data import AZIMUTHS, ELEVATIONS, Views
from drlim_np.drawing.panels import sheet
from drlim_np.drawing.space import Side, bar, project, reach_of, scatter, space_panel, wires
from drlim_np.drawing.style import INK, WIDTH
from drlim_np.figures import Claim, Result, Train, figure
from drlim_np.figures.airplane_map import MARGIN, PIECES, Setting, settings, train_airplane
from drlim_np.measure.cylinder import radians
from drlim_np.measure.metrics import linear_r2, resultant_length
from drlim_np.networks import two_layer
from drlim_np.training import embed

SIDE = Side("", 20, 25)
CLAIM = "From a blob to a cylinder: how the map of Figure 8\nunfolds while it is learned"
ACROSS = 3  # moments side by side
TURN = 90  # degrees that the animation turns by, from its first frame to its last
FRAMES, A_SECOND, LAST = 26, 9, 9  # of the animation, and for how many more it rests on the last
SHOWN = (0.0, 0.03, 0.1, 0.2, 0.4, 1.0)  # of the training, in the strip


@figure("unfolding", needs="views", after=("figure8",), on_request=True, seconds=15)
def make(views: Views, train: Train) -> Result:
    """The map of the airplane unfolding during training, as a strip and an animation; not a figure of the paper."""
    found = train_airplane(views, train)
    steps = len(found.losses)
    shown = sorted({round(part * steps) for part in SHOWN})
    moving = sorted({round(steps * (frame / (FRAMES - 1)) ** 2) for frame in range(FRAMES)})
    places = {step: found.maps[step][found.test] for step in sorted({*shown, *moving})}
    # Turned as Figure 8 is, each moment about its own middle: the loss does not depend on where the map is.
    at = {step: found.cylinder.upright(z - z.mean(axis=0) + found.cylinder.centre) for step, z in places.items()}
    order = {
        str(step): (
            linear_r2(found.cylinder.height(places[step]), views.elevation[found.test]),
            resultant_length(found.cylinder.angle(places[step]), radians(views, found.test)),
        )
        for step in shown
    }
    last = shown[-1]
    apart = float(np.abs(places[last] - embed(two_layer(), found.params, found.inputs[found.test])).max()) / MARGIN
    claims = [Claim("the last moment is the map by Figure 8's W: largest difference in margins", apart, "≤", 1e-4)]
    reach = 1.2 * reach_of(at[last], [SIDE])
    strip = _strip(found, {step: at[step] for step in shown}, order[str(last)], reach)
    animation = _animation(found, {step: at[step] for step in moving}, reach)
    measured = {"elevation_r2_and_azimuth_resultant_by_step": order}
    return Result(strip, claims, settings(found, train), views, measured, files={"gif": animation})


def _words(number: int) -> str:
    return "before" if number == 0 else f"epoch {number / PIECES:.3g}"


def _strip(given: Setting, at: dict[int, np.ndarray], last: tuple[float, float], reach: float) -> Figure:
    """The moments side by side, in two lines."""
    words = f"{len(given.test)} unseen views, {given.views.title}. At the end:\n"
    words += f"elevation R² {last[0]:.3f}, azimuth resultant {last[1]:.3f}"
    side, lines = WIDTH / ACROSS, -(-len(at) // ACROSS)
    drawing, top = sheet(CLAIM, words, lines * side + 0.85)
    for number, (step, points) in enumerate(at.items()):
        line, column = divmod(number, ACROSS)
        panel = space_panel(drawing, (column * side, top + line * side), side, reach, _words(step))
        _draw(panel, given, points, reach)
    bar(drawing, 2.5, top + lines * side + 0.3, 3.0, "azimuth")
    return drawing


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
    scatter(axes, points, side, given.views, rows, "azimuth")


def _animation(given: Setting, at: dict[int, np.ndarray], reach: float) -> bytes:
    """The moments one after another as a GIF, slowly turning."""
    drawing = Figure(figsize=(4, 4), dpi=70)
    writer = PillowWriter(fps=A_SECOND)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "unfolding.gif")
        with writer.saving(drawing, path, dpi=70):
            frames = [*at.items(), *[list(at.items())[-1]] * (LAST - 1)]
            for number, (step, points) in enumerate(frames):
                drawing.clear()
                panel = space_panel(drawing, (0.0, 0.0), 4.0, reach, _words(step))
                _draw(panel, given, points, reach, TURN * number / len(frames))
                writer.grab_frame()
        return path.read_bytes()
