"""How far D, L and dL/dz of a pair may be from exact: derived line by line, and held on pairs by exact fractions.

Standard model: each operation returns its exact result times 1 + ε, |ε| ≤ u, where u is 2⁻²⁴ in float32 and 2⁻⁵³ in
float64; u of a number is at most one ulp of it. γ(n) = nu/(1 - nu) bounds n such factors, and 1 over them. In k
dimensions, with v = z1 - z2, g = max(0, m - D) and n = k/2 + 5/2:

    z1 - z2      v_i (1 + ε)                                                        u |v_i|: 1 ulp
    its square   3 factors, k - 1 more by the sum in any order; the root halves k + 2
    D            1 more by the root, ½ for underflow (below)                        γ(n) D: n ulps
    L_S          D twice, 1 by the product; halving is exact                        γ(2n + 1) L_S: 2n + 1 ulps
    m - D        a, with r what m loses in rounding; max(0, ·) adds nothing         a = (γ(n) D + r)(1 + u) + u g
    L_D          (g + a)² for g², 1 by the product                                  ((g + a)² (1 + u) - g²)/2
    dL_S/dz1     1 times z1 - z2                                                    u |v_i|: 1 ulp
    dL_D/dz1     g v_i/D: n by 1/D, 3 by quotient, product and z1 - z2              |v_i|/D ((g + a)(1 + γ(n + 3)) - g)

The last is at most (n + 4) u m to first order, where r = 0: n + 4 ulps of m. A pair with D ≥ m that is computed to be
nearer feels a (1 + γ(n + 3)) at most, n ulps of m: 3.5 · 2⁻²⁴ m in the plane in float32.

Underflow: with t the smallest normal number, a product or quotient below t errs by up to ut. The k squares lose kut in
all, no more than u D²/4 where D ≥ 2√(kt); L_D loses 2ut, dL_D/dz1 ut (1 + 2D). At smaller D > 0 the bounds do not
hold: D² is off by kut, and the push fades, because it is divided by √t. Overflow: where float does not hold D², D and
L_S are infinite; L_D and its force are 0, as they should be, because float holds m².
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import isqrt

import numpy as np

from drlim_np.audit.proof import Proof
from drlim_np.loss import contrastive, energy


def shares(z1: np.ndarray, z2: np.ndarray, margin: float) -> dict[str, float]:
    """How much of its bound each error takes, at most 1, for one pair (1, dims) with D = 0 or D ≥ 2√(kt).

    "beyond" is no share: the force of a pair with D ≥ m, in u m.
    """
    info = np.finfo(z1.dtype)
    u, t, m = Fraction(float(info.eps)) / 2, Fraction(float(info.smallest_normal)), Fraction(margin)
    v = [Fraction(a) - Fraction(b) for a, b in zip(z1[0].tolist(), z2[0].tolist(), strict=True)]
    d, n = root(sum(c * c for c in v)), Fraction(len(v) + 5, 2)
    g, lost = max(Fraction(0), m - d), abs(Fraction(float(z1.dtype.type(margin))) - m)
    a = (gamma(n, u) * d + lost) * (1 + u) + u * g
    unit, off = [c / d if d else d for c in v], (g + a) * (1 + gamma(n + 3, u)) - g
    (l_s, pull, _), (l_d, push, _) = (contrastive(z1, z2, [y], margin) for y in (0, 1))
    checked = [
        ("D", energy(z1, z2)[0], d, gamma(n, u) * d),
        ("L_S", l_s, d * d / 2, gamma(2 * n + 1, u) * d * d / 2),
        ("L_D", l_d, g * g / 2, ((g + a) ** 2 * (1 + u) - g * g) / 2 + 2 * u * t),
        *(("dL_S", dz, c, u * abs(c)) for dz, c in zip(pull[0], v, strict=True)),
        *(("dL_D", dz, -g * c, abs(c) * off + u * t * (1 + 2 * d)) for dz, c in zip(push[0], unit, strict=True)),
    ]
    worst = {"beyond": float(np.linalg.norm(push) / float(u * m)) if d >= m else 0.0}
    for name, computed, exact, bound in checked:
        error = abs(Fraction(float(computed)) - exact)
        worst[name] = max(worst.get(name, 0.0), float(error / bound) if error else 0.0)
    return worst


def gamma(n: Fraction, u: Fraction) -> Fraction:
    """γ(n) = nu/(1 - nu)."""
    return n * u / (1 - n * u)


def root(square: Fraction) -> Fraction:
    """The root of a fraction, to 2⁻²⁰⁰ of it."""
    return Fraction(isqrt(square.numerator * square.denominator << 400), square.denominator << 200)


def proofs(rng: np.random.Generator) -> Iterator[Proof]:
    """The bounds on pairs drawn at all distances, and on the float32 pairs whose D is below m in float32 alone."""
    worst = {}
    for dims, dtype, margin in product((1, 2, 3), (np.float32, np.float64), (1.0, 0.7)):
        z1, away = rng.standard_normal((2, 2000, dims))
        far = margin * np.where(np.arange(2000) < 20, rng.uniform(0.01, 2, 2000), 1)[:, None]
        z1, z2 = z1.astype(dtype), (z1 + far * away / np.linalg.norm(away, axis=1, keepdims=True)).astype(dtype)
        wide = energy(z1.astype(np.float64), z2.astype(np.float64))
        within = np.flatnonzero((energy(z1, z2) < margin) & (wide >= margin))
        for i in (*range(20), *within[:20]):
            for name, value in shares(z1[i : i + 1], z2[i : i + 1], margin).items():
                worst[name] = max(worst.get(name, 0.0), value)
    beyond = worst.pop("beyond")
    bound = "worst by bound: " + ", ".join(f"{name} {value:.2f}" for name, value in worst.items())
    statement = (
        f"drawn pairs err within their bounds, float32 and float64; the force from D = m on is at most {beyond:.1f} u m"
    )
    lines = ("eq-1", "eq-4-l_s", "eq-4-l_d", "eq-6", "eq-7")
    yield Proof("rounding", statement, lines, (), max(worst.values()) <= 1, bound)
