"""metrics.json: the record of every figure, and in it, side by side, the records of all the seeds it was made with.

The entry of a figure says all about the seed whose picture lies beside it. `entry["seeds"]` has, by seed, what the
others gave: settings, claims and measured. They stand together only if they come from the same data and settings.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drlim_np.checks.terminal import printable
from drlim_np.errors import DataError

RECORD = "metrics.json"
MOVE = "move it away or choose another folder by --out"
OF_A_SEED = ("settings", "claims", "measured")
DRAWN = {"dissimilar_weight", "neighbours_on_average"}  # settings that follow from the samples that a seed draws
Entry = dict[str, Any]


def earlier_record(out: Path) -> dict[str, Entry]:
    """metrics.json of the folder: the entry of each figure, none without a file. Raises DataError for damage."""
    path = out / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as fault:
        raise DataError(f"{printable(path)}: cannot be read ({fault}): {MOVE}") from fault
    if not isinstance(record, dict):
        raise DataError(f"{printable(path)}: not a table of figures: {MOVE}")
    return record


def seeds_of(entry: Mapping[str, Any]) -> list[int]:
    """The seeds that a figure has records of, ascending."""
    return sorted({entry["seed"], *map(int, entry.get("seeds", {}))})


def of_seed(entry: Entry, seed: int) -> Entry:
    """The entry with the settings, claims and measured numbers that one of its seeds gave."""
    return entry if seed == entry["seed"] else entry | entry["seeds"][str(seed)]


def filed(before: Entry | None, now: Entry, pictured: bool) -> Entry:
    """The entry that holds the record `now` beside those of other seeds that `before` holds.

    pictured: whether the picture beside it becomes that of `now`; records from other data or settings are then gone.
    If it does not, it must be possible to stand beside: raises DataError where there is nothing of the same data and
    settings.
    """
    now = json.loads(json.dumps(now))
    together = before is not None and "seed" in before and _stand_together(before, now)
    if not pictured and not together:
        raise DataError("its record has other data or settings: draw the figure anew with the seed whose picture it is")
    known = {seed: of_seed(before, seed) for seed in seeds_of(before)} if together else {}
    known[now["seed"]] = now
    shown_one = now if pictured else known[before["seed"]]
    others = {
        str(seed): {part: entry[part] for part in OF_A_SEED}
        for seed, entry in known.items()
        if seed != shown_one["seed"]
    }
    alone = {part: value for part, value in shown_one.items() if part != "seeds"}
    return alone | {"seeds": others} if others else alone


def _stand_together(one: Entry, other: Entry) -> bool:
    """Whether two entries come from the same data and settings. A map that collapsed has no settings on record."""
    chosen = [{name: x for name, x in entry["settings"].items() if name not in DRAWN} for entry in (one, other)]
    same_data = all(one[part] == other[part] for part in ("data", "quick"))
    return same_data and (chosen[0] == chosen[1] or {} in chosen)
