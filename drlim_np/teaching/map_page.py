"""The map laboratory: two trained networks in one page, in which a student draws a digit and sees where it goes.

`map_page` puts weights and unseen digits into map.html, which computes G_W, its pullback and the loss of a pair itself;
a test holds all three to this package in a browser.
"""

import json
from base64 import b64encode

import numpy as np

from drlim_np.data.shifts import SHIFTS, shifted
from drlim_np.files.frame import template
from drlim_np.networks import convnet
from drlim_np.training import embed
from drlim_np.tree import Tree, tree_map

LETTERS = {"weight": "w", "coefficient": "a", "bias": "b"}  # what the page calls them, after their layer


def map_page(maps: dict[str, Tree], images: np.ndarray, labels: np.ndarray, margin: float, numbers: str = "") -> str:
    """The page as HTML.

    maps: the name of each of two maps, as a reader wants to see it → its W, of `convnet()`. Kept in 16 bits a number.
    images: (digits, 1, 32, 32) unseen digits, unshifted, 0 to 1, each 1.4 KB of the page; labels: (digits,) 4 or 9.
    margin: that of the loss. numbers: a sentence with the measured values, shown below the curve.
    """
    inked = np.rint(images * 255).astype(np.uint8)
    x = (inked / 255).astype(np.float32)
    data = {
        "maps": [_map(name, params, x) for name, params in maps.items()],
        "images": encoded(inked),
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


def encoded(array: np.ndarray) -> str:
    """The bytes of an array in base64, as a script reads them."""
    return b64encode(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"))).decode()


def as_kept(params: Tree) -> Tree:
    """W as the page has it: each array in whole steps, of 1/32,767 of its largest entry, in float32."""
    return tree_map(lambda w: np.multiply(*_in_steps(w)).astype(np.float32), params)


def _in_steps(w: np.ndarray) -> tuple[np.ndarray, float]:
    """Whole numbers, int16, and the step they count: a map moves a tenth as far as with weights in float16."""
    step = float(np.abs(w).max()) / 32767 or 1.0  # of zeros any will do
    return np.rint(w / np.float64(step)).astype(np.int16), step


def _map(name: str, params: Tree, x: np.ndarray) -> dict:
    weights = {}
    for layer, parts in params.items():
        for part, w in parts.items():
            steps, step = _in_steps(w)
            weights[layer + LETTERS[part]] = [encoded(steps), step]
    places = embed(convnet(), as_kept(params), shifted(x))
    return {"name": name, "W": weights, "places": encoded(places.astype(np.float32))}


def _least_likeness(pixels: np.ndarray) -> float:
    """A drawing is called unlike if its cosine with each digit is below this, as for 1 in 50 digits with the others."""
    unit = pixels / np.linalg.norm(pixels, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, 0)
    return float(np.quantile(cosines.max(axis=1), 0.02))
