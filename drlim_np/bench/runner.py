"""Contestants in processes of their own. Called as a file, this is such a process, with the package on PYTHONPATH."""

import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

from drlim_np.bench.race import Contest, Times, clock, race


class Runner:
    """A contestant in a process of its own, with the package in the folder `tree`; each call is a run's seconds."""

    def __init__(self, tree: Path, name: str, size: int, threads: int, contestant: str, environ: dict[str, str]):
        command = [sys.executable, "-P", __file__, name, str(size), str(threads), contestant]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=environ | {"PYTHONPATH": str(tree)}, **pipes)

    def __call__(self) -> float:
        """Raises EOFError where the process has ended, as it does if its tree has no such case."""
        try:
            print(file=self.process.stdin, flush=True)
            return float(self.process.stdout.readline())
        except (OSError, ValueError) as fault:
            raise EOFError from fault

    def close(self) -> None:
        """Ends the process."""
        self.process.communicate()


def race_apart(runners: dict[str, Runner], size: int, rounds: int) -> Times:
    """The race of contestants in processes of their own, which it ends."""
    with ExitStack() as stack:
        for runner in runners.values():
            stack.enter_context(closing(runner))
        return race(Contest(dict(runners), None, size, "units"), rounds)


def serve(name: str, size: str, threads: str, contestant: str) -> None:
    """Prints the seconds of a run for each line on standard input. Earlier commits have a Case without `contest`."""
    from drlim_np.bench.cases import CASES

    case = CASES[name]
    run = getattr(case, "contest", case.build)(int(size), int(threads)).contestants[contestant]
    timer = time.perf_counter if int(threads) > 1 or name.startswith("gpu") else time.process_time
    for _ in sys.stdin:
        print(clock(run, timer)[0], flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
