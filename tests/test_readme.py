"""What the README says holds: its commands, its code and its links."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_opens_with_two_commands_that_do_their_own_set_up():
    set_up = 'python3 -m venv .venv && .venv/bin/python -m pip install -q -e ".[test]" && .venv/bin/python '
    commands = re.findall(r"```sh\n(.*)\n```", README)
    assert commands == [set_up + "run_all.py", set_up + "-m pytest"]


def test_the_code_in_the_readme_runs():
    scope = {}
    for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
        exec(block, scope)
    assert scope["dW"]["C1"]["weight"].shape == (15, 1, 6, 6)


def test_every_link_in_the_readme_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []
