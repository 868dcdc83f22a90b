"""A figure drawn again against its record: the same counts and claims, and numbers within what may differ elsewhere.

The same machine gives the same bytes. Another machine sums in another order; rounding differences grow over thousands
of steps into a different map of the same quality. So what is measured on a map moves a little, as it does from one seed
to the next, and what is counted does not.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from drlim_np.errors import DataError
from drlim_np.runs.seeds import Entry, seeds_of

# How far a measured number may differ from its record, by its name: as far as it moves between seeds, or a little more.
SPREADS = {
    "accuracy": 0.12,  # that of Figure 7; that of Figure 4 moves by less
    "slant_r2": 0.03,
    "known_slant_r2": 0.03,
    "unevenness": 0.05,
    "trustworthiness": 0.01,
    "continuity": 0.01,
    "shift_ratio": 0.05,
    "same_shift_neighbours": 0.03,
    "silhouette_by_shift": 0.08,
    "displacement": 1.0,  # that of Figure 5, as its clusters are in another order each time; Figure 7's moves by less
    "elevation_r2": 0.03,
    "azimuth_resultant": 0.02,
    "azimuth_error_degrees": 1.5,
    "share_of_lighting": 0.01,
    "similar_neighbours": 0.05,
    "same_lighting_neighbours": 0.05,
    "second_loop": 0.55,  # that of unseen views; LLE's does not move
}
OTHERWISE = 0.05  # for any other number, as a share of its record
Made = tuple[int, bool]  # with which seed, and whether in the quick size
HEADING = ("figure", "", "record", "now", "may differ by", "")


def compare(label: str, record: Entry, now: Entry) -> Iterator[tuple[str, ...]]:
    """A row of the table for each value of a figure: `label`, its name, both values, their spread and a verdict."""
    old, new = dict(_flat(_compared(record))), dict(_flat(_compared(now)))
    for name in old | new:
        before, after, spread = old.get(name), new.get(name), _spread(name, old.get(name))
        if spread is None or before is None or after is None:
            agrees = type(before) is type(after) and before == after
        else:
            agrees = abs(before - after) <= spread  # never for NaN
        may = "" if spread is None else f"{spread:.3g}"
        yield label, ".".join(name), _short(before), _short(after), may, "agrees" if agrees else "DIFFERS"


def repeated(record: Mapping[str, Entry], names: list[str], seeds: Collection[int]) -> dict[Made, list[str]]:
    """For each seed and size in a record, the figures among `names` that it has of them.

    Of each figure the seed of its picture; if `seeds` are given, those of them that it has records of.
    """
    found: dict[Made, set[str]] = {}
    try:
        for key, entry in record.items():
            if named := [name for name in names if key == name or key.startswith(f"{name}-")]:
                name = max(named, key=len)  # figure4-exact, not figure4
                for seed in {*seeds_of(entry)} & {*seeds} if seeds else [entry["seed"]]:
                    found.setdefault((seed, entry["quick"]), set()).add(name)
    except (TypeError, KeyError, ValueError, AttributeError) as fault:
        raise DataError(f"the record of {key} is not one to compare with: draw it again") from fault
    if not found:
        raise DataError(f"there is no record of {', '.join(names)} to compare with: draw it first")
    return {made: [name for name in names if name in some] for made, some in sorted(found.items())}


def _compared(entry: Entry) -> dict[str, Any]:
    claims = {claim["text"]: claim["holds"] for claim in entry["claims"]}
    return {"data": entry["data"], "settings": entry["settings"], **claims, **entry["measured"]}


def _flat(value: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value in nested dicts and lists, with the names that lead to it."""
    if isinstance(value, dict | list):
        for inner, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(part, (*name, str(inner)))
    else:
        yield name, value


def _spread(name: tuple[str, ...], value: Any) -> float | None:
    """How far a number may move; None where it must be equal."""
    if name[0] in ("data", "settings"):
        return None
    listed = [SPREADS[part] for part in name if part in SPREADS]
    if listed:
        return listed[-1]
    return OTHERWISE * abs(value) + 1e-6 if isinstance(value, float) else None


def _short(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "holds" if value else "fails"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 24 else f"{text[:10]} … {text[-10:]}"
