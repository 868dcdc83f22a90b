"""The audit before the figures: gradients in this process, and in one beside it the properties that tests/ has."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drlim_np.audit import catalogue
from drlim_np.door.terminal import unwound_by_sigterm
from drlim_np.errors import DrlimError
from drlim_np.keep.checkpoint import Memory, read, write

HERE = Path(__file__).resolve().parents[2]  # the checkout; for an installed package, a folder without tests
PROPERTIES = ("tests/audit/test_gradients.py", "tests/audit/test_properties.py")


def audit_passes(backend: str, memory: Memory) -> bool:
    """Gradient checks here, Hypothesis properties in a process beside it; prints both. Remembers that it passed."""
    properties = [path for path in PROPERTIES if (HERE / path).is_file()]
    missing = [name for name in ("pytest", "hypothesis") if importlib.util.find_spec(name) is None]
    if properties and missing:
        raise DrlimError(f'the audit needs {" and ".join(missing)}: run pip install ".[test]", or pass --no-audit')
    sources = [(HERE / path).read_text(encoding="utf-8") for path in properties]
    passed = memory.checkpoint("audit", sys.version, backend, *sources)
    if read(passed.path, passed.digest) is not None:
        print("Audit: passed before, of these very sources; --fresh repeats it\n", flush=True)
        return True
    print("Audit: every gradient against complex step and central differences, and properties of the loss", flush=True)
    with _beside(properties) as finish:
        found = list(catalogue.findings(backend=backend))
        status, said = finish()
    print(catalogue.table(catalogue.worst_by_subject(found)))
    print(catalogue.summary(found))
    print(said, "\n", sep="", flush=True)
    passes = status == 0 and all(finding.as_it_should_be for finding in found)
    if passes:
        write(passed.path, passed.digest, {})
    return passes


@contextmanager
def _beside(properties: list[str]) -> Iterator:
    """Tests in a process of their own; `finish()` waits for its exit status and what there is to say of it.

    The process ends with this one, also where this one is ended by SIGTERM.
    """
    if not properties:
        yield lambda: (0, "Left out: properties on inputs that Hypothesis draws; they are in tests/ of a checkout.")
        return
    environ = os.environ | {"DRLIM_TESTS": "audit"}
    environ.pop("PYTHONOPTIMIZE", None)  # which strips the assertions that the tests are made of
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *properties]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with unwound_by_sigterm(), subprocess.Popen(command, cwd=HERE, env=environ, **pipes) as process:
        try:
            yield lambda: _said(process)
        finally:
            process.kill()


def _said(process: subprocess.Popen) -> tuple[int, str]:
    """The last line of tests that passed, all lines of those that failed."""
    lines = process.communicate()[0].strip().splitlines()
    return process.returncode, "\n".join(lines if process.returncode else lines[-1:])
