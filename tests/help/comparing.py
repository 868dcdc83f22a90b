"""Two arrays, trees or folders compared, by norm or bit for bit: what most tests here assert."""

import re

import numpy as np

from drlim_np.tree import leaves

BOUND = 1e-12


def assert_close(actual, expected, bound=BOUND):
    """One shape, and a difference of at most `bound` of the norm; of two trees, leaf by leaf."""
    for (name, a), (same_name, b) in zip(leaves(actual), leaves(expected), strict=True):
        assert name == same_name and np.shape(a) == np.shape(b), name
        assert np.linalg.norm(np.subtract(a, b)) <= bound * np.linalg.norm(b), name


def bits(*trees):
    """Name, dtype, shape and bytes of every array: equal only where all are, to the last bit."""
    arrays = [(name, np.asarray(leaf)) for tree in trees for name, leaf in leaves(tree)]
    return [(name, array.dtype, array.shape, array.tobytes()) for name, array in arrays]


def assert_agree(actual, expected, vanishing="output.bias", bound=BOUND):
    """Two losses, each with its gradient: tensors by their own norm, but the vanishing one by the norm of all."""
    assert abs(actual[0] - expected[0]) <= bound * expected[0]
    whole = np.sqrt(sum(np.sum(g * g) for _, g in leaves(expected[1])))
    for (name, g), (same_name, h) in zip(leaves(actual[1]), leaves(expected[1]), strict=True):
        scale = whole if name == vanishing else np.linalg.norm(h)
        assert name == same_name and np.linalg.norm(g - h) <= bound * scale, name


def assert_same(first, second):
    """Bitwise equality of two gradients or trees."""
    first, second = (dict(leaves(g._asdict() if hasattr(g, "_asdict") else g)) for g in (first, second))
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def contents(folder):
    """The bytes of every file in the folder, but for its lock, by its name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != ".lock"}


def timeless(folder):
    """The same, without the seconds that each figure took."""
    return {name: re.sub(rb'"wall_seconds": .*', b"", content) for name, content in contents(folder).items()}
