"""A fault put into the package in this process: what is imported within has it, what was imported before has not."""

import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder, SourceFileLoader
from importlib.util import spec_from_loader
from unittest import mock


class _Finder:
    """Finds the one module that has the fault; the others are found as ever."""

    def __init__(self, fault):
        self.name, self.source = ".".join(fault.path.with_suffix("").parts), fault.source()

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        loader = SourceFileLoader(name, PathFinder.find_spec(name, path).origin)
        loader.get_code = lambda _: compile(self.source, f"{name} with a fault", "exec")
        return spec_from_loader(name, loader)


@contextmanager
def planted(fault):
    """Gives a function that imports a module of the package, which has the fault and whatever depends on it too."""
    others = {name: module for name, module in sys.modules.items() if name.partition(".")[0] != "drlim_np"}
    finders = [_Finder(fault), *sys.meta_path]
    with mock.patch.dict(sys.modules, others, clear=True), mock.patch.object(sys, "meta_path", finders):
        yield import_module
