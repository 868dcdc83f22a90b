"""What waits for memory changes no value, and freed memory stays with the process."""

import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from drlim_np.errors import InputError
from drlim_np.fast import memory
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.fast.memory import free_memory, one_minus_square, plus, require_memory
from drlim_np.measure.lle import lle


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_one_minus_the_square_is_what_it_says_to_the_last_bit_and_leaves_its_argument_alone(dtype):
    y = np.random.default_rng(0).uniform(-1, 1, (7, 3)).astype(dtype)
    before = y.copy()
    assert np.array_equal(one_minus_square(y), 1 - y * y)
    assert np.array_equal(y, before)


@pytest.mark.parametrize(("of_y", "of_b"), [("f4", "f4"), ("f8", "f8"), ("f8", "c16"), ("c16", "f8"), ("c16", "c16")])
def test_a_sum_in_place_keeps_the_imaginary_part_of_either_term(of_y, of_b):
    y, b = np.arange(6).reshape(2, 3).astype(of_y), np.array([1, 2, 3]).astype(of_b)
    b = b * 1j if of_b == "c16" else b
    expected = y + b
    found = plus(y, b)
    assert found.dtype == expected.dtype and np.array_equal(found, expected)


# ---- what is free ----


@pytest.fixture
def told(monkeypatch):
    """Puts content in place of the files of a system by their names; without it they are not there."""

    def tell(**files):
        def read(path):
            if path.name not in files:
                raise FileNotFoundError(path)
            return files[path.name]

        monkeypatch.setattr(memory.Path, "read_text", read)

    return tell


MACHINE = "MemTotal:  9 kB\nMemFree:  2 kB\nMemAvailable:  5 kB\nBuffers:  1 kB\n"


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, float("inf")),
        ({"meminfo": MACHINE}, 5 * 1024),
        ({"meminfo": MACHINE, "memory.max": "4096\n", "memory.current": "1000\n"}, 3096),
        ({"meminfo": MACHINE, "memory.max": "40960\n", "memory.current": "1000\n"}, 5 * 1024),
        ({"meminfo": MACHINE, "memory.max": "max\n", "memory.current": "1000\n"}, 5 * 1024),
    ],
)
def test_free_is_what_the_machine_has_and_the_container_allows(told, files, free):
    told(**files)
    assert free_memory() == free


def test_what_cannot_fit_is_refused_with_both_numbers_before_it_is_begun(told):
    told(meminfo=MACHINE.replace("5 kB", f"{3 << 18} kB"))
    require_memory(3 << 28, "as much as there is")
    with pytest.raises(InputError, match=r"^a table needs 2 GiB of memory, and 0\.75 are free: take fewer samples$"):
        require_memory(2 << 30, "a table")
    images = np.broadcast_to(np.float32(0), (300_000, 1024))
    with pytest.raises(InputError, match=r"nearest neighbours in an x of shape \(300000, 1024\) needs 6\.87 GiB"):
        nearest_neighbours(images, 5)
    chain = [[1], *([k - 1] for k in range(1, 12_000))]
    with pytest.raises(InputError, match=r"^LLE of 12,000 samples needs 1\.07 GiB of memory"):
        lle(np.zeros((12_000, 2)), chain)


PROGRAM = """
import resource
import numpy as np
from drlim_np.fast.memory import keep_freed_memory
{call}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    several = [np.ones(1 << 18) for _ in range(10)]  # 2 MiB each, 5,120 pages in all
    del several
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is kept by the rule of glibc")
def test_freed_memory_is_not_asked_of_the_system_again():
    def pages(call):
        run = [sys.executable, "-c", PROGRAM.format(call=call)]
        return int(subprocess.run(run, capture_output=True, text=True, check=True).stdout)

    assert pages("keep_freed_memory()") < 2 * 5120 < pages("")


LARGE = """
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from drlim_np.fast.blocks import on_threads
from drlim_np.fast.memory import keep_freed_memory
keep_freed_memory()

def flagged():
    array, inside = np.ones(1 << 18), False
    for line in open("/proc/self/smaps"):
        first = line.split()[0]
        if "-" in first:
            start, end = (int(address, 16) for address in first.split("-"))
            inside = start <= array.ctypes.data + array.nbytes // 2 < end
        elif first == "VmFlags:" and inside:
            return "hg" in line.split()

print(flagged())
with ThreadPoolExecutor(1) as pool:
    print(pool.submit(flagged).result())
print(*on_threads(lambda _: flagged(), range(2), 2))
"""


@pytest.mark.skipif(not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="Linux has large pages")
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is kept by the rule of glibc")
def test_what_is_kept_lies_in_large_pages_in_this_thread_and_in_those_of_blocks():
    said = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["True", "False", "True", "True"]
