"""What a figure leaves in its folder: its files, and the entry in metrics.json that proves its claims."""

import io
import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing

import drlim_np
from drlim_np.backend import to_host
from drlim_np.drawing import light
from drlim_np.drawing.style import RULES, stamp
from drlim_np.errors import DataError
from drlim_np.fast.devices import BACKENDS, device_of, origin
from drlim_np.figures import Result, Train
from drlim_np.files import atomic, weights
from drlim_np.runs.seeds import RECORD, Entry, earlier_record, filed, seeds_of
from drlim_np.tree import tree_map


@dataclass(frozen=True)
class Drawn:
    """A figure on its way to its folder.

    key:   the stem of its files, and its name in metrics.json.
    files: their content, by what follows the stem; none where the record alone is kept.
    said, complained: what was printed on standard output and on standard error while it was drawn.
    """

    key: str
    entry: Entry
    files: Mapping[str, bytes]
    said: str = ""
    complained: str = ""


def stem(name: str, result: Result, quick: bool) -> str:
    """The name of a figure's files, with its data and "quick": different runs never overwrite each other.

    A name that already ends in that of its data does not get it twice.
    """
    data = [result.data.name] if result.data and not name.endswith(f"-{result.data.name}") else []
    return "-".join([name, *data, *(["quick"] if quick else [])])


def drawn(name: str, result: Result, train: Train, seconds: float, pictured: bool = True) -> Drawn:
    """The figure rendered, PNG and SVG, with its .npz and its W; if not `pictured`, its entry alone.

    A quick figure is stamped so, and so is one with a claim that does not hold.
    """
    files = _files(result, train.quick) if pictured else {}
    return Drawn(stem(name, result, train.quick), entry(result, train, seconds), files)


def write(out: Path, figure: Drawn) -> None:
    """Writes a figure's files and its entry in metrics.json into the folder `out`.

    The arrays are in <stem>.npz, for np.load, and W is in <stem>-weights.npz, for `drlim_np.files.weights.load`. All
    are written next to their places before the first is renamed, so that after a failure the earlier ones are as they
    were. Without files, the record is added to that of the seed that has the picture.
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


def entry(result: Result, train: Train, seconds: float) -> Entry:
    """The figure's entry in metrics.json."""
    data = result.data and {"name": result.data.name, "title": result.data.title, "sha256": result.data.sha256}
    model = origin(train.backend)
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "data": data,
        "settings": result.settings,
        "seed": train.seed,
        "quick": train.quick,
        "claims": [asdict(claim) | {"holds": claim.holds} for claim in result.claims],
        "measured": result.measured,
        "versions": {
            "drlim_np": drlim_np.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "matplotlib": matplotlib.__version__,
            train.backend: sys.modules[BACKENDS[train.backend]].__version__,
        },
        "machine": {
            "system": sys.platform,
            "processor": platform.machine(),
            "blas": f"{blas.get('name')} {blas.get('version')}",
            "blas_threads": os.environ.get("OPENBLAS_NUM_THREADS", "not set"),
            "threads": train.threads,
            "backend": train.backend,
            "device": device_of(model),
        },
        "wall_seconds": round(seconds, 1),
    }


@rc_context(RULES)
def _files(result: Result, quick: bool) -> dict[str, bytes]:
    marks = [*(["quick"] if quick else []), *([] if all(claim.holds for claim in result.claims) else ["claims fail"])]
    if marks:
        stamp(result.drawing, ", ".join(marks))
    light.clouds_as_pictures(result.drawing)
    files = {
        ".png": light.with_palette(_rendered(result.drawing, "png")),
        ".svg": light.with_palettes(_rendered(result.drawing, "svg")),
    }
    if result.arrays is not None:
        files[".npz"] = light.packed(result.arrays)
    if result.weights is not None:
        files["-weights.npz"] = weights.to_bytes(tree_map(lambda x: to_host(x).astype(np.float32), result.weights))
    return files


def _rendered(drawing: Drawing, kind: str) -> bytes:
    """The file's bytes, without dates or random names: the same figure gives the same bytes."""
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}[kind]
    buffer = io.BytesIO()
    drawing.savefig(buffer, format=kind, dpi=light.DPI[kind], metadata=metadata)
    return buffer.getvalue()
