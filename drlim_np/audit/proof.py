"""What an exact proof says, which lines of the paper it supports, and why some lines can have none."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Proof(NamedTuple):
    """One statement without a tolerance, and whether it holds.

    name:      what it is about.
    statement: what equals what.
    lines:     of the paper's index, the first table of drlim_np/README.md, the rows that it supports: how they begin.
    subjects:  of the catalogue, the entries that it supports: a part of their names.
    bound:     in which cases, or how probable it is that a wrong gradient passes.
    kind:      "proven", on exact numbers by `==`; or "derived", for all numbers, by SymPy.
    """

    name: str
    statement: str
    lines: tuple[str, ...]
    subjects: tuple[str, ...]
    holds: bool
    bound: str
    kind: str = "proven"
    wrong_on_purpose: bool = False

    @property
    def as_it_should_be(self) -> bool:
        """A right statement holds, a wrong gradient is refuted."""
        return self.holds != self.wrong_on_purpose

    @property
    def verdict(self) -> str:
        """For a table: "derived" or "proven", "refuted, as it must be", or FAILS."""
        if self.as_it_should_be:
            return "refuted, as it must be" if self.wrong_on_purpose else self.kind
        return "FAILS: a wrong gradient passed" if self.holds else "FAILS"


MEASURED = "what a trained map must show: it is measured"
WHY_NOT = {
    "equilibrium": "a place that a descent comes to: the forces that balance there are Eqs. 6 and 7's",
    "Sec. 3.3": "pixels moved whole: nothing is calculated",
    "Sec. 3.2": "a count of samples drawn",
    "Sec. 3.4, 972 views": "a count of views",
    "LLE": "the baseline, an eigenproblem of another paper, held to scikit-learn's",
    "Fig. 8": MEASURED,
    "requirement: distances": MEASURED,
    "requirement: not tied": MEASURED + "; the graphs it is trained on are Step 1's",
    "requirement: faithful": MEASURED,
    "claim: the map is smooth": MEASURED,
    "claim: samples cover": MEASURED,
    "the claims": MEASURED,
}  # rows of the paper's index that are no algebra: how they begin, and why no derivation or exact proof is possible


def supporting(proofs: Iterable[Proof], line: str) -> list[Proof]:
    """The proofs that support a row of the paper's index, given its first cell."""
    return [proof for proof in proofs if line.startswith(proof.lines) and not proof.wrong_on_purpose]


def kinds(proofs: Iterable[Proof], subject: str, wrong_on_purpose: bool = False) -> list[str]:
    """Which of "derived" and "proven" an entry of the catalogue is besides, or that the proof refutes it."""
    found = [proof for proof in proofs if proof.wrong_on_purpose == wrong_on_purpose and proof.as_it_should_be]
    found = {proof.kind for proof in found if any(name in subject for name in proof.subjects)}
    return ["by the proof too"] * bool(found) if wrong_on_purpose else sorted(found)


def table(proofs: Sequence[Proof]) -> str:
    """A line for each: what it is about, what equals what, the bound, the verdict."""
    cells = [(proof.name, proof.statement, proof.bound, proof.verdict) for proof in proofs]
    widths = [*map(max, zip(*(map(len, row) for row in cells), strict=True))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def summary(proofs: Sequence[Proof]) -> str:
    """One line: how many statements are derived and proven, wrong gradients offered, and surprises."""
    right = [proof.kind for proof in proofs if not proof.wrong_on_purpose]
    surprises = sum(not proof.as_it_should_be for proof in proofs)
    return (
        f"{right.count('derived')} statements derived, {right.count('proven')} proven without a tolerance, "
        f"{len(proofs) - len(right)} wrong gradients offered to the proofs: "
        f"{surprises or 'no'} surprise{'' if surprises == 1 else 's'}"
    )
