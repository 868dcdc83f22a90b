"""Figure 1: what a pair costs, against its energy D_W: L_S when it is similar, L_D when it is dissimilar (Eq. 4)."""

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from drlim_np.drawing.style import BLUE, FAINT, RED
from drlim_np.figures import Claim, Result, Train, figure
from drlim_np.loss import dissimilar_loss, similar_loss

MARGIN = 1.25


@figure("figure1")
@rc_context({"font.size": 10.8})  # a capital is as tall as on the wider figures
def make(data: None, train: Train) -> Result:
    """L_S, dashed red, and L_D, solid blue, with the margin."""
    d = np.linspace(0, 1.6 * MARGIN, 641)
    drawing = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = drawing.add_subplot()
    axes.axvline(MARGIN, color=FAINT, linewidth=1, linestyle=":")
    (similar,) = axes.plot(d, similar_loss(d), "--", color=RED, linewidth=2.2)
    (dissimilar,) = axes.plot(d, dissimilar_loss(d, MARGIN), "-", color=BLUE, linewidth=2.2)
    top = similar_loss(d[-1])
    offset = {"textcoords": "offset points"}
    axes.annotate("margin $m$", (MARGIN, top), xytext=(6, -4), va="top", color="#555555", **offset)
    looks = {"ha": "center", "color": BLUE, "arrowprops": {"arrowstyle": "->", "color": BLUE}}
    axes.annotate("0 from $m$ on: the pair\nis far enough apart", (1.3 * MARGIN, 0), xytext=(0, 26), **looks, **offset)
    axes.set(xlim=(0, d[-1]), ylim=(0, top), xlabel="energy $D_W$", ylabel="loss $L$")
    axes.set_title("The contrastive loss of one pair")
    axes.set_xticks([0, MARGIN / 2, MARGIN], ["0", "½ m", "m"])
    axes.set_yticks([0, MARGIN**2 / 2], ["0", "½ m²"])
    names = ["similar, $Y = 0$:  $L_S = ½\\,D_W^2$", "dissimilar, $Y = 1$:  $L_D = ½\\,\\max(0, m - D_W)^2$"]
    axes.legend([similar, dissimilar], names, loc="upper left", borderaxespad=0)

    drawn_s, drawn_d, beyond = similar.get_ydata(), dissimilar.get_ydata(), d >= MARGIN
    claims = [
        Claim("L_S is 0 at D = 0", float(drawn_s[0]), "=", 0.0),
        Claim("L_S rises as ½D²: largest distance from it", float(np.abs(drawn_s - d**2 / 2).max()), "=", 0.0),
        Claim("L_D is ½m² at D = 0: distance from it", abs(float(drawn_d[0]) - MARGIN**2 / 2), "=", 0.0),
        Claim("L_D falls throughout up to m: largest step", float(np.diff(drawn_d[~beyond]).max()), "≤", 0.0),
        Claim("L_D is 0 from m on: its largest value there", float(drawn_d[beyond].max()), "=", 0.0),
    ]
    return Result(drawing, claims, settings={"margin": MARGIN})
