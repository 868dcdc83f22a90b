"""A figure drawn again against its record: the same counts and claims, and numbers within what may differ elsewhere.

Another machine sums in another order; rounding differences grow over thousands of steps into a different map of the
same quality. So what is measured on a map moves, as it does from one seed to the next; what is counted does not.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from drlim_np.errors import DataError
from drlim_np.runs.record import Entry, seeds_of

# How far a measured number may differ from its record, by its name: as far as it moves between seeds, or a little more.
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


def compare(label: str, record: Entry, now: Entry) -> Iterator[tuple[str, ...]]:
    """A row of the table for each value of a figure: `label`, its name, both values, their spread and a verdict."""
    old, new = _values(record), _values(now)
    for name in old | new:
        before, after, spread = old.get(name), new.get(name), _spread(name, old.get(name))
        if spread is None or before is None or after is None:
            agrees = type(before) is type(after) and before == after
        else:
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
    claims = {claim["text"]: claim["holds"] for claim in entry["claims"]}
    return dict(_flat({"data": entry["data"], "settings": entry["settings"], **claims, **entry["measured"]}))


def _flat(value: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict | list):
        for inner, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(part, (*name, str(inner)))
    else:
        yield name, value


def _spread(name: tuple[str, ...], value: Any) -> float | None:
    """How far a number may move: by 5 % of its record where no more is known; None where it must be equal."""
    if name[0] in ("data", "settings"):
        return None
    if listed := [SPREADS[part] for part in name if part in SPREADS]:
        return listed[-1]
    return 0.05 * abs(value) + 1e-6 if isinstance(value, float) else None


def _short(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "holds" if value else "fails"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 24 else f"{text[:10]} … {text[-10:]}"
