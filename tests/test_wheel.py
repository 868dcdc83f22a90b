"""The wheel: it builds, holds the package and nothing else, and works without the repository beside it."""

import os
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parent.parent


def reason_why_not() -> str | None:
    """A wheel is built by what is installed, so that no network is needed."""
    try:
        found = version("setuptools")
        version("pip")
    except PackageNotFoundError as missing:
        return f"{missing.name} is not installed"
    return None if int(found.partition(".")[0]) >= 77 else f"setuptools {found} is older than pyproject.toml asks for"


pytestmark = pytest.mark.skipif(reason_why_not() is not None, reason=str(reason_why_not()))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """What is built from, since setuptools leaves its traces beside what it builds."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("README.md", "LICENSE", "pyproject.toml", "run_all.py"):
        shutil.copy(ROOT / name, copy)
    for name in ("drlim_np", "figures", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def wheel(copy, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "wheel", "--quiet"]
    done = subprocess.run(
        [*pip, "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(out), str(copy)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A pure Python wheel is installed by unpacking it."""
    folder = tmp_path_factory.mktemp("site")
    with ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def python(installed, *arguments):
    """What a fresh Python prints that sees the installed package, in a folder that holds nothing."""
    empty = installed / "elsewhere"
    empty.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"PYTHONPATH": str(installed), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=empty, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shipped_texts():
    """What the package reads besides its modules: pages, drawings, answers, the mark that it has types."""
    found = (path for path in (ROOT / "drlim_np").rglob("*") if path.suffix in (".css", ".html", ".svg", ".toml"))
    return {path.relative_to(ROOT).as_posix() for path in found} | {"drlim_np/py.typed"}


def test_the_wheel_is_pure_and_bears_the_packages_version(wheel):
    from drlim_np import __version__

    assert wheel.name == f"drlim_np-{__version__}-py3-none-any.whl"


def test_the_wheel_holds_every_module_the_licence_and_no_data(wheel):
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "drlim_np").rglob("*.py")}
    about = {name for name in names if name.partition("/")[0].endswith(".dist-info")}
    assert names - about == modules | shipped_texts()
    assert any(name.endswith("LICENSE") for name in about)
    assert wheel.stat().st_size < 350_000  # sources alone, which compress to a third


def test_the_source_distribution_builds_and_holds_what_the_wheel_is_built_from(copy, tmp_path):
    build = f"from setuptools import build_meta; build_meta.build_sdist({str(tmp_path)!r})"
    done = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = tmp_path.iterdir()
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "drlim_np").rglob("*.py")}
    assert modules | shipped_texts() | {"pyproject.toml", "README.md", "LICENSE"} <= names
    assert built.stat().st_size < 2_000_000


def test_every_module_is_imported_from_the_wheel_alone(installed):
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
    files = python(installed, "-c", code).split()
    assert len(files) + 1 == len(list((ROOT / "drlim_np").rglob("*.py"))), "all but drlim_np itself"
    assert all(file.startswith(str(installed)) for file in files)


def test_the_lesson_is_given_from_the_wheel_alone(installed):
    assert "Step 5." in python(installed, "-m", "drlim_np.teaching.lesson")


def test_figures_are_listed_and_drawn_from_the_wheel_alone(installed):
    assert python(installed, "-m", "drlim_np.runs", "--list").startswith("figure1 ")
    said = python(installed, "-m", "drlim_np.runs", "--only", "figure1")
    assert "gradients held against both oracles" in said
    assert "Left out: properties on inputs that Hypothesis draws; they are in tests/ of a checkout.\n" in said
    assert said.endswith("All 5 claims hold.\n")
    drawn = {path.name for path in (installed / "elsewhere" / "out").iterdir() if path.is_file()}
    assert drawn == {"audit.html", "figure1.png", "figure1.svg", "lesson.html", "metrics.json"}


def test_a_map_is_trained_from_the_wheel_alone(installed):
    code = """
import numpy as np
from drlim_np.data import handwriting
from drlim_np.graph import SimilarityGraph
from drlim_np.networks import two_layer
from drlim_np.objective import EveryPair
from drlim_np.training import minimise
from drlim_np.training import SGD, embed
from drlim_np.files.weights import load, save

rng = np.random.default_rng(0)
x = rng.standard_normal((6, 4)).astype(np.float32)
network = two_layer(4, 3, 2)
objective = EveryPair(network, x, SimilarityGraph(6, np.array([[0, 1], [2, 3], [4, 5]])))
W, _ = minimise(objective, network.init(rng), SGD(0.1), 5, rng)
save("map.npz", W)
print(embed(network, load("map.npz"), x).shape, handwriting.generate(1, train=(2, 2), test=(1, 1)).train.images.shape)
"""
    assert python(installed, "-c", code).split("\n")[0].startswith("(6, 2) (4, 28, 28)")
