"""How much memory some lines allocate, where the interpreter can tell."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def peak_of_memory() -> Iterator[Callable[[], int]]:
    """Gives peak(), the most bytes allocated at once since the block began; skips where nobody counts, as on PyPy."""
    counter = pytest.importorskip("tracemalloc", reason="this interpreter does not count what it allocates")
    counter.start()
    try:
        yield lambda: counter.get_traced_memory()[1]
    finally:
        counter.stop()
