"""Twelve short files, wrong on purpose, and what belongs to each: a hint, its solution, what it teaches, and the truth.

None imports another: `source` is a file as a student is given it. `answers.toml` has their hints and solutions.
"""

import tomllib
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from drlim_np.layers import Conv2d, Subsample
from drlim_np.loss import contrastive, energy


class Exercise(NamedTuple):
    """What belongs to one file.

    inputs: rng → what `loss_and_gradient` is called with. loss: the same → L, also where arrays are complex.
    tensors: the inputs that need a gradient. mend: pairs (wrong, right) of text, each wrong one once in the file.
    """

    file: str
    inputs: Callable[[np.random.Generator], dict]
    loss: Callable[..., np.ndarray]
    tensors: tuple[str, ...]
    hint: str
    learned: str
    mend: list[list[str]]
    source: str

    @property
    def solution(self) -> str:
        text = self.source
        for wrong, right in self.mend:
            text = text.replace(wrong, right)
        return text

    @property
    def title(self) -> str:
        return self.source.partition("\n")[0].strip('"')


def _normal(**shapes: tuple[int, ...] | int) -> Callable[[np.random.Generator], dict]:
    """Inputs of these shapes, drawn in their order; numbers are not drawn."""
    return lambda rng: {name: s if isinstance(s, int) else rng.normal(size=s) for name, s in shapes.items()}


def _pairs(rng: np.random.Generator, nearest: float = 0.5) -> dict:
    """Similar and dissimilar pairs at these lengths, for a margin of 2; `nearest` is that of one dissimilar pair."""
    z1, step = rng.normal(size=(8, 2)), rng.normal(size=(8, 2))
    length = np.array([0.5, 1.0, 1.5, 4.0, nearest, 1.0, 1.5, 4.0])[:, None]
    z2 = z1 + length * step / np.linalg.norm(step, axis=1, keepdims=True)
    return {"z1": z1, "z2": z2, "y": np.arange(8) // 4, "margin": 2.0}


def _ring(rng: np.random.Generator) -> dict:
    pairs = np.stack(np.triu_indices(6, k=1), axis=1)
    y = np.where((pairs[:, 1] - pairs[:, 0]) % 4 == 1, 0, 1)
    return {"z": 0.4 * rng.normal(size=(6, 2)), "pairs": pairs, "y": y, "margin": 1.5}


def _batch(rng: np.random.Generator) -> dict:
    inputs = _ring(rng)
    drawn = [rng.choice(np.flatnonzero(inputs["y"] == kind), 4) for kind in (0, 1)]
    return inputs | {"drawn": np.concatenate(drawn)}


def _towers(rng: np.random.Generator) -> dict:
    x1, x2, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 3)), np.arange(6) % 2
    return {"w": 0.5 * rng.normal(size=(2, 3)), "x1": x1, "x2": x2, "y": y, "margin": 1.5}


def _loss(z1, z2, y, margin):
    """L; two points in one place cost ½ m² and have the derivative 0, one of the subgradients."""
    apart = energy(z1, z2).real > 0
    return contrastive(z1[apart], z2[apart], y[apart], margin)[0] + (y[~apart] * margin**2 / 2).sum()


def _of_points(z, pairs, y, margin):
    return _loss(z[pairs[:, 0]], z[pairs[:, 1]], y, margin)


def _of_batch(z, pairs, y, drawn, margin):
    """𝓛 as the batch estimates it: a drawn pair counts for all pairs of its kind over the drawn ones of its kind."""
    kinds = [drawn[y[drawn] == kind] for kind in (0, 1)]
    return sum((y == k).sum() / len(some) * _of_points(z, pairs[some], y[some], margin) for k, some in enumerate(kinds))


def _of_towers(w, x1, x2, y, margin):
    return _loss(np.tanh(x1 @ w.T), np.tanh(x2 @ w.T), y, margin)


def _fitted(layer: Callable) -> Callable:
    """½ Σ (y - target)² where y is what the layer makes of the other inputs."""
    return lambda target, **inputs: ((layer(**inputs) - target) ** 2).sum() / 2


_TANH = _fitted(lambda w, b, x: np.tanh(x @ w.T + b))
_CONVOLUTION = _fitted(lambda w, b, x: Conv2d(w.shape[1], len(w), w.shape[2])({"weight": w, "bias": b}, x)[0])
_SUBSAMPLE = _fitted(lambda a, b, x, window: Subsample(len(a), window)({"coefficient": a, "bias": b}, x)[0])
_UNIT_LENGTH = _fitted(lambda x: x / np.sqrt((x * x).sum(axis=1, keepdims=True)))
_MAPS = _normal(a=(2,), b=(2,), x=(2, 2, 4, 6), target=(2, 2, 2, 3), window=2)
_IMAGES = _normal(w=(2, 2, 3, 3), b=(2,), x=(2, 2, 4, 5), target=(2, 2, 2, 3))
_TRUTH = {  # file: inputs, loss, tensors
    "01_half.py": (_pairs, _loss, ("z1", "z2")),
    "02_hinge.py": (_pairs, _loss, ("z1", "z2")),
    "03_collapse.py": (_ring, _of_points, ("z",)),
    "04_squared.py": (_pairs, _loss, ("z1", "z2")),
    "05_cone.py": (partial(_pairs, nearest=0.0), _loss, ("z1", "z2")),
    "06_tanh.py": (_normal(w=(2, 3), b=(2,), x=(5, 3), target=(5, 2)), _TANH, ("w", "b")),
    "07_one_tower.py": (_towers, _of_towers, ("w",)),
    "08_cache.py": (_towers, _of_towers, ("w",)),
    "09_sampling.py": (_batch, _of_batch, ("z",)),
    "10_subsample.py": (_MAPS, _SUBSAMPLE, ("a", "b", "x")),
    "11_convolution.py": (_IMAGES, _CONVOLUTION, ("w", "b", "x")),
    "12_unit_length.py": (_normal(x=(5, 3), target=(5, 3)), _UNIT_LENGTH, ("x",)),
}
_TEXTS = {path.name: path.read_text(encoding="utf-8") for path in files(__package__).iterdir() if path.is_file()}
_ANSWERS = tomllib.loads(_TEXTS["answers.toml"])
EXERCISES = tuple(Exercise(name, *truth, **_ANSWERS[name], source=_TEXTS[name]) for name, truth in _TRUTH.items())
