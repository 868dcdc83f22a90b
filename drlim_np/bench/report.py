"""The benchmark's tables, in Markdown."""

from collections.abc import Iterator

import numpy as np

from drlim_np.bench.race import Times

CONTEST = ("case", "size", "threads", "ours", "against", "theirs", "ratio", "half of them")
CONTEST += ("rounds", "differ by", "of the bound", "growth")


def row(*cells) -> str:
    """A line of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def heading(title: str, *columns: str) -> str:
    """A table's title and its first two lines."""
    return f"\n{title}\n\n{row(*columns)}\n{row(*('---' for _ in columns))}"


def contest(case: str, size: int, threads: int, times: Times, peak: float, before: tuple | None) -> Iterator[str]:
    """A line for each opponent: both medians, the median ratio of our time to theirs, and its quartiles.

    peak:   flop/s of matrix products, of which ours reaches a share, or 0.
    before: another size and our seconds there: our time grows as a power of the size.
    """
    (_, ours), *others = times.seconds.items()
    seconds = np.median(ours)
    differ = "" if times.differ is None else f"{times.differ:.0e}"
    share = f"{times.flop / seconds / peak:.0%}" if peak and times.flop else ""
    growth = f"{np.log(seconds / np.median(before[1])) / np.log(size / before[0]):.2f}" if before else ""
    for name, theirs in others:
        low, middle, high = np.quantile(np.array(ours) / np.array(theirs), (0.25, 0.5, 0.75))
        compared = duration(seconds), name, duration(np.median(theirs)), f"{middle:.2f}", f"{low:.2f}–{high:.2f}"
        yield row(case, f"{size:,}", threads, *compared, len(ours), differ, share, growth)


def duration(seconds: float) -> str:
    """Three digits, in the unit that suits them."""
    scale, unit = next((s, u) for s, u in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")) if seconds >= s or u == "µs")
    return f"{seconds / scale:#.3g}".rstrip(".") + f" {unit}"
