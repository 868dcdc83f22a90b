"""The benchmark's tables, in Markdown, from what the processes hand back."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from drlim_np.bench.race import Times

CONTEST = ("case", "size", "threads", "ours", "against", "theirs", "ratio", "half of them", "rounds", "differ by")
REACHED = ("case", "size", "threads", "in a second", "share")
GROWTH = ("case", "threads", "size", "times the size", "times the cost", "power")
LAYERS = ("layer", "forward", "backward", "share")
PARTS = ("what", "time", "products at", "results")
MEMORY = ("step", "samples", "time", "peak memory")


def heading(columns: Iterable[str]) -> str:
    """A table's first two lines."""
    return f"{_row(*columns)}\n{_row(*('---' for _ in columns))}"


def bound(threads: int, flops: float, bytes: float) -> str:
    """What the machine can do on so many threads, in one line."""
    return (
        f"Its bound on {threads} thread{'s' * (threads > 1)}: matrix products {flops / 1e9:.0f} GFLOP/s in float32,"
        f" copies {bytes / 1e9:.0f} GB/s, read and written."
    )


def contest(case: str, size: int, threads: int, times: Times) -> Iterator[str]:
    """A line for each opponent: both medians, the median ratio of our time to theirs, and its quartiles."""
    (_, ours), *others = times.seconds.items()
    differ = "" if times.differ is None else f"{times.differ:.0e}"
    for name, theirs in others:
        low, middle, high = np.quantile(np.array(ours) / np.array(theirs), (0.25, 0.5, 0.75))
        compared = (
            duration(np.median(ours)),
            name,
            duration(np.median(theirs)),
            f"{middle:.2f}",
            f"{low:.2f}–{high:.2f}",
        )
        yield _row(case, f"{size:,}", threads, *compared, len(ours), differ)


def reached(case: str, size: int, threads: int, times: Times, peak: float) -> str:
    """What ours does in a second, and its share of the bound. peak: flop/s of matrix products."""
    seconds = float(np.median(times.seconds["ours"]))
    share = f"{times.flop / seconds / peak:.0%}" if times.flop else ""
    return _row(case, f"{size:,}", threads, f"{_short(times.work / seconds)} {times.unit}", share)


def growth(case: str, threads: int, by_size: dict[int, Times]) -> Iterator[str]:
    """From each size to the next: how many times the size, the cost, and the power of the size that the cost is."""
    for (small, before), (large, after) in pairwise(by_size.items()):
        times = np.median(after.seconds["ours"]) / np.median(before.seconds["ours"])
        power = np.log(times) / np.log(large / small)
        yield _row(case, threads, f"{small:,} → {large:,}", f"{large / small:.3g}", f"{times:.3g}", f"{power:.2f}")


def layers(spent: dict[str, list[float]]) -> Iterator[str]:
    """Each layer's seconds, forward and backward, and its share of the whole."""
    whole = sum(map(sum, spent.values()))
    for name, (forward, backward) in spent.items():
        yield _row(name, duration(forward), duration(backward), f"{(forward + backward) / whole:.0%}")


def parts(found: dict[str, tuple[float, int, int]]) -> Iterator[str]:
    """Each part's time, the rate at which it multiplies, where it does, and the size of what it writes."""
    for name, (seconds, flop, bytes) in found.items():
        rate = f"{flop / seconds / 1e9:.0f} GFLOP/s" if flop else ""
        yield _row(name, duration(seconds), rate, f"{bytes / 1e6:.2f} MB")


def memory(step: str, samples: int, seconds: float, bytes: float) -> str:
    """What a step took, alone in its process."""
    return _row(step, f"{samples:,}", duration(seconds), f"{bytes / 2**30:.2f} GiB")


def duration(seconds: float) -> str:
    """Three digits, in the unit that suits them."""
    scale, unit = next((s, u) for s, u in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")) if seconds >= s or u == "µs")
    return f"{seconds / scale:#.3g}".rstrip(".") + f" {unit}"


def _short(number: float) -> str:
    scale, word = next(
        (s, w) for s, w in ((1e9, " billion"), (1e6, " million"), (1e3, " thousand"), (0, "")) if number >= s
    )
    return f"{number / (scale or 1):.3g}{word}"


def _row(*cells) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
