"""Figure 3: the architecture of G_W, read off the network of Figure 4 by passing unseen digits through its layers."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle

from drlim_np.data import Digits
from drlim_np.drawing.panels import box, sheet
from drlim_np.drawing.style import INK, LOOKS, VERMILLION, WIDTH, signed
from drlim_np.figures import Claim, Result, Train, figure, figure4
from drlim_np.layers import Conv2d, Flatten, Linear, Positions, Subsample
from drlim_np.networks import CONVNET_INPUT, convnet
from drlim_np.tree import leaves

CLAIM = "$G_W$ maps a digit to a point of the plane;\ntwo towers share one $W$"
NAMES = ["input", "layer 1", "layer 2", "layer 3", "output"]  # as the paper prints them
MIDDLES, SIDES = (0.75, 2.75, 4.85, 6.2, 7.4), (1.2, 0.41, 0.27, 0.15, 0.3)  # inches: across, and of one map or unit
ACROSS = {1: 1, 2: 1, 15: 5, 30: 4}  # by how many maps or units a stage has: how many are side by side
DOES = {Conv2d: "convolutions\n{0.kernel}×{0.kernel}", Subsample: "subsampling\n{0.window}×{0.window}"}
DOES |= {Linear: "fully\nconnected"}  # each in the words of the paper
HEADERS, TOWER = 1.05, 1.3  # inches: as high
HEIGHT = HEADERS + 2 * TOWER + 0.5
LEVELS = (HEIGHT - HEADERS - TOWER / 2, TOWER / 2)  # of the middles of the two towers
ARROW = {"color": INK, "linewidth": 1.2}


@figure("figure3", needs="digits", after=("figure4",), seconds=2)
def make(digits: Digits, train: Train) -> Result:
    """The layers of G_W with their maps and sizes, and what the trained ones make of an unseen 4 and an unseen 9."""
    found, unseen = figure4.trained(digits, train, "balanced")
    network, images, towers = convnet(), [], []
    for digit in LOOKS:
        of = unseen.inputs[unseen.label == digit]
        images.append(of[np.linalg.norm((of - of.mean(axis=0)).reshape(len(of), -1), axis=1).argmin()])
        x, tower = images[-1][None], {}  # of each trainable layer the maps or units, after the tanh that may follow it
        for name, layer in network.layers.items():
            x, _ = layer(found.params[name], x)
            if isinstance(layer, tuple(DOES)):
                trainable = name
            if not isinstance(layer, Flatten | Positions):
                tower[trainable] = x[0]
        towers.append(tower)

    sizes = {name: values.shape for name, values in towers[0].items()}
    trained = {name: sum(array.size for _, array in leaves(found.params[name])) for name in sizes}
    claims = [
        Claim("C1 has 15 maps", sizes["C1"][0], "=", 15),
        Claim("C1 has 6×6 kernels", network.layers["C1"].kernel, "=", 6),
        Claim("S2 subsamples each map of C1", sizes["S2"][0], "=", sizes["C1"][0]),
        Claim("C3 has 30 maps", sizes["C3"][0], "=", 30),
        Claim("C3 has 9×9 kernels", network.layers["C3"].kernel, "=", 9),
        Claim("C3 has one position", sizes["C3"][1] * sizes["C3"][2], "=", 1),
        Claim("the output has 2 units", sizes["F4"][0], "=", 2),
    ]
    measured = {name: {"shape": list(size), "parameters": trained[name]} for name, size in sizes.items()}

    # Two towers, one under the other, the second fainter; the names and sizes of their layers above.
    points = [f"({', '.join(signed(value) for value in tower['F4'])})" for tower in towers]
    words = f"unseen digits, {digits.title}, in the network of Figure 4:\n"
    words += f"{sum(trained.values()):,} trainable numbers, 4 at {points[0]}, 9 at {points[1]}"
    drawing, top = sheet(CLAIM, words, HEIGHT)
    axes = drawing.add_axes(box(drawing, 0, top, WIDTH, HEIGHT))
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    axes.axis("off")
    headers = ["32×32\n"]
    for name, size in sizes.items():
        layer = network.layers[name]
        headers.append("×".join(map(str, (*size, 1, 1)[:3])) + "\n" + DOES[type(layer)].format(layer))
    for middle, name, header in zip(MIDDLES, NAMES, headers, strict=True):
        axes.text(middle, HEIGHT - 0.02, name, ha="center", va="top", weight="bold")
        axes.text(middle, HEIGHT - 0.26, header, ha="center", va="top", linespacing=1.15)
    for digit, level, image, tower, strength in zip(LOOKS, LEVELS, images, towers, (1, 0.4), strict=True):
        _tower(axes, level, [image, *tower.values()], strength, LOOKS[digit][0])
    # The pixels that the strongest unit of the first map of layer 1 sees, and lines from them to the unit.
    maps = towers[0]["C1"]
    row, column = np.unravel_index(maps[0].argmax(), maps[0].shape)
    x, y = (MIDDLES[1], LEVELS[0]) + SIDES[1] * spots(len(maps))[0]
    pixel, unit = SIDES[0] / CONVNET_INPUT[1], SIDES[1] / maps.shape[1]
    seen = pixel * network.layers["C1"].kernel
    left, top = MIDDLES[0] - SIDES[0] / 2 + pixel * column, LEVELS[0] + SIDES[0] / 2 - pixel * row
    at = (x - SIDES[1] / 2 + unit * column, y + SIDES[1] / 2 - unit * (row + 1))
    for corner, side in (((left, top - seen), seen), (at, unit)):
        axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=VERMILLION, linewidth=1.6, zorder=5))
    for start, end in ((top, at[1] + unit), (top - seen, at[1])):
        axes.plot([left + seen, at[0]], [start, end], color=VERMILLION, linewidth=1.2, zorder=5)
    for x in MIDDLES[1:]:
        ends = (x, LEVELS[1] + TOWER / 2 - 0.02), (x, LEVELS[0] - TOWER / 2 + 0.02)
        axes.annotate("", *ends, arrowprops={"arrowstyle": "<->"} | ARROW)
        if x != MIDDLES[-1]:
            axes.text(x + 0.1, sum(LEVELS) / 2, "same $W$", va="center")
    return Result(drawing, claims, {"input": list(CONVNET_INPUT)}, digits, measured)


def spots(count: int) -> np.ndarray:
    """Where the maps or units of a stage are, from its middle, in sides of one: (count, 2), in rows."""
    line, column = np.divmod(np.arange(count), ACROSS[count])
    return 1.06 * np.stack([column - column.max() / 2, line.max() / 2 - line], axis=1)


def _tower(axes: Axes, level: float, values: list[np.ndarray], strength: float, colour: str) -> None:
    """The input and the values of each stage, with arrows between them."""
    looks = {"cmap": "gray", "aspect": "auto", "alpha": strength, "interpolation": "nearest"}
    arrow = {"arrowstyle": "-|>", "alpha": strength, "shrinkA": 0, "shrinkB": 0} | ARROW
    for number, (middle, side, maps) in enumerate(zip(MIDDLES, SIDES, values, strict=True)):
        for value, spot in zip(maps, spots(len(maps)), strict=True):
            x, y = (middle, level) + side * spot
            if np.ndim(value) == 0:
                axes.add_patch(Circle((x, y), 0.45 * side, facecolor=colour, edgecolor=INK, alpha=strength))
            else:
                extent = (x - side / 2, x + side / 2, y - side / 2, y + side / 2)
                axes.imshow(value, extent=extent, vmin=-1 if number else 0, vmax=1, **looks)
    halves = [side * (spots(len(maps))[:, 0].max() + 0.6) for side, maps in zip(SIDES, values, strict=True)]
    for start, end in zip(np.add(MIDDLES, halves)[:-1], np.subtract(MIDDLES, halves)[1:], strict=True):
        axes.annotate("", (end, level), (start, level), arrowprops=arrow)
