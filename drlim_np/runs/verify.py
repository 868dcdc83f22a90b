"""A figure drawn anew against its record: the same counts and claims, and numbers within what may differ elsewhere.

The same machine gives the same bytes. Another one adds in another order, and a difference in the last bit of a sum
grows over thousands of steps until the map is another one of the same kind: so what is measured on a map moves a
little, as it does from one seed to the next, and what is counted does not.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from drlim_np.errors import DataError
from drlim_np.runs.seeds import seeds_of

# How far a measured number may lie from its record, by its name: what it moves between seeds, or a little more.
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
    "displacement": 1.0,  # that of Figure 5, whose clusters lie in another order each time; Figure 7's moves by less
    "elevation_r2": 0.03,
    "azimuth_resultant": 0.02,
    "azimuth_error_degrees": 1.5,
    "share_of_lighting": 0.01,
    "similar_neighbours": 0.05,
    "same_lighting_neighbours": 0.05,
}
OTHERWISE = 0.05  # for any other number, in parts of its record


@dataclass(frozen=True)
class Compared:
    """One line of the comparison; spread: how far apart the two may be, None where they must be equal."""

    figure: str
    what: str
    record: Any
    now: Any
    spread: float | None

    @property
    def agrees(self) -> bool:
        """Whether the new value is what the record leads one to expect; NaN never is."""
        if self.spread is None or self.record is None or self.now is None:
            return type(self.record) is type(self.now) and self.record == self.now
        return self.spread == inf or abs(self.record - self.now) <= self.spread


def compare(figure: str, record: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Compared]:
    """The lines for one figure, from its entry in the record and that of the figure drawn now."""
    for part in ("data", "settings"):
        yield Compared(figure, part, record[part], now[part], None)
    claims = [{claim["text"]: claim for claim in entry["claims"]} for entry in (record, now)]
    for text in claims[0] | claims[1]:
        theirs, ours = (found.get(text) for found in claims)
        yield Compared(figure, text, theirs and theirs["holds"], ours and ours["holds"], None)
    numbers = [dict(_numbers(entry["measured"])) for entry in (record, now)]
    for name in numbers[0] | numbers[1]:
        theirs, ours = (found.get(name) for found in numbers)
        yield Compared(figure, name, theirs, ours, _spread(name, theirs))


def entries(
    record: Mapping[str, Any], names: list[str], seeds: Collection[int] = ()
) -> dict[tuple[int, bool], list[str]]:
    """For each seed and size in a record, the figures among `names` that it has of them. Raises DataError if none.

    Of each figure the seed whose picture lies there; if `seeds` are given, those of them that it has records of.
    """
    found = {}
    try:
        for key, entry in record.items():
            of = [seed for seed in seeds_of(entry) if seed in seeds] if seeds else [entry["seed"]]
            for name in names:
                if key == name or (key.startswith(f"{name}-") and _longest(key, names) == name):
                    for seed in of:
                        found.setdefault((seed, entry["quick"]), set()).add(name)
    except (TypeError, KeyError, ValueError, AttributeError) as fault:
        raise DataError(f"the record of {key} is not one to compare with: draw it anew") from fault
    if not found:
        raise DataError(f"there is no record of {', '.join(names)} to compare with: draw it first")
    return {made: [name for name in names if name in some] for made, some in sorted(found.items())}


def table(lines: list[Compared]) -> str:
    """The comparison, one line per number."""
    rows = [("figure", "", "record", "now", "may differ by", "")]
    for line in lines:
        spread = "" if line.spread is None else "any" if line.spread == inf else f"{line.spread:.3g}"
        values = [_short(line.record), _short(line.now)]
        rows.append((line.figure, line.what, *values, spread, "agrees" if line.agrees else "DIFFERS"))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join("  ".join([*(f"{row[c]:{widths[c]}}" for c in range(5)), row[5]]) for row in rows)


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every number and text in nested dicts and lists, with its dotted name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _numbers(inner, f"{name}.{place}")
    else:
        yield name, value


def _spread(name: str, value: Any) -> float | None:
    for part in reversed(name.split(".")):
        if part in SPREADS:
            return SPREADS[part]
    return OTHERWISE * abs(value) + 1e-6 if isinstance(value, float) else None


def _longest(key: str, names: list[str]) -> str:
    """Whose the files of that stem are: figure4-exact's, not figure4's."""
    return max((name for name in names if key.startswith(name)), key=len)


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else "holds" if value is True else str(value)
    text = "fails" if value is False else "missing" if value is None else text
    return text if len(text) <= 24 else f"{text[:10]} … {text[-10:]}"
