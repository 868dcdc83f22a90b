"""How much memory is free, and that freed memory stays with the process."""

import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from drlim_np.fast import devices
from drlim_np.fast.devices import free_memory, require_memory
from drlim_np.fast.knn import nearest_neighbours
from tests.help.refusals import refuses

kept = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or sys.maxsize < 2**32 or sys.implementation.name != "cpython",
    reason="glibc keeps memory, on 32 bits nothing above 512 KiB, and PyPy does not free an array at once",
)


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Puts content in place of the files of a system by their names; without it they are not there."""
    monkeypatch.setattr(devices, "Path", lambda *parts: tmp_path / Path(*parts).name)
    return lambda **files: [(tmp_path / name).write_text(content) for name, content in files.items()]


MACHINE = "MemTotal:  9 kB\nMemFree:  2 kB\nMemAvailable:  5 kB\nBuffers:  1 kB\n"


@pytest.mark.parametrize(("limit", "free"), [("4096\n", 3096), ("40960\n", 5 * 1024), ("max\n", 5 * 1024)])
def test_free_is_what_the_machine_has_and_the_container_allows(told, limit, free):
    assert free_memory() == sys.maxsize
    told(meminfo=MACHINE)
    assert free_memory() == 5 * 1024
    told(**{"meminfo": MACHINE, "memory.max": limit, "memory.current": "1000\n"})
    assert free_memory() == free


def test_what_cannot_fit_is_refused_with_both_numbers_before_it_is_begun(told):
    told(meminfo=MACHINE.replace("5 kB", f"{3 << 18} kB"))
    require_memory(3 << 28, "as much as there is")
    refused = "a table needs 2 GiB of memory, and 0.75 are free: take fewer samples"
    refuses(lambda: require_memory(2 << 30, "a table"), refused)
    images = np.broadcast_to(np.float32(0), (300_000, 1024))
    refused = "nearest neighbours in an x of shape (300000, 1024) needs 6.87 GiB"
    refuses(lambda: nearest_neighbours(images, 5), refused)


def said(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


PROGRAM = """
import resource
import numpy as np
from drlim_np.fast.devices import keep_freed_memory
{call}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    several = [np.ones(1 << 18) for _ in range(10)]  # 2 MiB each, 5,120 pages in all
    del several
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@kept
def test_freed_memory_is_not_asked_of_the_system_again():
    assert int(said(PROGRAM.format(call="keep_freed_memory()"))) < 2 * 5120 < int(said(PROGRAM.format(call="")))


LARGE = """
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from drlim_np.fast.blocks import on_threads
from drlim_np.fast.devices import keep_freed_memory
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
@kept
def test_what_is_kept_lies_in_large_pages_in_this_thread_and_in_those_of_blocks():
    assert said(LARGE).split() == ["True", "False", "True", "True"]
