"""How the figures look: one width, one size of letters, a palette for each kind of thing, told apart in grey too."""

from io import BytesIO
from typing import Any

from matplotlib import colormaps, rc_context, rcParamsDefault
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure

WIDTH = 8.0  # inches, of every figure but the first
LETTERS = 13.5  # points: a capital is 8 pixels tall where the figure is 480 wide
HEADING = 15.5

# Okabe and Ito's colours, told apart with any common colour blindness.
BLUE, VERMILLION, ORANGE, SKY = "#0072B2", "#D55E00", "#E69F00", "#56B4E9"
RED = "#C8102E"  # of the similar pairs, as in the paper
INK, FAINT = "#222222", "#8A8A8A"

LOOKS = {4: ("#0B4F8A", "o"), 9: (ORANGE, "^")}  # of the two digits: a dark and a light colour, and a marker each
FIVE_SHIFTS = [to_hex(colormaps["plasma"](part)) for part in (0.05, 0.3, 0.52, 0.74, 0.95)]  # darkest at the left
SIX_LIGHTS = ("#1A1A1A", "#6A1B6E", "#0067A3", VERMILLION, SKY, "#E3C22B")  # from dark to light
# Around a circle and back, dark and light in turn, and nowhere so light that it is lost on white.
AROUND = LinearSegmentedColormap.from_list("around", ["#1B3A8C", "#B23A8F", "#E8A020", "#2E9E6B", "#1B3A8C"])

# Each figure is made under these: Matplotlib's defaults, whatever a user's matplotlibrc says, but for what follows.
RULES: dict[Any, Any] = {name: value for name, value in rcParamsDefault.items() if name != "backend"} | {
    "svg.hashsalt": "drlim_np",  # element names in an SVG follow from its content, not from chance
    "font.family": "DejaVu Sans",
    "font.size": LETTERS,
    "axes.titlesize": "medium",
}
RULES |= dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False)
RULES |= dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color"), INK)


def signed(value: float, form: str = ".3f") -> str:
    """A number in that format, with the typographic minus sign that Matplotlib gives to axes."""
    return f"{value:{form}}".replace("-", "−")


def stamp(figure: Figure, text: str) -> None:
    """Marks the whole figure, so that nobody takes it for what it is not."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    looks = {"ha": "right", "va": "top", "fontsize": 13, "weight": "bold", "color": VERMILLION, "bbox": box}
    figure.text(0.995, 0.995, text.upper(), **looks)


class Sheet(Figure):
    """A figure that is drawn under RULES whenever it is, and shows itself in a notebook."""

    def savefig(self, *args, **options) -> None:
        with rc_context(RULES):
            super().savefig(*args, **options)

    def _repr_png_(self) -> bytes:
        self.savefig(content := BytesIO(), format="png")
        return content.getvalue()
