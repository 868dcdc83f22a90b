"""What is kept between runs: it ends in the same bytes, is never something else's, and is never trusted blindly."""

import contextlib
import io
import os
import re
import subprocess
import sys
import time
import tracemalloc
import warnings
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drlim_np.errors import DataError, DivergedError, DrlimError, InputError
from drlim_np.files import cache as checkpoint
from drlim_np.files.cache import NOTHING_KEPT, Memory, digest_of, read, write
from drlim_np.measure import metrics
from drlim_np.training import SGD, Step, minimise
from tests.help.small_training import DIGEST, EVERY, STEPS, bits, kept_in, outcome, task

SCRIPT = Path(__file__).parents[1] / "help" / "small_training.py"


def stopped_at(step, kept, optimiser=None, fault=KeyboardInterrupt):
    """Trains until `step` more steps are done, then stops as a Ctrl-C would, or diverges."""
    objective, *others = task(optimiser)
    calls = []

    def stopping(params, rng, progress):
        calls.append(progress)
        if len(calls) > step and fault is KeyboardInterrupt:
            raise KeyboardInterrupt
        loss, gradient = objective(params, rng, progress)
        return loss * (np.nan if len(calls) > step else 1), gradient

    with pytest.raises(fault) as caught:
        minimise(stopping, *others, stream=io.StringIO(), checkpoint=kept)
    return str(caught.value)


@pytest.fixture(scope="module")
def uninterrupted():
    return outcome()


def complaint(kind, call, *arguments):
    """The message of the error that a call must raise, in one line."""
    with pytest.raises(kind) as caught:
        call(*arguments)
    assert str(caught.value).isprintable(), "more than one line"
    return str(caught.value)


# ---- going on ----


@pytest.mark.parametrize("losses", [[0.5], [0.5, 0.25], [3.0, 2.0, 1.0]])
def test_a_step_is_kept_with_the_objective_before_it_and_before_each_step_so_far(losses, tmp_path):
    kept, params, rng = kept_in(tmp_path), {"w": np.arange(3.0)}, np.random.default_rng(5)
    kept.save(Step(len(losses), params, losses[-1], params), losses, rng)
    found, before = kept.load(params, params, 3, other := np.random.default_rng(6))
    assert (found.number, found.loss, before) == (len(losses), losses[-1], losses)
    assert other.random() == rng.random()


@pytest.mark.parametrize("step", [0, 4, 5, 6, 10, 19, 23])
def test_a_training_that_was_stopped_ends_with_the_bytes_of_one_that_was_not(step, tmp_path, uninterrupted, capsys):
    stopped_at(step, kept_in(tmp_path))
    assert kept_in(tmp_path).path.exists() == (step >= EVERY)
    assert outcome(kept_in(tmp_path)) == uninterrupted
    said = f"training: goes on from step {step // EVERY * EVERY} of {STEPS}\n" if step >= EVERY else ""
    assert capsys.readouterr().out == said


def test_a_training_stopped_again_and_again_ends_with_the_same_bytes(tmp_path):
    optimiser = SGD(0.1, 0.9)
    for step in (7, 2, 9, 6):
        stopped_at(step, kept_in(tmp_path), optimiser)
    assert outcome(kept_in(tmp_path), optimiser) == outcome(None, optimiser)


def test_a_finished_training_is_not_trained_again(tmp_path, uninterrupted, capsys):
    outcome(kept_in(tmp_path))
    _, *others = task()
    found = minimise(None, *others, stream=io.StringIO(), checkpoint=kept_in(tmp_path))
    assert bits(*found, others[-1]) == uninterrupted
    assert capsys.readouterr().out == "training: trained before; --fresh trains anew\n"


def test_killed_at_ten_random_moments_it_ends_with_the_same_bytes(tmp_path, uninterrupted):
    rng, found = np.random.default_rng(0), []
    for seconds in rng.uniform(0, 0.15, 10):
        environ = os.environ | {"PYTHONPATH": str(SCRIPT.parents[2])}
        with subprocess.Popen([sys.executable, SCRIPT, tmp_path], stdout=subprocess.PIPE, env=environ) as process:
            assert process.stdout.readline() == b"starts\n"
            time.sleep(seconds)
            process.kill()
        found.append(kept_in(tmp_path).path.exists())
    assert any(found)
    assert outcome(kept_in(tmp_path)) == uninterrupted


def test_a_training_that_diverges_keeps_the_last_good_state(tmp_path, uninterrupted):
    message = stopped_at(13, kept_in(tmp_path), fault=DivergedError)
    assert message.startswith("the objective is not finite at step 14: lower the learning rate")
    parts = read(kept_in(tmp_path).path, DIGEST)
    assert len(parts["losses"]) == 10
    assert all(np.isfinite(part).all() for part in parts.values())
    assert outcome(kept_in(tmp_path)) == uninterrupted


@pytest.mark.parametrize("name", ["write", "rename"])
def test_on_a_full_disk_the_state_kept_last_stays(name, tmp_path, uninterrupted, monkeypatch):
    stopped_at(7, kept_in(tmp_path))
    before = kept_in(tmp_path).path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*((Path, "write_bytes") if name == "write" else (os, "replace")), full)
        message = complaint(DrlimError, outcome, kept_in(tmp_path))
    assert f"{kept_in(tmp_path).path}: cannot be written (No space left on device): free space" in message
    assert {path.name for path in tmp_path.iterdir()} == {"training.npz"}
    assert kept_in(tmp_path).path.read_bytes() == before
    assert outcome(kept_in(tmp_path)) == uninterrupted


# ---- never that of something else ----

A, B = np.arange(6.0), np.arange(6)


@pytest.mark.parametrize(
    "other",
    [
        (A.reshape(2, 3), {"rate": 1}),
        (A.astype(np.float32), {"rate": 1}),
        (B, {"rate": 1}),
        (A.view(np.int64), {"rate": 1}),
        (A[::-1], {"rate": 1}),
        (A, {"rate": 2}),
        (A, {"rates": 1}),
        (A,),
        ({"rate": 1}, A),
        ([A, {"rate": 1}],),
        ([A], {"rate": 1}),
        (A[:5], A[5:], {"rate": 1}),
    ],
)
def test_whatever_else_it_follows_from_has_another_digest(other):
    assert digest_of(A, {"rate": 1}) == digest_of(A.copy(), {"rate": 1})
    assert digest_of(A, {"rate": 1}) != digest_of(*other)


def test_the_digest_is_of_the_content_whatever_its_place_in_memory():
    assert digest_of(np.asfortranarray(A.reshape(2, 3))) == digest_of(A.reshape(2, 3))


def test_another_version_of_the_source_has_another_digest(monkeypatch):
    before = digest_of(A)
    monkeypatch.setattr(checkpoint, "source_digest", lambda: "0.2.0")
    assert digest_of(A) != before


@pytest.mark.parametrize("change", ["digest", "steps", "network", "more", "less"])
def test_a_state_of_another_training_is_refused_even_under_its_name(change, tmp_path):
    outcome(kept_in(tmp_path))
    kept = kept_in(tmp_path)
    objective, start, optimiser, steps, rng = task()
    if change == "digest":
        kept = replace(kept, digest="cd" * 32)
    elif change == "steps":
        steps -= 1
    elif change == "network":
        start["F4"]["weight"] = np.zeros((30, 3), np.float32)
    elif change == "more":
        write(kept.path, kept.digest, read(kept.path, kept.digest) | {"more": A})
    else:
        held = read(kept.path, kept.digest)
        write(kept.path, kept.digest, {name: part for name, part in held.items() if name != "state.C1.weight"})
    stood = rng.bit_generator.state
    message = complaint(DataError, minimise, objective, start, optimiser, steps, rng, lambda t: 1, "", None, kept)
    assert message.startswith(f"{kept.path}: ")
    assert "delete it, or pass --fresh" in message
    assert rng.bit_generator.state == stood


# ---- costly results ----


@pytest.fixture
def counted(monkeypatch):
    """metrics.silhouette with a count of its calls."""
    calls, silhouette = [], metrics.silhouette

    def count(z, labels):
        calls.append(1)
        return silhouette(z, labels)

    count.__module__, count.__qualname__ = silhouette.__module__, silhouette.__qualname__
    count.calls = calls
    return count


Z, LABELS = np.random.default_rng(0).random((9, 2)), np.arange(9) % 3


def test_a_result_is_found_once_for_the_same_inputs_and_again_for_others(counted, tmp_path):
    memory, expected = Memory(tmp_path), metrics.silhouette(Z, LABELS)
    assert [memory.remembered(counted, Z, LABELS) for _ in range(3)] == [expected] * 3
    assert type(memory.remembered(counted, Z, LABELS)) is float
    assert len(counted.calls) == 1
    assert memory.remembered(counted, Z[::-1], LABELS) == metrics.silhouette(Z[::-1], LABELS)
    assert len(counted.calls) == 2


def test_a_fresh_run_uses_nothing_from_before_it_and_leaves_what_it_found(counted, tmp_path):
    Memory(tmp_path).remembered(counted, Z, LABELS)
    Memory(tmp_path, fresh=True).remembered(counted, Z, LABELS)
    assert len(counted.calls) == 2
    Memory(tmp_path).remembered(counted, Z, LABELS)
    assert len(counted.calls) == 2


def test_a_fresh_run_forgets_the_training(tmp_path):
    kept = Memory(tmp_path).checkpoint("figure 4, exact", A)
    write(kept.path, kept.digest, {"losses": A})
    assert kept.path.name == f"figure-4-exact-{kept.digest[:16]}.npz"
    assert Memory(tmp_path).checkpoint("figure 4, exact", A) == kept and kept.path.exists()
    assert Memory(tmp_path, fresh=True).checkpoint("figure 4, exact", A) == kept and not kept.path.exists()


def test_without_a_folder_nothing_is_kept(counted):
    assert NOTHING_KEPT.checkpoint("figure 4", A) is None
    for calls in (1, 2):
        NOTHING_KEPT.remembered(counted, Z, LABELS)
        assert len(counted.calls) == calls


def warning(x):
    warnings.warn("twelve groups", stacklevel=1)
    return x.T


def test_what_is_remembered_comes_with_its_warnings_and_in_the_same_layout(tmp_path):
    x, found = np.arange(6.0).reshape(2, 3), []
    for memory in (NOTHING_KEPT, Memory(tmp_path), Memory(tmp_path)):
        with pytest.warns(UserWarning, match="^twelve groups$"):
            found.append(memory.remembered(warning, x))
    for value in found:
        np.testing.assert_array_equal(value, x.T, strict=True)
        assert value.flags.c_contiguous and value.flags.writeable


# ---- never trusted blindly ----


def whole():
    """What a small file holds."""
    return {"value": np.arange(12.0).reshape(3, 4), "warnings": np.frombuffer(b"[]", np.uint8), "n": np.array(3)}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "kept.npz"
    write(path, DIGEST, whole())
    return path, path.read_bytes()


def parses_exactly_or_raises(path, content):
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        parts = read(path, DIGEST)
        for name, part in whole().items():
            np.testing.assert_array_equal(parts[name], part, strict=True)


def test_what_was_written_is_read(file):
    assert set(read(file[0], DIGEST)) == {"value", "warnings", "n"}


@settings(deadline=None)
@given(st.data())
def test_a_mutated_file_is_read_as_it_was_written_or_refused(file, data):
    path, content = file
    mutant = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(mutant)))
        mutant[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    parses_exactly_or_raises(path, bytes(mutant))


def test_arrays_that_the_directory_of_the_file_has_lost_are_missed(file):
    path, content = file
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)
    comment = second + 33  # the higher byte of its comment's length, which then reaches over all later entries
    mutant = content[:comment] + b"\x01" + content[comment + 1 :]
    path.write_bytes(mutant)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 2, "nothing strikes a zip file as odd"
    complaint(DataError, read, path, DIGEST)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused(file, content):
    file[0].write_bytes(content)
    complaint(DataError, read, file[0], DIGEST)


def npz(compression=zipfile.ZIP_STORED, **members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
        archive.comment = f"{DIGEST} in {len(members)} entries".encode()
    return buffer.getvalue()


def npy(header, payload=b""):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + payload


def bomb():
    return npz(
        zipfile.ZIP_DEFLATED,
        value=npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9000000,)}", bytes(9_000_000)),
    )


HOSTILE = {
    "2⁴⁰ numbers": lambda: npz(value=npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,)}", b"ab")),
    "a negative shape": lambda: npz(value=npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 1)}", bytes(8))),
    "a bomb": bomb,
    "a pickle": lambda: npz(value=npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"cos\nabort\n(tR.")),
    "code for a header": lambda: npz(value=npy("__import__('os').abort()")),
    "no arrays": lambda: npz(value=b""),
    "the end of a zip file": lambda: b"PK\x05\x06" + bytes(18),
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_within_its_own_length_of_memory(kind, tmp_path):
    (tmp_path / "kept.npz").write_bytes(content := HOSTILE[kind]())
    tracemalloc.start()
    complaint(DataError, read, tmp_path / "kept.npz", DIGEST)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(content) + 500_000


def test_what_is_remembered_lies_in_a_file_that_is_named_after_the_function(tmp_path):
    Memory(tmp_path).remembered(metrics.slant, np.eye(4)[None])
    (file,) = tmp_path.iterdir()
    assert re.fullmatch(r"measure\.metrics\.slant-[0-9a-f]{16}\.npz", file.name)


def test_a_fresh_memory_finds_nothing_to_delete_and_is_known_by_its_folder(tmp_path):
    memory = Memory(tmp_path, fresh=True)
    assert not memory.checkpoint("training", 1).path.exists()
    assert memory.anew and "anew" not in repr(memory)
    assert memory == Memory(tmp_path, fresh=True) and hash(memory) == hash(Memory(tmp_path, fresh=True))


NUMBERS = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (100,)}", np.random.default_rng(0).bytes(100))


def compressed():
    return npz(zipfile.ZIP_DEFLATED, value=NUMBERS)


def swollen():
    content = bytearray(npz(value=NUMBERS))
    place = content.index(b"PK\x01\x02") + 24  # of an entry's size in the directory
    content[place : place + 4] = (1 << 20).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize("content", [compressed, swollen])
def test_an_entry_that_is_compressed_and_one_that_claims_more_than_the_file_are_refused_each_by_itself(
    content, tmp_path
):
    (tmp_path / "kept.npz").write_bytes(npz(value=NUMBERS))
    assert read(tmp_path / "kept.npz", DIGEST)["value"].shape == (100,)
    (tmp_path / "kept.npz").write_bytes(content())
    assert "it claims more than it holds" in complaint(DataError, read, tmp_path / "kept.npz", DIGEST)


def test_a_tree_in_which_one_name_would_hide_another_is_not_kept(tmp_path):
    step = Step(1, {"a": {"b": A}, "a.b": A}, 0.0, {})
    message = complaint(InputError, kept_in(tmp_path).save, step, [0.0], np.random.default_rng())
    assert message.startswith("params holds the name 'a.b'") and list(tmp_path.iterdir()) == []


def test_one_number_among_others_that_is_not_finite_is_refused(tmp_path):
    outcome(kept_in(tmp_path))
    kept, (_, *others) = kept_in(tmp_path), task()
    parts = read(kept.path, kept.digest)
    parts["params.C1.weight"][0, 0, 0, 0] = np.nan
    write(kept.path, kept.digest, parts)
    assert "do not fit the network" in complaint(DataError, partial(minimise, checkpoint=kept), None, *others)


def test_a_folder_in_its_place_is_named(tmp_path):
    assert "cannot be read" in complaint(DataError, read, tmp_path, DIGEST)
