"""Small trainings, one after the other, through a cache: for tests, and run as a program, for them to kill.

The program writes a dot before each step: a sign of work, by which the moment to kill it is chosen.
"""

import io
import sys
from functools import partial
from pathlib import Path

import numpy as np

from drlim_np.files.cache import Cache
from drlim_np.training import SGD, minimise
from tests.help.comparing import bits

STEPS, SEEDS = 300, range(5)


def descent(seed: int, taken=None):
    """W and the losses of a noisy descent into a bowl. `taken` is called before each step."""

    def objective(params, rng, progress):
        if taken:
            taken()
        w = params["hidden"]["weight"]
        noise = rng.standard_normal(w.shape)
        return ((w - 1) ** 2).sum(), {"hidden": {"weight": 2 * (w - 1) + noise}, "squash": {}}

    start = {"hidden": {"weight": np.zeros((3, 4))}, "squash": {}}
    found = minimise(objective, start, SGD(0.1, 0.9), STEPS, np.random.default_rng(seed), stream=io.StringIO())
    return dict(zip(("W", "losses"), found, strict=True))


def trained(cache: Cache, seed: int = 0, taken=None):
    """The bits of one training, found in the cache or not."""
    return bits(cache.tree(f"training {seed}", [seed, STEPS], partial(descent, seed, taken)))


if __name__ == "__main__":
    for number in SEEDS:
        trained(Cache(Path(sys.argv[1])), number, partial(print, end=".", flush=True))
