"""What a figure is made from and what it leaves behind: its files, and the entry in metrics.json that proves it."""

import io
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

import drlim_np
from drlim_np.backend import Array, like, namespace, to_host
from drlim_np.checks.terminal import printable
from drlim_np.data import Digits, Views
from drlim_np.drawing import light
from drlim_np.drawing.style import BLUE, RULES, stamp
from drlim_np.errors import DataError, DivergedError, DrlimError
from drlim_np.fast.devices import device_of, origin
from drlim_np.files import atomic, weights
from drlim_np.files.cache import NOTHING_KEPT, Memory
from drlim_np.runs.seeds import RECORD, earlier_record, filed, seeds_of
from drlim_np.tree import Tree, tree_map

COLLAPSED = 0.01  # a map whose coordinates all vary by less, in margins, is a heap: a margin parts dissimilar points


class CollapsedError(DrlimError, ArithmeticError):
    """A map that has collapsed: all its points together.

    z: the map, (samples, dims). spread: the largest standard deviation of a coordinate, in margins.
    """

    def __init__(self, message: str, z, spread: float):
        super().__init__(message)
        self.z, self.spread = z, spread


@dataclass(frozen=True)
class Run:
    """What every figure of one run shares.

    seed:    the root of all randomness. Each figure has a child of its own, so that running it alone changes nothing.
    quick:   small sizes, for a look within a minute.
    threads: for our own thread pools; the numbers do not depend on it.
    digits:  loads the digits when first called.
    views:   loads the views of an airplane when first called.
    backend: where training runs, one of `drlim_np.fast.devices.BACKENDS`.
    memory:  what earlier runs left to go on from.
    """

    seed: int
    quick: bool
    threads: int
    digits: Callable[[], Digits]
    views: Callable[[], Views]
    backend: str = "numpy"
    memory: Memory = NOTHING_KEPT

    def beside(self, host: Tree) -> Tree:
        """Arrays of the host where training runs: what every figure sends there passes here."""
        model = origin(self.backend)
        return tree_map(lambda x: like(x, model), host)

    def rng(self, figure: int) -> np.random.Generator:
        """The generator of one figure."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(figure,)))


@dataclass(frozen=True)
class Claim:
    """A claim of the paper as a number: what it says, its value, and the bound that the value must keep."""

    text: str
    value: float
    relation: Literal["≥", "≤", "="]
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the value keeps the bound; NaN never does."""
        return {"≥": self.value >= self.bound, "≤": self.value <= self.bound, "=": self.value == self.bound}[
            self.relation
        ]


@dataclass(frozen=True, eq=False)
class Result:
    """A drawn figure with its evidence.

    data:     the digits or views it shows, or None where it shows none.
    settings: all that was chosen, so that the figure can be made again.
    measured: further numbers, without a bound.
    arrays:   what colours the plot, for the .npz; None where nothing was trained.
    weights:  the trained W that drew it, which ships beside it; None where there is none to ship.
    files:    the content of further files, by their ending.
    """

    figure: Figure
    claims: list[Claim]
    settings: dict[str, Any] = field(default_factory=dict)
    data: Digits | Views | None = None
    measured: dict[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] | None = None
    weights: Tree | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


def require_spread(z: np.ndarray, margin: float, label: str) -> None:
    """Raises CollapsedError if all points of a map (samples, dims) lie in one place, DivergedError if not finite."""
    if not np.isfinite(z).all():
        raise DivergedError(f"{label}: the map is not finite: lower the learning rate, or look for NaN in the data")
    spread = float(z.std(axis=0).max()) / margin
    if spread < COLLAPSED:
        message = f"{label}: the map has collapsed, its points are {spread:.2g} margins apart"
        raise CollapsedError(f"{message}: look at the dissimilar pairs and the learning rate", z, spread)


@rc_context(RULES)
def of_collapsed(fault: CollapsedError, data: Digits | Views | None) -> Result:
    """The figure of a map that collapsed: the heap, in a square of one margin, and the claim that fails."""
    figure = Figure(figsize=(5, 5.4), layout="constrained")
    axes = figure.subplots()
    middle = fault.z.mean(axis=0)
    axes.scatter(*(fault.z - middle)[:, :2].T, s=8, c=BLUE)
    axes.set(xlim=(-0.5, 0.5), ylim=(-0.5, 0.5), aspect="equal")
    axes.set_xlabel("margins; the map has collapsed: all points in one place")
    claims = [Claim("the map has not collapsed: its spread in margins", fault.spread, "≥", COLLAPSED)]
    return Result(figure, claims, data=data, measured={"collapsed": str(fault)})


def stem(name: str, result: Result, run: Run) -> str:
    """The name of a figure's files, with its data and quick if it is: different runs never overwrite each other.

    A name that ends in that of its data already does not get it twice.
    """
    data = [result.data.name] if result.data and not name.endswith(f"-{result.data.name}") else []
    return "-".join([name, *data, *(["quick"] if run.quick else [])])


@dataclass(frozen=True)
class Drawn:
    """A figure as it leaves the process that drew it: its stem, its entry and the content of its files, by ending."""

    key: str
    entry: dict[str, Any]
    claims: list[Claim]
    files: Mapping[str, bytes]


def drawn(name: str, result: Result, run: Run, wall_seconds: float, pictured: bool = True) -> Drawn:
    """The figure rendered, PNG and SVG, with its .npz and its W; if not `pictured`, its entry alone.

    A quick figure is stamped so, and so is one of which a claim does not hold.
    """
    key = stem(name, result, run)
    return Drawn(key, entry(result, run, wall_seconds), result.claims, _pictures(result, run) if pictured else {})


def publish(name: str, result: Result, run: Run, wall_seconds: float, out: Path, pictured: bool = True) -> str:
    """Files what is `drawn` of a figure into `out`; returns the stem of its files."""
    return filed_in(out, drawn(name, result, run, wall_seconds, pictured))


def filed_in(out: Path, figure: Drawn) -> str:
    """Writes a figure's files and its entry in metrics.json into the folder `out`; returns their stem.

    The arrays are in <stem>.npz, for np.load, and W is in <stem>-weights.npz, for `drlim_np.files.weights.load`.
    All are written beside their places before the first is renamed into its own, so that a failure leaves the earlier
    ones as they were. Without files, the record is written alone, beside that of the seed whose picture lies there.
    Raises DrlimError where `out` cannot be written, DataError where its metrics.json cannot be read or has no record to
    stand beside.
    """
    key, record = figure.key, earlier_record(out)
    before = record.get(key)
    try:
        record[key] = filed(before, figure.entry, pictured=bool(figure.files))
    except DataError as fault:
        raise DataError(f"{key}, seed {figure.entry['seed']}: {fault}") from fault
    if before and "seed" in before and (gone := set(seeds_of(before)) - set(seeds_of(record[key]))):
        print(f"{key}: the records of seeds {', '.join(map(str, sorted(gone)))} had other data or settings: dropped")
    text = json.dumps(record, indent=2, ensure_ascii=False, sort_keys=True)
    files = {out / f"{key}{ending}": content for ending, content in figure.files.items()}
    atomic.replace(files | {out / RECORD: f"{text}\n".encode(errors="replace")})
    return key


def _pictures(result: Result, run: Run) -> dict[str, bytes]:
    marks = [*(["quick"] if run.quick else []), *([] if all(c.holds for c in result.claims) else ["claims fail"])]
    if marks:
        stamp(result.figure, ", ".join(marks))
    light.clouds_as_pictures(result.figure)
    files = {
        ".png": light.with_palette(_rendered(result.figure, "png")),
        ".svg": light.with_palettes(_rendered(result.figure, "svg")),
    }
    files |= {f".{kind}": content for kind, content in result.files.items()}
    if result.arrays is not None:
        files[".npz"] = light.packed(result.arrays)
    if result.weights is not None:
        files["-weights.npz"] = weights.to_bytes(tree_map(_float32, result.weights))
    return files


def entry(result: Result, run: Run, wall_seconds: float) -> dict[str, Any]:
    """The figure's entry in metrics.json."""
    data = result.data and {"name": result.data.name, "title": result.data.title, "sha256": result.data.sha256}
    model = origin(run.backend)
    arrays = namespace(model)
    return {
        "data": data,
        "settings": result.settings,
        "seed": run.seed,
        "quick": run.quick,
        "claims": [asdict(claim) | {"holds": claim.holds} for claim in result.claims],
        "measured": result.measured,
        "versions": {
            "drlim_np": drlim_np.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "matplotlib": matplotlib.__version__,
            arrays.__name__: arrays.__version__,
        },
        "machine": _machine() | {"threads": run.threads, "backend": run.backend, "device": device_of(model)},
        "wall_seconds": round(wall_seconds, 1),
    }


def require_writable(out: Path) -> None:
    """Makes the folder `out` if need be. Raises DrlimError unless files can be written there."""
    probe = out / f".{os.getpid()}.probe"
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as fault:
        raise DrlimError(
            f"{printable(out)}: nothing can be written there ({fault.strerror}): choose another folder by --out"
        ) from fault
    earlier_record(out)


def _float32(x: Array) -> np.ndarray:
    return to_host(x).astype(np.float32)


def _rendered(figure: Figure, kind: str) -> bytes:
    """The file's bytes, without dates or random names: the same figure gives the same bytes."""
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}[kind]
    buffer = io.BytesIO()
    with rc_context(RULES):
        figure.savefig(buffer, format=kind, dpi=light.DPI[kind], metadata=metadata)
    return buffer.getvalue()


def _machine() -> dict[str, Any]:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "system": sys.platform,
        "processor": platform.machine(),
        "blas": f"{blas.get('name')} {blas.get('version')}",
        "blas_threads": os.environ.get("OPENBLAS_NUM_THREADS", "not set"),
    }
