"""Two arrays or trees compared, by norm or bit for bit: what most tests here assert."""

import numpy as np

from drlim_np.tree import leaves

BOUND = 1e-12


def assert_close(actual, expected, bound=BOUND):
    """One shape, and a difference of at most `bound` of the norm."""
    assert np.shape(actual) == np.shape(expected)
    assert np.linalg.norm(np.subtract(actual, expected)) <= bound * np.linalg.norm(expected)


def assert_same(first, second):
    """Bitwise equality of two gradients or trees."""
    first, second = (dict(leaves(g._asdict() if hasattr(g, "_asdict") else g)) for g in (first, second))
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)
