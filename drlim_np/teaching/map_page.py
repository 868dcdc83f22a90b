"""The map laboratory: two trained networks in one page, in which a student draws a digit and sees where it goes.

`map_page` puts weights and unseen digits into map.html, which computes G_W, its pullback and the loss of a pair itself;
a test holds all three to this package in a browser.
"""

import json
from base64 import b64encode
from importlib.resources import files

import numpy as np

from drlim_np.data.shifts import SHIFTS, shifted
from drlim_np.errors import InputError
from drlim_np.networks import CONVNET_INPUT, convnet
from drlim_np.training import embed
from drlim_np.tree import Tree, tree_map

FACTORS = {"C1": "weight", "S2": "coefficient", "C3": "weight", "F4": "weight"}  # each layer has one, and a bias
MOST = 250  # digits: each takes 1.4 KB of the page


def map_page(maps: dict[str, Tree], images: np.ndarray, labels: np.ndarray, margin: float, numbers: str = "") -> str:
    """The page as HTML.

    maps: the name of each of two maps, as a reader wants to see it → its W, of `convnet()`. Kept in 16 bits a number.
    images: (digits, 1, 32, 32) unseen digits, unshifted, 0 to 1; labels: (digits,) 4 or 9. Up to MOST of them.
    margin: that of the loss. numbers: a sentence with the measured values, shown below the curve.
    """
    if len(maps) != 2 or any(set(FACTORS) - set(params) for params in maps.values()):
        raise InputError(f"maps holds {list(maps)}: two names are needed, each with the weights of convnet()")
    if images.shape[1:] != CONVNET_INPUT or not 12 <= len(images) <= MOST or len(labels) != len(images):
        raise InputError(f"images has shape {images.shape}: it must be (12 to {MOST}, 1, 32, 32), with a label each")
    if set(np.unique(labels)) != {4, 9}:
        raise InputError(f"labels are {np.unique(labels).tolist()}: the networks know 4 and 9")
    inked = np.rint(images * 255).astype(np.uint8)
    x = (inked / 255).astype(np.float32)
    data = {
        "maps": [_map(name, params, x) for name, params in maps.items()],
        "images": _text(inked),
        "labels": np.asarray(labels).tolist(),
        "shifts": list(SHIFTS),
        "margin": margin,
        "alike": _least_likeness(x.reshape(len(x), -1)),
        "numbers": numbers,
    }
    # "<" is always escaped in the script, so that no name can end it.
    text = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
    return files(__package__).joinpath("map.html").read_text(encoding="utf-8").replace("/*DATA*/null/*DATA*/", text)


def as_kept(params: Tree) -> Tree:
    """W as the page has it: each array in whole steps, of 1/32,767 of its largest entry, in float32."""
    return tree_map(lambda w: np.multiply(*_in_steps(w)).astype(np.float32), params)


def _in_steps(w: np.ndarray) -> tuple[np.ndarray, float]:
    """Whole numbers, int16, and the step they count: a map moves a tenth as far as with weights in float16."""
    step = float(np.abs(w).max()) / 32767 or 1.0  # of zeros any will do
    return np.rint(w / np.float64(step)).astype(np.int16), step


def _map(name: str, params: Tree, x: np.ndarray) -> dict:
    weights = {}
    for layer, factor in FACTORS.items():
        for letter, part in (("a" if layer == "S2" else "w", factor), ("b", "bias")):
            steps, step = _in_steps(params[layer][part])
            weights[layer + letter] = [_text(steps), step]
    places = embed(convnet(), as_kept(params), shifted(x))
    return {"name": name, "W": weights, "places": _text(places.astype(np.float32))}


def _text(array: np.ndarray) -> str:
    return b64encode(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"))).decode()


def _least_likeness(pixels: np.ndarray) -> float:
    """A drawing is called unlike if its cosine with each digit is below this, as for 1 in 50 digits with the others."""
    unit = pixels / np.linalg.norm(pixels, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, 0)
    return float(np.quantile(cosines.max(axis=1), 0.02))
