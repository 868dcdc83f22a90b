"""The estimates from drawn pairs proven: the mean over all draws there are is the sum over every pair, as fractions."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np

from drlim_np.audit.pairs import LINES, MARGIN, graphs, pair_by_pair
from drlim_np.audit.proof import Proof
from drlim_np.copies import SampledCopies
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Linear, Positions, Sequential
from drlim_np.objective import EveryPair, SampledPairs


def named(x: np.ndarray, most: int = 100_000) -> list[Fraction]:
    """The fractions with denominators of at most `most` that rounded numbers stand for: two lie 1e-10 apart.

    Raises ValueError for a number that is none of them to within its rounding.
    """
    numbers = [Fraction(number) for number in np.ravel(x).tolist()]
    found = [number.limit_denominator(most) for number in numbers]
    if any(abs(number - fraction) > Fraction(1, 10**11) for number, fraction in zip(numbers, found, strict=True)):
        raise ValueError("a number names no fraction")
    return found


def proofs(_rng: np.random.Generator) -> Iterator[Proof]:
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
        statement, lines = "the mean over all draws is the sum over all pairs, as fractions", ("step-2-drawn-pairs",)
        draws = sum(similar.listed_count**batch for similar, batch in cases) * 2 * len(LINES)
        bound = f"{draws:,} draws, all there are from {len(cases)} graphs of 4 samples"
        yield Proof(name, statement, lines, ("sampled pairs",), all(found), bound)


def _unbiased(form: type, x: np.ndarray, case: tuple[SimilarityGraph, int], weighting: str, z: np.ndarray) -> bool:
    """Whether the estimates from all draws of a graph are on average the objective by its definition."""
    similar, batch = case
    network = Sequential(rows=Positions(), linear=Linear(4, 1))
    params, total = {"rows": {}, "linear": {"weight": z.T, "bias": np.zeros(1)}}, [Fraction(0)] * 5
    sampled = form(network, x, similar, MARGIN, weighting, batch)
    for drawn in product(similar.pairs.tolist(), repeat=batch):
        loss, gradient = sampled.from_pairs(np.array(drawn), params)
        numbers = named([loss, *gradient["linear"]["weight"][0]])
        total = [a + b for a, b in zip(total, numbers, strict=True)]
    attraction, pull, repulsion, push = pair_by_pair(z, similar, MARGIN, np.ones(4))
    of, others = similar.listed_count, similar.dissimilar_count
    ratio = Fraction(others, of) if weighting == "exact" else Fraction(1)
    sums = zip(map(Fraction, (attraction, *pull[:, 0])), map(Fraction, (repulsion, *push[:, 0])), strict=True)
    whole = [(s / of + ratio * d / others) / (1 + ratio) for s, d in sums]
    loss, gradient = EveryPair(network, x, similar, MARGIN, weighting)(params, np.random.default_rng(0), 1.0)
    every = named([loss, *gradient["linear"]["weight"][0]])
    return [a / of**batch for a in total] == whole == every
