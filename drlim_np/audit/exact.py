"""Proofs by exact numbers: whole numbers so small that float64 never rounds, or fractions. Equality is `==`.

A layer without tanh is linear, or affine, in each of its arguments: parameters and input. For what is at most quadratic
in an argument p the central difference is no approximation, so its pullback is right if and only if

    ⟨v, f(p + q) - f(p - q)⟩ = 2 ⟨pullback(v)_p, q⟩    for all v, q and all arguments.

Both sides are polynomials in the entries, together of degree 4. Entries are drawn from a set S of whole numbers; by the
lemma of Schwartz and Zippel a wrong pullback that is linear in each of its arguments passes one draw with a probability
of at most 4/|S|. On small shapes every triple of basis vectors is tried instead, which leaves no probability.
"""

import importlib.util
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, product
from math import nan
from operator import mul

import numpy as np

from drlim_np.audit import step1, wrong
from drlim_np.audit.numbers import IN_PLACE_OF_NUMPY, Exact, exact
from drlim_np.audit.proof import Proof
from drlim_np.audit.textbook import loop_by_loop
from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum, similar_sum
from drlim_np.fast.blocks import Blockwise
from drlim_np.fast.maps import as_images, by_position, over_windows, per_sample, sum_by_map, window_sums
from drlim_np.fast.patches import as_kernels, as_rows, fold, patches
from drlim_np.graph import SimilarityGraph, pair_table
from drlim_np.layers import Conv2d, Flatten, Linear, Sequential, Subsample, Tanh
from drlim_np.loss import all_pairs_by_definition, contrastive, energy
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from drlim_np.objective import EveryPair, SampledPairs
from drlim_np.siamese import embed_once, two_towers
from drlim_np.training import SGD
from drlim_np.tree import Gradient, Tree, leaves, tree_map

DRAWS = 4
DEGREE = 4
SAMPLES = 5  # at the real sizes: in blocks of two the last is smaller
DIGITS, AIRPLANE = "Fig. 3, G_W", "Sec. 3.4, G_W"
ADJOINT = "⟨v, f(p + q) - f(p - q)⟩ = 2 ⟨pullback(v), q⟩"


# ---- layers, at the paper's sizes ----


def whole_numbers(rng: np.random.Generator, shape: tuple[int, ...], bits: int, times: int = 1) -> np.ndarray:
    """Entries from the 2^bits whole numbers around 0, times a factor, in float64."""
    return rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), shape).astype(np.float64) * times


def inner(a: np.ndarray, b: np.ndarray) -> float:
    """⟨a, b⟩ in Python's numbers, of any length. NaN, which equals nothing, where an entry may have been rounded."""
    numbers = [_unrounded(x) for x in (a, b)]
    return nan if None in numbers else sum(map(mul, *numbers))


def _unrounded(x: np.ndarray) -> list | None:
    """The entries, if they are fractions, or all are whole and below 2⁵³."""
    if isinstance(x, Exact):
        return x.entries.ravel().tolist()
    return x.astype(np.int64).ravel().tolist() if ((x == np.rint(x)) & (abs(x) < 2**53)).all() else None


def with_step(tree: Tree, name: str, step: np.ndarray) -> Tree:
    """The tree with `step` added to the one leaf of that name."""
    names = iter([path for path, _ in leaves(tree)])
    return tree_map(lambda leaf: leaf + step if next(names) == name else leaf, tree)


def pullback_is_adjoint(layer: Callable, arguments: Tree, draw: Callable) -> bool:
    """The identity at the head of this page, for each of the arguments, {"params": …, "input": …}, once.

    draw: the shape of an array → whole numbers.
    """
    y, pullback = layer(arguments["params"], arguments["input"])
    v = draw(y.shape)
    gradients = dict(leaves(pullback(v, wrt_input=True)._asdict()))
    for name, leaf in leaves(arguments):
        q = draw(leaf.shape)
        ahead, behind = (with_step(arguments, name, step) for step in (q, -q))
        apart = layer(ahead["params"], ahead["input"])[0] - layer(behind["params"], behind["input"])[0]
        if gradients[name].shape != leaf.shape or inner(v, apart) != 2 * inner(gradients[name], q):
            return False
    return True


def real_layers() -> Iterator[tuple[str, Callable, tuple[int, ...], str]]:
    """Every layer of the paper's two networks but tanh: name, layer, the shape of its input, the row of the index."""
    for network, shape, line in ((convnet(), CONVNET_INPUT, DIGITS), (two_layer(), (96 * 96,), AIRPLANE)):
        x = np.zeros((SAMPLES, *shape))
        for name, layer in network.layers.items():
            if not isinstance(layer, Tanh):
                yield f"{type(layer).__name__}, {name} of {line.partition(',')[0]}", layer, x.shape, line
            x, _ = layer(layer.init(np.random.default_rng(0), np.float64), x)


def bits_of(layer: Callable, params: Tree, x: np.ndarray, times: int) -> int:
    """How many bits an entry may have so that no sum in the layer or its pullback reaches 2⁵³.

    Outputs and gradients are sums of products of two entries, of which one may be p ± q, and two outputs are subtracted.
    The longest sum is over the inputs of a unit, the units that an input goes to, or the samples at all positions.
    """
    y, _ = layer(params, x)
    matrices = [w.size // min(w.shape[:2]) for _, w in leaves(params) if w.ndim > 1]
    longest = max(x.size // x.shape[1], y.size // y.shape[1], *matrices, 1) * times * times + 1
    bits = (53 - longest.bit_length()) // 2
    assert 2 * longest * 2**bits * 2 ** (bits - 1) < 2**53
    return bits


def _layers(rng: np.random.Generator) -> Iterator[Proof]:
    for name, layer, shape, line in real_layers():
        start, x = layer.init(rng, np.float64), np.zeros(shape)
        times = getattr(layer, "window", 1) ** 2  # all entries are multiples of what Subsample divides by
        bits = bits_of(layer, start, x, times)
        forms = [layer, Blockwise(layer, size=2), Blockwise(layer, size=2, threads=2)]

        def draw(shape, bits=bits, times=times):
            return whole_numbers(rng, shape, bits, times)

        drawn = [{"params": tree_map(lambda w: draw(w.shape), start), "input": draw(shape)} for _ in range(DRAWS)]
        holds = all(pullback_is_adjoint(form, arguments, draw) for arguments in drawn for form in forms)
        chance = f"{DRAWS} draws, a wrong one passes with p ≤ {(DEGREE / 2**bits) ** DRAWS:.0e}"
        yield Proof("proven", name, ADJOINT, (line,), (type(layer).__name__, "Blockwise"), holds, chance)


# ---- small shapes: every triple of basis vectors ----


def products_of(layer: Callable, shape: tuple[int, ...]) -> Iterator[tuple]:
    """The layer's formula, term by term: each product's place in W, in x, in y, and its factor."""
    match layer:
        case Linear():
            for o, i in np.ndindex(layer.outputs, layer.inputs):
                yield (o, i), (i,), (o,), 1
        case Conv2d():
            height, width = (side - layer.kernel + 1 for side in shape[1:])
            for m, i, j in np.ndindex(layer.maps, height, width):
                for c, u, v in np.ndindex(layer.channels, layer.kernel, layer.kernel):
                    yield (m, c, u, v), (c, i + u, j + v), (m, i, j), 1
        case Subsample():
            for c, row, column in np.ndindex(shape):
                yield (c,), (c, row, column), (c, row // layer.window, column // layer.window), 1 / layer.window**2


SMALL = [  # window² is a power of two, so that nothing is rounded; the textbook's convolution is held to the formula too
    ("Linear", Linear(4, 3), None, (4,)),
    ("Conv2d", Conv2d(2, 3, 2), None, (2, 4, 3)),
    ("Conv2d, loop by loop", Conv2d(2, 2, 2), loop_by_loop, (2, 3, 4)),
    ("Subsample", Subsample(2, 2), None, (2, 4, 6)),
]


def is_its_formula(layer: Callable, form: Callable, shape: tuple[int, ...]) -> tuple[bool, int]:
    """Whether output and pullback of `form` are the formula of `layer` on every triple of basis vectors; how many."""
    zero = tree_map(np.zeros_like, layer.init(np.random.default_rng(0), np.float64))
    (kind, w), (_, b) = zero.items()
    x = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    y, pullback = form(zero, x)
    units = np.eye(y[0].size).reshape(-1, *y.shape[1:])
    formula = np.zeros((*w.shape, *shape, *y.shape[1:]))
    for in_w, in_x, in_y, factor in products_of(layer, shape):
        formula[(*in_w, *in_x, *in_y)] = factor
    formula = formula.reshape(w.size, len(x), len(units))

    basis = [zero | {kind: e.reshape(w.shape)} for e in np.eye(w.size)]
    outputs = np.stack([form(params, x)[0].reshape(len(x), -1) for params in basis])
    of_w = [[form(zero, one[None])[1](unit[None]).params[kind].ravel() for unit in units] for one in x]
    nothing = np.zeros((len(units), *shape))
    of_x = np.stack([form(params, nothing)[1](units, True).input.reshape(len(units), -1).T for params in basis])
    of_b = np.stack([form(zero, x[:1])[1](unit[None]).params["bias"] for unit in units])
    bias = np.repeat(np.eye(b.size), len(units) // b.size, axis=0)
    shifted = np.stack([form(zero | {"bias": e}, x[:1])[0].ravel() for e in np.eye(b.size)])
    same = [
        (outputs, formula),
        (np.moveaxis(np.array(of_w), 2, 0), formula),
        (of_x, formula),
        (of_b, bias),
        (shifted.T, bias),
    ]
    return all(np.array_equal(one, other) for one, other in same), formula.size


def _small(rng: np.random.Generator) -> Iterator[Proof]:
    for name, layer, form, shape in SMALL:
        holds, triples = is_its_formula(layer, form or layer, shape)
        line = (DIGITS,) if len(shape) > 1 else (DIGITS, AIRPLANE)
        statement = "output and pullback are the formula's, product by product"
        yield Proof(
            "proven", f"{name}, small", statement, line, (name,), holds, f"all {triples:,} triples of basis vectors"
        )


# ---- the parts that layers are made of ----


def _parts(rng: np.random.Generator) -> Iterator[Proof]:
    images = (SAMPLES, 15, 27, 27)
    pairs: list[tuple[str, Callable, Callable, tuple, str]] = [
        (
            "patches and fold, C1",
            lambda x: patches(x, 6),
            lambda p: fold(p, (32, 32, 1, SAMPLES)),
            (32, 32, 1, SAMPLES),
        ),
        ("patches and fold, C3", lambda x: patches(x, 9), lambda p: fold(p, (9, 9, 15, SAMPLES)), (9, 9, 15, SAMPLES)),
        (
            "window_sums and over_windows, S2",
            lambda x: window_sums(x, 3),
            lambda s: over_windows(s, 3),
            (27, 27, 15, 5),
        ),
        ("as_rows and as_kernels, C3", as_rows, lambda r: as_kernels(r, (30, 15, 9, 9)), (30, 15, 9, 9)),
        ("by_position and as_images", by_position, as_images, images),
        ("per_sample and the sum over samples", lambda b: per_sample(b, SAMPLES), lambda y: y.sum(axis=1), (15,)),
        ("sum_by_map and a bias", sum_by_map, lambda b: np.broadcast_to(b[:, None, None], images), images),
    ]
    for name, there, back, shape in pairs:
        holds = True
        for _ in range(DRAWS):
            x = whole_numbers(rng, shape, 20)
            y = whole_numbers(rng, there(x).shape, 20)
            holds &= inner(there(x), y) == inner(x, back(y))
        bound = f"{DRAWS} draws, a wrong one passes with p ≤ {(2 / 2**20) ** DRAWS:.0e}"
        yield Proof("proven", name, "⟨A x, y⟩ = ⟨x, Aᵀ y⟩", (DIGITS,), ("Conv2d", "Subsample"), holds, bound)


def _in_sequence(rng: np.random.Generator) -> Iterator[Proof]:
    """Fractions have room for any product, so a stack of layers is done as a whole; as on a device, without strides."""
    stack = Sequential(conv=Conv2d(2, 3, 3), mean=Subsample(3, 2), flatten=Flatten(), linear=Linear(18, 2))

    def draw(shape):
        return exact(rng.integers(-(2**59), 2**59, shape))

    params = tree_map(lambda w: draw(w.shape), stack.init(rng, np.float64))
    holds = pullback_is_adjoint(stack, {"params": params, "input": draw((2, 2, 8, 6))}, draw)
    bound = f"1 draw, a wrong one passes with p ≤ {6 / 2**60:.0e}"
    subjects = ("Sequential", "convnet", "two-layer")
    yield Proof("proven", "Sequential, all layers but tanh", ADJOINT, (DIGITS, AIRPLANE), subjects, holds, bound)


def _tanh(rng: np.random.Generator) -> Iterator[Proof]:
    """The slope 1 - y² is derived; here the pullback is held to it, on the y that the layer returned."""
    x, v = exact(np.arange(-32, 32) / 16), exact(rng.integers(-(2**59), 2**59, 64))
    y, pullback = Tanh()({}, x)
    holds = all(g == dy * (1 - out**2) for g, dy, out in zip(pullback(v, True).input.entries, v.entries, y.entries))
    bound = "64 values of y, in fractions: no other polynomial of a degree below 64 passes"
    yield Proof("proven", "Tanh", "pullback(v) = v (1 - y²)", (DIGITS, AIRPLANE), ("Tanh",), holds, bound)


# ---- the loss ----


def of_the_paper(v: list[Fraction], d: Fraction, y: int, margin: Fraction) -> tuple[Fraction, list[Fraction]]:
    """L and dL/dz1 as Eqs. 4, 6 and 7 read, for z1 - z2 = v of length d > 0: ∂D/∂z1 = v/d."""
    if y == 0:
        return d**2 / 2, [d * c / d for c in v]
    short = max(Fraction(0), margin - d)
    return short**2 / 2, [-short * c / d for c in v]


RIGHT_ANGLES = {
    1: [(1,), (-1,)],
    5: [(3, 4), (-4, 3), (5, 0), (0, -5)],
    3: [(1, 2, 2), (-2, 1, 2)],
    7: [(2, -3, 6), (6, 2, 3)],
}


def exact_pairs() -> Iterator[tuple]:
    """Pairs on which float64 rounds nothing: z1, z2, y, margin, their energies, losses and dL/dz1, as fractions.

    z1 - z2 is a vector of whole numbers whose length is one too, times a power of 2; m a multiple of that length.
    """
    for length, vectors in RIGHT_ANGLES.items():
        for margin in (length, 1.5 * length, 8.0 * length):
            for scale, y in product((0.25, 0.5, 1, 2, 4), (0, 1)):
                v = scale * np.array(vectors, np.float64)
                z1 = np.arange(v.size).reshape(v.shape) - 3.0
                d = Fraction(scale) * length
                said = [of_the_paper([Fraction(c) for c in row], d, y, Fraction(margin)) for row in v.tolist()]
                yield z1, z1 - v, np.full(len(v), y), margin, d, sum(loss for loss, _ in said), [dz for _, dz in said]


def gradients_are_the_papers(gradients: Callable) -> bool:
    """Whether gradients(z1, z2, y, margin) → dL/dz1, dL/dz2 are Eqs. 6 and 7's on every exact pair."""
    for z1, z2, y, margin, _, _, dz in exact_pairs():
        dz1, dz2 = gradients(z1, z2, y, margin)
        if not (np.array_equal(dz1, np.array(dz, float)) and np.array_equal(dz2, -np.array(dz, float))):
            return False
    return True


def _losses(rng: np.random.Generator) -> Iterator[Proof]:
    pairs, subject = list(exact_pairs()), ("contrastive",)
    cases = f"{sum(len(y) for _, _, y, *_ in pairs)} pairs in 1 to 3 dimensions, on which nothing is rounded"
    energies = all((energy(z1, z2) == float(d)).all() for z1, z2, _, _, d, *_ in pairs)
    yield Proof("proven", "energy", "D is the length of z1 - z2", ("Eq. 1",), subject, energies, cases)
    losses = all(Fraction(float(contrastive(*given)[0])) == loss for *given, _, loss, _ in pairs)
    lines = ("Eq. 2, the sum over given", "Eq. 3", "Eq. 4")
    yield Proof(
        "proven", "contrastive, its value", "𝓛 = Σ (1 - Y) ½ D² + Y ½ max(0, m - D)²", lines, subject, losses, cases
    )
    forces = gradients_are_the_papers(lambda *given: contrastive(*given)[1:])
    statement = "dL/dz1 = D ∂D/∂z1, -(m - D) ∂D/∂z1, or 0; dL/dz2 = -dL/dz1"
    yield Proof("proven", "contrastive, its gradient", statement, ("Eq. 6", "Eq. 7"), subject, forces, cases)
    at_zero = [
        contrastive(z := np.ones((2, dims)), z, [0, 1], margin) for dims in (1, 2, 3) for margin in (0.5, 1.0, 3.0)
    ]
    rests = all(
        loss == margin**2 / 2 and not dz1.any() and not dz2.any()
        for (loss, dz1, dz2), margin in zip(at_zero, [0.5, 1.0, 3.0] * 3)
    )
    yield Proof(
        "proven",
        "contrastive at D = 0",
        "L_S = 0, L_D = ½ m², no force",
        ("the cone point",),
        subject,
        rests,
        f"{len(at_zero)} cases",
    )
    for mistake, gradients in wrong.LOSSES.items():
        holds = gradients_are_the_papers(gradients)
        yield Proof(
            "proven", f"wrong: {mistake}", statement, ("Eq. 6", "Eq. 7"), (f"wrong: {mistake}",), holds, cases, True
        )


def graphs(samples: int) -> Iterator[SimilarityGraph]:
    """Every graph on so many samples, each similar pair listed once."""
    pairs = list(combinations(range(samples), 2))
    for chosen in product((False, True), repeat=len(pairs)):
        yield SimilarityGraph(samples, np.array([p for p, there in zip(pairs, chosen) if there], int).reshape(-1, 2))


def pair_by_pair(z: np.ndarray, similar: SimilarityGraph, margin: float) -> tuple:
    """Σ L_S and Σ L_D over every pair of Step 1, and their gradients: on a line, where no force needs a division."""
    losses, forces = [Fraction(0)] * 2, [[Fraction(0)] * len(z) for _ in range(2)]
    z, margin = [Fraction(place) for place in z.ravel().tolist()], Fraction(margin)
    listed = similar.pairs.tolist()
    others = {*combinations(range(len(z)), 2)} - {tuple(sorted(pair)) for pair in listed}
    for y, pairs in enumerate((listed, others)):
        for i, j in pairs:
            d = abs(z[i] - z[j])
            if d > 0:
                loss, (force,) = of_the_paper([z[i] - z[j]], d, y, margin)
            else:
                loss, force = y * margin**2 / 2, 0
            losses[y] += loss
            forces[y][i] += force
            forces[y][j] -= force
    return losses[0], forces[0], losses[1], forces[1]


LINES = np.array([[0, 0, 0, 0], [0, 1, 3, 4], [1, 1, 2, 8], [2, 0, 1, 2], [0, 4, 8, 12]], np.float64)[:, :, None]
MARGIN = 2.5  # the energies within it, 1 and 2, divide without rounding


def _all_pairs(rng: np.random.Generator) -> Iterator[Proof]:
    many = SimilarityGraph(600, rng.permutation(600).reshape(-1, 2))  # more than two tiles
    cases = [(z, similar) for similar in graphs(4) for z in LINES] + [(rng.integers(0, 300, (600, 1)) * 1.0, many)]
    equal = constant = True
    for z, similar in cases:
        attraction, pull, repulsion, push = pair_by_pair(z, similar, MARGIN)
        whole = attraction + repulsion, [a + b for a, b in zip(pull, push)]
        for form in (contrastive_all_pairs, all_pairs_by_definition):
            equal &= _same(form(z, similar, MARGIN), whole)
        equal &= _same(similar_sum(z, similar), (attraction, pull)) and _same(
            dissimilar_sum(z, similar, MARGIN), (repulsion, push)
        )
        fallen = np.full_like(z, 3.0)
        constant &= _same(similar_sum(fallen, similar), (0, [0] * len(z)))
        constant &= _same(
            dissimilar_sum(fallen, similar, MARGIN), (similar.dissimilar_count * MARGIN**2 / 2, [0] * len(z))
        )
    bound = f"all {len(cases) - 1} cases of 4 samples on 5 lines, and 600 samples in tiles"
    yield Proof(
        "proven",
        "all pairs",
        "𝓛 and d𝓛/dz are the sums, pair by pair",
        ("Eq. 2, over every pair",),
        ("all pairs",),
        equal,
        bound,
    )
    statement = "a constant G_W costs nothing without dissimilar pairs, ½ m² for each of them, and feels no force"
    yield Proof("proven", "collapse", statement, ("collapse",), ("all pairs",), constant, bound)


def _same(found: tuple, expected: tuple) -> bool:
    (loss, dz), (wanted, forces) = found, expected
    return Fraction(float(loss)) == wanted and [Fraction(x) for x in dz.ravel().tolist()] == forces


# ---- two towers, one page of the paper, and the pairs drawn ----


def _on_fractions(name: str):
    """A copy of a module of this package that computes on NumPy's arrays of fractions."""
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.np = IN_PLACE_OF_NUMPY
    return module


def pairs_of_two_layers(rng: np.random.Generator) -> Iterator[tuple]:
    """Two-layer networks with W in fractions, and a pair whose energy is one: network, W, x1, x2, y, margin.

    The rows of the output's weight are multiples of one row, so that z1 - z2 is one of a vector of whole length.
    """
    for vector, y, margin in product(((1,), (3, 4), (1, 2, 2)), (0, 1), (2.0**-20, 2.0**20)):
        network, of = two_layer(2, 3, len(vector)), lambda *shape: exact(rng.integers(-9, 10, shape) / 8)
        params = tree_map(lambda w, of=of: of(*w.shape), network.init(rng))
        params["output"]["weight"] = exact(np.array(vector))[:, None] * of(1, 3)
        yield network, params, of(1, 2), of(1, 2), np.array([y]), margin


def _towers(rng: np.random.Generator) -> Iterator[Proof]:
    verbatim, pairs, rate = _on_fractions("drlim_np.verbatim"), list(pairs_of_two_layers(rng)), Fraction(1, 16)

    def by_the_page(network, params, x1, x2, y, margin):
        W = [w.entries.copy() for _, w in leaves(params)]
        given = x1.entries[0], x2.entries[0], Fraction(int(y[0])), Fraction(margin)
        loss = verbatim.loss(W, *given)
        verbatim.update(W, *given, rate)
        return loss, W

    def moved_as_on_the_page(gradient):
        for network, params, *pair in pairs:
            new, _ = SGD(float(rate)).update(params, gradient(network, params, *pair), SGD(1).init(params), 1.0)
            wanted = by_the_page(network, params, *pair)[1]
            if not all((w.entries == v).all() for (_, w), v in zip(leaves(new), wanted, strict=True)):
                return False
        return True

    bound = f"{len(pairs)} pairs in 1 to 3 dimensions, within the margin and beyond, in fractions"
    lines = ("Step 2, for each pair", "Step 2, two copies")
    holds = all(two_towers(*pair)[0].entries == by_the_page(*pair)[0] for pair in pairs)
    holds &= moved_as_on_the_page(lambda *pair: two_towers(*pair)[1])
    statement = "W - η (J₁ᵀ dz1 + J₂ᵀ dz2) is the W of `verbatim.update`"
    yield Proof("proven", "two towers", statement, lines, ("two towers",), holds, bound)
    for mistake, gradient in wrong.TOWERS.items():
        passes = moved_as_on_the_page(gradient)
        yield Proof("proven", f"wrong: {mistake}", statement, lines, (f"wrong: {mistake}",), passes, bound, True)

    network, similar = two_layer(2, 3, 1), SimilarityGraph(6, [[0, 1], [2, 3], [4, 5], [1, 2], [1, 0]])
    i, j, y = pair_table(similar)
    params, x = (
        tree_map(lambda w: exact(rng.integers(-9, 10, w.shape) / 8), network.init(rng)),
        exact(rng.integers(-9, 10, (6, 2)) / 8),
    )
    once, twice = embed_once(network, params, x, similar, 1.0), two_towers(network, params, x[i, :], x[j, :], y, 1.0)
    same = once[0].entries == twice[0].entries
    same &= all(
        (a.entries == b.entries).all() for (_, a), (_, b) in zip(leaves(once[1]), leaves(twice[1]), strict=True)
    )
    statement = "Σ_i (Σ_j dL_ij/dz_i) dz_i/dW is what two towers give on every pair"
    yield Proof(
        "proven",
        "embed once",
        statement,
        ("one copy is enough",),
        ("embed once",),
        bool(same),
        f"{len(y)} pairs of 6 samples, in fractions",
    )


def named(x: np.ndarray, most: int = 10_000) -> list[Fraction]:
    """The fractions with denominators of at most `most` that rounded numbers stand for: two such differ by 1e-8 or more.

    Raises ValueError for a number that is none of them to within its rounding.
    """
    numbers = [Fraction(number) for number in np.ravel(x).tolist()]
    found = [number.limit_denominator(most) for number in numbers]
    if any(abs(number - fraction) > Fraction(1, 10**11) for number, fraction in zip(numbers, found, strict=True)):
        raise ValueError("a number names no fraction")
    return found


def _drawn(rng: np.random.Generator) -> Iterator[Proof]:
    """Every sample is a unit vector and G_W is W, so that dL/dW is dL/dz, sample by sample."""
    cases = [(similar, 2) for similar in graphs(4) if similar.degree.min() and similar.dissimilar_count]
    cases += [(SimilarityGraph(4, [[0, 1], [1, 0], [2, 3]]), 3)]  # the first couple listed from both ends
    network, x, unbiased, draws = Linear(4, 1), np.eye(4), True, 0
    for (similar, batch), weighting, z in product(cases, ("balanced", "exact"), LINES[1:4]):
        params = {"weight": z.T, "bias": np.zeros(1)}
        total, weight = [Fraction(0)] * 5, Fraction(similar.listed_count) ** -batch
        sampled = SampledPairs(network, x, similar, MARGIN, weighting, batch)
        for drawn in product(similar.pairs.tolist(), repeat=batch):
            loss, gradient = sampled.on(np.array(drawn), params)
            total = [a + weight * b for a, b in zip(total, named([loss, *gradient["weight"][0]]), strict=True)]
            draws += 1
        loss, gradient = EveryPair(network, x, similar, MARGIN, weighting)(params, rng, 1.0)
        ratio = Fraction(similar.dissimilar_count, similar.listed_count) if weighting == "exact" else Fraction(1)
        attraction, pull, repulsion, push = pair_by_pair(z, similar, MARGIN)
        shares = 1 / (1 + ratio) / similar.listed_count, ratio / (1 + ratio) / similar.dissimilar_count
        whole = [shares[0] * a + shares[1] * r for a, r in zip([attraction, *pull], [repulsion, *push], strict=True)]
        unbiased &= total == whole == named([loss, *gradient["weight"][0]])
    statement = "the mean over all draws is the sum over all pairs, as an equality of fractions"
    bound = f"{draws:,} draws, all there are from {len(cases)} graphs of 4 samples, both weightings"
    lines, subjects = ("Step 2, gradient descent on many",), ("sampled pairs",)
    yield Proof("proven", "the pairs drawn", statement, lines, subjects, unbiased, bound)


def proofs(seed: int = 0) -> Iterator[Proof]:
    """All of them, and the wrong gradients on record that they must refute; every draw comes from `seed`."""
    rng = np.random.default_rng(seed)
    for part in (_layers, _small, _parts, _in_sequence, _tanh, _losses, _all_pairs, _towers, _drawn):
        yield from part(rng)
    yield from step1.proofs()
