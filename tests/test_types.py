"""mypy passes the public API, and the code of the READMEs as a user's; skipped where it is not installed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is not installed")
ROOT = Path(__file__).resolve().parent.parent


def complaints(folder, *arguments):
    """What mypy says, its cache in a folder of its own."""
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(folder), "--no-error-summary", *arguments]
    environment = os.environ | {"MYPYPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True).stdout


def test_the_public_api_is_typed_and_mypy_passes_it(tmp_path):
    assert complaints(tmp_path) == ""


def test_mypy_passes_the_code_of_every_readme_and_sees_what_is_wrong_there(tmp_path):
    for page in ("README.md", *(f"drlim_np/{wing}README.md" for wing in ("", "audit/", "estimator/"))):
        blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
        (tmp_path / f"{page.replace('/', '_').removesuffix('.md')}.py").write_text("\n".join(blocks), encoding="utf-8")
    as_a_user = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent"]
    assert complaints(tmp_path, *as_a_user, *map(str, tmp_path.glob("*.py"))) == ""
    (tmp_path / "wrong.py").write_text("from drlim_np import DrLIM\nDrLIM(n_components='two')\n")
    assert 'expected "int"' in complaints(tmp_path, *as_a_user, str(tmp_path / "wrong.py"))
