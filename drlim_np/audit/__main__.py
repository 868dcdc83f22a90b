"""Prints the verdict on every gradient, and that every wrong one is rejected."""

import argparse
import sys
from importlib.util import find_spec

from drlim_np.audit import catalogue
from drlim_np.door.terminal import exit_status
from drlim_np.errors import InputError
from drlim_np.fast.devices import BACKENDS

PROGRAM = "python -m drlim_np.audit"


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; exit status 0 if every gradient holds and every wrong one is rejected, else 1.

    2, and one line, where the backend or PyTorch was asked for and cannot be had.
    """
    return exit_status(lambda: _main(arguments), PROGRAM)


def _main(arguments: list[str] | None) -> int:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="seed of all random weights and inputs (default: 0)")
    parser.add_argument("--backend", choices=BACKENDS, default="numpy", help="where it is computed (default: numpy)")
    parser.add_argument("--autograd", action="store_true", help="a second opinion by PyTorch, where it is installed")
    options = parser.parse_args(arguments)
    if options.autograd and find_spec("torch") is None:
        raise InputError("--autograd needs PyTorch, which is not installed: run pip install torch")
    found = list(catalogue.findings(options.seed, options.backend))
    print(catalogue.table(found))
    print(catalogue.summary(found))
    agreed = not options.autograd or _autograd_agrees(options.seed)
    return 0 if agreed and all(finding.as_it_should_be for finding in found) else 1


def _autograd_agrees(seed: int) -> bool:
    from drlim_np.audit import second_opinion  # needs PyTorch, which nothing else here does

    opinions = list(second_opinion.opinions(seed))
    print(second_opinion.table(opinions))
    return all(opinion.holds for opinion in opinions)


if __name__ == "__main__":
    sys.exit(main())
