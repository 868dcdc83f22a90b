"""Prints the verdict on every gradient, what is derived and proven, and that every wrong gradient is rejected."""

import argparse
import sys

from drlim_np.audit import autodiff, catalogue, floats, proof
from drlim_np.checks.terminal import ProgressLine, exit_status
from drlim_np.fast.devices import BACKENDS

PROGRAM = "python -m drlim_np.audit"


def main(arguments: list[str] | None = None) -> int:
    """Prints the tables; 0 if all is as it should be, 1 if not, 2 and one line if the backend is not available."""
    return exit_status(lambda: _main(arguments), PROGRAM)


def _main(arguments: list[str] | None) -> int:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="seed of all random weights and inputs (default: 0)")
    parser.add_argument("--backend", choices=BACKENDS, default="numpy", help="where it is computed (default: numpy)")
    told = "only this: Eqs. 4 and 7 on every float32 energy, at margin M (default: 1)"
    parser.add_argument("--every-float", type=float, nargs="?", const=1.0, metavar="M", help=told)
    options = parser.parse_args(arguments)
    if options.every_float is not None:
        found = list(floats.every(options.every_float, ProgressLine()))
        print(proof.table(found))
        return 0 if all(one.holds for one in found) else 1
    found = list(catalogue.findings(options.seed, options.backend))
    proofs = catalogue.proofs(options.seed)
    for library in autodiff.libraries():
        proofs += tuple(autodiff.proofs(library, options.seed))
    print(catalogue.table(found, proofs), catalogue.summary(found), "", proof.table(proofs), sep="\n")
    print(proof.summary(proofs), *filter(None, [catalogue.without_derivations()]), sep="\n")
    return 0 if all(one.as_it_should_be for one in (*found, *proofs)) else 1


if __name__ == "__main__":
    sys.exit(main())
