"""Which faults the exact proofs must refute alone, and a fault put into the package in this very process."""

import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder, SourceFileLoader
from importlib.util import spec_from_loader
from unittest import mock

from tests.tools.faults import FAULTS, Fault

# By module, the parts of the exact proofs in `drlim_np.audit` that must refute its faults alone.
PROVEN = {
    "layers": ("exact._small", "exact._tanh", "exact._in_sequence"),
    "patches": ("exact._small", "exact._in_sequence"),
    "maps": ("exact._small", "exact._tanh"),
    "blocks": ("exact._layers", "exact._windows"),
    "textbook": ("exact._small",),
    "loss": ("pairs._loss", "pairs._all_pairs", "floats.proofs"),
    "siamese": ("pairs._towers",),
}
BEYOND_PROOF = {
    "first weights, of which no gradient is taken": (
        ("layers", "variance for standard deviation"),
        ("layers", "Conv2d: variance for standard deviation"),
        ("layers", "Linear: fan-out for fan-in"),
    ),
    "NumPy's arrays, which the proof of tanh does not use": (("maps", "Tanh: 1 + y² on the host"),),
    "complex numbers, which no proof uses": (
        ("loss", "D with absolute values"),
        ("loss", "a complex step without the hinge"),
        ("loss", "a complex step NaN at D = 0"),
        ("loss", "hinge on the wrong side"),
    ),
}


def for_the_proofs() -> list[Fault]:
    """The faults that the exact proofs must refute alone."""
    beyond = {name for names in BEYOND_PROOF.values() for name in names}
    return [fault for fault in FAULTS if fault.module in PROVEN and (fault.module, fault.what) not in beyond]


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
    """Gives a function that imports modules of the package: all that it imports have the fault, nothing earlier has."""
    others = {name: module for name, module in sys.modules.items() if name.partition(".")[0] != "drlim_np"}
    finders = [_Finder(fault), *sys.meta_path]
    with mock.patch.dict(sys.modules, others, clear=True), mock.patch.object(sys, "meta_path", finders):
        yield import_module
