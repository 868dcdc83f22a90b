"""What an exact proof says, and which lines of the paper it supports."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Proof(NamedTuple):
    """One statement without a tolerance, and whether it holds.

    name:      what it is about.
    statement: what equals what.
    lines:     the lines of the paper that it supports, by their anchors in paper.toml.
    subjects:  the entries of the catalogue that it supports: a part of their names.
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
