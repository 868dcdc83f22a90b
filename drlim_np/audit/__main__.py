"""Prints the verdict on every gradient, what is derived and proven, and that every wrong gradient is rejected."""

import argparse
import sys
from importlib.util import find_spec

from drlim_np.audit import catalogue, proof
from drlim_np.checks.terminal import exit_status
from drlim_np.errors import InputError
from drlim_np.fast.devices import BACKENDS

PROGRAM = "python -m drlim_np.audit"


def main(arguments: list[str] | None = None) -> int:
    """Prints the tables; exit status 0 if all holds and every wrong gradient is rejected, else 1.

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
    proofs = catalogue.proofs(options.seed)
    print(catalogue.table(found, proofs), catalogue.summary(found), "", proof.table(proofs), sep="\n")
    print(proof.summary(proofs), *filter(None, [catalogue.without_derivations()]), sep="\n")
    agreed = not options.autograd or _autograd_agrees(options.seed)
    return 0 if agreed and all(one.as_it_should_be for one in (*found, *proofs)) else 1


def _autograd_agrees(seed: int) -> bool:
    from drlim_np.audit import second_opinion  # needs PyTorch, which nothing else here does

    opinions = list(second_opinion.opinions(seed))
    print(second_opinion.table(opinions))
    return all(opinion.holds for opinion in opinions)


if __name__ == "__main__":
    sys.exit(main())
