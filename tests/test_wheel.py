"""The wheel: it builds, holds the package and nothing else, and works without the repository beside it."""

import os
import shutil
import subprocess
import sys
import tarfile
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import pytest

import drlim_np

ROOT = Path(__file__).resolve().parent.parent
# A wheel is built by what is installed, so that no network is needed.
pytest.importorskip("setuptools", minversion="77", reason="setuptools is missing, or older than pyproject.toml asks")
pytest.importorskip("pip", reason="pip is not installed")


def python(*arguments, **options):
    """What a fresh Python prints."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, encoding="utf-8", **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel and the source distribution, of a copy, because setuptools leaves traces beside what it builds."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("out")
    for name in ("README.md", "LICENSE", "pyproject.toml", "run_all.py"):
        shutil.copy(ROOT / name, copy)
    for name in ("drlim_np", "figures", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(out)]
    python("-m", "pip", "--isolated", "--disable-pip-version-check", "wheel", *options, str(copy))
    python("-c", f"from setuptools import build_meta; build_meta.build_sdist({str(out)!r})", cwd=copy)
    return sorted(out.iterdir(), key=lambda path: path.suffix != ".whl")


@pytest.fixture(scope="module")
def alone(built, tmp_path_factory):
    """`python` in a folder that holds nothing, where it sees the wheel, which pure Python needs only unpacked."""
    folder = tmp_path_factory.mktemp("site")
    with ZipFile(built[0]) as archive:
        archive.extractall(folder)
    (folder / "elsewhere").mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"PYTHONPATH": str(folder), "PYTHONUTF8": "1"}
    return partial(python, cwd=folder / "elsewhere", env=environment)


def shipped():
    """Every module, and what the package reads besides: pages, drawings, answers, the mark that it has types."""
    found = (path for kind in ("py", "css", "html", "svg", "toml") for path in ROOT.glob(f"drlim_np/**/*.{kind}"))
    return {path.relative_to(ROOT).as_posix() for path in found} | {"drlim_np/py.typed"}


def test_the_wheel_holds_every_module_and_no_data_and_the_source_distribution_what_it_is_built_from(built):
    wheel, source = built
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    about = {name for name in names if name.partition("/")[0].endswith(".dist-info")}
    assert wheel.name == f"drlim_np-{drlim_np.__version__}-py3-none-any.whl"
    assert names - about == shipped() and any(name.endswith("LICENSE") for name in about)
    assert wheel.stat().st_size < 350_000  # sources alone, which compress to a third
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert shipped() | {"pyproject.toml", "README.md", "LICENSE"} <= names and source.stat().st_size < 2_000_000


def test_every_module_is_imported_from_the_wheel_alone_and_the_lesson_is_given(alone):
    code = """
import importlib.util, pkgutil, drlim_np
for name in [module.name for module in pkgutil.walk_packages(drlim_np.__path__, "drlim_np.")]:
    print(importlib.util.find_spec(name).origin)
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as fault:
        if fault.name not in ("torch", "sklearn"):  # which some modules compare with, where they are installed
            raise
"""
    files, site = alone("-c", code).split(), str(alone.keywords["cwd"].parent)
    assert len(files) + 1 == len(list((ROOT / "drlim_np").rglob("*.py"))), "all but drlim_np itself"
    assert all(file.startswith(site) for file in files)
    assert "Step 5." in alone("-m", "drlim_np.teaching.lesson")


def test_figures_are_listed_and_drawn_from_the_wheel_alone(alone):
    assert alone("-m", "drlim_np.runs", "--list").startswith("figure1 ")
    code = """
import sys, itertools, drlim_np.audit.catalogue as catalogue, drlim_np.runs.__main__ as runs
findings, catalogue.proofs = catalogue.findings, lambda: ()  # a few of them
catalogue.findings = lambda **given: itertools.islice(findings(**given), 3)
sys.exit(runs.main(["--only", "figure1"]))
"""
    said = alone("-c", code)
    assert "gradients held against both oracles" in said
    assert "Left out: properties on inputs that Hypothesis draws; they are in tests/ of a checkout.\n" in said
    assert said.endswith("All 5 claims hold.\n")
    drawn = {path.name for path in (alone.keywords["cwd"] / "out").iterdir() if path.is_file()}
    assert drawn == {".lock", "audit.html", "figure1.png", "figure1.svg", "lesson.html", "metrics.json"}
