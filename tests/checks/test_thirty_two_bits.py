"""Whole numbers on a machine of 32 bits, here by its limits in the place of ours: counts are right, refusals name them.

On such a machine `np.unique` counts in int32, no array is larger than 2³¹ - 1 bytes, and NumPy cuts an index to int32.
"""

import sys
from functools import partial

import numpy as np
import pytest

from drlim_np.data.split import in_their_span
from drlim_np.estimator import DrLIM, inputs
from drlim_np.fast import memory
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.graph import SimilarityGraph
from drlim_np.measure.lle import lle
from tests.help.refusals import refuses


@pytest.fixture
def thirty_two_bits(monkeypatch):
    """This process with the limits of one of 32 bits."""
    unique = np.unique

    def counted(x, **asked):
        answer = unique(x, **asked)
        return (*answer[:-1], answer[-1].astype(np.int32)) if "return_counts" in asked else answer

    monkeypatch.setattr(inputs.np, "unique", counted)
    monkeypatch.setattr(inputs.np, "triu_indices", lambda *_: pytest.fail("pairs are listed that memory does not hold"))
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)


@pytest.mark.parametrize("samples", [8_193, 46_341, 46_342, 65_536, 92_682, 100_000, 1_000_000])
def test_labels_that_list_too_many_pairs_are_refused_by_their_number(samples, thirty_two_bits):
    x = np.broadcast_to(np.float32(0.5), (samples, 1))
    listed = f"y lists {samples * (samples - 1) // 2:,} similar pairs: fit a part of the samples"
    refuses(lambda: DrLIM().fit(x, np.zeros(samples, np.int8)), listed)


def test_what_no_array_of_32_bits_holds_is_refused_by_its_number(thirty_two_bits):
    images = np.broadcast_to(np.float32(0), (300_000, 1024))
    refuses(lambda: nearest_neighbours(images, 5), "x of shape (300000, 1024) needs 6.87 GiB of memory, and ")
    ring = np.roll(np.arange(20_000), 1)[:, None]
    refuses(lambda: lle(np.arange(40_000.0).reshape(-1, 2), ring), "LLE of 20,000 samples needs 2.98 GiB of memory, ")
    refuses(lambda: SimilarityGraph(2**31, []), f"size is {2**31}: it must be a whole number from 0 to {2**31 - 1}")
    largest = SimilarityGraph(2**31 - 1, [[0, 2**31 - 2]])
    assert largest.dissimilar_count == (2**31 - 1) * (2**30 - 1) - 1
    assert largest.edges.tolist() == [[0, 2**31 - 2]]
    refuses(lambda: largest.degree, "the degree of each of 2,147,483,647 samples needs 16 GiB of memory, and ")
    refuses(lambda: largest.within([0]), "a list of neighbours for each of 2,147,483,647 samples needs 16 GiB")


CUT = [2**32, 2**32 + 1, -(2**32), 2**63 - 1, -1, 3]  # as int32: 0, 1, 0, -1, -1, 3
TAKERS = {
    "pairs": (lambda i: SimilarityGraph(3, [[0, i]]), "pair 0 is (0, {}): samples count from 0 to 2"),
    "table": (lambda i: SimilarityGraph.of_neighbours([[1], [2], [i]]), "pair 2 is (2, {}): samples count from 0 to 2"),
    "within": (lambda i: SimilarityGraph(3, [[0, 1]]).within([0, i]), "samples holds {}: samples count from 0 to 2"),
    "lle": (lambda i: lle(np.eye(3), [[1], [2], [i]], 1), "sample 2 has neighbours [{}]: they must be distinct others"),
    "fit": (lambda i: DrLIM().fit(np.eye(3), similar=[[0, 1], [2, i]]), "pair 1 is (2, {}): samples count from 0 to 2"),
    "split": (lambda i: in_their_span(np.eye(3), [0, i]), "train holds {}: samples count from 0 to 2"),
}


@pytest.mark.parametrize("index", CUT)
@pytest.mark.parametrize("taker", TAKERS)
def test_an_index_that_no_sample_has_is_refused_before_it_is_used(taker, index):
    call, message = TAKERS[taker]
    refuses(partial(call, index), message.format(index))


def test_what_is_free_is_what_the_process_may_still_address(monkeypatch):
    resource = pytest.importorskip("resource", reason="Windows sets a process no such limit")
    files = {"meminfo": f"MemAvailable: {2**40} kB", "statm": "1000 10 10"}
    monkeypatch.setattr(memory.Path, "read_text", lambda path: files.get(path.name, "max"))
    used, none, wide, narrow = 1000 * memory.PAGESIZE, resource.RLIM_INFINITY, 2**63 - 1, 2**31 - 1
    cases = (2**30, wide, 2**30 - used), (none, wide, 2**50), (none, narrow, narrow), (2**30, narrow, 2**30 - used)
    for allowed, maxsize, free in cases:
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=allowed: (soft, soft))
        monkeypatch.setattr(sys, "maxsize", maxsize)
        assert memory.free_memory() == free
    files["statm"] = f"{3 * 2**30 // memory.PAGESIZE} 10 10"
    monkeypatch.setattr(resource, "getrlimit", lambda _: (none, none))
    assert memory.free_memory() == 2 * narrow - 3 * 2**30
