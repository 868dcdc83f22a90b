"""Eqs. 4 and 7 on float32 numbers, decided one by one: there are 2,139,095,041 energies from 0 to infinity.

`proofs` takes a thinned set: every 4,099th, and all near 0, m, 2m and each change of exponent; `every` takes them all.
u is the unit roundoff, 2⁻²⁴, t the smallest normal number, 2⁻¹²⁶, m the margin as float32 holds it. A square or half of
one below t is off by up to 2ut, the smallest number, instead of by u of its value.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

from drlim_np.audit.proof import Proof
from drlim_np.checks.arrays import require_margin
from drlim_np.checks.terminal import ProgressLine
from drlim_np.fast.devices import processors
from drlim_np.loss import dissimilar_loss, repulsion, similar_loss

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
            progress.show(f"every float32, m = {m:g}: binade {first // BINADE + 1} of {INFINITY // BINADE}")
            for line in lines:
                where[line] += f", not from 2^{max(first // BINADE, 1) - 127} up"
    progress.clear()
    for line, statement in CLAIMS.items():
        bound = f"all {INFINITY - FIRST + 1:,} floats, m = {m:g}{where[line]}"
        yield Proof(f"float32, {line}", statement, (line,), (), not where[line], bound)
