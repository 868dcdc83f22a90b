"""What the README says holds: its commands, its code and its links."""

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
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []
