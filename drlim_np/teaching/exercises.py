"""Find the wrong gradient: twelve exercises of about ten minutes, from easy to hard.

Each is a short file with a mistake in it or a gap to fill. `start` puts them into a folder of yours, where you run and
mend them; `check` compares your file with the complex step and says how far off it is, never how to mend it. It does so
in a process of its own, `judge`, which it ends if your file does not.

    python -m drlim_np.teaching.exercises start
    python exercises/01_half.py
    python -m drlim_np.teaching.exercises check 1
"""

import argparse
import subprocess
import sys
import traceback
from collections.abc import Callable
from copy import deepcopy
from difflib import unified_diff
from functools import partial
from pathlib import Path
from runpy import run_path
from textwrap import fill

import numpy as np

from drlim_np.audit.gradcheck import COMPLEX_BOUND
from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import DataError, InputError, require
from drlim_np.files.atomic import replace
from drlim_np.teaching.lesson import relative_error, true_gradient
from drlim_np.teaching.problems import EXERCISES, Exercise

PROGRAM = "python -m drlim_np.teaching.exercises"
JUDGED = 100  # what `judge` adds to its exit status, so that no file can end it with one that it has not earned
NUMBERED = ("check", "judge", "hint", "solution")  # the commands that take the number of an exercise


def check(number: int, folder: Path, limit: float = 20) -> int:
    """Judges a file in a process of its own, for `limit` seconds at most: 0 if it is right, 1 if not, 2 if it fails."""
    path = folder / EXERCISES[number - 1].file
    if not path.is_file():
        raise DataError(f"{printable(path)} is not there: run start, or name its folder with --folder")
    command = [sys.executable, "-m", "drlim_np.teaching.exercises", "judge", str(number), f"--folder={folder}"]
    try:
        status = subprocess.run(command, timeout=limit).returncode
    except subprocess.TimeoutExpired as fault:
        raise InputError(f"{path.name} did not end within {limit:g} seconds: does a loop go on?") from fault
    require(status >= JUDGED, f"{path.name} ended the check, by os._exit or a crash: remove that line")
    return status - JUDGED


def judge(exercise: Exercise, loss_and_gradient: Callable, name: str) -> int:
    """Prints the verdict on a function: 0 if all of it holds, 1 if not."""
    off = verdict(exercise, loss_and_gradient, name)
    print(exercise.title)
    for name, error in off.items():
        far = "has entries that are not numbers" if np.isnan(error) else f"off by {error:.1e} of its norm"
        word = "right" if error <= COMPLEX_BOUND else "WRONG"
        print(f"    {name if name == 'loss' else 'dL/d' + name:8} {far:32} {word}")
    if right := all(error <= COMPLEX_BOUND for error in off.values()):
        print(fill(f"Right. {exercise.learned}", 100))
    return 0 if right else 1


def judge_cell(number: int, loss_and_gradient: Callable) -> None:
    """Prints the verdict on what a notebook's cell defines."""
    judge(EXERCISES[number - 1], loss_and_gradient, f"exercise {number}")


def verdict(exercise: Exercise, loss_and_gradient: Callable, name: str) -> dict[str, float]:
    """How far off the loss is and the gradient of each tensor: ‖given - true‖ / ‖true‖, NaN where one is not a number.

    What cannot be judged is an InputError, in which `name` is the culprit.
    """
    inputs = exercise.inputs(np.random.default_rng(20060617))
    with np.errstate(all="ignore"):
        given = loss_and_gradient(**deepcopy(inputs))
    wanted = f"loss_and_gradient must return a loss and a dict of the gradients of {', '.join(exercise.tensors)}"
    pair = isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict)
    require(pair, f"{name}: {wanted}")
    found, off = {**given[1], "loss": given[0]}, {}
    lifted = inputs | {tensor: inputs[tensor].astype(complex) for tensor in exercise.tensors}
    true = {"loss": np.asarray(exercise.loss(**inputs))}
    for tensor in exercise.tensors:
        true[tensor] = true_gradient(lambda x, tensor=tensor: exercise.loss(**{**lifted, tensor: x}), inputs[tensor])
    for tensor, w in true.items():
        require(tensor in found, f"{name}: no gradient of {tensor}: {wanted}")
        try:
            claimed = np.asarray(found[tensor], float)
        except (TypeError, ValueError) as fault:
            raise InputError(f"{name}: the value returned for {tensor} is not made of real numbers") from fault
        require(claimed.shape == w.shape, f"{name}: shape {claimed.shape} for {tensor}, which must have {w.shape}")
        off[tensor] = relative_error(claimed, w)
    return off


def of_file(path: Path, **inputs):
    """What the file's `loss_and_gradient` returns. A file that fails is an InputError, with the line where known."""
    try:
        if b"\0" in path.read_bytes():
            raise UnicodeError("this is not text in UTF-8: save it as UTF-8")
        scope = run_path(str(path), run_name="exercise")
        if not callable(scope.get("loss_and_gradient")):
            raise NameError("the file defines no function loss_and_gradient: start again from a fresh copy")
        return scope["loss_and_gradient"](**inputs)
    except BaseException as fault:
        frames = traceback.walk_tb(fault.__traceback__)
        lines = [line for frame, line in frames if frame.f_code.co_filename == str(path)]
        if isinstance(fault, SyntaxError) and fault.filename == str(path):
            lines = [fault.lineno] if fault.lineno else []
        where = f", line {lines[-1]}" if lines else ""
        message = printable(getattr(fault, "msg", None) or str(fault))
        raise InputError(f"{path.name}{where}: {type(fault).__name__}: {message}") from fault


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = ("list", "start", *NUMBERED)
    parser.add_argument("what", nargs="?", default="list", choices=commands, help="(default: %(default)s)")
    parser.add_argument("number", nargs="?", type=int, choices=range(1, 13), metavar="N", help="an exercise, 1 to 12")
    parser.add_argument("--folder", type=Path, default="exercises", help="where your files are (default: %(default)s)")
    options = parser.parse_args(arguments)
    if (options.number is None) == (options.what in NUMBERED):
        parser.error(f"{options.what} takes {'a' if options.what in NUMBERED else 'no'} number")
    return exit_status(lambda: _done(**vars(options)), PROGRAM)


def _done(what: str, number: int | None, folder: Path) -> int:
    exercise = EXERCISES[(number or 1) - 1]
    match what:
        case "list":
            print("\n".join(exercise.title for exercise in EXERCISES))
            print("\nstart puts them into ./exercises, or where --folder says; check, hint and solution take a number")
        case "start":
            missing = {path: one.source.encode() for one in EXERCISES if not (path := folder / one.file).exists()}
            replace(missing, "name another folder")
            kept = f", {12 - len(missing)} there already and kept" if len(missing) < 12 else ""
            print(f"{len(missing)} exercises written to {printable(folder)}{kept}")
        case "check":
            return check(number, folder)
        case "judge":
            sys.path.insert(0, str(folder.resolve()))  # as Python does, for a helper next to the file
            given = partial(of_file, folder / exercise.file)
            return JUDGED + exit_status(lambda: judge(exercise, given, exercise.file), PROGRAM)
        case "hint":
            print(fill(exercise.hint, 100))
        case "solution":
            changes = unified_diff(exercise.source.splitlines(), exercise.solution.splitlines(), n=1, lineterm="")
            shown = [line for line in changes if not line.startswith(("---", "+++", "@"))]
            print(exercise.title, *shown, fill(exercise.learned, 100), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
