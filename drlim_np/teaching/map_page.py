"""The map laboratory: two trained networks in one page, in which a student draws a digit and sees where it goes.

`map_page` puts weights and unseen digits into map.html, which computes G_W, its pullback and the loss of a pair itself;
a test holds all three to this package in a browser.
"""

import json
from base64 import b64encode

import numpy as np

from drlim_np.data import SHIFTS, shifted
from drlim_np.files.frame import template
from drlim_np.networks import convnet
from drlim_np.training import embed
from drlim_np.tree import Tree

LETTERS = {"weight": "w", "coefficient": "a", "bias": "b"}  # what the page calls them, after their layer


def map_page(maps: dict[str, Tree], images: np.ndarray, labels: np.ndarray, margin: float, numbers: str = "") -> str:
    """The page as HTML.

    maps: the name of each of two maps, as a reader wants to see it → its W, of `convnet()`. Kept in float32.
    images: (digits, 1, 32, 32) unseen digits, unshifted, 0 to 1, each 1.4 KB of the page; labels: (digits,) 4 or 9.
    margin: that of the loss. numbers: a sentence with the measured values, shown below the curve.
    """
    inked = np.rint(images * 255).astype(np.uint8)
    x = (inked / 255).astype(np.float32)
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
        "alike": _least_likeness(x.reshape(len(x), -1)),
        "numbers": numbers,
    }
    return with_data("map.html", data)


def with_data(page: str, data: dict) -> str:
    """A laboratory with its data in it; "<" is always escaped there, so that nothing in them ends the script."""
    text = json.dumps(data).replace("<", "\\u003c")
    return template(page, __package__).template.replace("/*DATA*/null/*DATA*/", text)


def encoded(array: np.ndarray, kind: str) -> str:
    """The numbers of an array, as that dtype, in base64, as a script reads them."""
    return b64encode(np.ascontiguousarray(array, dtype=kind)).decode()


def _least_likeness(pixels: np.ndarray) -> float:
    """A drawing is called unlike if its cosine with each digit is below this, as for 1 in 50 digits with the others."""
    unit = pixels / np.linalg.norm(pixels, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, 0)
    return float(np.quantile(cosines.max(axis=1), 0.02))
