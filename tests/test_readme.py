"""What the README says holds: its commands, its code and its links."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_opens_with_two_commands_that_do_their_own_set_up():
    set_up = 'python3 -m venv .venv && .venv/bin/python -m pip install -q -e ".[test]" && .venv/bin/python '
    commands = re.findall(r"```sh\n(.*)\n```", README)
    assert commands == [set_up + "run_all.py", set_up + "-m pytest"]


@pytest.fixture(scope="module")
def scope(tmp_path_factory):
    """What the README's blocks of Python leave behind, run one after the other in a folder of their own."""
    names, home = {}, os.getcwd()
    os.chdir(tmp_path_factory.mktemp("readme"))
    try:
        for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
            exec(block, names)
    finally:
        os.chdir(home)
    return names


def test_the_code_in_the_readme_runs(scope):
    assert scope["dW"]["C1"]["weight"].shape == (15, 1, 6, 6)


def test_your_own_data_becomes_a_map_of_ten_lines_that_puts_unseen_neighbours_together(scope):
    z = scope["z"]
    assert z.shape == (len(scope["unseen"]), 2)
    apart = np.linalg.norm(z[:, None] - z, axis=2)
    step = np.linalg.norm(z - np.roll(z, -1, axis=0), axis=1)
    assert step.max() < 0.15 * apart.mean(), "the spot's next place is near"
    assert apart.mean() > 1, "and the map did not collapse: most are a margin apart"
    lines = README.partition("# From here on")[2].partition("```")[0].splitlines()[1:]
    assert len([line for line in lines if line]) <= 10


def test_every_link_in_the_readme_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r'src="([^"]+)"', README)
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_function_and_test_in_the_readme_is_where_it_says():
    named = re.findall(r"\[`(\w+)`\]\(([\w/]+\.py)\)", README)
    assert len(named) > 50
    missing = [
        (name, file)
        for name, file in named
        if not re.search(rf"^ *(def|class) {name}\b", (ROOT / file).read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]
    assert missing == []


def test_every_equation_step_and_figure_of_the_paper_has_its_line():
    lines = [line for line in README.splitlines() if line.startswith("| ") and "](tests/" in line]
    for wanted in [f"Eq. {number}," for number in range(1, 8)] + [
        "Step 1,",
        "Step 2,",
        "Sec. 3.2",
        "Sec. 3.3",
        "Sec. 3.4",
    ]:
        assert [line for line in lines if line.startswith(f"| {wanted}")], wanted
    shown = {number for line in lines for number in re.findall(r"\[(\d+)\]\(drlim_np/figures/figure\1\.py\)", line)}
    assert shown == {str(number) for number in range(1, 11)}


def test_every_number_beside_a_figure_is_in_its_record():
    """Those in the tables of results are written from it: see tests/figures/test_results.py."""
    record = json.loads((ROOT / "figures" / "metrics.json").read_text(encoding="utf-8"))
    by_hand = re.sub(r"<!-- results: begin.*?<!-- results: end -->", "", README, flags=re.DOTALL)
    checked = 0
    for line in by_hand.splitlines():
        stems = re.findall(r"figures/([\w-]+)\.png", line)
        known = {f"{value:.3f}" for stem in stems for value in numbers_in(record.get(stem))}
        numbers = re.findall(r"(?<![\w.])-?\d+\.\d{3}\b", line) if stems else []
        assert [number for number in numbers if number not in known] == [], line
        checked += len(numbers)
    assert checked > 15


def numbers_in(entry):
    """Every number in a record, however deep."""
    if isinstance(entry, dict | list):
        for part in entry.values() if isinstance(entry, dict) else entry:
            yield from numbers_in(part)
    elif isinstance(entry, int | float):
        yield entry
