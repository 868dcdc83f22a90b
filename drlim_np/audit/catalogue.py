"""The audit: every gradient here held against oracles and proofs, and wrong ones shown to be caught."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from drlim_np.audit import exact, wrong
from drlim_np.audit.gradcheck import CENTRAL_BOUND, COMPLEX_BOUND, Row, check, check_layer
from drlim_np.audit.numbers import drawn_like
from drlim_np.audit.proof import Proof, columns, judged, kinds, surprises
from drlim_np.backend import Array, like, to_host
from drlim_np.fast.all_pairs import contrastive_all_pairs
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.devices import origin_of_complex
from drlim_np.graph import SimilarityGraph, pair_table
from drlim_np.layers import Conv2d, Flatten, Linear, Positions, Subsample, Tanh
from drlim_np.loss import contrastive
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.objective import EveryPair
from drlim_np.sampled import SampledPairs, weighted_pairs
from drlim_np.siamese import one_tower, two_towers
from drlim_np.training import SGD, descend
from drlim_np.tree import Gradient, tree_map

MARGIN = 1.0
# Small layers of each kind, and the shape of an input.
LAYERS = [(Linear(5, 3), (4, 5)), (Conv2d(2, 3, 3), (2, 2, 6, 5)), (Subsample(2, 3), (2, 2, 6, 9)), (Tanh(), (3, 4))]
LAYERS += [(Flatten(), (2, 2, 3, 4)), (Positions(), (2, 2, 3, 4)), (two_layer(5, 4, 2), (3, 5))]
LAYERS += [(Blockwise(two_layer(5, 4, 2), size=2, threads=2), (5, 5))]
NETWORKS = [("convnet, Fig. 3", convnet(), CONVNET_INPUT), ("two-layer, Sec. 3.4", two_layer(), (96 * 96,))]


class Finding(NamedTuple):
    """One line of the table: what was checked, a row of gradcheck, and whether it ought to be rejected."""

    subject: str
    row: Row
    wrong_on_purpose: bool = False
    as_it_should_be = property(lambda self: self.row.holds != self.wrong_on_purpose)


def findings(seed: int = 0, backend: str = "numpy") -> Iterator[Finding]:
    """The whole audit, in float64; every draw comes from `seed`. The oracles stay on the host, and all does for MLX."""
    rng, model = np.random.default_rng(seed), origin_of_complex(backend)
    for part in (_layers, _losses, _networks, _controls):
        yield from part(rng, model)


@cache
def proofs(seed: int = 0) -> tuple[Proof, ...]:
    """All proofs by exact numbers; and all derivations, where SymPy is installed. Every draw comes from `seed`."""
    found = [*exact.proofs(seed)]
    if not without_derivations():
        from drlim_np.audit import derived  # needs SymPy, which nothing else here does

        found += derived.proofs()
    return tuple(found)


def without_derivations() -> str:
    """What there is to say where SymPy is not installed, in one line; else nothing."""
    return "" if find_spec("sympy") else "Left out: derivations; they need SymPy, which pip install sympy installs"


def computed_beside(model: Array, function: Callable) -> Callable:
    """`function` of arrays or trees of the host, computed where `model` is: what it returns comes back to the host."""

    def back(result):
        if isinstance(result, tuple):
            return Gradient(*map(back, result)) if isinstance(result, Gradient) else tuple(map(back, result))
        if callable(result):
            return computed_beside(model, result)
        return None if result is None else tree_map(to_host, result)

    def crossing(*arguments, **options):
        return back(function(*(tree_map(lambda x: like(x, model), argument) for argument in arguments), **options))

    return crossing


def _layers(rng: np.random.Generator, model: Array) -> Iterator[Finding]:
    """At parameters drawn again, so that no bias is 0 and no coefficient 1: a forgotten one would go unseen."""
    layers = [(type(layer).__name__, computed_beside(model, layer), layer, shape) for layer, shape in LAYERS]
    layers.append(("Conv2d, loop by loop", exact.loop_by_loop, Conv2d(2, 3, 3), (2, 2, 5, 4)))
    for name, function, layer, shape in layers:
        params = drawn_like(layer.init(rng, np.float64), rng.standard_normal)
        for row in check_layer(function, params, rng.standard_normal(shape), rng):
            yield Finding(name, row)


def _losses(rng: np.random.Generator, model: Array) -> Iterator[Finding]:
    def held(subject: str, loss_of: Callable, *points: np.ndarray) -> Iterator[Finding]:
        """`loss_of` of the points: the loss, and its gradient by each of them."""
        names, loss_of = ("z1", "z2") if len(points) == 2 else ("z",), computed_beside(model, loss_of)
        arguments, claimed = (dict(zip(names, arrays, strict=True)) for arrays in (points, loss_of(*points)[1:]))
        for row in check(lambda a: loss_of(*a.values())[0], arguments, claimed, rng):
            yield Finding(subject, row)

    z1, z2, y = pairs_around_the_margin(rng)
    yield from held("contrastive, Eqs. 2 to 4", lambda z1, z2: contrastive(z1, z2, y, MARGIN), z1, z2)
    z, similar = 0.6 * rng.standard_normal((12, 2)), small_graph(12)
    yield from held("all pairs, Eq. 2", lambda z: contrastive_all_pairs(z, similar, MARGIN), z)
    weights = rng.random((2, 12, 12))
    attract, repel = weights + weights.mT
    yield from held("weighted pairs", lambda z: weighted_pairs(z, attract, repel, MARGIN), z)


def _networks(rng: np.random.Generator, model: Array) -> Iterator[Finding]:
    for name, network, shape in NETWORKS:
        x = rng.random((4, *shape))
        similar = small_graph(len(x))
        alone = _siamese(lambda p, x, of=network: (of(p, x)[0], lambda dz: Gradient({}, None)), x, similar, model)
        forms = _siamese(network, x, similar, model)  # alone: without the gradient, which takes most of the time
        start, every_pair = network.init(rng, np.float64), EveryPair(network, like(x, model), similar, MARGIN)
        *_, last = descend(every_pair, tree_map(lambda w: like(w, model), start), SGD(1e-2, 0.9), 20, rng)
        for weights, params in [("random", start), ("trained", tree_map(to_host, last.params))]:
            for row in check_layer(computed_beside(model, network), params, x[:2], rng):
                yield Finding(f"{name}, {weights} W", row)
            for form, loss in alone.items():
                for row in check(lambda p, f=loss: f(p)[0], params, forms[form](params)[1], rng):
                    yield Finding(f"Siamese {name}, {weights} W, {form}", row)


def _siamese(network: Callable, x: np.ndarray, similar: SimilarityGraph, model: Array) -> dict[str, Callable]:
    """Each form of a Siamese network as a function of W: loss and gradient."""
    i, j, y = (of[3:5] for of in pair_table(similar))  # one of each label: four images, as the other forms take
    drawn = similar.pairs[: len(similar.pairs) // 2 + 1]
    x, first, second = (like(samples, model) for samples in (x, x[i], x[j]))
    forms = {
        "two towers": lambda p: two_towers(network, p, first, second, y, MARGIN),
        "embed once": lambda p: one_tower(network, p, x, similar, MARGIN),
        "sampled pairs": lambda p: SampledPairs(network, x, similar, MARGIN).from_pairs(drawn, p),
    }
    return {form: computed_beside(model, function) for form, function in forms.items()}


def _controls(rng: np.random.Generator, _model: Array) -> Iterator[Finding]:
    """Wrong gradients on record. Each must be rejected, or the audit proves nothing."""
    z1, z2, y = pairs_around_the_margin(rng)
    z2[0] = z1[0]  # a similar pair at D = 0
    arguments = {"z1": z1, "z2": z2}
    for mistake, gradients in wrong.LOSSES.items():
        claimed = dict(zip(arguments, gradients(z1, z2, y, MARGIN), strict=True))
        for row in check(lambda a: contrastive(a["z1"], a["z2"], y, MARGIN)[0], arguments, claimed, rng):
            if mistake != "the second tower's sign" or row.tensor == "z2":  # of the first tower it is right
                yield Finding(f"wrong: {mistake}", row, wrong_on_purpose=True)
    network = two_layer(5, 4, 2)
    params, x1, x2 = network.init(rng, np.float64), rng.standard_normal((8, 5)), rng.standard_normal((8, 5))
    given = x1, x2, np.arange(8) % 2, MARGIN
    for mistake, gradient in wrong.TOWERS.items():
        for row in check(lambda p: two_towers(network, p, *given)[0], params, gradient(network, params, *given), rng):
            # The last bias moves both towers in the same way, so 0 is right with a shared cache too.
            if row.tensor != "output.bias":
                yield Finding(f"wrong: {mistake}", row, wrong_on_purpose=True)


def pairs_around_the_margin(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of both labels at energies well inside, near, and well beyond the margin."""
    z1 = rng.standard_normal((12, 2))
    angle, length = rng.uniform(0, 2 * np.pi, 12), MARGIN * np.array([0.05, 0.3, 0.7, 0.95, 1.05, 2.0] * 2)
    step = length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return z1, z1 + step, np.arange(12) // 6


def small_graph(size: int) -> SimilarityGraph:
    """The samples in twos, the first two couples joined, and one couple listed from both ends."""
    couples = np.arange(size).reshape(-1, 2)
    return SimilarityGraph(size, np.concatenate([couples, [[1, 2], [1, 0]]]))


def table(found: list[Finding], proofs: Iterable[Proof] = ()) -> str:
    """The findings as lines of text, with the bounds in the heading, and which are derived and proven besides."""
    rows = [("subject", "tensor", "entries", "complex step", " central", "verdict")]
    rows.append(("bound on the relative error", "", "", f"{COMPLEX_BOUND:12.0e}", f"{CENTRAL_BOUND:8.0e}", ""))
    for one in found:
        errors = f"{one.row.complex_error:12.1e}", f"{one.row.central_error:8.1e}"
        rows.append((one.subject, one.row.tensor, f"{one.row.size:7}", *errors, verdict(one, proofs)))
    return columns(rows)


def verdict(one: Finding, proofs: Iterable[Proof]) -> str:
    """Whether it holds or is rejected, as it should be, and what the proofs say of its subject."""
    said = judged(one, "holds", "rejected") + ", near a kink" * one.row.near_a_kink
    return "; ".join([said, *kinds(proofs, one.subject, one.wrong_on_purpose)])


def worst_by_subject(found: list[Finding]) -> list[Finding]:
    """Of each subject the one finding that decides: a surprise if there is one, else that of the largest error.

    Among gradients that are wrong on purpose it is that of the smallest error, the one most nearly missed.
    """
    worst = {}
    for one in found:
        weight = not one.as_it_should_be, one.row.complex_error * (-1 if one.wrong_on_purpose else 1)
        if one.subject not in worst or weight > worst[one.subject][0]:
            worst[one.subject] = weight, one
    return [one for _, one in worst.values()]


def summary(found: list[Finding]) -> str:
    """One line: how many gradients were held against the oracles, how many wrong ones offered, how many surprises."""
    offered = sum(finding.wrong_on_purpose for finding in found)
    right = len(found) - offered
    return f"{right} gradients held against both oracles, {offered} wrong ones offered: {surprises(found)}"
