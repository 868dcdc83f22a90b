"""What floats make of the equations: Eqs. 4 and 7 on float32 decided one by one, and bounds on all rounding.

There are 2,139,095,041 float32 energies from 0 to infinity. `proofs` takes a thinned set: every 4,099th, and all near
0, m, 2m and each change of exponent; `every` takes them all. u is the unit roundoff, 2⁻²⁴, t the smallest normal
number, 2⁻¹²⁶, m the margin as float32 holds it. A square or half of one below t is off by up to 2ut, the smallest
number, instead of by u of its value.

How far D, L and dL/dz of a pair may be from exact is derived here, and held on pairs by exact fractions (`rounding`).
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
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from functools import partial
from itertools import product
from math import isqrt

import numpy as np

from drlim_np.audit.proof import Proof
from drlim_np.checks.arrays import require_margin
from drlim_np.checks.terminal import ProgressLine
from drlim_np.fast.devices import processors
from drlim_np.loss import contrastive, dissimilar_loss, energy, repulsion, similar_loss

FIRST, BINADE, INFINITY = 0, 2**23, 255 * 2**23  # bits of floats, which count upwards from 0 as whole numbers do
CHUNK = 2**13  # energies at once: they stay in the cache
U, T, MOST = 2.0**-24, 2.0**-126, float(np.finfo(np.float32).max)
MARGINS = (1.0, 0.5, 1.25, 0.7, 2.0**-63 * (1 + 2 * U), 2.0**63 * (1 - U))  # the last two: the least and the largest
CLAIMS = {
    "eq-4-l_s": "L_S never falls and is ½D² rounded, where float32 holds D²",
    "eq-4-l_d": "L_D = 0 from m on; below it never rises, is positive, and within 3 · 2⁻²⁴ of ½(m - D)²",
    "eq-7": "dL_D/dz1 = 0 from m on; below it is within 2 · 2⁻²⁴ of -(m - D)/D times z1 - z2",
}


def broken(bits: np.ndarray, margin: float) -> set[str]:
    """The claims that fail on ascending energies, given as bits of float32, int32 (energies,)."""
    d, m = bits.view(np.float32), float(np.float32(margin))
    with np.errstate(over="ignore", under="ignore"):  # of D², as is told above
        l_s, l_d, force = similar_loss(d), dissimilar_loss(d, margin), repulsion(d, margin)
        wide = d.astype(np.float64)
        exact = wide * wide / 2  # nothing is rounded: 48 bits
        right = l_s == exact.astype(np.float32)
        if not right.all():  # D² leaves the range
            right |= (exact < T) & (abs(l_s - exact) <= 2 * U * T) | (2 * exact > MOST) & (l_s == np.inf)
    holds = {"eq-4-l_s": right.all() and (l_s[1:] >= l_s[:-1]).all()}
    if d[0] >= m:
        holds |= {"eq-4-l_d": not l_d.any(), "eq-7": not force.any()}
    else:
        gap = np.maximum(m - wide, 0)
        exact = gap * gap / 2
        near = abs(l_d - exact) <= 3 * U * exact + 2 * U * T * (exact < T)
        falls = (l_d[1:] <= l_d[:-1]).all() and (l_d[exact > 2 * U * T] > 0).all()
        factor = gap / np.maximum(wide, 2.0**-63)  # √t, as the code has it
        holds |= {"eq-4-l_d": near.all() and falls, "eq-7": (abs(force + factor) <= 2 * U * (1 + U) * factor).all()}
    return {line for line, held in holds.items() if not held}


def broken_in(binade: int, margin: float) -> set[str]:
    """The same on a whole binade, by the bits of its first energy; each chunk ends with what the next begins with."""
    starts = range(binade, binade + BINADE, CHUNK)
    return set().union(*(broken(np.arange(start, start + CHUNK + 1, dtype=np.int32), margin) for start in starts))


def thinned(margin: float) -> np.ndarray:
    """The thinned set, ascending, as bits of float32."""
    places = np.concatenate([np.arange(0, INFINITY + 1, BINADE), np.array([margin, 2 * margin], "f4").view("i4")])
    near = (places[:, None] + np.arange(-64, 65)).clip(0, INFINITY)
    bits = np.concatenate([near.ravel(), np.arange(0, INFINITY, 4099)])
    return np.sort(bits.astype(np.int32))  # some of them twice, which changes no claim


def proofs(_rng: np.random.Generator) -> Iterator[Proof]:
    """The claims on the thinned set, at every margin; nothing is drawn."""
    chunks = ((chunk, margin) for margin in MARGINS for chunk in np.array_split(thinned(margin), 70))
    failed = set().union(*(broken(*chunk) for chunk in chunks))
    number = np.count_nonzero(np.diff(thinned(1.0))) + 1
    bound = f"{number:,} of 2,139,095,041 floats, {len(MARGINS)} margins; --every-float: all"
    for line, statement in CLAIMS.items():
        yield Proof(f"float32, {line}", statement, (line,), (), line not in failed, bound)


def every(margin: float, progress: ProgressLine) -> Iterator[Proof]:
    """The claims on every float32 energy, binade by binade, on all cores: threads would wait for Python's lock."""
    m, binades = require_margin(margin, np.zeros(1, np.float32)), range(FIRST, INFINITY, BINADE)
    where = dict.fromkeys(CLAIMS, "")
    with ProcessPoolExecutor(processors()) as pool:
        for first, lines in zip(binades, pool.map(partial(broken_in, margin=m), binades), strict=True):
            progress.show(f"every float32, m = {m:g}: binade {first // BINADE + 1} of {len(binades)}")
            for line in lines:
                where[line] += f", not from 2^{max(first // BINADE, 1) - 127} up"
    progress.clear()
    for line, statement in CLAIMS.items():
        bound = f"all {INFINITY - FIRST + 1:,} floats, m = {m:g}{where[line]}"
        yield Proof(f"float32, {line}", statement, (line,), (), not where[line], bound)


# ---- rounding ----


def shares(z1: np.ndarray, z2: np.ndarray, margin: float) -> dict[str, float]:
    """How much of its bound each error takes, at most 1, for one pair (1, dims) with D = 0 or D ≥ 2√(kt).

    "beyond" is no share: the force of a pair with D ≥ m, in u m.
    """
    info = np.finfo(z1.dtype)
    u, t, m = Fraction(float(info.eps)) / 2, Fraction(float(info.smallest_normal)), Fraction(margin)
    v = [Fraction(a) - Fraction(b) for a, b in zip(z1[0].tolist(), z2[0].tolist(), strict=True)]
    d, n = root(sum(c * c for c in v)), Fraction(len(v) + 5, 2)

    def gamma(n: Fraction) -> Fraction:
        return n * u / (1 - n * u)

    g, lost = max(Fraction(0), m - d), abs(Fraction(float(z1.dtype.type(margin))) - m)
    a = (gamma(n) * d + lost) * (1 + u) + u * g
    unit, off = [c / d if d else d for c in v], (g + a) * (1 + gamma(n + 3)) - g
    (l_s, pull, _), (l_d, push, _) = (contrastive(z1, z2, [y], margin) for y in (0, 1))
    checked = [
        ("D", energy(z1, z2)[0], d, gamma(n) * d),
        ("L_S", l_s, d * d / 2, gamma(2 * n + 1) * d * d / 2),
        ("L_D", l_d, g * g / 2, ((g + a) ** 2 * (1 + u) - g * g) / 2 + 2 * u * t),
        *(("dL_S", dz, c, u * abs(c)) for dz, c in zip(pull[0], v, strict=True)),
        *(("dL_D", dz, -g * c, abs(c) * off + u * t * (1 + 2 * d)) for dz, c in zip(push[0], unit, strict=True)),
    ]
    worst = {"beyond": float(np.linalg.norm(push) / float(u * m)) if d >= m else 0.0}
    for name, computed, exact, bound in checked:
        error = abs(Fraction(float(computed)) - exact)
        worst[name] = max(worst.get(name, 0.0), float(error / bound) if error else 0.0)
    return worst


def root(square: Fraction) -> Fraction:
    """The root of a fraction, to 2⁻²⁰⁰ of it."""
    return Fraction(isqrt(square.numerator * square.denominator << 400), square.denominator << 200)


def rounding(rng: np.random.Generator) -> Iterator[Proof]:
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
    within = "drawn pairs err within their bounds, float32 and float64"
    statement = f"{within}; the force from D = m on is at most {beyond:.1f} u m"
    lines = ("eq-1", "eq-4-l_s", "eq-4-l_d", "eq-6", "eq-7")
    yield Proof("rounding", statement, lines, (), max(worst.values()) <= 1, bound)
