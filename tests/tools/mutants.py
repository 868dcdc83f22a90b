"""How strong is the suite, by machine? Small changes drawn at random: some test must fail for each.

For maintainers, out of the default run: `python -m tests.tools.mutants` tries 1,000 mutants of the paper's modules and
of the wings fast, measure, files and checks, in half an hour and more; with `knn graph --number 60` fewer, of these
modules alone. One seed draws the same mutants of the same sources. Prints each and the test that it fails; exit
status 1 if one lives that `equivalents.txt` does not name, one per line: `module | function | old -> new | reason`.
"""

import argparse
import ast
import copy
import os
import random
import sys
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from tests.tools.faults import ROOT, TESTS, caught, the_one, unharmed, workers

WINGS = ("", "fast", "measure", "files", "checks")
PAIRS = [(ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.BitAnd, ast.BitOr), (ast.And, ast.Or), (ast.Lt, ast.LtE)]
PAIRS += [(ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.In, ast.NotIn), (ast.Is, ast.IsNot)]
OTHER = dict(PAIRS) | {two: one for one, two in PAIRS} | {ast.FloorDiv: ast.Div, ast.Mod: ast.Div, ast.Pow: ast.Mult}
PACE = ("strict", "threads", "optimize", "full_matrices", "rcond")
ASIDE = (ast.JoinedStr, ast.Raise, ast.Assert, ast.Import, ast.ImportFrom)  # wording


class Mutant(NamedTuple):
    """In MODULE.py the bytes from `start` to `end` become `new`; a fault that `faults.caught` can put into a copy."""

    module: str
    path: Path  # relative to the root
    function: str
    old: str
    new: str
    around: str
    start: int
    end: int

    @property
    def what(self) -> str:
        """What it is known by, whatever line it stands in: a number by what it is part of."""
        where = f" in {self.around}" if self.around else ""
        return f"{self.module} | {self.function} | {self.old} -> {self.new}{where}"

    def source(self) -> str:
        """The module with the change."""
        text = (ROOT / self.path).read_bytes()
        return (text[: self.start] + self.new.encode() + text[self.end :]).decode()


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every mutant of a module that this program knows, in the order of the source."""
    path = the_one("drlim_np", f"{module}.py")
    text, wing = (ROOT / path).read_bytes(), path.parent.name.removeprefix("drlim_np")
    lines = [0, *accumulate(map(len, text.splitlines(keepends=True)))]

    def visit(node: ast.AST, function: str, around: str = "") -> Iterator[Mutant]:
        for changed in changes(node):
            start, end = lines[node.lineno - 1] + node.col_offset, lines[node.end_lineno - 1] + node.end_col_offset
            old, new = ast.unparse(node), ast.unparse(ast.fix_missing_locations(changed))
            if old != new:
                part = isinstance(node, ast.Constant | ast.UnaryOp)
                yield Mutant(module, path, function, old, f"({new})", around if part else "", start, end)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            function = f"{function}.{node.name}".lstrip(".")
        if not isinstance(node, ast.Constant | ast.UnaryOp | ast.keyword | ast.FunctionDef | ast.ClassDef | ast.Module):
            around = " ".join(ast.unparse(node).split())
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):  # test_package.py holds that dataclasses are frozen
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not isinstance(child, ASIDE) and not aside(child, node, wing):
                    yield from visit(child, function, around)

    yield from visit(ast.parse(text), "")


def aside(node: ast.AST, parent: ast.AST, wing: str) -> bool:
    """What a fault changes nothing in but the time and the rounding; and a module's program, too long to test.

    The sizes at the head of a wing's modules, how many threads, what asserts or only paces, and the number in -1: that
    its sign is lost is a mutant of its own.
    """
    match node:
        case ast.keyword(arg=name) | ast.AnnAssign(target=ast.Name(id=name)) if name in PACE:
            return True
        case ast.Assign():
            return bool(wing) and isinstance(parent, ast.Module)
        case ast.If():
            return ast.unparse(node.test) == "__name__ == '__main__'"
        case ast.Constant():
            of_pace = isinstance(parent, ast.arguments) and any(arg.arg in PACE for arg in parent.args)
            return isinstance(parent, ast.UnaryOp) or (of_pace and node is parent.defaults[-1])
    return False


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """The node with one thing changed: an operator, a constant, a comparison, a keyword dropped, arguments swapped."""

    def changed(**fields) -> ast.AST:
        other = copy.deepcopy(node)
        for name, value in fields.items():
            setattr(other, name, value)
        return other

    match node:
        case ast.BinOp(op=ast.MatMult()):
            yield changed(left=node.right, right=node.left)
        case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in OTHER:
            yield changed(op=OTHER[type(op)]())
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
            yield copy.deepcopy(node.operand)
        case ast.Compare(ops=ops):
            for k, op in enumerate(ops):
                yield changed(ops=[*ops[:k], OTHER[type(op)](), *ops[k + 1 :]])
        case ast.Constant(value=bool()):
            yield changed(value=not node.value)
        case ast.Constant(value=int() | float()):
            yield changed(value=node.value + 1)
        case ast.Call(args=args, keywords=keywords):
            # The axis of take_along_axis dies on the oldest NumPy, and is what newer ones take by default.
            aged = ("axis",) if ast.unparse(node.func).endswith("take_along_axis") else ()
            for k in (k for k, keyword in enumerate(keywords) if keyword.arg not in (*PACE, *aged)):
                yield changed(keywords=keywords[:k] + keywords[k + 1 :])
            alike = ast.unparse(node.func).endswith(("max", "min", "maximum", "minimum"))
            if len(args) > 1 and not alike and not any(isinstance(a, ast.Starred) for a in args[:2]):
                yield changed(args=[args[1], args[0], *args[2:]])


def tested() -> Iterator[str]:
    """The modules that have tests of their own, by the names that the faults know them by."""
    for wing in WINGS:
        for path in sorted((ROOT / "drlim_np" / wing).glob("[!_]*.py")):
            module = f"{wing}/{path.stem}" if f"{wing}/{path.stem}" in TESTS else path.stem
            if module in TESTS or any((ROOT / "tests").rglob(f"test_{module}.py")):
                yield module


def equivalents() -> dict[str, str]:
    """What each mutant in the table beside this file is known by, and the reason why it cannot die."""
    lines = Path(__file__).with_name("equivalents.txt").read_text(encoding="utf-8").splitlines()
    return dict(tuple(line.rsplit(" | ", 1)) for line in lines if line)


def main(arguments: list[str]) -> int:
    """0 if every mutant drawn dies or is written down as equivalent, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="names such as loss or knn (default: all)")
    parser.add_argument("--number", type=int, default=1000, help="mutants to draw (default: 1000)")
    options = parser.parse_args(arguments)
    modules = options.modules or list(tested())
    everything = [mutant for module in modules for mutant in mutants_of(module)]
    drawn = random.Random(0).sample(everything, min(options.number, len(everything)))
    print(f"{len(drawn)} of {len(everything)} mutants of {', '.join(modules)}", flush=True)

    known, lives, begun, chosen = equivalents(), 0, time.time(), list(dict.fromkeys(mutant.module for mutant in drawn))
    with workers() as pool:
        seconds = {}
        for module, (said, taken) in zip(chosen, pool.map(unharmed, [[module] for module in chosen]), strict=True):
            if said:
                print(f"The tests of {module} fail without any mutant: {said}")
                return 1
            seconds[module] = taken
        limits = [20 + 4 * sum(seconds[m.module].values()) for m in drawn]  # a mutant may keep a test from ending
        said = pool.map(caught, [[m.module] for m in drawn], drawn, limits, [seconds[m.module] for m in drawn])
        for mutant, killed in zip(drawn, said, strict=True):
            lives += not killed and mutant.what not in known
            print(f"{mutant.what} | {killed or known.get(mutant.what, 'LIVES')}", flush=True)
    print(f"{len(drawn)} mutants, {lives} live that are not known as equivalent, {time.time() - begun:.0f} s")
    return 1 if lives else 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
