"""All figures by name, in the order of the paper; those that it does not print come last.

This is the one place that imports every figure, and so fills the registry.
"""

from importlib import import_module

from drlim_np import figures
from drlim_np.figures import Figure

NUMBERED = [f"figure{number}" for number in range(1, 11)]
OURS = ["invariance", "collapse", "sheets", "towers"]
MODULES = [*NUMBERED, *OURS]
for module in MODULES:
    import_module(f"drlim_np.figures.{module}")


def _place(figure: Figure) -> int:
    return MODULES.index(figure.make.__module__.rpartition(".")[2])


FIGURES: dict[str, Figure] = {figure.name: figure for figure in sorted(figures.FIGURES.values(), key=_place)}
