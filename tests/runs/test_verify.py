"""A figure drawn again is held against its record: what may differ, by how much, and what is found to repeat."""

from copy import deepcopy
from math import nan

import pytest

from drlim_np.runs import verify

ENTRY = {
    "data": {"sha256": {"train-images": "cd"}},
    "settings": {"margin": 1.0},
    "claims": [{"text": "a bound is kept", "holds": True}],
    "measured": {"drlim": {"accuracy": 0.9}, "pairs": 3, "loss": 2.5},
}
CHANGES = {
    "a number": lambda entry: entry["measured"]["drlim"].update(accuracy=0.7),
    "a claim": lambda entry: entry["claims"][0].update(holds=False),
    "the data": lambda entry: entry["data"]["sha256"].update({"train-images": "ab"}),
    "the settings": lambda entry: entry["settings"].update(margin=2.0),
    "a number more": lambda entry: entry["measured"].update(more=1.0),
    "a number less": lambda entry: entry["measured"].pop("loss"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_differs_from_a_record_is_one_row(change):
    CHANGES[change](changed := deepcopy(ENTRY))
    assert [row[-1] for row in verify.compare("figure4", ENTRY, ENTRY)] == ["agrees"] * 6
    assert [row[-1] for row in verify.compare("figure4", changed, ENTRY)].count("DIFFERS") == 1


@pytest.mark.parametrize(
    ("name", "record", "now", "agrees"),
    [("slant_r2", 0.5, 0.52, True), ("slant_r2", 0.5, 0.54, False), ("slant_r2", 0.5, nan, False)]
    + [("a loss", 1.0, 1.049, True), ("a loss", 1.0, 1.051, False), ("a loss", nan, 1.0, False)]
    + [("a count", 3, 3, True), ("a count", 3, 4, False), ("a count", 3, 3.0, False), ("a loss", 1.0, None, False)],
)
def test_numbers_agree_within_their_spread_and_counts_if_equal(name, record, now, agrees):
    old, new = ({"data": 0, "settings": 0, "claims": [], "measured": {name: value}} for value in (record, now))
    assert [row[-1] == "agrees" for row in verify.compare("figure1", old, new)] == [True, True, agrees]


def test_the_figures_of_a_record_are_found_with_their_seeds_and_sizes():
    record = {
        "figure4-mnist": {"seed": 0, "quick": False},
        "figure4-exact-mnist": {"seed": 1, "quick": False},
        "figure1-quick": {"seed": 0, "quick": True},
        "figure10-airplane": {"seed": 0, "quick": False},
    }
    assert verify.repeated(record, ["figure1", "figure4", "figure4-exact"], []) == {
        (0, False): ["figure4"],
        (0, True): ["figure1"],
        (1, False): ["figure4-exact"],
    }
