"""How the map of Figure 8 unfolds while it is learned: from a blob to a cylinder. Not a figure of the paper."""

import tempfile
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.animation import PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drlim_np.figures.airplane_map import PIECES, Setting, epochs, mapped, setting, settings, start, sweeps
from drlim_np.figures.record import Claim, Result, Run
from drlim_np.figures.space import Side, bar, colours, reach_of, scatter, space_panel
from drlim_np.figures.style import INK, RULES
from drlim_np.measure.cylinder import radians
from drlim_np.measure.metrics import linear_r2, resultant_length
from drlim_np.networks import two_layer
from drlim_np.training import embed

SIDE = Side("", 20, 25)
FRAMES, A_SECOND, LAST = 40, 12, 24  # of the animation, and for how many more it rests on the last
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
    reach = reach_of(at[last], [SIDE])
    strip = Figure(figsize=(15.6, 3.7))
    for column, number in enumerate(shown):
        panel = space_panel(strip, (0.05 + 2.6 * column, 0.45), 2.5, reach, _words(number))
        _draw(panel, given, at[number])
    bar(strip, 5.8, 3.1, 4.0, "azimuth")
    animation = _animation(given, {number: at[number] for number in moving}, reach, steps)
    return Result(strip, claims, settings(run), given.views, measured, files={"gif": animation})


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def _words(number: int) -> str:
    return "before training" if number == 0 else f"after {number / PIECES:.3g} epochs"


def _draw(axes: Axes, given: Setting, points: np.ndarray) -> None:
    scatter(axes, points, SIDE, given.views.lighting[given.test], colours(given.views, given.test, "azimuth"))


def _animation(given: Setting, at: dict[int, np.ndarray], reach: float, steps: int) -> bytes:
    """The moments one after another as a GIF."""
    figure = Figure(figsize=(4, 4.3), dpi=100)
    writer = PillowWriter(fps=A_SECOND)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "unfolding.gif")
        with writer.saving(figure, path, dpi=100):
            for number, points in at.items():
                figure.clear()
                panel = space_panel(figure, (0.0, 0.3), 4.0, reach, _words(number))
                panel.title.set_color(INK)
                _draw(panel, given, points)
                for _ in range(LAST if number == max(at) else 1):
                    writer.grab_frame()
        return path.read_bytes()
