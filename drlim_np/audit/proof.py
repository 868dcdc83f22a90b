"""What an exact proof says, and how the audit tells what it found."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

KINDS = {  # of statements: by SymPy; on exact numbers by `==`, or on every float; on some floats; by JAX or PyTorch
    "derived": "statements derived",
    "proven": "proven without a tolerance",
    "tested": "tested on some floats",
    "autodiff": "held to automatic differentiation",
}


class Proof(NamedTuple):
    """One statement, and whether it holds."""

    name: str  # what it is about; paper.toml has it at the lines of the paper that it supports
    statement: str  # what equals what
    subjects: tuple[str, ...]  # parts of the names of those entries of the catalogue that it supports
    holds: bool
    bound: str  # in which cases, or how probable it is that a wrong gradient passes
    kind: str = "proven"  # one of KINDS
    wrong_on_purpose: bool = False
    as_it_should_be = property(lambda self: self.holds != self.wrong_on_purpose)  # a wrong gradient is refuted


def kinds(proofs: Iterable[Proof], subject: str, wrong_on_purpose: bool = False) -> list[str]:
    """Of which kinds an entry of the catalogue is besides, or that the proof refutes it."""
    found = [proof for proof in proofs if proof.wrong_on_purpose == wrong_on_purpose and proof.as_it_should_be]
    found = {proof.kind for proof in found if any(name in subject for name in proof.subjects)}
    return ["by the proof too"] * bool(found) if wrong_on_purpose else sorted(found)


def judged(one: Any, right: str, wrong: str) -> str:
    """Of a proof or a finding: `right` if it is right and holds, `wrong` if it is wrong and does not; else FAILS."""
    if one.wrong_on_purpose:
        return f"{wrong}, as it must be" if one.as_it_should_be else "FAILS: a wrong gradient passed"
    return right if one.as_it_should_be else "FAILS"


def surprises(found: Iterable) -> str:
    """How many findings or proofs are not as they should be, in words."""
    number = sum(not one.as_it_should_be for one in found)
    return f"{number or 'no'} surprise{'' if number == 1 else 's'}"


def columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows of words as lines of text, each column as wide as its longest word."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def table(proofs: Iterable[Proof]) -> str:
    """A line for each: what it is about, what equals what, the bound, the verdict."""
    return columns([(one.name, one.statement, one.bound, judged(one, one.kind, "refuted")) for one in proofs])


def summary(proofs: Sequence[Proof]) -> str:
    """One line: how many statements are of each kind, wrong gradients offered, and surprises."""
    right = [proof.kind for proof in proofs if not proof.wrong_on_purpose]
    said = [f"{right.count(kind)} {words}" for kind, words in KINDS.items() if kind in (*right, "derived")]
    offered = f"{len(proofs) - len(right)} wrong gradients offered to the proofs"
    return f"{', '.join([*said, offered])}: {surprises(proofs)}"
