"""The training laboratory: a network that learns from the airplane's views in one page, and can be broken.

`training_page` puts the views and the lines of each mistake into training.html, which computes Step 2 itself; a test
holds it to `verbatim.update`, as it is and with each mistake planted, in a browser.
"""

from inspect import getsource

import numpy as np

from drlim_np import verbatim
from drlim_np.data import AZIMUTHS, VIEW_SIDE, Views
from drlim_np.errors import require
from drlim_np.teaching.map_page import encoded, with_data

BLOCK = 4  # pixels each way that become one: 24×24 instead of 96×96
NEIGHBOURS = 5  # in pixels, where those are to say what is similar
HINGE = "if Y == 1 and not 0 < D < m:"
PULL, PUSH = "dz = z1 - z2", "dz = -(m - D) * (z1 - z2) / D"
BOTH = "A -= rate * (np.outer(da1, x1) + np.outer(da2, x2))"
COPIES = "(z1, h1), (z2, h2) = G(W, x1), G(W, x2)"
MISTAKES = {  # wrong forms of `verbatim.update`: a name → its title, and each of its lines as it was and as it is
    "attract": ("no dissimilar pairs", (HINGE, "if Y == 1:")),
    "tower": ("one tower forgotten", (BOTH, "A -= rate * np.outer(da1, x1)")),
    "sign": ("the second tower's sign", ("-dz @ B * (1 - h2**2)", "dz @ B * (1 - h2**2)")),
    "cache": ("a cache shared by both towers", (COPIES, "(z1, _), (z2, h2) = G(W, x1), G(W, x2); x1, h1 = x2, h2")),
    "hinge": ("no hinge: a force beyond m", (HINGE, "if Y == 1 and not 0 < D:")),
    "square": ("m − D² for (m − D)²", (PUSH, "dz = -(z1 - z2)")),
    "half": ("½ dropped", (PULL, "dz = 2 * (z1 - z2)"), (PUSH, "dz = -2 * (m - D) * (z1 - z2) / D")),
    "plain": ("similar pulled by D instead of D²", (PULL, "dz = (z1 - z2) / max(D, 1e-9)")),
}


def training_page(views: Views, unseen: np.ndarray) -> str:
    """The page as HTML. unseen: the rows of `views` that it does not train on."""
    small, kept, background = blocks(views, unseen)
    require(len(kept) > 0, "all views are the same: there is nothing to learn from them")
    data = {
        "side": VIEW_SIDE // BLOCK,
        "around": AZIMUTHS,
        "kept": kept.tolist(),
        "images": encoded(small[:, kept], "u1"),
        "background": background[kept].tolist(),
        "ground": int(np.median(background)),
        "scale": BLOCK,
        "unseen": np.asarray(unseen).tolist(),
        "neighbours": NEIGHBOURS,
        "margin": verbatim.MARGIN,
        "rate": verbatim.RATE,
        "source": getsource(verbatim.update),
        "mistakes": [{"name": name, "title": title, "lines": lines} for name, (title, *lines) in MISTAKES.items()],
    }
    return with_data("training.html", data)


def blocks(views: Views, unseen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The views' means over blocks (views, 576) uint8, the places that ever differ, and the background (576,).

    The background is the median over the views trained on, as in `data.split`. An input is BLOCK (mean - background) /
    255: the coordinate of the block's pixels along their common direction, so that a rate means what it does there.
    """
    count, side = len(views.images), VIEW_SIDE // BLOCK
    means = views.images.reshape(count, side, BLOCK, side, BLOCK).mean(axis=(2, 4))
    small = np.rint(means).astype(np.uint8).reshape(count, side**2)
    background = np.median(np.delete(small, unseen, axis=0), axis=0)
    return small, np.flatnonzero((small != background).any(axis=0)), background
