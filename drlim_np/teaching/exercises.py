"""Find the wrong gradient: twelve exercises of about ten minutes, from easy to hard.

Each is a short file with a mistake in it or a gap to fill. `start` puts them into a folder of yours, where you run and
mend them; `check` compares your file with the complex step and says how far off it is, never how to mend it.

    python -m drlim_np.teaching.exercises start
    python exercises/01_half.py
    python -m drlim_np.teaching.exercises check 1
"""

import argparse
import subprocess
import sys
from difflib import unified_diff
from pathlib import Path
from textwrap import fill
from typing import NoReturn

from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import DataError, InputError
from drlim_np.teaching.problems import EXERCISES, Exercise

PROGRAM = "python -m drlim_np.teaching.exercises"
FOLDER = "exercises"
LIMIT = 20  # seconds that a file may take
NUMBERED = ("check", "hint", "solution")  # the commands that take the number of an exercise


def start(folder: Path) -> str:
    """Writes the files that are not there yet and says how many; the others stay as they are."""
    written = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for exercise in EXERCISES:
            path = folder / exercise.file
            if not path.exists():
                path.write_text(exercise.source, encoding="utf-8")
                written += 1
    except OSError as fault:
        raise DataError(f"{printable(folder)} cannot be written: {fault.strerror}: name another folder") from fault
    kept = len(EXERCISES) - written
    return f"{written} exercises written to {printable(folder)}" + (f", {kept} there already and kept" if kept else "")


def check(number: int, folder: Path, limit: float = LIMIT) -> int:
    """Judges the student's file in a process of its own: exit status 0 if it is right, 1 if not, 2 if it fails."""
    path = folder / EXERCISES[number - 1].file
    if not path.is_file():
        raise DataError(f"{printable(path)} is not there: run start, or name its folder with --folder")
    judge = [sys.executable, "-m", "drlim_np.teaching.judge", str(number), str(path)]
    try:
        return subprocess.run(judge, timeout=limit).returncode
    except subprocess.TimeoutExpired as fault:
        raise InputError(f"{printable(path.name)} did not end within {limit:g} seconds: does a loop go on?") from fault


def solution(exercise: Exercise) -> str:
    """The changes from the file as given to the mended one, and what one learns by them."""
    changes = unified_diff(exercise.source.splitlines(), exercise.solution.splitlines(), n=1, lineterm="")
    shown = [line for line in changes if not line.startswith(("---", "+++", "@"))]
    return "\n".join([exercise.title, *shown, fill(exercise.learned, 100)])


def main(arguments: list[str] | None = None) -> int:
    """The command; 2, and one line, for what cannot be done."""
    return exit_status(lambda: _done(_parsed(arguments)), PROGRAM)


class _Parser(argparse.ArgumentParser):
    """Complains in one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{printable(message)}: --help shows what there is")


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = _Parser(prog=PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = ("list", "start", *NUMBERED)
    numbers = [str(k) for k in range(1, len(EXERCISES) + 1)]
    parser.add_argument("what", nargs="?", default="list", choices=commands, help="(default: %(default)s)")
    parser.add_argument("number", nargs="?", choices=numbers, metavar="N", help=f"an exercise, 1 to {len(EXERCISES)}")
    parser.add_argument("--folder", type=Path, default=Path(FOLDER), help="where your files are (default: %(default)s)")
    options = parser.parse_args(arguments)
    if (options.number is None) == (options.what in NUMBERED):
        parser.error(f"{options.what} takes {'a' if options.what in NUMBERED else 'no'} number")
    return options


def _done(options: argparse.Namespace) -> int:
    match options.what:
        case "list":
            print("\n".join(exercise.title for exercise in EXERCISES))
            print(f"\nstart puts them into ./{FOLDER}, or where --folder says; check, hint and solution take a number")
        case "start":
            print(start(options.folder))
        case "check":
            return check(int(options.number), options.folder)
        case "hint":
            print(fill(EXERCISES[int(options.number) - 1].hint, 100))
        case "solution":
            print(solution(EXERCISES[int(options.number) - 1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
