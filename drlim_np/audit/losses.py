"""The loss of given pairs, proven on pairs for which float64 rounds nothing."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product

import numpy as np

from drlim_np.audit import pairs, wrong
from drlim_np.audit.proof import Proof
from drlim_np.loss import contrastive, energy

VECTORS = {  # of whole length
    1: [(1,), (-1,)],
    5: [(3, 4), (-4, 3), (5, 0), (0, -5)],
    3: [(1, 2, 2), (-2, 1, 2)],
    7: [(2, -3, 6), (6, 2, 3)],
}


def exact_pairs() -> Iterator[tuple]:
    """Pairs on which float64 rounds nothing: z1, z2, y, margin; their D, 𝓛 and dL/dz1, in fractions.

    z1 - z2 is one of the vectors times a power of 2, and m a multiple of its length, so that (m - D)/D is exact too.
    """
    for length, vectors in VECTORS.items():
        for times, scale, y in product((1, 1.5, 8), (0.25, 0.5, 1, 2, 4), (0, 1)):
            v, d, margin = scale * np.array(vectors), Fraction(scale) * length, times * length
            said = [pairs.of_the_paper([Fraction(c) for c in row], d, y, Fraction(margin)) for row in v.tolist()]
            z1 = np.arange(v.size).reshape(v.shape) - 3.0
            losses, dz1 = zip(*said, strict=True)
            yield z1, z1 - v, np.full(len(v), y), margin, d, sum(losses), np.array(dz1)


def of_the_loss(rng: np.random.Generator) -> Iterator[Proof]:
    """Energy, loss and forces on all of these pairs; `rng` is not used, because every pair is tried."""
    every = list(exact_pairs())

    def are_the_papers(gradients: Callable) -> bool:
        found = ((gradients(*given), dz.astype(np.float64)) for *given, _, _, dz in every)
        return all(np.array_equal(dz1, dz) and np.array_equal(dz2, -dz) for (dz1, dz2), dz in found)

    energies = all((energy(z1, z2) == float(d)).all() for z1, z2, _, _, d, *_ in every)
    losses = all(Fraction(float(contrastive(*given)[0])) == loss for *given, _, loss, _ in every)
    forces = are_the_papers(lambda *given: contrastive(*given)[1:])
    at_zero = [(m, contrastive(z := np.ones((2, dims)), z, [0, 1], m)) for dims in (1, 2, 3) for m in (0.5, 1.0, 3.0)]
    rests = all(loss == m * m / 2 and not dz1.any() and not dz2.any() for m, (loss, dz1, dz2) in at_zero)

    count, subject = sum(len(y) for _, _, y, *_ in every), ("contrastive",)
    bound, value = f"{count} pairs in 1 to 3 dimensions", "𝓛 = Σ (1 - Y) ½ D² + Y ½ max(0, m - D)²"
    statement, lines = "dL/dz1 = D ∂D/∂z1, -(m - D) ∂D/∂z1 or 0, dL/dz2 opposite", ("eq-6", "eq-7")
    yield Proof("energy", "D is the length of z1 - z2", ("eq-1",), subject, energies, bound)
    yield Proof("contrastive, loss", value, ("eq-2", "eq-3", "eq-4-l_s", "eq-4-l_d"), subject, losses, bound)
    yield Proof("contrastive, gradient", statement, lines, subject, forces, bound)
    yield Proof("contrastive at D = 0", "L_S = 0, L_D = ½ m², no force", ("cone-point",), subject, rests, "9 cases")
    for mistake, gradients in wrong.LOSSES.items():
        name = f"wrong: {mistake}"
        yield Proof(name, statement, lines, (name,), are_the_papers(gradients), bound, wrong_on_purpose=True)
