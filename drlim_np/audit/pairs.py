"""The loss proven by exact numbers: given pairs, every pair of a set, drawn pairs, two towers, and one tower."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import combinations, product

import numpy as np

from drlim_np import verbatim
from drlim_np.audit import wrong
from drlim_np.audit.numbers import Exact, drawn_like, exact
from drlim_np.audit.proof import Proof
from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum, similar_sum
from drlim_np.graph import SimilarityGraph, pair_table
from drlim_np.layers import Linear, Positions, Sequential
from drlim_np.loss import all_pairs_by_definition, contrastive, energy
from drlim_np.networks import two_layer
from drlim_np.objective import EveryPair
from drlim_np.sampled import SampledCopies, SampledPairs
from drlim_np.siamese import one_tower, two_towers
from drlim_np.training import SGD
from drlim_np.tree import Tree, leaves

VECTORS = {1: [(1,), (-1,)], 5: [(3, 4), (-4, 3), (5, 0), (0, -5)]}  # by their length, which is whole
VECTORS |= {3: [(1, 2, 2), (-2, 1, 2)], 7: [(2, -3, 6), (6, 2, 3)]}
LINES = np.array([[0, 1, 3, 4], [1, 1, 2, 8], [2, 0, 1, 2]], np.float64)[:, :, None]
MARGIN = 2.5  # the distances within it, 1 and 2, divide without rounding


def of_the_paper(v: list, d: Fraction, y: int, margin: Fraction) -> tuple[Fraction, list]:
    """L and dL/dz1 as Eqs. 4, 6 and 7 read, for z1 - z2 = v of length d > 0, where ∂D/∂z1 = v/d."""
    if y == 0:
        return d**2 / 2, [d * c / d for c in v]
    missing = max(0, margin - d)
    return missing**2 / 2, [-missing * c / d for c in v]


def exact_pairs() -> Iterator[tuple]:
    """Pairs on which float64 rounds nothing: z1, z2, y, margin; their D, 𝓛 and dL/dz1, in fractions.

    z1 - z2 is one of the vectors times a power of 2, and m a multiple of its length, so that (m - D)/D is exact too.
    """
    for length, vectors in VECTORS.items():
        for times, scale, y in product((1, 1.5, 8), (0.25, 0.5, 1, 2, 4), (0, 1)):
            v, d, margin = scale * np.array(vectors), Fraction(scale) * length, times * length
            said = [of_the_paper([Fraction(c) for c in row], d, y, Fraction(margin)) for row in v.tolist()]
            z1 = np.arange(v.size).reshape(v.shape) - 3.0
            losses, dz1 = zip(*said, strict=True)
            yield z1, z1 - v, np.full(len(v), y), margin, d, sum(losses), np.array(dz1)
    for dims in (1, 2, 3):  # similar pairs at D = 0, where L_S is smooth
        z = np.ones((1, dims))
        yield z, z, np.zeros(1, int), 1.0, Fraction(0), Fraction(0), np.zeros((1, dims))


def _loss(_rng: np.random.Generator) -> Iterator[Proof]:
    """Energy, loss and forces on all of these pairs; nothing is drawn."""
    every = list(exact_pairs())

    def are_the_papers(gradients: Callable) -> bool:
        found = ((gradients(*given), dz.astype(np.float64)) for *given, _, _, dz in every)
        return all(np.array_equal(dz1, dz) and np.array_equal(dz2, -dz) for (dz1, dz2), dz in found)

    bound, subject = f"{sum(len(z1) for z1, *_ in every)} pairs in 1 to 3 dimensions", ("contrastive",)
    holds = all((energy(z1, z2) == float(d)).all() for z1, z2, _, _, d, *_ in every)
    yield Proof("energy", "D is the length of z1 - z2", subject, holds, bound)
    holds = all(Fraction(float(contrastive(*given)[0])) == loss for *given, _, loss, _ in every)
    yield Proof("contrastive, loss", "𝓛 = Σ (1 - Y) ½ D² + Y ½ max(0, m - D)²", subject, holds, bound)
    holds = are_the_papers(lambda *given: contrastive(*given)[1:])
    statement = "dL/dz1 = D ∂D/∂z1, -(m - D) ∂D/∂z1 or 0, dL/dz2 opposite"
    yield Proof("contrastive, gradient", statement, subject, holds, bound)
    at_zero = [(m, contrastive(z := np.ones((2, dims)), z, [0, 1], m)) for dims in (1, 2, 3) for m in (0.5, 1.0, 3.0)]
    holds = all(loss == m * m / 2 and not dz1.any() and not dz2.any() for m, (loss, dz1, dz2) in at_zero)
    yield Proof("contrastive at D = 0", "L_S = 0, L_D = ½ m², no force", subject, holds, "9 cases")
    for mistake, gradients in wrong.LOSSES.items():
        name = f"wrong: {mistake}"
        yield Proof(name, statement, (name,), are_the_papers(gradients), bound, wrong_on_purpose=True)


def pair_by_pair(z: np.ndarray, similar: SimilarityGraph, margin: float, weight: np.ndarray) -> tuple:
    """Σ L_S and Σ w_i w_j L_D over the pairs of Step 1, and their gradients: on a line, where no force is rounded."""
    places, listed = z.ravel().tolist(), similar.pairs.tolist()
    others = {*combinations(range(len(places)), 2)} - {tuple(sorted(pair)) for pair in listed}
    losses, forces = [0.0, 0.0], np.zeros((2, *z.shape))
    for y, pairs in enumerate((listed, others)):
        for i, j in pairs:
            v = places[i] - places[j]
            loss, (force,) = of_the_paper([v], abs(v), y, margin) if v else (y * margin**2 / 2, [0.0])
            times = weight[i] * weight[j] if y else 1.0
            losses[y] += times * loss
            forces[y, i] += times * force
            forces[y, j] -= times * force
    return losses[0], forces[0], losses[1], forces[1]


def graphs(samples: int) -> Iterator[SimilarityGraph]:
    """Every graph on so many samples, each similar pair listed once."""
    pairs = list(combinations(range(samples), 2))
    for chosen in product((False, True), repeat=len(pairs)):
        yield SimilarityGraph(samples, np.array(pairs)[np.array(chosen)])


def _all_pairs(rng: np.random.Generator) -> Iterator[Proof]:
    def same(found: tuple, loss: float, dz: np.ndarray) -> bool:
        return float(found[0]) == loss and np.array_equal(found[1], dz)

    many = SimilarityGraph(300, rng.permutation(300).reshape(-1, 2))  # more than a tile
    cases = [(z, similar) for similar in graphs(4) for z in LINES] + [(rng.integers(0, 150, (300, 1)) * 1.0, many)]
    equal = constant = True
    for z, similar in cases:
        weight = rng.integers(1, 4, len(z)) * 1.0
        attraction, pull, repulsion, push = pair_by_pair(z, similar, MARGIN, weight)
        equal &= same(similar_sum(z, similar), attraction, pull)
        equal &= same(dissimilar_sum(z, similar, MARGIN, weight), repulsion, push)
        attraction, pull, repulsion, push = pair_by_pair(z, similar, MARGIN, np.ones(len(z)))
        for form in (contrastive_all_pairs, all_pairs_by_definition):
            equal &= same(form(z, similar, MARGIN), attraction + repulsion, pull + push)
        constant &= same(similar_sum(0 * z + 3, similar), 0, 0 * z)
        constant &= same(dissimilar_sum(0 * z + 3, similar, MARGIN), similar.dissimilar_count * MARGIN**2 / 2, 0 * z)
    bound = f"all graphs of 4 samples on {len(LINES)} lines, and 300 samples in tiles"
    yield Proof("all pairs", "𝓛 and d𝓛/dz are the sums, pair by pair", ("all pairs",), equal, bound)
    statement = "at a constant G_W similar pairs cost nothing, others ½ m², and no force is felt"
    yield Proof("collapse", statement, ("all pairs",), constant, bound)


def _towers(rng: np.random.Generator) -> Iterator[Proof]:
    """With W in fractions, and pairs of which D > 0 is one too."""

    def eighths(shape: tuple[int, ...]) -> Exact:
        return exact(rng.integers(-9, 10, shape) / 8)

    def equal(one: Tree, other: Tree) -> bool:
        return all(np.array_equal(a, b) for (_, a), (_, b) in zip(leaves(one), leaves(other), strict=True))

    pairs, rate = [], Fraction(1, 16)
    for vector, y, margin in product(((1,), (3, 4), (1, 2, 2)), (0, 1), (2.0**-20, 2.0**20)):
        network = two_layer(2, 3, len(vector))
        z1 = z2 = exact(np.zeros(1))
        while not (z1 - z2).entries.any():
            params = drawn_like(network.init(rng), eighths)
            # its rows are multiples of one row, so that z1 - z2 is one of a vector of whole length
            params["output"]["weight"] = exact(np.array(vector))[:, None] * eighths((1, 3))
            x1, x2 = eighths((1, 2)), eighths((1, 2))
            (z1, _), (z2, _) = network(params, x1), network(params, x2)
        pairs.append((network, params, x1, x2, np.array([y]), margin))

    def by_the_page(network, params, x1, x2, y, margin):
        W = [Exact(w.entries.copy()) for _, w in leaves(params)]
        given = x1[0], x2[0], Fraction(int(y[0])), Fraction(margin)
        loss = verbatim.loss(W, *given)
        verbatim.update(W, *given, rate)
        return loss.entries, dict(enumerate(W))

    def moves_as_the_page_does(gradient: Callable) -> bool:
        for network, params, *pair in pairs:
            new, _ = SGD(float(rate)).update(params, gradient(network, params, *pair), SGD(1).init(params), 1.0)
            if not equal(by_the_page(network, params, *pair)[1], new):
                return False
        return True

    bound = f"{len(pairs)} pairs in 1 to 3 dimensions, within and beyond m, in fractions"
    statement = "W - η (J₁ᵀ dz1 + J₂ᵀ dz2) is what `verbatim.update` makes of W"
    holds = all(two_towers(*pair)[0].entries == by_the_page(*pair)[0] for pair in pairs)
    holds = holds and moves_as_the_page_does(lambda *pair: two_towers(*pair)[1])
    yield Proof("two towers", statement, ("two towers",), holds, bound)
    for mistake, gradient in wrong.TOWERS.items():
        name = f"wrong: {mistake}"
        yield Proof(name, statement, (name,), moves_as_the_page_does(gradient), bound, wrong_on_purpose=True)

    network, similar = two_layer(2, 3, 1), SimilarityGraph(6, [[0, 1], [2, 3], [4, 5], [1, 2], [1, 0]])
    params, x = drawn_like(network.init(rng), eighths), eighths((6, 2))
    i, j, y = pair_table(similar)
    once, twice = one_tower(network, params, x, similar, 1.0), two_towers(network, params, x[i, :], x[j, :], y, 1.0)
    statement = "Σ_i (Σ_j dL_ij/dz_i) dz_i/dW is what two towers give on every pair"
    holds = equal(dict(enumerate(once)), dict(enumerate(twice)))
    yield Proof("embed once", statement, ("embed once",), holds, f"{len(y)} pairs of 6 samples, in fractions")


@cache
def named(number: float) -> Fraction:
    """The fraction with a denominator of at most 100,000 that a rounded number stands for: two are 1e-10 apart.

    Raises ValueError if it is none of them to within its rounding.
    """
    found = Fraction(float(number)).limit_denominator(100_000)
    if abs(Fraction(float(number)) - found) > Fraction(1, 10**11):
        raise ValueError("a number names no fraction")
    return found


def _draws(_rng: np.random.Generator) -> Iterator[Proof]:
    """Every sample is a unit vector and G_W is W, so that dL/dW is dL/dz, sample by sample."""
    twice = SimilarityGraph(4, [[0, 1], [1, 0], [2, 3]])  # the first couple listed from both ends
    of_four = [similar for similar in graphs(4) if similar.listed_count and similar.dissimilar_count]
    single = [(similar, 2) for similar in of_four if similar.degree.min()] + [(twice, 3)]
    few = [similar for similar in (*of_four, twice) if similar.listed_count < 4]
    double = [(similar, 2) for similar in few if similar.degree.reshape(2, 2).any(axis=1).all()]
    units = np.eye(4).reshape(2, 2, 4)
    for name, form, x, cases in (
        ("pairs drawn", SampledPairs, units.reshape(4, 4, 1, 1), single),
        ("copies drawn", SampledCopies, units.mT[:, :, None, :], double),
    ):
        found = [_unbiased(form, x, *case) for case in product(cases, ("balanced", "exact"), LINES)]
        statement = "the mean over all draws is the sum over all pairs, as fractions"
        draws = sum(similar.listed_count**batch for similar, batch in cases) * 2 * len(LINES)
        bound = f"{draws:,} draws, all there are from {len(cases)} graphs of 4 samples"
        yield Proof(name, statement, ("sampled pairs",), all(found), bound)


def _unbiased(form: type, x: np.ndarray, case: tuple[SimilarityGraph, int], weighting: str, z: np.ndarray) -> bool:
    """Whether the estimates from all draws of a graph are on average the objective by its definition."""
    similar, batch = case
    network = Sequential(rows=Positions(), linear=Linear(4, 1))
    params, total = {"rows": {}, "linear": {"weight": z.T, "bias": np.zeros(1)}}, [Fraction(0)] * 5
    sampled = form(network, x, similar, MARGIN, weighting, batch)
    for drawn in product(similar.pairs.tolist(), repeat=batch):
        loss, gradient = sampled.from_pairs(np.array(drawn), params)
        numbers = map(named, [loss, *gradient["linear"]["weight"][0]])
        total = [a + b for a, b in zip(total, numbers, strict=True)]
    attraction, pull, repulsion, push = pair_by_pair(z, similar, MARGIN, np.ones(4))
    of, others = similar.listed_count, similar.dissimilar_count
    ratio = Fraction(others, of) if weighting == "exact" else Fraction(1)
    sums = zip(map(Fraction, (attraction, *pull[:, 0])), map(Fraction, (repulsion, *push[:, 0])), strict=True)
    whole = [(s / of + ratio * d / others) / (1 + ratio) for s, d in sums]
    loss, gradient = EveryPair(network, x, similar, MARGIN, weighting)(params, np.random.default_rng(0), 1.0)
    return [a / of**batch for a in total] == whole == [*map(named, [loss, *gradient["linear"]["weight"][0]])]


PARTS = (_loss, _all_pairs, _towers, _draws)
