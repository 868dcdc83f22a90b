"""The two towers: a pair of images, two copies of G_W with one W, and the gradient that meets at "+" (Sec. 2.1)."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from drlim_np.audit.gradcheck import check
from drlim_np.drawing.style import BLUE, INK, VERMILLION
from drlim_np.figures import Claim, Result, Train, figure
from drlim_np.loss import contrastive
from drlim_np.networks import two_layer
from drlim_np.siamese import two_towers

TOP, MIDDLE, BOTTOM = 3.2, 1.85, 0.5
PALE = "#CFE6F5"
FORWARDS = {"arrowstyle": "-|>", "linewidth": 2, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 18, "color": INK}
BACKWARDS = FORWARDS | {"color": VERMILLION, "linestyle": (0, (4, 1.5))}


@figure("towers", seconds=1)
def make(data: None, train: Train) -> Result:
    """The two towers: copies of G_W that share one W, and the gradient that flows back and meets at "+"."""
    drawing = Figure(figsize=(8, 3.7))
    axes = drawing.add_axes((0, 0, 1, 1))

    def say(x: float, y: float, said: str, colour: str) -> None:
        axes.text(x, y, said, ha="center", va="center", fontsize=19, color=colour)

    def boxed(x: float, y: float, wide: float, said: str, colour: str = "white") -> None:
        axes.add_patch(Rectangle((x - wide / 2, y - 0.36), wide, 0.72, facecolor=colour, edgecolor=INK, linewidth=1.5))
        say(x, y, said, INK)

    # Forwards in ink, left to right; backwards in vermillion, dashed, from L to the "+" where both towers meet.
    axes.set(xlim=(0, 8), ylim=(0, 3.7))
    axes.set_axis_off()
    boxed(6.0, MIDDLE, 0.75, "$D$")
    boxed(7.5, MIDDLE, 0.75, "$L$")
    arrows = [(FORWARDS, (6.38, MIDDLE + 0.14), (7.12, MIDDLE + 0.14))]
    arrows += [(BACKWARDS, (7.12, MIDDLE - 0.14), (6.38, MIDDLE - 0.14))]
    for level, number, inwards in ((TOP, 1, -1), (BOTTOM, 2, 1)):
        boxed(0.5, level, 0.75, f"$x_{number}$")
        boxed(2.3, level, 1.3, "$G_W$", PALE)
        boxed(4.4, level, 0.75, f"$z_{number}$")
        near, far, edge = level - 0.14 * inwards, level + 0.14 * inwards, level + 0.36 * inwards
        arrows += [
            (FORWARDS, (0.88, level), (1.65, level)),
            (FORWARDS, (2.95, near), (4.02, near)),
            (BACKWARDS, (4.02, far), (2.95, far)),
            (FORWARDS, (4.78, level), (5.72, MIDDLE - 0.36 * inwards)),
            (BACKWARDS, (5.6, MIDDLE - 0.14 * inwards), (4.6, edge)),
            (BACKWARDS, (2.3, edge), (2.3, MIDDLE - 0.27 * inwards)),
        ]
        axes.plot([1.25, 1.72], [MIDDLE - 0.2 * inwards, edge], color=BLUE, linewidth=1.5)
    for looks, start, end in arrows:
        axes.annotate("", end, start, arrowprops=looks)
    axes.add_patch(Circle((2.3, MIDDLE), 0.25, facecolor="white", edgecolor=VERMILLION, linewidth=2))
    say(2.3, MIDDLE, "+", VERMILLION)
    say(3.3, MIDDLE, r"$\rightarrow\ \partial L/\partial W$", VERMILLION)
    say(1.05, MIDDLE, "same $W$", BLUE)
    say(6.75, TOP + 0.1, r"forwards $\rightarrow$", INK)
    say(6.75, BOTTOM - 0.1, r"$\leftarrow$ gradient", VERMILLION)
    _, dz1, dz2 = contrastive(*np.random.default_rng(1).standard_normal((2, 6, 2)), [0, 1] * 3, margin=3.0)
    claims = [
        Claim("what meets at + is dL/dW: distance from the complex step", off_the_complex_step(), "≤", 1e-12),
        Claim("dL/dz₁ + dL/dz₂: largest entry", float(np.abs(dz1 + dz2).max()), "=", 0.0),
    ]
    return Result(drawing, claims)


def off_the_complex_step() -> float:
    """How far the sum of both towers' gradients is from dL/dW by the complex step, in parts of it: the worst tensor."""
    rng, network = np.random.default_rng(0), two_layer(4, 3, 2)
    W, pairs = network.init(rng, np.float64), (*rng.standard_normal((2, 6, 4)), [0, 1] * 3)
    _, dW = two_towers(network, W, *pairs, margin=3.0)
    return max(row.complex_error for row in check(lambda W: two_towers(network, W, *pairs, 3.0)[0], W, dW, rng))
