"""How many proofs, wrong gradients and planted faults there are, counted and written into the READMEs.

`python -m tests.tools.counted` takes a minute, because it runs the audit; a page marks the place of a table by
<!-- counted: begin --> and <!-- counted: end -->. tests/audit/test_audit.py holds the pages to the counts.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from drlim_np.audit import catalogue, wrong
from drlim_np.audit.proof import Proof
from tests.tools.faults import FAULTS, for_the_proofs

ROOT = Path(__file__).resolve().parents[2]
PAGES = {page: ROOT / page / "README.md" for page in ("drlim_np/audit", "tests")}
MARKED = re.compile(r"(<!-- counted: begin -->\n).*?(<!-- counted: end -->)", flags=re.DOTALL)


def table(found: Iterable[catalogue.Finding], proofs: Iterable[Proof]) -> str:
    """What there is of each kind and what it proves, in Markdown."""
    right, offered = [[f for f in found if f.wrong_on_purpose == of] for of in (False, True)]
    kinds = [proof.kind for proof in proofs if not proof.wrong_on_purpose]
    mistakes = f"{len(wrong.LOSSES) + len(wrong.TOWERS)}, of {len(offered)} tensors"
    derived = "for all numbers, the gradient that the code claims is that of what it returns"
    exact = "the same at the paper's sizes, and the pairs of Step 1, without a tolerance"
    rows = [
        ("derivations", kinds.count("derived"), derived),
        ("exact proofs", kinds.count("proven"), exact),
        (
            "statements on floats",
            kinds.count("tested"),
            "Eqs. 4 and 7, and bounds on rounding, on some floats",
        ),
        ("gradients tested", len(right), "to 1e-12 in float64, whole networks at random and trained W"),
        ("wrong gradients on record", mistakes, "oracles and proofs reject what others got wrong"),
        ("planted faults", len(FAULTS), "some test notices each of them"),
        ("of these for the proofs", len(for_the_proofs()), "the exact proofs refute each of them alone"),
        ("mutants", "1,000 drawn", "the tests notice small changes that nobody chose"),
    ]
    lines = [f"| {kind} | {number} | {proves} |" for kind, number, proves in rows]
    return "\n".join(["| what | how many | what it proves |", "|---|---|---|", *lines])


def written(page: str, table: str) -> str:
    """The page with the table between its markers."""
    return MARKED.sub(lambda marked: f"{marked[1]}\n{table}\n\n{marked[2]}", page)


if __name__ == "__main__":
    counted = table(list(catalogue.findings()), catalogue.proofs())
    print(counted)
    for path in PAGES.values():
        path.write_text(written(path.read_text(encoding="utf-8"), counted), encoding="utf-8")
