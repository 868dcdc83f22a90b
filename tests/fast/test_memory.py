"""What waits for memory changes no value, and freed memory stays with the process."""

import platform
import subprocess
import sys

import numpy as np
import pytest

from drlim_np.fast.memory import one_minus_square, plus


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
