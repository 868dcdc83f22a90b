"""Find the wrong gradient: twelve exercises of about ten minutes, from easy to hard.

Each is a short file with a mistake in it or a gap to fill. `start` puts them into a folder of yours, where you run and
mend them; `check` holds what you wrote against the complex step and says how far off it is, never how to mend it.

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

from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import DataError, InputError
from drlim_np.teaching.problems import EXERCISES, Exercise

FOLDER = "exercises"
LIMIT = 20  # seconds that a file may take


def start(folder: Path) -> str:
    """Writes the files that are not there yet and says which. What is there stays as it is.

    Raises DataError for a folder that cannot be made or written.
    """
    written = kept = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for exercise in EXERCISES:
            try:
                with open(folder / exercise.file, "x", encoding="utf-8") as file:
                    file.write(exercise.source)
                written += 1
            except FileExistsError:
                kept += 1
    except OSError as fault:
        raise DataError(f"{printable(folder)} cannot be written: {fault.strerror}: name another folder") from fault
    return f"{written} exercises written to {printable(folder)}" + (f", {kept} there already and kept" if kept else "")


def check(number: int, folder: Path, limit: float = LIMIT) -> int:
    """Judges the student's file in a process of its own: exit status 0 if it is right, 1 if not, 2 if it fails.

    Raises DataError for a file that is not there, InputError for one that does not come to an end.
    """
    path = folder / EXERCISES[number - 1].file
    if not path.is_file():
        raise DataError(f"{printable(path)} is not there: run start, or name its folder with --folder")
    try:
        return subprocess.run(
            [sys.executable, "-m", "drlim_np.teaching.judge", str(number), str(path)], timeout=limit
        ).returncode
    except subprocess.TimeoutExpired as fault:
        raise InputError(f"{printable(path.name)} did not end within {limit:g} seconds: does a loop go on?") from fault


def solution(exercise: Exercise) -> str:
    """What changes between the file as given and as mended, and what one learns by it."""
    before, after = (text.splitlines() for text in (exercise.source, exercise.solution))
    changes = [
        line for line in unified_diff(before, after, n=1, lineterm="") if not line.startswith(("---", "+++", "@"))
    ]
    return "\n".join([exercise.title, *changes, fill(exercise.learned, 100)])


def main(arguments: list[str] | None = None) -> int:
    """The command; 2, and one line, for what cannot be done."""
    parser = argparse.ArgumentParser(
        prog="python -m drlim_np.teaching.exercises",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    does = "list, start (write the files), or check N, hint N, solution N (default: list)"
    parser.add_argument("what", nargs="?", default="list", help=does, metavar="WHAT")
    parser.add_argument("number", nargs="?", metavar="N", help=f"an exercise, 1 to {len(EXERCISES)}")
    parser.add_argument("--folder", type=Path, default=Path(FOLDER), help="where your files are (default: %(default)s)")
    options = parser.parse_args(arguments)
    return exit_status(lambda: _done(options.what, options.number, options.folder), parser.prog)


def _done(what: str, number: str | None, folder: Path) -> int:
    if what in ("list", "start") and number is not None:
        raise InputError(f"{what} takes no number, and got {printable(number)}: name a folder by --folder")
    if what == "list":
        print("\n".join(exercise.title for exercise in EXERCISES))
        print(f"\nstart puts them into ./{FOLDER}, or where --folder says; check, hint and solution take a number")
    elif what == "start":
        print(start(folder))
    elif what == "check":
        return check(_number(number), folder)
    elif what == "hint":
        print(fill(EXERCISES[_number(number) - 1].hint, 100))
    elif what == "solution":
        print(solution(EXERCISES[_number(number) - 1]))
    else:
        raise InputError(f"{printable(what)} is none of list, start, check, hint, solution")
    return 0


def _number(text: str | None) -> int:
    if text is None or not (text.isdecimal() and 1 <= int(text) <= len(EXERCISES)):
        raise InputError(f"{printable(text or 'no number')}: exercises are numbered 1 to {len(EXERCISES)}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
