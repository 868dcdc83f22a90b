"""Trees of parameters: maps, names and sums."""

import numpy as np
import pytest

from drlim_np.tree import add, leaves, tree_map


def small_tree():
    return {"C1": {"weight": np.array([1.0, 2.0]), "bias": np.array([3.0])}, "squash": {}, "F4": np.array([4.0])}


def as_lists(tree):
    return {name: leaf.tolist() for name, leaf in leaves(tree)}


@pytest.mark.parametrize(
    ("tree", "twice"),
    [
        (small_tree(), {"C1.weight": [2, 4], "C1.bias": [6], "F4": [8]}),
        (np.array([1.0]), {"": [2.0]}),
    ],
)
def test_a_map_acts_on_every_leaf_and_keeps_structure_dotted_names_and_order(tree, twice):
    mapped = tree_map(lambda leaf: 2 * leaf, tree)
    assert list(as_lists(mapped).items()) == list(twice.items())
    assert not isinstance(tree, dict) or (list(mapped) == ["C1", "squash", "F4"] and mapped["squash"] == {})


def test_leaves_of_several_trees_come_in_the_order_of_the_trees_and_are_matched_by_name_or_not_mapped():
    mapped = tree_map(lambda a, b, c: (a - b) * c, {"u": 5, "v": 7}, {"v": 1, "u": 2}, {"u": 10, "v": 100})
    assert mapped == {"u": 30, "v": 600}
    with pytest.raises(KeyError):
        tree_map(lambda a, b: a + b, {"u": 1, "v": 2}, {"u": 1})


def test_the_sum_of_two_trees_adds_leaf_by_leaf_and_changes_neither():
    first, second = small_tree(), tree_map(lambda leaf: 10 * leaf, small_tree())
    assert as_lists(add(first, second)) == {"C1.weight": [11, 22], "C1.bias": [33], "F4": [44]}
    assert as_lists(first) == as_lists(small_tree())
    assert second["C1"]["weight"].tolist() == [10, 20]
