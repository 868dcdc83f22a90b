"""What floats make of the equations: Eqs. 4 and 7 on float32 decided one by one, and bounds on all rounding.

Of the 2,139,095,041 float32 energies from 0 to infinity `proofs` takes a thinned set, every 4,099th and all near 0, m,
2m and each change of exponent; `every` takes all. u is the unit roundoff, 2⁻²⁴, t the smallest normal number, 2⁻¹²⁶, m
the margin in float32. A square or half of one below t is off by up to 2ut, the smallest number, not by u of its value.

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
from itertools import product, repeat
from math import isqrt

import numpy as np

from drlim_np.audit.numbers import Exact
from drlim_np.audit.proof import Proof
from drlim_np.checks.arrays import require_margin
from drlim_np.checks.terminal import ProgressLine
from drlim_np.fast.devices import processors
from drlim_np.loss import contrastive, dissimilar_loss, energy, repulsion, similar_loss

FIRST, INFINITY = 0, 255 * 2**23  # bits of floats, which count upwards from 0 as whole numbers do
CHUNK, U, T = 2**15, 2.0**-24, 2.0**-126  # so many energies at once stay in the cache; u and t, as told above
MARGINS = (2.0**-63 * (1 + 2 * U), 2.0**63 * (1 - U), 0.5, 1.25, 0.7, 1.0)  # the first two: the least and the largest
CLAIMS = {
    "eq-4-l_s": "L_S never falls and is ½D² rounded, where float32 holds D²",
    "eq-4-l_d": "L_D = 0 from m on; below it never rises, is positive, and within 3 · 2⁻²⁴ of ½(m - D)²",
    "eq-7": "dL_D/dz1 = 0 from m on; below it is within 2 · 2⁻²⁴ of -(m - D)/D times z1 - z2",
}


def broken(bits: range, margin: float) -> set[str]:
    """The claims that fail on ascending energies, given as bits of float32."""
    d, m = np.arange(bits.start, bits.stop, bits.step, np.int32).view(np.float32), float(np.float32(margin))
    with np.errstate(over="ignore", under="ignore"):  # of D², as is told above
        l_s, l_d, force = similar_loss(d), dissimilar_loss(d, margin), repulsion(d, margin)
        wide = d.astype(np.float64)
        rounded = (wide * wide).astype(np.float32)  # once, because the product is exact: 48 bits
    gap = np.maximum(m - wide, 0)
    exact, factor = gap * gap / 2, gap / np.maximum(wide, 2.0**-63)  # √t, as the code has it
    near = abs(l_d - exact) <= 3 * U * exact + 2 * U * T * ((exact > 0) & (exact < T))
    holds = {
        "eq-4-l_s": (l_s == rounded / 2).all() and (l_s[1:] >= l_s[:-1]).all(),
        "eq-4-l_d": near.all() and (l_d[1:] <= l_d[:-1]).all() and (l_d[exact > 2 * U * T] > 0).all(),
        "eq-7": (abs(force + factor) <= 2 * U * (1 + U) * factor).all(),
    }
    return {line for line, held in holds.items() if not held}


def proofs(_rng: np.random.Generator) -> list[Proof]:
    """The claims on the thinned set, at every margin; nothing is drawn."""
    failed, thin = set(), range(0, INFINITY, 4099)
    for margin in MARGINS:
        places = [*range(0, INFINITY + 1, 2**23), *np.array([margin, 2 * margin], "f4").view("i4").tolist()]
        near = [range(max(0, place - 64), min(place + 64, INFINITY) + 1) for place in places]
        parts = (thin[k : k + 8193] for k in range(0, len(thin), 8192))  # they stay in the cache, and overlap by one
        failed = failed.union(*(broken(bits, margin) for bits in (*parts, *near)))
    bound = f"{len({*thin}.union(*near)):,} of 2,139,095,041 floats, {len(MARGINS)} margins; --every-float: all"
    return [Proof(f"float32, {of}", said, (), of not in failed, bound, "tested") for of, said in CLAIMS.items()]


def every(margin: float, progress: ProgressLine) -> Iterator[Proof]:
    """The claims on every float32 energy, on all cores: threads would wait for Python's lock."""
    m, where = require_margin(margin, np.zeros(1, np.float32)), {}
    chunks = [range(first, first + CHUNK + 1) for first in range(FIRST, INFINITY, CHUNK)]  # the next begins as one ends
    with ProcessPoolExecutor(processors()) as pool:
        for bits, lines in zip(chunks, pool.map(broken, chunks, repeat(m), chunksize=256), strict=True):
            progress.show(f"every float32, m = {m:g}: {bits.start / INFINITY:.0%}")
            where = dict.fromkeys(lines, f", not from 2^{max(bits.start >> 23, 1) - 127} up") | where
    progress.clear()
    for line, statement in CLAIMS.items():
        bound = f"all {INFINITY - FIRST + 1:,} floats, m = {m:g}{where.get(line, '')}"
        yield Proof(f"float32, {line}", statement, (), line not in where, bound)


def shares(z1: np.ndarray, z2: np.ndarray, margin: float) -> dict[str, float]:
    """How much of its bound each error takes, at most 1, of one pair (1, dims) with D = 0 or D ≥ 2√(kt).

    "beyond" is no share: the force of a pair with D ≥ m, in u m.
    """
    info, m = np.finfo(z1.dtype), Fraction(margin)
    u, t = Fraction(float(info.eps)) / 2, Fraction(float(info.smallest_normal))
    v = (Exact(z1) - Exact(z2)).entries
    square, n = np.sum(v * v), Fraction(v.size + 5, 2)
    d = Fraction(isqrt(square.numerator * square.denominator << 400), square.denominator << 200)  # to 2⁻²⁰⁰ of it
    gamma = {k: k * u / (1 - k * u) for k in (n, 2 * n + 1, n + 3)}
    g, lost = max(0, m - d), abs(Fraction(float(z1.dtype.type(margin))) - m)
    a = (gamma[n] * d + lost) * (1 + u) + u * g
    unit, off = v / (d or 1), (g + a) * (1 + gamma[n + 3]) - g
    (l_s, pull, _), (l_d, push, _) = (contrastive(z1, z2, [y], margin) for y in (0, 1))
    checked = {
        "D": (energy(z1, z2), d, gamma[n] * d),
        "L_S": (l_s[None], d * d / 2, gamma[2 * n + 1] * d * d / 2),
        "L_D": (l_d[None], g * g / 2, ((g + a) ** 2 * (1 + u) - g * g) / 2 + 2 * u * t),
        "dL_S": (pull, v, u * abs(v)),
        "dL_D": (push, -g * unit, abs(unit) * off + u * t * (1 + 2 * d)),
    }
    worst = {"beyond": float(np.linalg.norm(push) / float(u * m)) if d >= m else 0.0}
    for name, (x, exact, bound) in checked.items():
        errors, bounds = np.broadcast_arrays(abs(Exact(x).entries - exact), bound)
        worst[name] = max(float(e / b) if e else 0.0 for e, b in zip(errors.ravel(), bounds.ravel(), strict=True))
    return worst


def rounding(rng: np.random.Generator) -> Iterator[Proof]:
    """The bounds on pairs drawn at all distances, and on those whose D is below m by rounding alone."""
    worst = {}
    for dims, dtype, margin in product((1, 2, 3), (np.float32, np.float64), (1.0, 0.7)):
        z1, away = rng.standard_normal((2, 2000, 1, dims))
        far = margin * np.where(np.arange(2000) < 20, rng.uniform(0.01, 2, 2000), 1)[:, None, None]
        z1, z2 = z1.astype(dtype), (z1 + far * away / np.linalg.norm(away, axis=2, keepdims=True)).astype(dtype)
        near, wide = (energy(*(z[:, 0].astype(kind) for z in (z1, z2))) for kind in (dtype, np.float64))
        for i in (*range(20), *np.flatnonzero((near < margin) & (wide >= margin))[:20]):
            for name, share in shares(z1[i], z2[i], margin).items():
                worst[name] = max(worst.get(name, 0.0), share)
    said = f"drawn pairs err within their bounds; the force from D = m on is at most {worst.pop('beyond'):.1f} u m"
    bound = "worst by bound: " + ", ".join(f"{name} {share:.2f}" for name, share in worst.items())
    yield Proof("rounding", said, (), max(worst.values()) <= 1, bound, "tested")
