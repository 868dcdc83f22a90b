"""The benchmark's tables, in Markdown."""

from collections.abc import Iterator

import numpy as np

from drlim_np.bench.race import Times

CONTEST = ("case", "size", "threads", "ours", "against", "theirs", "ratio", "half of them", "rounds", "differ by")
REACHED = ("case", "size", "threads", "in a second", "share of the bound", "growth")
PARTS = ("what", "time", "share", "products at")
MEMORY = ("step", "samples", "time", "peak memory")


def row(*cells) -> str:
    """A line of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def heading(title: str, columns: tuple[str, ...]) -> str:
    """A table's title and its first two lines."""
    return f"\n{title}\n\n{row(*columns)}\n{row(*('---' for _ in columns))}"


def contest(case: str, size: int, threads: int, times: Times) -> Iterator[str]:
    """A line for each opponent: both medians, the median ratio of our time to theirs, and its quartiles."""
    (_, ours), *others = times.seconds.items()
    differ = "" if times.differ is None else f"{times.differ:.0e}"
    for name, theirs in others:
        low, middle, high = np.quantile(np.array(ours) / np.array(theirs), (0.25, 0.5, 0.75))
        compared = duration(np.median(ours)), name, duration(np.median(theirs))
        ratio = f"{middle:.2f}", f"{low:.2f}–{high:.2f}"
        yield row(case, f"{size:,}", threads, *compared, *ratio, len(ours), differ)


def reached(case: str, threads: int, by_size: dict[int, Times], peak: float) -> Iterator[str]:
    """Work in a second, its share of `peak` flop/s of matrix products, and the power of the size that the cost is."""
    before = None
    for size, times in by_size.items():
        seconds = float(np.median(times.seconds["ours"]))
        rate = f"{times.work / seconds:,.3g} {times.unit}"
        share = f"{times.flop / seconds / peak:.0%}" if times.flop else ""
        power = f"{np.log(seconds / before[1]) / np.log(size / before[0]):.2f}" if before else ""
        yield row(case, f"{size:,}", threads, rate, share, power)
        before = size, seconds


def parts(layers: dict[str, float], alone: dict[str, tuple[float, int]]) -> Iterator[str]:
    """Each layer's time and share of the step; then each part's alone, and the rate at which it multiplies."""
    whole = sum(layers.values())
    for name, seconds in layers.items():
        yield row(name, duration(seconds), f"{seconds / whole:.0%}", "")
    for name, (seconds, flop) in alone.items():
        rate = f"{flop / seconds / 1e9:.0f} GFLOP/s" if flop else ""
        yield row(name, duration(seconds), f"{seconds / whole:.0%}", rate)


def duration(seconds: float) -> str:
    """Three digits, in the unit that suits them."""
    scale, unit = next((s, u) for s, u in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")) if seconds >= s or u == "µs")
    return f"{seconds / scale:#.3g}".rstrip(".") + f" {unit}"
