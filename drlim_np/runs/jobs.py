"""Figures side by side, in processes of their own; what is written and printed is as with one after another.

A process draws and hands over; this one alone writes figures, and says so in the order of the paper. What a training
leaves for a later run, checkpoints among it, the processes keep themselves, as ever.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from multiprocessing.connection import Connection, wait
from threading import Thread

from drlim_np.checks.terminal import unwound_by_sigterm
from drlim_np.errors import DrlimError, InputError
from drlim_np.fast.devices import processors
from drlim_np.fast.memory import free_memory
from drlim_np.runs.board import Board, Progress
from drlim_np.runs.making import Made, Task, making, parts

LARGEST, FURTHER = 1 << 30, 640 << 20  # bytes: what Figure 5 takes, at most, and what any other does
LAST = "figure7"  # what takes longest: with a processor for nearly all the others, they are done before it
PATIENCE = 5  # seconds for a process to clear up


def number_of(asked: str | None, backend: str) -> int:
    """How many processes --jobs asks for; if it does not, one a processor, as long as there is memory for them.

    One where training runs on a device, which all would share. Raises InputError for what is no number from 1 up.
    """
    if asked is not None:
        if not (asked.isascii() and asked.isdigit() and int(asked)):
            raise InputError(f"--jobs is {asked!r}: give a whole number from 1 up, or leave it out")
        return int(asked)
    fit = 1 + (free_memory() - LARGEST) // FURTHER
    return int(max(1, min(processors(), fit))) if backend == "numpy" else 1


def all_made(tasks: list[Task], count: int) -> Iterator[Made]:
    """What the tasks ask for, in their order, made by `count` processes at most; by this one alone where that is 1.

    What cannot be made is named, once the others have finished, by a DrlimError of one line. An end by Ctrl-C or
    SIGTERM hands over first what has been made out of turn.
    """
    pieces = [piece for task in tasks for piece in parts(task)] if count > 1 else []
    if (count := min(count, len(pieces))) < 2:
        yield from (made for task in tasks for made in making(task))
        return
    pieces = [replace(piece, threads=_threads(piece, count, len(pieces))) for piece in pieces]
    due, arrived, faults = {place for piece in pieces for place in piece.places}, {}, []
    with unwound_by_sigterm():
        try:
            for piece, found in _side_by_side(pieces, count):
                if isinstance(found, Made):
                    arrived[found.place] = found
                elif found:
                    faults.append(found)
                else:
                    due -= piece.places.keys() - arrived.keys()
                while due and (first := min(due)) in arrived:
                    due.remove(first)
                    yield arrived.pop(first)
        except (KeyboardInterrupt, SystemExit):
            yield from (arrived[place] for place in sorted(arrived))
            raise
    if strange := [fault for fault in faults if not isinstance(fault, DrlimError)]:
        raise strange[0]
    if faults:
        raise DrlimError("; ".join(dict.fromkeys(map(str, faults))))


def _threads(piece: Task, count: int, pieces: int) -> int:
    """Of `count` processors those for one piece: a share where pieces are few, and two for what all will wait for."""
    waited_for = LAST in piece.figures and count >= 4 and pieces <= 2 * count
    return max(1, piece.run.threads // count, min(piece.run.threads, 1 + waited_for))


def _side_by_side(pieces: list[Task], count: int) -> Iterator[tuple[Task, Made | Exception | None]]:
    """Each piece with whatever it has made, as it comes; then with the fault that ended it, if one did; then with None.

    A piece starts when a process is free and all it comes after is there: not at all, where that has failed.
    """
    context, waiting, there, board = multiprocessing.get_context("spawn"), [*pieces], set(), Board()
    processes, running = {}, {}
    try:
        while True:
            ready = [piece for piece in waiting if {(piece.turn, name) for name in piece.after} <= there]
            for piece in ready[: count - len(running)]:
                if not (free := processes.keys() - running):
                    ours, theirs = context.Pipe()
                    # A daemon: an interrupt before it stands in `processes` must not have Python wait at the end.
                    process = context.Process(target=_work, args=(theirs, board.visible), daemon=True)
                    process.start()
                    theirs.close()
                    processes[ours], free = process, {ours}
                running[ours := free.pop()] = piece
                # A pipe holds little: the rest waits until the process is up, and nothing else should wait for that.
                Thread(target=ours.send_bytes, args=(pickle.dumps(piece),), daemon=True).start()
                waiting.remove(piece)
            if not running:
                break
            for ours in wait([*running]):
                piece, found = running[ours], None
                try:
                    found = ours.recv()
                except (EOFError, ConnectionError):
                    process = processes.pop(ours)
                    process.join()
                    if process.exitcode:
                        yield piece, _death(piece, process.exitcode, there)
                board.show(ours, found if isinstance(found, str) else None)
                if found is None:
                    del running[ours]
                if isinstance(found, Made):
                    there.add((piece.turn, found.name))
                    piece.run.memory.anew.update(found.anew)
                if not isinstance(found, str):
                    board.clear()
                    yield piece, found
        yield from ((piece, None) for piece in waiting)
    finally:
        board.clear()
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.join(PATIENCE)
            process.kill()  # one that has not heard: what a signal raises is lost in a callback, such as an import's
            process.join()


def _death(piece: Task, status: int, there: set[tuple[int, str]]) -> DrlimError:
    name = next((name for name in piece.places.values() if (piece.turn, name) not in there), "a figure")
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    return DrlimError(
        f"{name}: the process that was to draw it {how}: run again, which goes on with what was trained, if memory was"
        " short with --jobs 1"
    )


def _work(parent: Connection, visible: bool) -> None:
    """A process of its own: receives a piece, sends its progress, as text, what it has made, or its fault, then None.

    So it goes on, piece after piece, until it is ended.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one, and will end it
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that nothing half written is left
    Thread(target=_end_with_parent, daemon=True).start()
    while True:
        piece = pickle.loads(parent.recv_bytes())
        with redirect_stdout(StringIO()) as said, redirect_stderr(Progress(parent.send, visible)) as complained:
            try:
                for made in making(piece):
                    words = "" if piece.after else said.getvalue()  # else those of the process that trained it
                    anew = frozenset(piece.run.memory.anew)
                    parent.send(replace(made, said=words, complained=complained.getvalue(), anew=anew))
                    for text in (said, complained):
                        text.seek(0)
                        text.truncate()
            except Exception as fault:
                fault.add_note(traceback.format_exc())
                parent.send(fault)
        parent.send(None)


def _end_with_parent() -> None:
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
