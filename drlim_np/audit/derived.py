"""Derivations by SymPy: the code itself, run on symbols, against the derivative that SymPy takes of what it returns.

What holds for symbols holds for all numbers. `numbers.Exact` carries the symbols through layers, loss and step, which
are not told. A dissimilar pair is taken to lie within the margin: beyond it the loss is 0.
"""

from collections.abc import Iterator
from itertools import chain, product

import numpy as np
import sympy

from drlim_np.audit.numbers import Exact, drawn_like
from drlim_np.audit.proof import Proof
from drlim_np.layers import Conv2d, Flatten, Linear, Positions, Sequential, Subsample, Tanh
from drlim_np.loss import contrastive
from drlim_np.networks import two_layer
from drlim_np.siamese import two_towers
from drlim_np.training import SGD
from drlim_np.tree import Tree, leaves

RNG = np.random.default_rng(0)  # for parameters of which only the shape counts
MARGINS = (0.75, 1.0, 8.0)
LAYERS = [(Linear(3, 2), (2, 3)), (Conv2d(2, 2, 2), (2, 2, 3, 4)), (Subsample(2, 2), (2, 2, 2, 4)), (Tanh(), (2, 3))]
LAYERS += [(Flatten(), (2, 2, 1, 2)), (Positions(), (2, 2, 1, 2))]  # of each kind, and the shape of an input
STACK = Sequential(conv=Conv2d(1, 2, 2), squash=Tanh(), mean=Subsample(2, 2), flat=Flatten(), out=Linear(2, 2))


def proofs() -> Iterator[Proof]:
    """All derivations. They take no seed: nothing is drawn."""
    for one in chain(_equations(), _loss(), _layers(), _step()):
        yield one._replace(kind="derived")


def symbols(shape: tuple[int, ...]) -> Exact:
    """An array of symbols, every one a new one."""
    return Exact(np.frompyfunc(lambda _: sympy.Dummy(), 1, 1)(np.zeros(shape)))


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


def _equations() -> Iterator[Proof]:
    """Pencil and paper: Eq. 4 differentiated, whatever G_W makes D of W; and the slope of tanh."""
    m, w, x = sympy.symbols("m w x")
    D = sympy.Function("D")(w)
    holds = _is_zero((D**2 / 2).diff(w) - D * D.diff(w))
    yield Proof("Eq. 6 from Eq. 4", "∂L_S/∂W = D ∂D/∂W", (), holds, "for any G_W")
    holds = _is_zero(((m - D) ** 2 / 2).diff(w) + (m - D) * D.diff(w))
    yield Proof("Eq. 7 from Eq. 4", "∂L_D/∂W = -(m - D) ∂D/∂W, for D < m", (), holds, "for any G_W")
    holds = _is_zero(sympy.tanh(x).diff(x) - (1 - sympy.tanh(x) ** 2))
    yield Proof("tanh", "tanh' = 1 - tanh²", ("Tanh",), holds, "for all x")


def _loss() -> Iterator[Proof]:
    """`contrastive` on symbols: its loss is Eq. 4, its forces the derivatives of that, and of the form of Eq. 5."""
    subject, bound = ("contrastive",), "in 1, 2 and 3 dimensions"
    for y, of, loss_in_words, X_in_words in ((0, "L_S", "½ D²", "D"), (1, "L_D", "½ (m - D)²", "D - m")):
        values, forces, springs = [], [], []
        for dims, margin in product((1, 2, 3), MARGINS):
            z1, z2, m = symbols((1, dims)), symbols((1, dims)), sympy.Rational(margin)
            loss, *found = (x.entries for x in contrastive(z1, z2, [y], margin))
            D = sympy.sqrt(sum((a - b) ** 2 for a, b in zip(z1.entries[0], z2.entries[0], strict=True)))
            X = D - m if y else D
            values.append(_is_zero(loss.item() - X**2 / 2))
            for z, dz in zip((z1, z2), found, strict=True):
                forces.append(is_gradient(loss.item(), Exact(dz), z))
                springs += [_is_zero(dL - D.diff(place) * X) for dL, place in zip(dz[0], z.entries[0], strict=True)]
        yield Proof(f"contrastive, {of}", f"the loss is {loss_in_words}", subject, all(values), bound)
        statement = "dL/dz1 and dL/dz2 are the derivatives of the loss"
        yield Proof(f"contrastive, Eq. {6 + y}", statement, subject, all(forces), bound)
        statement = f"F = -dL/dz = -K X, K = ∂D/∂z, X = {X_in_words}"
        yield Proof(f"spring of {of}", statement, subject, all(springs), bound)


def _layers() -> Iterator[Proof]:
    for layer, shape in (*LAYERS, (STACK, (1, 1, 3, 3))):
        arguments = {"params": drawn_like(layer.init(RNG), symbols), "input": symbols(shape)}
        y, pullback = layer(*arguments.values())
        v = symbols(y.shape)
        holds = is_gradient(np.sum((v * y).entries), pullback(v, wrt_input=True)._asdict(), arguments)
        name, bound = type(layer).__name__, f"all {sum(leaf.entries.size for _, leaf in leaves(arguments))} entries"
        subjects = (name, "Blockwise", "convnet", "two-layer") if layer is STACK else (name,)
        yield Proof(f"{name}, small", "pullback(v) is the gradient of ⟨v, f⟩", subjects, holds, bound)


def _step() -> Iterator[Proof]:
    """Two towers; then three steps with momentum, written out."""
    network = two_layer(2, 2, 2)
    params, x1, x2 = drawn_like(network.init(RNG), symbols), symbols((1, 2)), symbols((1, 2))
    found = [two_towers(network, params, x1, x2, [y], 1.0) for y in (0, 1)]
    holds = all(is_gradient(loss.entries.item(), gradient, params) for loss, gradient in found)
    statement, bound = "∂L/∂W = J₁ᵀ dz1 + J₂ᵀ dz2, similar and dissimilar", "all 12 weights of two layers"
    yield Proof("two towers, small", statement, ("two towers",), holds, bound)

    sgd, factors, w = SGD(rate=0.125, momentum=0.75), (1.0, 0.5, 0.25), symbols((1,))
    after, velocity, gradients = w, sgd.init(w), [symbols((1,)) for _ in factors]
    for g, factor in zip(gradients, factors, strict=True):
        after, velocity = sgd.update(after, g, velocity, factor)
    mu, eta = sympy.Rational(3, 4), [sympy.Rational(factor) / 8 for factor in factors]
    moved = sum(eta[t] * mu ** (t - r) * gradients[r].entries[0] for t in range(3) for r in range(t + 1))
    holds = _is_zero(after.entries[0] - (w.entries[0] - moved))
    statement, bound = "W_t = W_0 - Σ_s≤t η_s Σ_r≤s μ^(s-r) g_r", "three steps, η from 1/8, μ = 3/4"
    yield Proof("SGD with momentum", statement, (), holds, bound)
