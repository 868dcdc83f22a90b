"""What tests read back from a figure that is drawn."""

import io

from matplotlib import rc_context
from matplotlib.collections import PathCollection

from drlim_np.drawing.style import RULES
from tests.help.comparing import bits


def failing(claims):
    return [claim.text for claim in claims if not claim.holds]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def clouds(axes):
    return [artist for artist in axes.collections if isinstance(artist, PathCollection)]


def content(result):
    """All that a figure leaves, to the last bit: its drawing as an SVG, its arrays, and its W."""
    svg = io.BytesIO()
    with rc_context(RULES):
        result.drawing.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return svg.getvalue(), bits(result.arrays or {}, result.weights or {}), result.measured
