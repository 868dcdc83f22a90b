"""The host's memory: keep freed memory, ask for huge pages, and refuse a calculation that is too large."""

import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

from drlim_np.errors import require


@cache
def keep_freed_memory() -> None:
    """Lets the process keep the memory that it frees: a step in a fresh process then takes a third of the time."""
    # Having seen one large array freed, glibc keeps freed memory instead of returning it to the system, which would
    # hand it back page by page, zeroed (mallopt(3), M_MMAP_THRESHOLD). Elsewhere this changes nothing.
    np.empty(31 << 20, np.uint8)
    ask_for_large_pages()


def ask_for_large_pages() -> None:
    """Makes NumPy ask Linux for huge pages (madvise(2)), which this thread's arrays reuse: steps take 3 to 5 % less."""
    np.empty(30 << 20, np.uint8)


def free_memory() -> int:
    """Bytes that are free on the machine and in its container; at most sys.maxsize."""
    limits = [sys.maxsize]
    with suppress(OSError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        limits += [1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    with suppress(OSError, ValueError):  # if there is no limit, the file says "max"
        most, taken = (int(Path("/sys/fs/cgroup", f"memory.{name}").read_text()) for name in ("max", "current"))
        limits.append(most - taken)
    return min(limits)


def require_memory(needed: float, what: str) -> None:
    """Refuses `what`, with both numbers, if it needs more bytes than are free."""
    free = free_memory()
    numbers = f"{needed / 2**30:.3g} GiB of memory, and {free / 2**30:.3g} are free"
    require(needed <= free, f"{what} needs {numbers}: take fewer samples")
