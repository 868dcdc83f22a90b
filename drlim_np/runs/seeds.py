"""metrics.json: the record of every figure, and in it the records of all the seeds that it was made with.

The entry of a figure says all about the seed that its picture shows. `entry["seeds"]` has, by seed, what the others
gave: settings, claims and measured. One entry holds only seeds with the same data and settings.
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
    """metrics.json of the folder: the entry of each figure, none without a file."""
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
    """The entry with the record `now` added to those of other seeds that `before` holds.

    pictured: whether the picture becomes that of `now`. If it does, records of other data or settings are dropped; if
    it does not, `now` is refused where `before` has other data or settings.
    """
    now = json.loads(json.dumps(now))
    together = before is not None and "seed" in before and _same_kind(before, now)
    if not pictured and not together:
        raise DataError("its record has other data or settings: draw the figure again with the seed of its picture")
    known = {seed: of_seed(before, seed) for seed in seeds_of(before)} if together else {}
    known[now["seed"]] = now
    main = now if pictured else known[before["seed"]]
    others = {str(seed): {part: one[part] for part in OF_A_SEED} for seed, one in known.items() if seed != main["seed"]}
    alone = {part: value for part, value in main.items() if part != "seeds"}
    return alone | {"seeds": others} if others else alone


def _same_kind(one: Entry, other: Entry) -> bool:
    """Whether two entries have the same data and settings. A map that collapsed has no settings on record."""
    chosen = [{name: x for name, x in entry["settings"].items() if name not in DRAWN} for entry in (one, other)]
    same_data = all(one[part] == other[part] for part in ("data", "quick"))
    return same_data and (chosen[0] == chosen[1] or {} in chosen)
