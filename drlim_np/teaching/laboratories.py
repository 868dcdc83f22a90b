"""The two laboratories that need data: each is one page with its numbers in it, and computes in JavaScript.

Tests hold both to this package in a browser, and training.html to `verbatim.update` with each mistake planted as well.
"""

import json
from base64 import b64encode
from inspect import getsource

import numpy as np

from drlim_np import verbatim
from drlim_np.data import AZIMUTHS, SHIFTS, VIEW_SIDE, Views, shifted
from drlim_np.files.frame import template
from drlim_np.networks import convnet
from drlim_np.training import embed
from drlim_np.tree import Tree

LETTERS = {"weight": "w", "coefficient": "a", "bias": "b"}  # what the page calls them, after their layer
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


def map_page(maps: dict[str, Tree], images: np.ndarray, labels: np.ndarray, margin: float, numbers: str = "") -> str:
    """The page as HTML.

    maps: the name of each of two maps, as a reader wants to see it → its W, of `convnet()`. Kept in float32.
    images: (digits, 1, 32, 32) unseen digits, unshifted, 0 to 1, each 1.4 KB of the page; labels: (digits,) 4 or 9.
    margin: that of the loss. numbers: a sentence with the measured values, shown below the curve.
    """
    inked = np.rint(images * 255).astype(np.uint8)
    x = (inked / 255).astype(np.float32)
    unit = x.reshape(len(x), -1) / np.linalg.norm(x.reshape(len(x), -1), axis=1, keepdims=True)
    cosines = unit @ unit.T  # a drawing is unlike if all its own are lower than with the others for 1 in 50 digits
    np.fill_diagonal(cosines, 0)
    nets = []
    for name, params in maps.items():
        kept = ((layer + LETTERS[part], w) for layer, parts in params.items() for part, w in parts.items())
        places = encoded(embed(convnet(), params, shifted(x)), "<f4")
        nets.append({"name": name, "W": {key: encoded(w, "<f4") for key, w in kept}, "places": places})
    data = {
        "maps": nets,
        "images": encoded(inked, "u1"),
        "labels": np.asarray(labels).tolist(),
        "shifts": list(SHIFTS),
        "margin": margin,
        "alike": float(np.quantile(cosines.max(axis=1), 0.02)),
        "numbers": numbers,
    }
    return with_data("map.html", data)


def training_page(views: Views, unseen: np.ndarray) -> str:
    """The page as HTML. unseen: the rows of `views` that it does not train on."""
    small, kept, background = blocks(views, unseen)
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


def with_data(page: str, data: dict) -> str:
    """A laboratory with its data in it; "<" is always escaped there, so that nothing in them ends the script."""
    text = json.dumps(data).replace("<", "\\u003c")
    return template(page, __package__).template.replace("/*DATA*/null/*DATA*/", text)


def encoded(array: np.ndarray, kind: str) -> str:
    """The numbers of an array, as that dtype, in base64, as a script reads them."""
    return b64encode(np.ascontiguousarray(array, dtype=kind)).decode()
