"""How the figures look: one palette for colour-blind readers, one set of sizes, drawn without a display."""

from matplotlib import rcParamsDefault
from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart with any common colour blindness.
BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7"
INK, FAINT = "#222222", "#8A8A8A"

# Each figure is made under these: @rc_context(RULES). They begin with Matplotlib's defaults, whatever a user's
# matplotlibrc says; the backend alone, which draws nothing here, stays as it is.
RULES = {name: value for name, value in rcParamsDefault.items() if name != "backend"} | {
    "svg.hashsalt": "drlim_np",  # element names in an SVG follow from its content, not from chance
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def stamp(figure: Figure, text: str) -> None:
    """Marks the whole figure, so that nobody takes it for what it is not."""
    figure.text(0.995, 0.995, text.upper(), ha="right", va="top", fontsize=13, weight="bold", color=VERMILLION)
