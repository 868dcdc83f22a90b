"""Eqs. 4 and 7 on float32 numbers, decided one by one: there are 2,139,095,041 energies from 0 to infinity.

`proofs` takes a thinned set: every 4,099th, and all near 0, m, 2m and each change of exponent; `every` takes them all.
u is the unit roundoff, 2⁻²⁴, t the smallest normal number, 2⁻¹²⁶, m the margin as float32 holds it. With tiny = 2ut,
the smallest number, a square or its half that falls below t is off by as much, instead of by u of its value.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from os import cpu_count

import numpy as np

from drlim_np.audit.proof import Proof
from drlim_np.backend import kind
from drlim_np.checks.arrays import require_margin
from drlim_np.checks.terminal import ProgressLine
from drlim_np.loss import dissimilar_loss, repulsion, similar_loss

FIRST, BINADE, INFINITY = 0, 2**23, 255 * 2**23  # bits of floats, which count upwards from 0 as whole numbers do
CHUNK = 2**13  # energies at once: they stay in the cache
U, T, MOST = 2.0**-24, 2.0**-126, float(np.finfo(np.float32).max)
TINY, ROOT = 2 * U * T, kind(np.float32(1)).least_root
MARGINS = (1.0, 0.5, 1.25, 0.7, ROOT * (1 + 2 * U), (1 - U) / ROOT)  # the last two: the least and the largest taken
SIMILAR = "L_S never falls and is ½D² rounded, where float32 holds D²"
DISSIMILAR = "L_D = 0 from m on; below it never rises, is positive, and within 3 · 2⁻²⁴ of ½(m - D)²"
FORCE = "dL_D/dz1 = 0 from m on; below it is within 2 · 2⁻²⁴ of -(m - D)/D times z1 - z2"


def similar_holds(d: np.ndarray) -> bool:
    """Whether L_S is as Eq. 4 says, on ascending energies d, float32 (energies,). D² of float32 is exact in float64."""
    found, wide = similar_loss(d), d.astype(np.float64)
    exact = wide * wide
    right = found == (exact / 2).astype(np.float32)
    if not right.all():  # D² leaves the range
        below, above = (exact < 2 * T) & (abs(found - exact / 2) <= TINY), (exact > MOST) & (found == np.inf)
        right |= below | above
    return bool(right.all() and (found[1:] >= found[:-1]).all())


def dissimilar_holds(d: np.ndarray, margin: float) -> bool:
    """Whether L_D is as Eq. 4 says, on ascending energies d, float32 (energies,)."""
    found, m = dissimilar_loss(d, margin), float(np.float32(margin))
    if d[0] >= m:
        return not found.any()
    gap = np.maximum(m - d.astype(np.float64), 0)
    exact = gap * gap / 2
    off = abs(found - exact) - 3 * U * exact
    return bool(
        (off <= TINY * (exact < T)).all() and (found[1:] <= found[:-1]).all() and (found[exact > TINY] > 0).all()
    )


def force_holds(d: np.ndarray, margin: float) -> bool:
    """Whether the factor of the force is as Eq. 7 says, on ascending energies d, float32 (energies,); D at least √t."""
    found, m = repulsion(d, margin), float(np.float32(margin))
    if d[0] >= m:
        return not found.any()
    wide = d.astype(np.float64)
    exact = np.minimum(wide - m, 0) / np.maximum(wide, ROOT)
    return bool((abs(found - exact) <= -2 * U * exact * (1 + U)).all())


def claims(margin: float) -> dict[tuple[str, str], Callable]:
    """What is decided at this margin: the line of the paper and the statement, and the function that decides."""
    require_margin(margin, np.zeros(1, np.float32))
    return {
        ("eq-4-l_s", SIMILAR): similar_holds,
        ("eq-4-l_d", DISSIMILAR): partial(dissimilar_holds, margin=margin),
        ("eq-7", FORCE): partial(force_holds, margin=margin),
    }


def thinned(margin: float) -> np.ndarray:
    """The thinned set, ascending, as bits of float32."""
    places = np.concatenate([np.arange(0, INFINITY + 1, BINADE), np.array([margin, 2 * margin], "f4").view("i4")])
    near = places[:, None] + np.arange(-64, 65)
    bits = np.concatenate([near.clip(0, INFINITY).ravel(), np.arange(0, INFINITY, 4099)])
    return np.sort(bits.astype(np.int32))  # some of them twice, which changes no claim


def proofs(_rng: np.random.Generator) -> Iterator[Proof]:
    """The claims on the thinned set, at every margin; nothing is drawn."""
    sets, holds = [thinned(margin) for margin in MARGINS], {}
    for margin, bits in zip(MARGINS, sets, strict=True):
        for chunk in np.split(bits, range(CHUNK, len(bits), CHUNK)):
            for claim, decide in claims(margin).items():
                holds[claim] = holds.get(claim, True) and _decide(decide, chunk)
    number = np.count_nonzero(np.diff(sets[0])) + 1
    bound = f"{number:,} of 2,139,095,041 floats, {len(MARGINS)} margins; --every-float: all"
    for (line, statement), held in holds.items():
        yield Proof(f"float32, {line}", statement, (line,), (), held, bound)


def every(margin: float, progress: ProgressLine) -> Iterator[Proof]:
    """The claims on every float32 energy, binade by binade, on all cores: NumPy releases the lock."""
    decided = claims(margin)

    def wrong_in(binade: int) -> set[tuple]:
        pieces = (
            np.arange(first, first + CHUNK + 1, dtype=np.int32) for first in range(binade, binade + BINADE, CHUNK)
        )
        return {claim for bits in pieces for claim, decide in decided.items() if not _decide(decide, bits)}

    wrong = dict.fromkeys(decided, "")
    with ThreadPoolExecutor(cpu_count()) as threads:
        binades = range(FIRST, INFINITY, BINADE)
        for first, claims_lost in zip(binades, threads.map(wrong_in, binades), strict=True):
            progress.show(f"every float32, m = {margin:g}: binade {first // BINADE + 1} of {INFINITY // BINADE}")
            for claim in claims_lost:
                wrong[claim] += f", not from 2^{max(first // BINADE, 1) - 127} up"
    progress.clear()
    for (line, statement), where in wrong.items():
        bound = f"all {INFINITY - FIRST + 1:,} floats, m = {margin:g}{where}"
        yield Proof(f"float32, {line}", statement, (line,), (), not where, bound)


def _decide(decide: Callable, bits: np.ndarray) -> bool:
    with np.errstate(over="ignore", under="ignore"):  # of D², as is told above
        return decide(bits.view(np.float32))
