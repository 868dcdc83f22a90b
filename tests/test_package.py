"""What help(drlim_np) says is so."""

import dataclasses
import importlib
import inspect
import pkgutil
import pydoc
import re
import subprocess
import sys

import numpy as np

import drlim_np

ENTRIES = re.findall(r"^    (\w+)  +(.*)$", drlim_np.__doc__, flags=re.MULTILINE)
MODULES = {module: re.findall(r"\w+", text.rpartition(": ")[2]) for module, text in ENTRIES if "=" not in text}


def test_every_module_is_listed_once_and_no_other_and_what_is_listed_of_it_is_in_it_and_documented():
    assert len([text for _, text in ENTRIES if "=" not in text]) == len(MODULES)
    assert {*MODULES} == {module.name for module in pkgutil.iter_modules(drlim_np.__path__)}
    for module, names in MODULES.items():
        found = importlib.import_module(f"drlim_np.{module}")
        assert found.__doc__ and names, module
        for name in names:
            thing = getattr(found, name, None) or importlib.import_module(f"drlim_np.{module}.{name}")
            assert thing.__doc__ and not name.startswith("_"), name


def test_its_five_lines_train_a_map_of_unseen_samples_and_help_prints_them_within_the_width_of_the_code():
    named = ("graph", "networks", "sampled", "training")
    modules = [importlib.import_module(f"drlim_np.{name}") for name in named]
    scope = {name: value for module in modules for name, value in vars(module).items() if not name.startswith("_")}
    rng = np.random.default_rng(0)
    x, pairs = rng.random((8, 5)), np.stack([np.arange(8), np.roll(np.arange(8), 1)], axis=1)
    scope |= {"rng": rng, "x": x.astype(np.float32), "pairs": pairs, "unseen": rng.random((3, 5)).astype(np.float32)}
    lines = re.findall(r"^    (\w+(?:, \w+)? = .*)$", drlim_np.__doc__, flags=re.MULTILINE)
    assert len(lines) == 5
    exec("\n".join(lines), scope)
    assert scope["z"].shape == (3, 2) and scope["losses"].shape == (300,)
    shown = pydoc.plain(pydoc.render_doc(drlim_np))
    assert "W, losses = minimise" in shown and "Conventions." in shown
    assert max(map(len, drlim_np.__doc__.splitlines())) <= 120


def test_the_estimator_is_imported_only_when_it_is_asked_for():
    code = "import sys, drlim_np; print('drlim_np.estimator' in sys.modules, drlim_np.DrLIM.__module__)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "drlim_np.estimator.drlim"]


def public_things():
    """Every public function, class and method of the modules that a caller imports from, by its dotted name."""
    wings = ("", "fast.", "measure.", "files.", "checks.", "data.", "estimator.")
    for module in pkgutil.walk_packages(drlim_np.__path__, "drlim_np."):
        wing, _, name = module.name.removeprefix("drlim_np.").rpartition(".")
        if (f"{wing}." if wing else "") not in wings or name.startswith("_") or (not wing and module.ispkg):
            continue
        for found, thing in vars(importlib.import_module(module.name)).items():
            if getattr(thing, "__module__", None) == module.name and callable(thing) and not found.startswith("_"):
                yield f"{module.name}.{found}", thing
                for method, inner in vars(thing).items() if isinstance(thing, type) else ():
                    if not method.startswith("_") and inspect.isfunction(inner):
                        yield f"{module.name}.{found}.{method}", inner


def test_help_of_everything_public_says_something_and_nothing_changes_a_public_dataclass():
    things = dict(public_things())
    classes = [thing for thing in things.values() if isinstance(thing, type) and dataclasses.is_dataclass(thing)]
    assert len(things) > 150 and len(classes) >= 9
    changing = [thing for thing in classes if not thing.__dataclass_params__.frozen]
    assert changing == [drlim_np.DrLIM], "scikit-learn asks it for set_params"
    assert [name for name, thing in things.items() if not (thing.__doc__ or "").strip()] == []
