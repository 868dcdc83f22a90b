"""Prints the verdict on every gradient, what is derived and proven, and that every wrong gradient is rejected."""

import argparse
import sys

from drlim_np.audit import catalogue, proof
from drlim_np.checks.terminal import exit_status
from drlim_np.fast.devices import BACKENDS

PROGRAM = "python -m drlim_np.audit"


def main(arguments: list[str] | None = None) -> int:
    """Prints the tables; 0 if all is as it should be, 1 if not, 2 and one line if the backend is not available."""
    return exit_status(lambda: _main(arguments), PROGRAM)


def _main(arguments: list[str] | None) -> int:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="seed of all random weights and inputs (default: 0)")
    parser.add_argument("--backend", choices=BACKENDS, default="numpy", help="where it is computed (default: numpy)")
    options = parser.parse_args(arguments)
    found = list(catalogue.findings(options.seed, options.backend))
    proofs = catalogue.proofs(options.seed)
    print(catalogue.table(found, proofs), catalogue.summary(found), "", proof.table(proofs), sep="\n")
    print(proof.summary(proofs), *filter(None, [catalogue.without_derivations()]), sep="\n")
    return 0 if all(one.as_it_should_be for one in (*found, *proofs)) else 1


if __name__ == "__main__":
    sys.exit(main())
