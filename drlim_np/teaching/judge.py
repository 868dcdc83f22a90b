"""One file of an exercise, judged: its loss by a second implementation, its gradients by the complex step.

`python -m drlim_np.teaching.judge N FILE` runs the file in a process of its own, which `exercises check` can end.
"""

import sys
import traceback
from copy import deepcopy
from pathlib import Path
from textwrap import fill

import numpy as np

from drlim_np.audit.gradcheck import COMPLEX_BOUND
from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import InputError
from drlim_np.teaching.lesson import relative_error, true_gradient
from drlim_np.teaching.problems import EXERCISES, Exercise

SEED = 20060617


def verdict(exercise: Exercise, path: Path) -> dict[str, float]:
    """How far off the loss is and the gradient of each tensor: ‖given - true‖ / ‖true‖, NaN where one is not a number.

    A file that cannot be judged is an InputError, with the line where there is one.
    """
    inputs = exercise.inputs(np.random.default_rng(SEED))
    given = _run(path, deepcopy(inputs))
    claimed = _checked(path, given, {"loss": ()} | {name: inputs[name].shape for name in exercise.tensors})
    lifted = inputs | {name: inputs[name].astype(complex) for name in exercise.tensors}
    true = {"loss": exercise.loss(**inputs)}
    for name in exercise.tensors:
        true[name] = true_gradient(lambda x, name=name: exercise.loss(**{**lifted, name: x}), inputs[name])
    return {name: relative_error(claimed[name], true[name]) for name in true}


def _run(path: Path, arguments: dict):
    """What the file's `loss_and_gradient` returns."""
    name = printable(path.name)
    scope = {"__name__": "exercise", "__file__": str(path)}
    try:
        with np.errstate(all="ignore"):
            exec(compile(path.read_bytes(), str(path), "exec"), scope)
            if not callable(scope.get("loss_and_gradient")):
                raise NameError("the file defines no function loss_and_gradient: start again from a fresh copy")
            return scope["loss_and_gradient"](**arguments)
    except (Exception, SystemExit) as fault:
        lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == str(path)]
        if isinstance(fault, SyntaxError) and fault.filename == str(path):
            lines = [fault.lineno]
        where = f", line {lines[-1]}" if lines else ""
        message = getattr(fault, "msg", None) or str(fault)
        raise InputError(f"{name}{where}: {type(fault).__name__}: {printable(message)}") from fault


def _checked(path: Path, given, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The loss and its gradients as arrays of real numbers, each of the shape it must have."""
    file = printable(path.name)
    wanted = f"loss_and_gradient must return a loss and a dict of the gradients of {', '.join(list(shapes)[1:])}"
    if not (isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict)):
        raise InputError(f"{file}: {wanted}")
    found = {**given[1], "loss": given[0]}
    for name, shape in shapes.items():
        if name not in found:
            raise InputError(f"{file}: no gradient of {name}: {wanted}")
        try:
            found[name] = np.asarray(found[name], float)
        except (TypeError, ValueError) as fault:
            raise InputError(f"{file}: the value returned for {name} is not made of real numbers") from fault
        if found[name].shape != shape:
            raise InputError(f"{file}: shape {found[name].shape} for {name}, which must have {shape}")
    return found


def main(arguments: list[str]) -> int:
    """Prints the verdict: 0 if all of it holds, 1 if not, 2 and one line for a file that cannot be judged."""
    number, path = arguments
    return exit_status(lambda: _judged(EXERCISES[int(number) - 1], Path(path)), f"check {number}")


def _judged(exercise: Exercise, path: Path) -> int:
    off = verdict(exercise, path)
    print(exercise.title)
    for name, error in off.items():
        far = "has entries that are not numbers" if np.isnan(error) else f"off by {error:.1e} of its norm"
        word = "right" if error <= COMPLEX_BOUND else "WRONG"
        print(f"    {name if name == 'loss' else 'dL/d' + name:8} {far:32} {word}")
    if right := all(error <= COMPLEX_BOUND for error in off.values()):
        print(fill(f"Right. {exercise.learned}", 100))
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
