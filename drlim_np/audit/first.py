"""The audit before the figures: gradients and proofs in this process, and tests of properties in another."""

import importlib.util
import json
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np

from drlim_np.audit import catalogue, proof
from drlim_np.audit.gradcheck import Row
from drlim_np.audit.proof import Proof
from drlim_np.errors import DrlimError
from drlim_np.files.cache import Cache

HERE = Path(__file__).resolve().parents[2]  # the checkout; of an installed package, a folder without tests
PROPERTIES = ("tests/test_paper.py", "tests/audit/test_properties.py")
LABEL = "audit"  # of the file in the cache
Audited = namedtuple("Audited", ["worst", "proofs", "said"])  # `worst_by_subject`, proofs, the tests' last line


def audit_passes(backend: str, cache: Cache) -> bool:
    """Checks gradients and proofs in this process and properties in another; prints all; keeps that it passed."""
    properties = [path for path in PROPERTIES if (HERE / path).is_file()]
    missing = [name for name in ("pytest", "hypothesis") if importlib.util.find_spec(name) is None]
    if properties and missing:
        raise DrlimError(f'the audit needs {" and ".join(missing)}: run pip install ".[test]", or pass --no-audit')
    if audited(backend, cache):
        print("Audit: passed before, of these very sources; --fresh repeats it\n", flush=True)
        return True
    print("Audit: every gradient against two oracles, exact proofs, derivations, properties of the loss", flush=True)
    tested = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *properties]
    if not properties:
        left_out = "Left out: properties on inputs that Hypothesis draws; they are in tests/ of a checkout."
        tested = ["-c", f"print({left_out!r})"]
    environ = os.environ | {"DRLIM_TESTS": "audit", "PYTHONOPTIMIZE": ""}  # else no assertion would be run
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen([sys.executable, *tested], cwd=HERE, env=environ, **pipes) as tests:
        try:
            found, proofs = list(catalogue.findings(backend=backend)), catalogue.proofs()
            said = tests.communicate()[0].strip().splitlines()
        finally:
            tests.kill()  # so that it ends with this process
    told = "\n".join(said if tests.returncode else said[-1:])
    surprises, worst = [one for one in proofs if not one.as_it_should_be], catalogue.worst_by_subject(found)
    last = [proof.table(surprises), proof.summary(proofs), catalogue.without_derivations(), told]
    print(catalogue.table(worst, proofs), catalogue.summary(found), *filter(None, last), "", sep="\n", flush=True)
    passes = not tests.returncode and not surprises and all(finding.as_it_should_be for finding in found)
    if passes:
        content = json.dumps(Audited(worst, proofs, told)).encode()
        cache.keep(LABEL, _follows_from(backend), {"audited": np.frombuffer(content, np.uint8)})
    return passes


def audited(backend: str, cache: Cache) -> Audited | None:
    """What the audit of these sources found when it passed, in this run or an earlier one; None if it did not."""
    kept = cache.find(LABEL, _follows_from(backend))
    if kept is None:
        return None
    findings, statements, said = json.loads(kept["audited"].tobytes())
    worst = [catalogue.Finding(subject, Row(*row), wrong) for subject, row, wrong in findings]
    proofs = [Proof(*(tuple(part) if isinstance(part, list) else part for part in one)) for one in statements]
    return Audited(worst, proofs, said)


def _follows_from(backend: str) -> list[str]:
    sources = [file.read_text(encoding="utf-8") for path in PROPERTIES if (file := HERE / path).is_file()]
    return [sys.version, backend, catalogue.without_derivations(), *sources]
