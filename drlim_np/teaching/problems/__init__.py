"""Twelve short files, wrong on purpose, and what belongs to each: a hint, its solution, what it teaches, and the truth.

The files are what a student is given; each stands by itself. `EXERCISES` is what `exercises.py` and `judge.py` know.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from drlim_np.layers import Conv2d, Subsample
from drlim_np.loss import contrastive


class Exercise(NamedTuple):
    """What belongs to one file.

    mend: pairs (wrong, right) of text, each wrong one standing once in the file. arguments: rng → what
    `loss_and_gradient` is called with. loss: the same arguments → L, also where arrays are complex. tensors: those
    arguments whose gradients are asked for.
    """

    file: str
    hint: str
    mend: tuple[tuple[str, str], ...]
    learned: str
    tensors: tuple[str, ...]
    arguments: Callable[[np.random.Generator], dict]
    loss: Callable[..., np.ndarray]

    @property
    def source(self) -> str:
        """The file as a student is given it."""
        return (Path(__file__).parent / self.file).read_text(encoding="utf-8")

    @property
    def solution(self) -> str:
        """The file, mended."""
        text = self.source
        for wrong, right in self.mend:
            text = text.replace(wrong, right)
        return text

    @property
    def title(self) -> str:
        """Its first line."""
        return self.source.partition("\n")[0].strip('"')


def _pairs(rng: np.random.Generator) -> dict:
    """Similar and dissimilar pairs, at a quarter, a half, three quarters and twice the margin of 2."""
    z1, step = rng.normal(size=(8, 2)), rng.normal(size=(8, 2))
    length = np.array([0.5, 1.0, 1.5, 4.0] * 2)[:, None]
    z2 = z1 + length * step / np.linalg.norm(step, axis=1, keepdims=True)
    return {"z1": z1, "z2": z2, "y": np.arange(8) // 4, "margin": 2.0}


def _pairs_and_one_in_one_place(rng: np.random.Generator) -> dict:
    given = _pairs(rng)
    given["z2"][4] = given["z1"][4]
    return given


def _loss(z1, z2, y, margin):
    return contrastive(z1, z2, y, margin)[0]


def _ring(rng: np.random.Generator) -> dict:
    pairs = np.stack(np.triu_indices(6, k=1), axis=1)
    y = np.where((pairs[:, 1] - pairs[:, 0]) % 4 == 1, 0, 1)
    return {"z": 0.4 * rng.normal(size=(6, 2)), "pairs": pairs, "y": y, "margin": 1.5}


def _of_points(z, pairs, y, margin):
    return _loss(z[pairs[:, 0]], z[pairs[:, 1]], y, margin)


def _batch(rng: np.random.Generator) -> dict:
    given = _ring(rng)
    drawn = [rng.choice(np.flatnonzero(given["y"] == kind), 4) for kind in (0, 1)]
    return {**given, "drawn": np.concatenate(drawn)}


def _of_batch(z, pairs, y, drawn, margin):
    """𝓛 as the batch estimates it: a drawn pair stands for all of its kind over those drawn of its kind."""
    kinds = [drawn[y[drawn] == kind] for kind in (0, 1)]
    return sum(
        (y == kind).sum() / len(some) * _of_points(z, pairs[some], y[some], margin) for kind, some in enumerate(kinds)
    )


def _towers(rng: np.random.Generator) -> dict:
    x1, x2, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 3)), np.arange(6) % 2
    return {"w": 0.5 * rng.normal(size=(2, 3)), "x1": x1, "x2": x2, "y": y, "margin": 1.5}


def _of_towers(w, x1, x2, y, margin):
    return _loss(np.tanh(x1 @ w.T), np.tanh(x2 @ w.T), y, margin)


def _subsample(a, b, x, target, window):
    y, _ = Subsample(len(a), window)({"coefficient": a, "bias": b}, x)
    return ((y - target) ** 2).sum() / 2


def _convolution(w, b, x, target):
    maps, channels, kernel, _ = w.shape
    y, _ = Conv2d(channels, maps, kernel)({"weight": w, "bias": b}, x)
    return ((y - target) ** 2).sum() / 2


EXERCISES = (
    Exercise(
        file="01_half.py",
        hint="Take one similar pair at distance D. What does Eq. 4 charge for it, and what is the derivative of that?",
        mend=(("gap * gap).sum()\n", "gap * gap).sum() / 2\n"),),
        learned="A loss falls along any positive multiple of its gradient, and the learning rate hides the factor."
        " Only a comparison of numbers finds it.",
        tensors=("z1", "z2"),
        arguments=_pairs,
        loss=_loss,
    ),
    Exercise(
        file="02_hinge.py",
        hint="Which sign has m - D beyond the margin? Which of the two lines asks?",
        mend=(("-(margin - d) / d", "-gap / d"),),
        learned="A max in the loss is a max in the gradient. Without it, dissimilar pairs beyond m attract each other.",
        tensors=("z1", "z2"),
        arguments=_pairs,
        loss=_loss,
    ),
    Exercise(
        file="03_collapse.py",
        hint="You need max(0, m - D) once, in the loss and in the stiffness. The push points from z_j to z_i, at a"
        " strength of m - D; `difference` is D long.",
        mend=(
            (
                "    loss = np.where(y == 0, d * d / 2, 0).sum()  # a dissimilar pair costs: still to be written\n"
                "    stiffness = np.where(y == 0, 1, 0)  # a dissimilar pair pushes: still to be written\n",
                "    gap = np.maximum(0, margin - d)\n"
                "    loss = np.where(y == 0, d * d, gap * gap).sum() / 2\n"
                "    stiffness = np.where(y == 0, 1, -gap / d)\n",
            ),
        ),
        learned="With the similar term alone a constant map reaches zero loss. What a map is worth, its loss alone"
        " does not tell.",
        tensors=("z",),
        arguments=_ring,
        loss=_of_points,
    ),
    Exercise(
        file="04_squared.py",
        hint="In Eq. 4 the margin is compared with D, and what is left of it is squared. The chain rule then needs"
        " dD/dz1 = (z1 - z2) / D.",
        mend=(
            ("squared = (difference * difference).sum(axis=1)", "d = np.sqrt((difference * difference).sum(axis=1))"),
            ("np.maximum(0, margin - squared)", "np.maximum(0, margin - d)"),
            ("np.where(y == 0, squared, gap)", "np.where(y == 0, d * d, gap * gap)"),
            ("np.where(gap > 0, -1, 0)", "-gap / d"),
        ),
        learned="The check proves a gradient, not a loss. That the loss is the paper's must be read, or held against a"
        " second writing of it. With max(0, m - D²) the push fades to 0 as two points meet, and ends at √m.",
        tensors=("z1", "z2"),
        arguments=_pairs,
        loss=_loss,
    ),
    Exercise(
        file="05_cone.py",
        hint="0 / 0 times 0. Which pairs have D = 0, and which finite number may stand below the fraction for them?",
        mend=(("-gap / d)", "-gap / np.where(d > 0, d, 1))"),),
        learned="Where a function has no derivative, choose a subgradient and say so. An epsilon inside the distance"
        " would have changed the loss of every pair to spare one.",
        tensors=("z1", "z2"),
        arguments=_pairs_and_one_in_one_place,
        loss=_loss,
    ),
    Exercise(
        file="06_tanh.py",
        hint="Two numbers are at hand, a before the tanh and z after it. Which of them is tanh a?",
        mend=(("dz * (1 - a * a)", "dz * (1 - z * z)"),),
        learned="For small a, tanh a ≈ a, so the mistake is small where training starts. Check at values that are not.",
        tensors=("w", "b"),
        arguments=lambda rng: {
            "w": rng.normal(size=(2, 3)),
            "b": rng.normal(size=2),
            "x": rng.normal(size=(5, 3)),
            "target": rng.normal(size=(5, 2)),
        },
        loss=lambda w, b, x, target: ((np.tanh(x @ w.T + b) - target) ** 2).sum() / 2,
    ),
    Exercise(
        file="07_one_tower.py",
        hint="W moves z1 and z2. Along how many paths does it act on L?",
        mend=(("z2, _ = layer", "z2, pullback2 = layer"), ("pullback1(dz1)}", "pullback1(dz1) + pullback2(-dz1)}")),
        learned="The gradient is the sum of what the two copies contribute. Doubling one is no substitute, because the"
        " towers saw different inputs.",
        tensors=("w",),
        arguments=_towers,
        loss=_of_towers,
    ),
    Exercise(
        file="08_cache.py",
        hint="What does the layer remember when the first `backward` is called?",
        mend=(("tower1 = tower2 = Layer()", "tower1, tower2 = Layer(), Layer()"),),
        learned="Towers share weights and nothing else. A pullback that keeps its own x and z cannot be mixed up.",
        tensors=("w",),
        arguments=_towers,
        loss=_of_towers,
    ),
    Exercise(
        file="09_sampling.py",
        hint="How likely is it that a certain similar pair is drawn, and how likely for a certain dissimilar one?",
        mend=(
            (
                "    weight = np.full(len(drawn), len(pairs) / len(drawn))",
                "    weight = (np.bincount(y, minlength=2) / np.bincount(label, minlength=2))[label]",
            ),
        ),
        learned="Who draws some pairs more often than others must weigh them less, by one over the probability. Else"
        " the batches train another loss than the one that is reported.",
        tensors=("z",),
        arguments=_batch,
        loss=_of_batch,
    ),
    Exercise(
        file="10_subsample.py",
        hint="Each pixel of a window stands once in its sum, so all of a window's pixels get the same. np.repeat along"
        " two axes lays a map of windows out as a map of pixels.",
        mend=(
            (
                "da = np.zeros_like(a)  # still to be written",
                "da = (dy * total).sum(axis=(0, 2, 3)) / window**2",
            ),
            (
                "dx = np.zeros_like(x)  # still to be written",
                "dx = np.repeat(np.repeat(a[:, None, None] * dy / window**2, window, axis=2), window, axis=3)",
            ),
        ),
        learned="A mean forward is a share-out backward: what was summed is handed back to every summand.",
        tensors=("a", "b", "x"),
        arguments=lambda rng: {
            "a": rng.normal(size=2),
            "b": rng.normal(size=2),
            "x": rng.normal(size=(2, 2, 4, 6)),
            "target": rng.normal(size=(2, 2, 2, 3)),
            "window": 2,
        },
        loss=_subsample,
    ),
    Exercise(
        file="11_convolution.py",
        hint="Take one product, W[u, v] x[i + u, j + v], as it stands in y[i, j]. What is its derivative by x?",
        mend=(("w[m, c, kernel - 1 - u, kernel - 1 - v]", "w[m, c, u, v]"),),
        learned="Written where it scatters, the pullback has the forward's own indices. The kernel appears flipped only"
        " when the same sum is written as one that gathers.",
        tensors=("w", "b", "x"),
        arguments=lambda rng: {
            "w": rng.normal(size=(2, 2, 3, 3)),
            "b": rng.normal(size=2),
            "x": rng.normal(size=(2, 2, 4, 5)),
            "target": rng.normal(size=(2, 2, 2, 3)),
        },
        loss=_convolution,
    ),
    Exercise(
        file="12_unit_length.py",
        hint="r depends on every x_l: dr/dx_l = x_l / r = y_l. Use the quotient rule, then sum over k.",
        mend=(("return dy / length", "return (dy - y * (y * dy).sum(axis=1, keepdims=True)) / length"),),
        learned="Along x itself nothing can change y, so the pullback takes that part of dy away. Any layer is welcome"
        " that comes with its pullback and passes this check.",
        tensors=("x",),
        arguments=lambda rng: {"x": 2 * rng.normal(size=(5, 3)), "target": rng.normal(size=(5, 3))},
        loss=lambda x, target: ((x / np.sqrt((x * x).sum(axis=1, keepdims=True)) - target) ** 2).sum() / 2,
    ),
)
