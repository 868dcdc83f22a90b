"""The same case by an earlier commit and by this tree, in alternation: a change of speed is a ratio from one run.

Each tree has a process of its own that measures a run whenever it is told to. Called as a file, this one is such a
process, with the package of the tree that PYTHONPATH names.
"""

import subprocess
import sys
import tarfile
import time
from io import BytesIO
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]


def tree_of(revision: str, folder: Path) -> Path:
    """Puts the package as that commit of this checkout has it into the folder. Raises InputError if git knows none."""
    from drlim_np.checks.terminal import printable
    from drlim_np.errors import InputError

    command = ["git", "archive", "--format=tar", f"{revision}^{{commit}}", "drlim_np"]
    try:
        archive = subprocess.run(command, cwd=HERE, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as fault:
        remedy = "name a commit of the checkout that this is run in"
        raise InputError(
            f"--against {printable(revision)}: git finds no such commit with this package: {remedy}"
        ) from fault
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


class Runner:
    """A case in a process of its own; each call is a run there, and returns its seconds."""

    def __init__(self, tree: Path, name: str, size: int, threads: int, environ: dict[str, str]):
        command = [sys.executable, "-P", __file__, name, str(size), str(threads)]
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


def main(name: str, size: str, threads: str) -> None:
    """Prints the seconds of a run for each line it is given."""
    from drlim_np.bench.cases import CASES

    run = CASES[name].build(int(size), int(threads)).contestants["ours"]
    timer = time.perf_counter if int(threads) > 1 else time.process_time
    for _ in sys.stdin:
        started = timer()
        run()
        print(timer() - started, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
