"""What a figure leaves in its folder: its files, and the entry in metrics.json that proves its claims.

The entry says all about the seed that the picture shows. `entry["seeds"]` has, by seed, what others gave: settings,
claims and measured. One entry holds only seeds with the same data and settings.
"""

import io
import json
import os
import platform
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import rc_context

import drlim_np
from drlim_np.backend import to_host
from drlim_np.checks.terminal import printable
from drlim_np.drawing import light
from drlim_np.drawing.style import RULES, stamp
from drlim_np.errors import DataError
from drlim_np.fast.devices import BACKENDS, device_of, origin
from drlim_np.figures import Result, Train
from drlim_np.files import atomic, weights
from drlim_np.tree import tree_map

OF_A_SEED = ("settings", "claims", "measured")
DRAWN = {"dissimilar_weight", "neighbours_on_average"}  # settings that follow from the samples that a seed draws
Entry = dict[str, Any]
# How far a measured number may differ from its record where the figure is drawn again: as far as it moves between
# seeds, or a little more. Another machine sums in another order, and over thousands of steps rounding differences grow
# into a different map of the same quality; what is counted stays.
SPREADS = {
    **dict.fromkeys(["trustworthiness", "continuity", "share_of_lighting"], 0.01),
    "azimuth_resultant": 0.02,
    **dict.fromkeys(["slant_r2", "known_slant_r2", "elevation_r2", "same_shift_neighbours"], 0.03),
    **dict.fromkeys(["unevenness", "shift_ratio", "similar_neighbours", "same_lighting_neighbours"], 0.05),
    "silhouette_by_shift": 0.08,
    "accuracy": 0.12,  # that of Figure 7; that of Figure 4 moves by less
    "second_loop": 0.55,  # that of unseen views; LLE's does not move
    "displacement": 1.0,  # that of Figure 5, as its clusters are in another order each time; Figure 7's moves by less
    "azimuth_error_degrees": 1.5,
}
HEADING = ("figure", "", "record", "now", "may differ by", "")


@dataclass(frozen=True)
class Drawn:
    """A figure on its way to its folder."""

    key: str  # the stem of its files, and its name in metrics.json
    entry: Entry
    files: Mapping[str, bytes]  # their content, by what follows the stem; none where the record alone is kept
    said: str = ""  # on standard output while it was drawn
    complained: str = ""  # on standard error


def drawn(name: str, result: Result, train: Train, seconds: float, pictured: bool = True) -> Drawn:
    """The figure rendered, PNG and SVG, with its .npz and its W; if not `pictured`, its entry alone."""
    data = f"-{result.data.name}" if result.data and not name.endswith(f"-{result.data.name}") else ""
    key = f"{name}{data}{'-quick' if train.quick else ''}"  # different runs never overwrite each other
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    versions = {"drlim_np": drlim_np.__version__, "python": platform.python_version(), "numpy": np.__version__}
    versions |= {"matplotlib": matplotlib.__version__, train.backend: sys.modules[BACKENDS[train.backend]].__version__}
    machine = {"system": sys.platform, "processor": platform.machine(), "threads": train.threads}
    machine |= {"blas": f"{blas.get('name')} {blas.get('version')}", "backend": train.backend}
    machine |= {"blas_threads": os.environ.get("OPENBLAS_NUM_THREADS", "not set")}
    machine |= {"device": device_of(origin(train.backend))}
    shown = result.data and {name: getattr(result.data, name) for name in ("name", "title", "sha256")}
    claims = [asdict(claim) | {"holds": claim.holds} for claim in result.claims]
    entry = {"data": shown, "settings": result.settings, "seed": train.seed, "quick": train.quick, "claims": claims}
    entry |= {"measured": result.measured, "versions": versions, "machine": machine, "wall_seconds": round(seconds, 1)}
    entry = json.loads(json.dumps(entry))  # of JSON's own types
    return Drawn(key, entry, _files(result, train.quick) if pictured else {})


def write(out: Path, figure: Drawn) -> None:
    """Writes a figure's files into the folder `out` and its entry into metrics.json, next to those of other seeds.

    With a picture, records of other data or settings are dropped; without one, it is itself refused next to them.
    """
    key, now, record = figure.key, figure.entry, earlier_record(out)
    before, seed, pictured = record.get(key), now["seed"], bool(figure.files)
    known = {seed: of_seed(before, seed) for seed in seeds_of(before)} if before else {}
    if before is None or not _same_kind(before, now):
        if not pictured:
            remedy = "draw the figure again with the seed of its picture"
            raise DataError(f"{key}, seed {seed}: its record has other data or settings: {remedy}")
        if gone := ", ".join(str(other) for other in known if other != seed):
            print(f"{key}: the records of seeds {gone} had other data or settings: dropped")
        known = {}
    known[seed] = now
    main = now if pictured else known[before["seed"]]
    others = {str(seed): {part: one[part] for part in OF_A_SEED} for seed, one in known.items() if seed != main["seed"]}
    record[key] = main | {"seeds": others} if others else main
    text = json.dumps(record, indent=2, ensure_ascii=False, sort_keys=True)
    files = {out / f"{key}{ending}": content for ending, content in figure.files.items()}
    atomic.replace(files | {out / "metrics.json": f"{text}\n".encode(errors="replace")})


@rc_context(RULES)
def _files(result: Result, quick: bool) -> dict[str, bytes]:
    fails = not all(claim.holds for claim in result.claims)
    if marks := ["quick"] * quick + ["claims fail"] * fails:
        stamp(result.drawing, ", ".join(marks))
    light.clouds_as_pictures(result.drawing)
    files = {}
    for kind, lighter in (("png", light.with_palette), ("svg", light.with_palettes)):
        left_out = dict.fromkeys(["Software"] if kind == "png" else ["Date", "Creator"])  # for the same bytes each time
        result.drawing.savefig(buffer := io.BytesIO(), format=kind, dpi=light.DPI[kind], metadata=left_out)
        files[f".{kind}"] = lighter(buffer.getvalue())
    if result.arrays is not None:
        files[".npz"] = light.packed(result.arrays)
    if result.weights is not None:
        files["-weights.npz"] = weights.to_bytes(tree_map(lambda x: to_host(x).astype(np.float32), result.weights))
    return files


def earlier_record(out: Path) -> dict[str, Entry]:
    """metrics.json of the folder: the entry of each figure; none without a file."""
    path, parts = out / "metrics.json", {"data", "quick", "seed", *OF_A_SEED}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        entries = record.values() if isinstance(record, dict) else [None]
        if not all(isinstance(entry, dict) and parts <= entry.keys() for entry in entries):
            raise ValueError("not a table of figures")
        return record
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as fault:
        remedy = "move it away or choose another folder by --out"
        raise DataError(f"{printable(path)}: cannot be read ({fault}): {remedy}") from fault


def seeds_of(entry: Entry) -> list[int]:
    """The seeds that a figure has records of, ascending."""
    return sorted({entry["seed"], *map(int, entry.get("seeds", {}))})


def of_seed(entry: Entry, seed: int) -> Entry:
    """The entry with the settings, claims and measured numbers that one of its seeds gave."""
    return entry if seed == entry["seed"] else entry | entry["seeds"][str(seed)]


def _same_kind(one: Entry, other: Entry) -> bool:
    """Whether two entries have the same data and settings. A map that collapsed has no settings on record."""
    chosen = [{name: x for name, x in entry["settings"].items() if name not in DRAWN} for entry in (one, other)]
    same_data = (one["data"], one["quick"]) == (other["data"], other["quick"])
    return same_data and (chosen[0] == chosen[1] or {} in chosen)


def compare(label: str, record: Entry, now: Entry) -> Iterator[tuple[str, ...]]:
    """A row of the table for each value of a figure: `label`, its name, both values, their spread and a verdict."""
    old, new = _values(record), _values(now)
    for name in old | new:
        before, after, spread = old.get(name, "missing"), new.get(name, "missing"), None  # where it must be equal
        if name[0] not in ("data", "settings"):
            usual = 0.05 * abs(before) + 1e-6 if isinstance(before, float) else None
            spread = next((SPREADS[part] for part in reversed(name) if part in SPREADS), usual)
        agrees = type(before) is type(after) and before == after
        if spread is not None and isinstance(before, int | float) and isinstance(after, int | float):
            agrees = abs(before - after) <= spread  # never for NaN
        may = "" if spread is None else f"{spread:.3g}"
        yield label, ".".join(name), _short(before), _short(after), may, "agrees" if agrees else "DIFFERS"


def repeated(record: Mapping[str, Entry], names: list[str], seeds: Collection[int]) -> dict[tuple, list[str]]:
    """The figures among `names` on record, by seed and size: of each the seed of its picture, or all `seeds`."""
    found: dict[tuple[int, bool], set[str]] = {}
    for key, entry in record.items():
        if named := [name for name in names if key == name or key.startswith(f"{name}-")]:
            name = max(named, key=len)  # figure4-exact, not figure4
            for seed in {*seeds_of(entry)} & {*seeds} if seeds else [entry["seed"]]:
                found.setdefault((seed, entry["quick"]), set()).add(name)
    if not found:
        raise DataError(f"there is no record of {', '.join(names)} to compare with: draw it first")
    return {made: [name for name in names if name in some] for made, some in sorted(found.items())}


def _values(entry: Entry) -> dict[tuple[str, ...], Any]:
    """What is compared, by the names that lead to it."""
    claims = {claim["text"]: "holds" if claim["holds"] else "fails" for claim in entry["claims"]}
    return dict(_flat({"data": entry["data"], "settings": entry["settings"], **claims, **entry["measured"]}))


def _flat(value: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict | list):
        for inner, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(part, (*name, str(inner)))
    else:
        yield name, value


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 24 else f"{text[:10]} … {text[-10:]}"
