"""Trees of parameters: maps, names and sums."""

import numpy as np
import pytest

from drlim_np.tree import add, leaves, tree_map


def small_tree():
    return {"C1": {"weight": np.array([1.0, 2.0]), "bias": np.array([3.0])}, "squash": {}, "F4": np.array([4.0])}


def as_lists(tree):
    return {name: leaf.tolist() for name, leaf in leaves(tree)}


def test_a_map_acts_on_every_leaf_and_keeps_the_structure():
    mapped = tree_map(lambda leaf: -leaf, small_tree())
    assert list(mapped) == ["C1", "squash", "F4"] and mapped["squash"] == {}
    assert as_lists(mapped) == {"C1.weight": [-1, -2], "C1.bias": [-3], "F4": [-4]}


def test_leaves_of_several_trees_come_in_the_order_of_the_trees_and_are_matched_by_name():
    mapped = tree_map(lambda a, b, c: (a - b) * c, {"u": 5, "v": 7}, {"v": 1, "u": 2}, {"u": 10, "v": 100})
    assert mapped == {"u": 30, "v": 600}


def test_trees_of_another_structure_are_not_mapped():
    with pytest.raises(KeyError):
        tree_map(lambda a, b: a + b, {"u": 1, "v": 2}, {"u": 1})


def test_an_array_alone_is_a_tree():
    assert tree_map(lambda leaf: 2 * leaf, np.array([1.0])).tolist() == [2]
    assert as_lists(np.array([1.0])) == {"": [1.0]}


def test_leaves_come_with_dotted_names_in_the_order_of_the_tree():
    assert list(as_lists(small_tree()).items()) == [("C1.weight", [1, 2]), ("C1.bias", [3]), ("F4", [4])]


def test_the_sum_of_two_trees_adds_leaf_by_leaf_and_changes_neither():
    first, second = small_tree(), tree_map(lambda leaf: 10 * leaf, small_tree())
    assert as_lists(add(first, second)) == {"C1.weight": [11, 22], "C1.bias": [33], "F4": [44]}
    assert as_lists(first) == as_lists(small_tree())
    assert second["C1"]["weight"].tolist() == [10, 20]
