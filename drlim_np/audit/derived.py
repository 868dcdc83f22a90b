"""Derivations by SymPy: the code itself, run on symbols, against the derivative that SymPy takes of what it returns.

What holds for symbols holds for all numbers. `numbers.Exact` carries the symbols through layers, loss and step, which
are not told. A dissimilar pair is taken to lie within the margin: beyond it the loss is 0.
"""

from collections.abc import Iterator
from itertools import count

import numpy as np
import sympy

from drlim_np.audit.numbers import Exact
from drlim_np.audit.proof import Proof
from drlim_np.layers import Conv2d, Flatten, Linear, Sequential, Subsample, Tanh
from drlim_np.loss import contrastive
from drlim_np.networks import two_layer
from drlim_np.siamese import two_towers
from drlim_np.training import SGD
from drlim_np.tree import Tree, leaves, tree_map

MARGINS = (0.75, 1.0, 8.0)
LAYERS = [  # of each kind, and the shape of an input
    (Linear(3, 2), (2, 3)),
    (Conv2d(2, 2, 2), (2, 2, 3, 4)),
    (Subsample(2, 2), (2, 2, 2, 4)),
    (Tanh(), (2, 3)),
    (Flatten(), (2, 2, 1, 2)),
    (
        Sequential(conv=Conv2d(1, 2, 2), squash=Tanh(), mean=Subsample(2, 2), flat=Flatten(), out=Linear(2, 2)),
        (1, 1, 3, 3),
    ),
]


def proofs() -> Iterator[Proof]:
    """All derivations. They take no seed: nothing is drawn."""
    yield from _equations()
    yield from _loss()
    yield from _layers()
    yield from _siamese()
    yield from _step()


def symbols(shape: tuple[int, ...], names: Iterator[int] = count()) -> Exact:  # noqa: B008 - no two are to be the same
    """An array of symbols, every one a new one."""
    entries = np.empty(shape, object)
    for place in np.ndindex(shape):
        entries[place] = sympy.Symbol(f"s{next(names)}")
    return Exact(entries)


def is_gradient(function: object, gradient: Tree, arguments: Tree) -> bool:
    """Whether each entry of `gradient` is the derivative of `function` with respect to that entry of `arguments`."""
    claimed = dict(leaves(gradient))
    return all(
        _is_zero(sympy.diff(function, symbol) - claim)
        for name, leaf in leaves(arguments)
        for symbol, claim in zip(leaf.entries.flat, claimed[name].entries.flat, strict=True)
    )


def _is_zero(expression) -> bool:
    """Whether its numerator, over a common denominator, multiplies out to 0: no heuristics that might not end."""
    return sympy.expand(expression) == 0 or sympy.expand(sympy.numer(sympy.together(expression))) == 0


def _derived(name: str, statement: str, lines: tuple, subjects: tuple, holds: bool, bound: str) -> Proof:
    return Proof(name, statement, lines, subjects, bool(holds), bound, "derived")


def _equations() -> Iterator[Proof]:
    """Pencil and paper: Eq. 4 differentiated."""
    m, w = sympy.symbols("m w", positive=True)
    D = sympy.Function("D", positive=True)(w)
    for y, eq, right in ((0, "Eq. 6", D * D.diff(w)), (1, "Eq. 7", -(m - D) * D.diff(w))):
        loss = sympy.Rational(1, 2) * ((1 - y) * D**2 + y * (m - D) ** 2)
        statement = f"∂L_{'SD'[y]}/∂W = {('D ∂D/∂W', '-(m - D) ∂D/∂W')[y]}"
        yield _derived(f"{eq} from Eq. 4", statement, (eq,), (), _is_zero(loss.diff(w) - right), "for any G_W")


def _loss() -> Iterator[Proof]:
    holds = {"Eq. 4, L_S": True, "Eq. 4, L_D": True, "Eq. 6": True, "Eq. 7": True, "Eq. 1": True, "Eq. 5": True}
    for dims, y, margin in ((dims, y, margin) for dims in (1, 2, 3) for y in (0, 1) for margin in MARGINS):
        z1, z2, m = symbols((1, dims)), symbols((1, dims)), sympy.Rational(margin)
        loss, dz1, dz2 = (x.entries for x in contrastive(z1, z2, [y], margin))
        D = sympy.sqrt(sum((a - b) ** 2 for a, b in zip(*(z.entries[0] for z in (z1, z2)), strict=True)))
        of, eq = ("Eq. 4, L_D", "Eq. 7") if y else ("Eq. 4, L_S", "Eq. 6")
        holds[of] &= _is_zero(loss.item() - ((m - D) ** 2 / 2 if y else D**2 / 2))
        for z, dz in ((z1, dz1), (z2, dz2)):
            holds[eq] &= is_gradient(loss.item(), Exact(dz), z)
            K, X = [D.diff(a) for a in z.entries[0]], D - m if y else D  # stiffness; displacement from the rest length
            holds["Eq. 5"] &= all(_is_zero(-force + k * X) for force, k in zip(dz[0], K, strict=True))
    cases, subject = "in 1, 2 and 3 dimensions", ("contrastive",)
    for line, statement in (
        ("Eq. 4, L_S", "`contrastive` of Y = 0 is ½ D²"),
        ("Eq. 4, L_D", "`contrastive` of Y = 1 is ½ (m - D)², for D < m"),
        ("Eq. 6", "its dz1 and dz2 are the derivatives of its loss, Y = 0"),
        ("Eq. 7", "its dz1 and dz2 are the derivatives of its loss, Y = 1"),
        ("Eq. 5", "-dz = -K X, with K = ∂D/∂z and X = D, D - m"),
    ):
        lines = (line, "Eq. 1", "Eq. 3") if line.startswith("Eq. 4") else (line,)
        yield _derived(f"contrastive, {line}", statement, lines, subject, holds[line], cases)


def _layers() -> Iterator[Proof]:
    x = sympy.Symbol("x")
    holds = _is_zero(sympy.diff(sympy.tanh(x), x) - (1 - sympy.tanh(x) ** 2))
    lines = ("Fig. 3, G_W", "Sec. 3.4, G_W")
    yield _derived("tanh", "tanh' = 1 - tanh²", lines, ("Tanh",), holds, "for all x")
    for layer, shape in LAYERS:
        arguments = {
            "params": tree_map(lambda w: symbols(w.shape), layer.init(np.random.default_rng(0))),
            "input": symbols(shape),
        }
        y, pullback = layer(arguments["params"], arguments["input"])
        v = symbols(y.shape)
        gradient = pullback(v, wrt_input=True)._asdict()
        entries = sum(leaf.entries.size for _, leaf in leaves(arguments))
        name = type(layer).__name__
        holds = is_gradient(np.sum((v * y).entries), gradient, arguments)
        subjects = (name, "Blockwise", "convnet", "two-layer") if name == "Sequential" else (name,)
        yield _derived(
            f"{name}, small", "pullback(v) is the gradient of ⟨v, f⟩", lines, subjects, holds, f"{entries} entries"
        )


def _siamese() -> Iterator[Proof]:
    network = two_layer(2, 2, 2)
    params = tree_map(lambda w: symbols(w.shape), network.init(np.random.default_rng(0)))
    x1, x2, holds = symbols((1, 2)), symbols((1, 2)), []
    for y in (0, 1):
        loss, gradient = two_towers(network, params, x1, x2, [y], 1.0)
        holds.append(is_gradient(loss.entries.item(), gradient, params))
    lines, entries = (
        ("Eq. 6", "Eq. 7", "Step 2, two copies", "Step 2, for each pair"),
        sum(w.entries.size for _, w in leaves(params)),
    )
    statement = "∂L/∂W = J₁ᵀ dz1 + J₂ᵀ dz2, two layers, similar and dissimilar"
    yield _derived("two towers", statement, lines, ("two towers",), all(holds), f"all {entries} weights")


def _step() -> Iterator[Proof]:
    """Three steps with momentum, written out."""
    sgd, factors = SGD(rate=0.125, momentum=0.75), (1.0, 0.5, 0.25)
    eta, mu = sympy.Rational(1, 8), sympy.Rational(3, 4)
    w, gradients = symbols((1,)), [symbols((1,)) for _ in factors]
    after, velocity = w, sgd.init(w)
    for g, factor in zip(gradients, factors, strict=True):
        after, velocity = sgd.update(after, g, velocity, factor)
    steps = sum(
        sympy.Rational(f) * mu ** (t - s) * gradients[s].entries[0] for t, f in enumerate(factors) for s in range(t + 1)
    )
    holds = _is_zero(after.entries[0] - (w.entries[0] - eta * steps))
    statement = "W_t = W_0 - Σ_s≤t η_s Σ_r≤s μ^(s-r) g_r"
    yield _derived("SGD with momentum", statement, ("Step 2, gradient descent on many",), (), holds, "three steps")
