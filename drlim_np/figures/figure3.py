"""Figure 3: the architecture of G_W, read off the network itself by passing a blank image through its layers."""

from dataclasses import dataclass

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from drlim_np.figures.record import Claim, Result, Run
from drlim_np.figures.style import BLUE, FAINT, INK, RULES
from drlim_np.layers import Conv2d, Flatten, Linear, Sequential, Subsample, Tanh
from drlim_np.networks import CONVNET_INPUT, convnet
from drlim_np.tree import leaves

PALE = "#CFE6F5"


@dataclass(frozen=True)
class Stage:
    """What a layer puts out: its name in the network, the layer, its shape for one image, its trainable numbers."""

    name: str
    layer: object
    shape: tuple[int, ...]
    parameters: int


def stages(network: Sequential, shape: tuple[int, ...]) -> list[Stage]:
    """Every layer of the network with the shape that it makes of an input of the given shape."""
    params = network.init(np.random.default_rng(0))
    x, found = np.zeros((1, *shape), np.float32), []
    for name, layer in network.layers.items():
        x, _ = layer(params[name], x)
        found.append(Stage(name, layer, x.shape[1:], sum(array.size for _, array in leaves(params[name]))))
    return found


@rc_context(RULES)
def make(run: Run) -> Result:
    """The layers of G_W with their maps, sizes and kernels, read off the network object."""
    network = convnet()
    found = stages(network, CONVNET_INPUT)
    figure = Figure(figsize=(11, 4.1), layout="constrained")
    axes = figure.add_subplot()
    draw(axes, CONVNET_INPUT, found)
    total = sum(stage.parameters for stage in found)
    axes.set_title(f"$G_W$: {total:,} trainable numbers, shared by both towers", loc="left")

    sizes = {stage.name: stage.shape for stage in found}
    claims = [
        Claim("C1 has 15 maps", sizes["C1"][0], "=", 15),
        Claim("C1 has 6×6 kernels", network.layers["C1"].kernel, "=", 6),
        Claim("S2 subsamples each map of C1", sizes["S2"][0], "=", sizes["C1"][0]),
        Claim("C3 has 30 maps", sizes["C3"][0], "=", 30),
        Claim("C3 has 9×9 kernels", network.layers["C3"].kernel, "=", 9),
        Claim("C3 has one position", sizes["C3"][1] * sizes["C3"][2], "=", 1),
        Claim("the output has 2 units", sizes["F4"][0], "=", 2),
    ]
    measured = {stage.name: {"shape": list(stage.shape), "parameters": stage.parameters} for stage in found}
    return Result(figure, claims, settings={"input": list(CONVNET_INPUT)}, measured=measured)


def draw(axes: Axes, shape: tuple[int, ...], found: list[Stage]) -> None:
    """The planes of each trainable stage from left to right, what leads from one to the next between them."""
    drawn = [("input", shape, "")]
    for stage in found:
        if isinstance(stage.layer, Tanh):
            name, size, way = drawn[-1]
            drawn[-1] = (name, size, f"{way}, tanh")
        elif not isinstance(stage.layer, Flatten):
            drawn.append((stage.name, stage.shape, _way(stage)))

    left, places = 0.0, []
    for name, size, way in drawn:
        right = _planes(axes, left, size)
        middle = (left + right) / 2
        axes.text(middle, -24.5, name, ha="center", va="top", weight="bold", color=INK)
        axes.text(middle, -28, _size(size), ha="center", va="top", color=INK)
        places.append((left, right, way))
        left = right + 24
    for (_, right, _), (following, _, way) in zip(places, places[1:], strict=False):
        axes.annotate(
            "",
            (following - 1.5, 0),
            (right + 1.5, 0),
            arrowprops={"arrowstyle": "-|>", "color": FAINT, "linewidth": 1.2},
        )
        axes.text(
            (right + following) / 2, 2, way.replace(", ", "\n"), ha="center", va="bottom", fontsize=9, color="#444444"
        )
    axes.set(xlim=(-2, places[-1][1] + 6), ylim=(-33, 25), aspect="equal")
    axes.axis("off")


def _planes(axes: Axes, left: float, size: tuple[int, ...]) -> float:
    """Draws a stack of maps to scale, one unit a pixel, or a column of units; returns its right edge."""
    if len(size) == 1:
        for unit in range(size[0]):
            axes.add_patch(Circle((left + 1.5, 3 * ((size[0] - 1) / 2 - unit)), 1.1, facecolor=PALE, edgecolor=BLUE))
        return left + 3
    maps, height, width = size
    lean = min(0.55, 14 / maps)
    offset = lean * (maps - 1) / 2
    for k in range(maps):
        corner = (left + lean * k, -height / 2 - offset + lean * k)
        axes.add_patch(
            Rectangle(corner, width, height, facecolor=PALE, edgecolor=BLUE, linewidth=0.6, zorder=2 - k / 100)
        )
    return left + lean * (maps - 1) + width


def _way(stage: Stage) -> str:
    layer = stage.layer
    if isinstance(layer, Conv2d):
        return f"convolution, {layer.kernel}×{layer.kernel} kernels"
    if isinstance(layer, Subsample):
        return f"subsampling, {layer.window}×{layer.window} windows"
    if isinstance(layer, Linear):
        return "full connection"
    raise TypeError(f"no drawing for {type(layer).__name__}")


def _size(size: tuple[int, ...]) -> str:
    return f"{size[0]}@{size[1]}×{size[2]}" if len(size) == 3 else f"{size[0]} units"
