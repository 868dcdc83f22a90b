"""Figure 3: the architecture of G_W, read off the network of Figure 4 by passing unseen digits through its layers."""

from dataclasses import dataclass

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from drlim_np.drawing.panels import box, room_for, sheet
from drlim_np.drawing.style import INK, RULES, VERMILLION, WIDTH
from drlim_np.figures import figure4
from drlim_np.figures.digits import CLASSES, LOOKS
from drlim_np.figures.shifted_digits import signed
from drlim_np.layers import Conv2d, Flatten, Linear, Sequential, Subsample, Tanh
from drlim_np.networks import CONVNET_INPUT
from drlim_np.runs.record import Claim, Result, Run
from drlim_np.tree import Tree, leaves, tree_map

CLAIM = "$G_W$ maps a digit to a point of the plane;\ntwo towers share one $W$"
NAMES = ["input", "layer 1", "layer 2", "layer 3", "output"]  # as the paper prints them
MIDDLES, SIDES = (0.75, 2.75, 4.85, 6.2, 7.4), (1.2, 0.41, 0.27, 0.15, 0.3)  # inches: across, and of one map or unit
HEADERS, TOWER = 1.05, 1.3  # inches: as high


@dataclass(frozen=True)
class Stage:
    """What a layer puts out: its name in the network, the layer, its trainable numbers, its values for one image.

    values: (maps, height, width) or (units,), past the non-linearity that follows.
    """

    name: str
    layer: object
    parameters: int
    values: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what it makes of one image."""
        return self.values.shape


def stages(network: Sequential, params: Tree, image: np.ndarray) -> list[Stage]:
    """Every trainable layer of the network with what it makes of an image (1, 32, 32)."""
    x, found = image[None], []
    for name, layer in network.layers.items():
        x, _ = layer(params[name], x)
        if isinstance(layer, Tanh):
            last = found.pop()
            found.append(Stage(last.name, last.layer, last.parameters, x[0]))
        elif not isinstance(layer, Flatten):
            found.append(Stage(name, layer, sum(array.size for _, array in leaves(params[name])), x[0]))
    return found


@rc_context(RULES)
def make(run: Run) -> Result:
    """The layers of G_W with their maps and sizes, and what the trained ones make of an unseen 4 and an unseen 9."""
    of_4 = figure4.trained(run, "balanced")
    network = of_4.network.network
    params = tree_map(np.asarray, of_4.params)
    labels = run.digits().test.labels[of_4.test]
    images = [typical(of_4.unseen[labels == digit]) for digit in CLASSES]
    towers = [stages(network, params, image) for image in images]
    found = towers[0]
    total = sum(stage.parameters for stage in found)

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
    settings = {"input": list(CONVNET_INPUT)}
    return Result(draw(images, towers, total, run.digits().title), claims, settings, run.digits(), measured)


def typical(images: np.ndarray) -> np.ndarray:
    """Of images (samples, 1, 32, 32) the one nearest to their mean."""
    return images[np.linalg.norm((images - images.mean(axis=0)).reshape(len(images), -1), axis=1).argmin()]


def draw(images: list[np.ndarray], towers: list[list[Stage]], total: int, title: str) -> Figure:
    """Two towers, one under the other, the second fainter; the names and sizes of their layers above."""
    points = [f"({', '.join(signed(value) for value in tower[-1].values)})" for tower in towers]
    words = f"unseen digits, {title}, in the network of Figure 4:\n"
    words += f"{total:,} trainable numbers, 4 at {points[0]}, 9 at {points[1]}"
    top, foot = room_for(CLAIM, words)
    height = HEADERS + 2 * TOWER + 0.5
    figure = sheet(top + height + foot, CLAIM, words)
    axes = figure.add_axes(box(figure, 0, top, WIDTH, height))
    axes.set(xlim=(0, WIDTH), ylim=(0, height))
    axes.set_autoscale_on(False)
    axes.axis("off")
    header = [("32×32", "")] + [(_size(stage.shape), _way(stage.layer)) for stage in towers[0]]
    for middle, name, (size, way) in zip(MIDDLES, NAMES, header, strict=True):
        axes.text(middle, height - 0.02, name, ha="center", va="top", weight="bold")
        axes.text(middle, height - 0.26, f"{size}\n{way}", ha="center", va="top", linespacing=1.15)
    upper, lower = height - HEADERS - TOWER / 2, TOWER / 2
    for digit, level, image, tower, strength in zip(CLASSES, (upper, lower), images, towers, (1, 0.4), strict=True):
        _tower(axes, level, image, tower, strength, LOOKS[digit][0])
    receptive_field(axes, upper, towers[0][0])
    for x in MIDDLES[1:]:
        arrow = {"arrowstyle": "<->", "color": INK, "linewidth": 1.2}
        axes.annotate("", (x, lower + TOWER / 2 - 0.02), (x, upper - TOWER / 2 + 0.02), arrowprops=arrow)
    for x in MIDDLES[1:-1]:
        axes.text(x + 0.1, (lower + upper) / 2, "same $W$", va="center")
    return figure


def spots(count: int) -> np.ndarray:
    """Where the maps or units of a stage lie as seen from its middle, in sides of one: (count, 2), in rows."""
    across = {1: 1, 2: 1, 15: 5, 30: 4}.get(count, int(np.ceil(np.sqrt(count))))
    lines = -(-count // across)
    line, column = np.divmod(np.arange(count), across)
    return 1.06 * np.stack([column - (across - 1) / 2, (lines - 1) / 2 - line], axis=1)


def _tower(axes: Axes, level: float, image: np.ndarray, tower: list[Stage], strength: float, colour: str) -> None:
    for middle, side, values in zip(MIDDLES, SIDES, [image, *(stage.values for stage in tower)], strict=True):
        for value, spot in zip(values, spots(len(values)), strict=True):
            x, y = (middle, level) + side * spot
            if np.ndim(value) == 0:
                axes.add_patch(Circle((x, y), 0.45 * side, facecolor=colour, edgecolor=INK, alpha=strength))
                continue
            ends = {"vmin": 0, "vmax": 1} if values is image else {"vmin": -1, "vmax": 1}
            extent = (x - side / 2, x + side / 2, y - side / 2, y + side / 2)
            axes.imshow(
                value, cmap="gray", extent=extent, aspect="auto", alpha=strength, interpolation="nearest", **ends
            )
    halves = [
        side * (spots(count)[:, 0].max() + 0.6) for side, count in zip(SIDES, [1, *map(_maps, tower)], strict=True)
    ]
    for start, end in zip(np.add(MIDDLES, halves)[:-1], np.subtract(MIDDLES, halves)[1:], strict=True):
        arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.2, "alpha": strength, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (end, level), (start, level), arrowprops=arrow)


def receptive_field(axes: Axes, level: float, stage: Stage) -> None:
    """The pixels that the strongest unit of the first map of layer 1 sees, and lines from them to the unit."""
    row, column = np.unravel_index(stage.values[0].argmax(), stage.shape[1:])
    kernel, (x, y) = stage.layer.kernel, (MIDDLES[1], level) + SIDES[1] * spots(stage.shape[0])[0]
    pixel, unit = SIDES[0] / CONVNET_INPUT[1], SIDES[1] / stage.shape[1]
    left, top = MIDDLES[0] - SIDES[0] / 2 + pixel * column, level + SIDES[0] / 2 - pixel * row
    at = (x - SIDES[1] / 2 + unit * column, y + SIDES[1] / 2 - unit * (row + 1))
    looks = {"fill": False, "edgecolor": VERMILLION, "linewidth": 1.6, "zorder": 5}
    axes.add_patch(Rectangle((left, top - pixel * kernel), pixel * kernel, pixel * kernel, **looks))
    axes.add_patch(Rectangle(at, unit, unit, **looks))
    for corner, end in ((top, at[1] + unit), (top - pixel * kernel, at[1])):
        axes.plot([left + pixel * kernel, at[0]], [corner, end], color=VERMILLION, linewidth=1.2, zorder=5)


def _maps(stage: Stage) -> int:
    return stage.shape[0]


def _way(layer: object) -> str:
    if isinstance(layer, Conv2d):
        return f"convolutions\n{layer.kernel}×{layer.kernel}"
    if isinstance(layer, Subsample):
        return f"subsampling\n{layer.window}×{layer.window}"
    if isinstance(layer, Linear):
        return "fully\nconnected"
    raise TypeError(f"no drawing for {type(layer).__name__}")


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape + (1, 1) * (len(shape) == 1)))
