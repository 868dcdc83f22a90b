"""Small on purpose: budgets in lines, and imports between rooms that run downwards only."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAPER = ["loss", "graph", "layers", "networks", "siamese", "objective", "training", "verbatim"]
GROUND = ["errors", "tree", "backend"]
ROOMS = [GROUND, ["checks"], ["fast"], [*PAPER, "sampled"], ["files"], ["data"], ["measure"], ["audit"], ["drawing"]]
ROOMS += [["figures"], ["estimator"], ["teaching"], ["runs"], ["bench"]]
LEVEL = {name: level for level, names in enumerate(ROOMS) for name in names}
PATHS = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.glob("drlim_np/**/*.py")}
TREES = {name.removesuffix(".__init__"): ast.parse(path.read_text("utf-8")) for name, path in PATHS.items()}


def lines(*patterns):
    return sum(len(path.read_text("utf-8").splitlines()) for pattern in patterns for path in ROOT.glob(pattern))


def test_each_part_keeps_its_budget():
    of_the_paper, ground = ([f"drlim_np/{name}.py" for name in names] for names in (PAPER, GROUND))
    assert lines(*of_the_paper) <= 790
    assert lines(*of_the_paper, *ground) <= 950
    assert lines("drlim_np/**/*.py") <= 11_500
    assert lines("tests/**/*.py") <= 14_500
    assert lines("README.md") <= 150
    assert [name for name, path in PATHS.items() if len(path.read_text("utf-8").splitlines()) > 250] == []


def imported(tree):
    """The package's modules that a module imports, but for a program's own at its end (`if __name__ == …`)."""
    nodes = [node for part in tree.body if not isinstance(part, ast.If) for node in ast.walk(part)]
    named = [(node.module, n.name) for node in nodes if isinstance(node, ast.ImportFrom) for n in node.names]
    found = {f"{module}.{name}" if f"{module}.{name}" in TREES else module for module, name in named}
    return (found & TREES.keys()) - {"drlim_np"}


@pytest.mark.parametrize("name", [name for name in TREES if "." in name])
def test_a_module_imports_none_of_a_room_above_its_own(name):
    above = [other for other in imported(TREES[name]) if LEVEL[other.split(".")[1]] > LEVEL[name.split(".")[1]]]
    assert above == []


def test_no_imports_form_a_circle():
    TopologicalSorter({name: imported(tree) - {name} for name, tree in TREES.items()}).prepare()
