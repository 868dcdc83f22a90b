"""How strong is the suite? Deliberate faults, each put into a copy of the sources: some test must fail for every one.

For maintainers, out of the default run: `python -m tests.tools.faults` takes a while, with `loss lle` it takes these
modules alone. Prints each fault and whether it was caught; exit status 1 if one survives. A new formula
gets its faults here: a sign, a factor, an index, an axis, an inequality. A change that no test can see because it
changes nothing, such as > for ≥ where both sides give 0, is no fault. What `mutants` makes by itself is here only for
the exact proofs, or if it is on record.
"""

import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.machinery import PathFinder, SourceFileLoader
from importlib.util import spec_from_loader
from itertools import repeat
from pathlib import Path
from typing import NamedTuple
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
LOADED = "ignore::pytest.PytestAssertRewriteWarning"  # a plugin of pytest's that is loaded before it
LIMIT = 600  # seconds: a fault that keeps a test from ending is caught too
TABLE = tomllib.loads(Path(__file__).with_name("faults.toml").read_text(encoding="utf-8"))
TESTS: dict[str, list[str]] = TABLE["tests"]


def the_one(folder: str, name: str) -> Path:
    """The file of that name in the folder or below it, relative to the root; there must be one."""
    (found,) = (ROOT / folder).rglob(name)
    return found.relative_to(ROOT)


class Fault(NamedTuple):
    """In a module, as faults.toml names it, the text `old`, which is there once, becomes `new`."""

    module: str
    what: str
    old: str
    new: str

    @property
    def path(self) -> Path:
        """Where the module is, relative to the root."""
        return the_one("drlim_np", f"{self.module}.py")

    def source(self) -> str:
        """The module with the fault. Raises ValueError if the text has changed, so that the fault must be renewed."""
        text = (ROOT / self.path).read_text(encoding="utf-8")
        if text.count(self.old) != 1 or self.old == self.new:
            raise ValueError(f"{self.module}: {self.what}: {self.old!r} is there {text.count(self.old)} times")
        return text.replace(self.old, self.new)


FAULTS = [Fault(module, what, *texts) for module, faults in TABLE["faults"].items() for what, texts in faults.items()]


def prepared(folders: multiprocessing.SimpleQueue) -> None:
    """A worker begins: it stands in a copy of the checkout of its own, with all loaded that is not part of it."""
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "DRLIM_TESTS": "few"}
    os.chdir(folders.get())
    os.environ["PYTHONPATH"] = os.getcwd()
    sys.path[:] = [os.getcwd(), *(path for path in sys.path if path not in ("", str(ROOT), str(ROOT / "tests")))]
    sys.dont_write_bytecode = True
    for library in ("hypothesis.extra.numpy", "array_api_strict", "matplotlib.figure", "sklearn.manifold", "pytest"):
        __import__(library)


@contextmanager
def workers() -> Iterator[ProcessPoolExecutor]:
    """Processes, one for each processor, in which `caught` can be called."""
    fork = multiprocessing.get_context("fork")
    count, ignored = os.cpu_count(), shutil.ignore_patterns(".*", "__pycache__", "*.gif", "*.egg-info", "build", "out")
    with tempfile.TemporaryDirectory() as folder:
        folders = fork.SimpleQueue()
        for k in range(count):
            shutil.copytree(ROOT, Path(folder, str(k)), ignore=ignored)
            folders.put(str(Path(folder, str(k))))
        with ProcessPoolExecutor(count, mp_context=fork, initializer=prepared, initargs=(folders,)) as pool:
            yield pool


class QuickestFirst:
    """A plugin of pytest: the tests in the order of the seconds that each took without a fault, which it measures."""

    def __init__(self, seconds: dict[str, float]):
        self.known, self.found = seconds, {}

    def pytest_collection_modifyitems(self, items: list) -> None:
        """Most faults die in the first tenth of a second."""
        items.sort(key=lambda item: self.known.get(item.nodeid, 0))

    def pytest_runtest_logreport(self, report) -> None:
        """Setting up counts, for a fixture may be what takes long."""
        self.found[report.nodeid] = self.found.get(report.nodeid, 0) + report.duration


def unharmed(modules: list[str]) -> tuple[str, dict[str, float]]:
    """What the tests of these modules say without a fault, "" if they pass, and the seconds that each takes."""
    return caught(modules), json.loads(Path("seconds.json").read_text())


def caught(modules: list[str], fault: Fault | None = None, limit: float = LIMIT, seconds: dict | None = None) -> str:
    """What the tests of these modules say of this worker's copy, with the fault if one is given; "" if they pass."""
    names = [name for module in modules for name in TESTS.get(module, [module])]
    tests = list(dict.fromkeys(str(the_one("tests", f"test_{name}.py")) for name in names))
    if not fault:
        return _said(tests, limit, {})
    right = fault.path.read_bytes()
    fault.path.write_text(fault.source(), encoding="utf-8")
    try:
        return _said(tests, limit, seconds or {})
    finally:
        fault.path.write_bytes(right)


def _tested(tests: list[str], seconds: dict[str, float]) -> None:
    """Runs pytest, whose exit status is this process's, and leaves what it says and how long each test takes."""
    os.setpgid(0, 0)
    for stream in (1, 2):
        os.dup2(os.open("said.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND), stream)
    order, status = QuickestFirst(seconds), 1
    try:
        status = sys.modules["pytest"].main(["-xqp", "no:cacheprovider", "-W", LOADED, *tests], plugins=[order])
        Path("seconds.json").write_text(json.dumps(order.found))
    finally:
        os._exit(status)


def _said(tests: list[str], limit: float, seconds: dict[str, float]) -> str:
    """The first test that fails, in a process that is forked from this one, so that each begins as the last did."""
    Path("said.txt").unlink(missing_ok=True)
    child = multiprocessing.get_context("fork").Process(target=_tested, args=(tests, seconds))
    child.start()
    child.join(limit)
    hangs = child.is_alive()
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.join()
    if hangs:
        return "does not end"
    said = Path("said.txt").read_text(errors="replace").strip().splitlines()
    first = next((line for line in said if line.startswith(("FAILED", "ERROR"))), said[-1] if said else "crashes")
    return first.split(" - ")[0] if child.exitcode else ""


# By module, the parts of the exact proofs in `drlim_np.audit` that must refute its faults alone.
PROVEN = {
    "layers": ("exact._small", "exact._tanh", "exact._in_sequence"),
    "patches": ("exact._small", "exact._in_sequence"),
    "maps": ("exact._small", "exact._tanh"),
    "blocks": ("exact._layers", "exact._windows"),
    "exact": ("exact._small",),
    "loss": ("pairs._loss", "pairs._all_pairs", "floats.proofs"),
    "siamese": ("pairs._towers",),
}
BEYOND_PROOF = {
    "first weights, of which no gradient is taken": (
        ("layers", "variance for standard deviation"),
        ("layers", "Conv2d: variance for standard deviation"),
        ("layers", "Linear: fan-out for fan-in"),
    ),
    "NumPy's arrays, which the proof of tanh does not use": (("maps", "Tanh: 1 + y² on the host"),),
    "complex numbers, which no proof uses": (
        ("loss", "D with absolute values"),
        ("loss", "a complex step without the hinge"),
        ("loss", "a complex step NaN at D = 0"),
        ("loss", "hinge on the wrong side"),
    ),
}


def for_the_proofs() -> list[Fault]:
    """The faults that the exact proofs must refute alone."""
    beyond = {name for names in BEYOND_PROOF.values() for name in names}
    return [fault for fault in FAULTS if fault.module in PROVEN and (fault.module, fault.what) not in beyond]


class _Finder:
    """Finds the one module that has the fault; the others are found as ever."""

    def __init__(self, fault):
        self.name, self.source = ".".join(fault.path.with_suffix("").parts), fault.source()

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        loader = SourceFileLoader(name, PathFinder.find_spec(name, path).origin)
        loader.get_code = lambda _: compile(self.source, f"{name} with a fault", "exec")
        return spec_from_loader(name, loader)


@contextmanager
def planted(fault):
    """Gives a function that imports modules of the package: all that it imports have the fault, nothing earlier has."""
    others = {name: module for name, module in sys.modules.items() if name.partition(".")[0] != "drlim_np"}
    finders = [_Finder(fault), *sys.meta_path]
    with mock.patch.dict(sys.modules, others, clear=True), mock.patch.object(sys, "meta_path", finders):
        yield import_module


def main(modules: list[str]) -> int:
    """0 if every fault in these modules, or in all, is caught; 1 if one survives."""
    chosen = [fault for fault in FAULTS if not modules or fault.module in modules]
    survivors, modules = 0, [[fault.module] for fault in chosen]
    with workers() as pool:
        said, seconds = pool.submit(unharmed, list(dict.fromkeys(fault.module for fault in chosen))).result()
        if said:
            print(f"The tests fail without any fault: {said}")
            return 1
        verdicts = pool.map(caught, modules, chosen, repeat(LIMIT), repeat(seconds))
        for fault, said in zip(chosen, verdicts, strict=True):
            survivors += not said
            print(f"{fault.module:10}  {fault.what:50}  {said or 'SURVIVES'}", flush=True)
    print(f"{len(chosen)} faults, {survivors} survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
