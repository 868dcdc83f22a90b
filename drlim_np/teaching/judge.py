"""One file of an exercise, judged: its loss against a second writing of it, its gradients against the complex step.

`python -m drlim_np.teaching.judge N FILE` runs the file in a process of its own, which `exercises check` can end.
"""

import sys
import traceback
from pathlib import Path
from textwrap import fill

import numpy as np

from drlim_np.audit.gradcheck import COMPLEX_BOUND, complex_step
from drlim_np.checks.terminal import exit_status, printable
from drlim_np.errors import InputError
from drlim_np.teaching.problems import EXERCISES, Exercise

SEED = 20060617


def verdict(exercise: Exercise, path: Path) -> dict[str, float]:
    """How far off the loss is and the gradient of each tensor: ‖given - true‖ / ‖true‖, NaN where one is not a number.

    Raises InputError, with the line where there is one, for a file that does not run to the end or returns something
    else than a loss and a dict of gradients.
    """
    arguments = exercise.arguments(np.random.default_rng(SEED))
    given = _run(path, {name: np.copy(x) if isinstance(x, np.ndarray) else x for name, x in arguments.items()})
    loss, gradient = _checked(path, given, {name: arguments[name] for name in exercise.tensors})
    lifted = {name: x.astype(complex) if _floats(x) else x for name, x in arguments.items()}
    off = {"loss": _off(loss, exercise.loss(**lifted).real)}
    for name in exercise.tensors:
        x = arguments[name]
        nudges = np.eye(x.size).reshape(x.size, *x.shape)
        true = [complex_step(lambda x, name=name: exercise.loss(**{**lifted, name: x}), x, nudge) for nudge in nudges]
        off[name] = _off(gradient[name], np.array(true).reshape(x.shape))
    return off


def _floats(x) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _off(given: np.ndarray, true: np.ndarray) -> float:
    return float(np.linalg.norm(given - true) / np.linalg.norm(true))


def _run(path: Path, arguments: dict):
    """What the file's `loss_and_gradient` returns."""
    name = printable(path.name)
    try:
        code = compile(path.read_bytes(), str(path), "exec")
    except OSError as fault:
        raise InputError(f"{printable(path)} cannot be read: {fault.strerror}") from fault
    except SyntaxError as fault:
        raise InputError(f"{name}, line {fault.lineno}: {printable(fault.msg)}") from fault
    except ValueError as fault:
        raise InputError(f"{name} is not a Python file: {printable(str(fault))}") from fault
    scope = {"__name__": "exercise", "__file__": str(path)}
    try:
        with np.errstate(all="ignore"):
            exec(code, scope)
            if not callable(scope.get("loss_and_gradient")):
                raise InputError(f"{name} defines no function loss_and_gradient: start again from a fresh copy")
            return scope["loss_and_gradient"](**arguments)
    except InputError:
        raise
    except (Exception, SystemExit) as fault:
        lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == str(path)]
        where = f", line {lines[-1]}" if lines else ""
        raise InputError(f"{name}{where}: {type(fault).__name__}: {printable(str(fault))}") from fault


def _checked(path: Path, given, tensors: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The loss and its gradients as arrays of real numbers, each of the shape it must have."""
    wanted = f"loss_and_gradient must return a loss and a dict of the gradients of {', '.join(tensors)}"
    if not (isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict)):
        raise InputError(f"{printable(path.name)}: {wanted}")
    if missing := [name for name in tensors if name not in given[1]]:
        raise InputError(f"{printable(path.name)}: no gradient of {missing[0]}: {wanted}")
    shapes = {"loss": ()} | {name: x.shape for name, x in tensors.items()}
    found = {"loss": given[0]} | {name: given[1][name] for name in tensors}
    for name, shape in shapes.items():
        try:
            found[name] = np.asarray(found[name], float)
        except (TypeError, ValueError) as fault:
            raise InputError(
                f"{printable(path.name)}: what is returned for {name} is not made of real numbers"
            ) from fault
        if found[name].shape != shape:
            raise InputError(f"{printable(path.name)}: shape {found[name].shape} for {name}, which must have {shape}")
    return found.pop("loss"), found


def main(arguments: list[str]) -> int:
    """Prints the verdict: 0 if all of it holds, 1 if not, 2 and one line for a file that cannot be judged."""
    return exit_status(lambda: _main(EXERCISES[int(arguments[0]) - 1], Path(arguments[1])), f"check {arguments[0]}")


def _main(exercise: Exercise, path: Path) -> int:
    off = verdict(exercise, path)
    print(exercise.title)
    for name, error in off.items():
        far = f"off by {error:.1e} of its norm" if error == error else "holds what is not a number"
        print(f"    {name if name == 'loss' else 'dL/d' + name:8} {far:28} {_word(error)}")
    if right := all(error <= COMPLEX_BOUND for error in off.values()):
        print(fill(f"Right. {exercise.learned}", 100))
    return 0 if right else 1


def _word(error: float) -> str:
    return "right" if error <= COMPLEX_BOUND else "WRONG"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
