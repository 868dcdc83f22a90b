"""Results kept between runs: the same bytes, never those of something else, and never trusted blindly."""

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
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drlim_np.errors import DataError, DivergedError, DrlimError, InputError
from drlim_np.files import cache as module
from drlim_np.files import npz
from drlim_np.files.cache import NOTHING_CACHED, Cache, digest_of
from drlim_np.measure import metrics
from tests.files.conftest import FULL
from tests.help import trainings
from tests.help.comparing import bits
from tests.help.refusals import refuses
from tests.help.trainings import SEEDS, STEPS, descent, trained

A, B = np.arange(6.0), np.arange(6)


@pytest.fixture(scope="module")
def uncached():
    return [bits(descent(seed)) for seed in SEEDS]


def only_file(folder):
    (path,) = folder.iterdir()
    return path


# ---- finished trainings ----


def test_a_finished_training_is_found_with_the_same_bits_and_not_trained_again(tmp_path, uncached, capsys):
    steps = []
    assert trained(Cache(tmp_path), taken=lambda: steps.append(1)) == uncached[0]
    assert (len(steps), capsys.readouterr().out) == (STEPS, "")
    assert trained(Cache(tmp_path), taken=lambda: steps.append(1)) == uncached[0]
    assert len(steps) == STEPS
    assert capsys.readouterr().out == "training 0: trained before; --fresh trains again\n"
    assert re.fullmatch(r"training-0-[0-9a-f]{16}\.npz", only_file(tmp_path).name)


def test_the_layout_in_memory_is_that_of_the_file_from_the_start(tmp_path):
    tree = {"W": {"C1": np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1), "F": np.asfortranarray(np.eye(3, 2))}}
    made, found = (Cache(tmp_path).tree("a", [], lambda: tree) for _ in range(2))
    assert bits(made) == bits(found) == bits(tree)
    for name in ("C1", "F"):
        assert made["W"][name].strides == found["W"][name].strides
    assert made["W"]["F"].flags.f_contiguous
    assert NOTHING_CACHED.tree("a", [], lambda: tree) is tree


@pytest.mark.parametrize("step", [0, 1, 100, STEPS - 1])
@pytest.mark.parametrize("fault", [KeyboardInterrupt, DivergedError])
def test_a_training_that_stops_leaves_nothing_and_every_finished_one(tmp_path, uncached, step, fault):
    left = iter(range(step))

    def stop():
        if next(left, None) is None:
            raise fault

    trained(Cache(tmp_path), 0)
    with pytest.raises(fault):
        trained(Cache(tmp_path), 1, stop)
    assert only_file(tmp_path).name.startswith("training-0-")
    assert [trained(Cache(tmp_path), seed) for seed in SEEDS] == uncached


@pytest.mark.parametrize("byte", [0, 1, 300, "rename"])
@pytest.mark.parametrize("fault", [FULL, KeyboardInterrupt()])
def test_a_file_that_breaks_off_leaves_nothing_and_every_finished_one(tmp_path, uncached, dies_at, byte, fault):
    trained(Cache(tmp_path), 0)
    before = only_file(tmp_path).read_bytes()
    dies_at(byte, fault)
    with pytest.raises((DrlimError, KeyboardInterrupt)) as caught:
        trained(Cache(tmp_path), 1)
    if fault is FULL:
        remedy = "cannot be written (No space left on device): free space there and run again"
        assert remedy in str(caught.value) and str(caught.value).startswith(f"{tmp_path}/training-1-")
    assert only_file(tmp_path).read_bytes() == before
    dies_at(None)
    assert [trained(Cache(tmp_path), seed) for seed in SEEDS] == uncached


def test_trainings_killed_at_random_moments_end_with_the_same_bytes(tmp_path, uncached):
    script, found = Path(trainings.__file__), []
    environ = os.environ | {"PYTHONPATH": str(script.parents[2])}
    for seconds in np.random.default_rng(0).uniform(0, 0.06, 6):
        with subprocess.Popen([sys.executable, script, tmp_path], stdout=subprocess.PIPE, env=environ) as process:
            assert process.stdout.readline() == b"starts\n"
            time.sleep(seconds)
            process.kill()
        found.append(len(list(tmp_path.glob("*.npz"))))
    assert any(found) and found == sorted(found), "what was finished stays"
    assert [trained(Cache(tmp_path), seed) for seed in SEEDS] == uncached


def test_clearing_deletes_what_a_cache_has_written_damaged_or_not_and_nothing_else(tmp_path, uncached):
    for seed in SEEDS:
        trained(Cache(tmp_path), seed)
    only = next(tmp_path.glob("training-3-*"))
    only.write_bytes(b"")
    kept = {"notes.txt", "W.npz", "weights-0123456789abcde.npz", "training-3.npz"}
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / "deeper").mkdir()
    Cache(tmp_path).clear()
    Cache(tmp_path / "nothing").clear()
    NOTHING_CACHED.clear()
    assert {path.name for path in tmp_path.iterdir()} == {*kept, "deeper"}


# ---- costly results ----

Z, LABELS = np.random.default_rng(0).random((9, 2)), np.arange(9) % 3


@pytest.fixture
def counted():
    """metrics.silhouette with a count of its calls."""

    def count(z, labels):
        count.calls += 1
        return metrics.silhouette(z, labels)

    count.calls = 0
    count.__module__, count.__qualname__ = metrics.silhouette.__module__, metrics.silhouette.__qualname__
    return count


def test_a_result_is_computed_once_for_the_same_inputs_and_again_for_others(counted, tmp_path):
    cache, expected = Cache(tmp_path), metrics.silhouette(Z, LABELS)
    assert [cache.call(counted, Z, LABELS) for _ in range(3)] == [expected] * 3
    assert type(cache.call(counted, Z, LABELS)) is float
    assert counted.calls == 1
    assert cache.call(counted, Z[::-1], LABELS) == metrics.silhouette(Z[::-1], LABELS)
    assert counted.calls == 2
    assert all(re.fullmatch(r"measure\.metrics\.silhouette-[0-9a-f]{16}\.npz", name) for name in os.listdir(tmp_path))
    cache.clear()
    cache.call(counted, Z, LABELS)
    assert counted.calls == 3


def test_without_a_folder_nothing_is_kept(counted):
    for calls in (1, 2):
        NOTHING_CACHED.call(counted, Z, LABELS)
        assert counted.calls == calls
    assert NOTHING_CACHED.find("a", []) is None


def warning(x, threads=1):
    warnings.warn("twelve groups", stacklevel=1)
    return x.T


def test_a_cached_result_comes_with_its_warnings_in_the_same_layout_whatever_it_does_not_depend_on(tmp_path):
    x, found = np.arange(6.0).reshape(2, 3), []
    for cache, threads in ((NOTHING_CACHED, 1), (Cache(tmp_path), 1), (Cache(tmp_path), 2)):
        with pytest.warns(UserWarning, match="^twelve groups$"):
            found.append(cache.call(warning, x, threads=threads))
    for value in found:
        np.testing.assert_array_equal(value, x.T, strict=True)
        assert value.flags.c_contiguous and value.flags.writeable
    only_file(tmp_path)


# ---- never that of something else ----


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


def test_the_digest_is_of_the_content_whatever_its_place_in_memory_and_of_the_source(monkeypatch):
    assert digest_of(np.asfortranarray(A.reshape(2, 3))) == digest_of(A.reshape(2, 3))
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    before = digest_of(A)
    monkeypatch.setattr(module, "source_digest", lambda: "0.2.0")
    assert digest_of(A) != before


def test_another_label_or_input_finds_nothing_and_a_file_renamed_is_refused(tmp_path):
    cache = Cache(tmp_path)
    cache.keep("a", [A], {"x": A})
    assert bits(cache.find("a", [A])) == bits({"x": A})
    assert cache.find("b", [A]) is cache.find("a", [B]) is None
    path = only_file(tmp_path)
    cache.keep("b", [A], {"x": B})
    os.replace(next(tmp_path.glob("b-*")), path)
    for message in (f"{path}: is damaged or not of this cache (its comment is not '", ": delete it, or pass --fresh"):
        refuses(lambda: cache.tree("a", [A], lambda: {"x": A}), message, DataError)
    cache.clear()
    assert bits(cache.tree("a", [A], lambda: {"x": A})) == bits({"x": A})


@pytest.mark.parametrize(
    ("tree", "message"), [({"a": {"b": A}, "a.b": A}, "holds the name 'a.b'"), ({"a": {0: A}}, "holds the name 0")]
)
def test_a_tree_in_which_one_name_would_hide_another_is_not_kept(tmp_path, tree, message):
    refuses(lambda: Cache(tmp_path).tree("a", [], lambda: tree), message, InputError)
    assert list(tmp_path.iterdir()) == []


# ---- never trusted blindly ----

DIGEST = "ab" * 32
WHOLE = {"value": np.arange(12.0).reshape(3, 4), "warnings": np.frombuffer(b"[]", np.uint8), "n": np.array(3)}


def read(path):
    with npz.refusing(path, "is damaged", "delete it"):
        return npz.read(path, DIGEST)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "kept.npz"
    npz.write(path, DIGEST, WHOLE, "")
    assert list(read(path)) == list(WHOLE)
    return path, path.read_bytes()


@settings(deadline=None)
@given(st.data())
def test_a_mutated_file_is_read_as_it_was_written_or_refused(file, data):
    path, content = file
    mutant = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(mutant)))
        mutant[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    path.write_bytes(mutant)
    with contextlib.suppress(DataError):
        parts = read(path)
        for name, part in WHOLE.items():
            np.testing.assert_array_equal(parts[name], part, strict=True)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused(file, content):
    file[0].write_bytes(content)
    refuses(lambda: read(file[0]), ": delete it", DataError)


def test_arrays_that_the_directory_of_the_file_has_lost_are_missed(file):
    path, content = file
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)
    comment = second + 33  # the higher byte of its comment's length, which then reaches over all later entries
    path.write_bytes(content[:comment] + b"\x01" + content[comment + 1 :])
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 2, "nothing strikes a zip file as odd"
    refuses(lambda: read(path), "its comment is not", DataError)


def archive(compression=zipfile.ZIP_STORED, **members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
        file.comment = f"{DIGEST} in {len(members)} entries".encode()
    return buffer.getvalue()


def npy(descr, shape, payload=b""):
    return npy_of(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}", payload)


def npy_of(header, payload=b""):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + payload


NUMBERS = npy("|u1", "(100,)", np.random.default_rng(0).bytes(100))
SWOLLEN = bytearray(archive(value=NUMBERS))
SIZE = SWOLLEN.index(b"PK\x01\x02") + 24  # of an entry, in the directory
SWOLLEN[SIZE : SIZE + 4] = (1 << 20).to_bytes(4, "little")

HOSTILE = {
    "2⁴⁰ numbers": (archive(value=npy("<f8", "(1099511627776,)", b"ab")), ""),
    "a negative shape": (archive(value=npy("<f8", "(-1, 1)", bytes(8))), "shape (-1, 1)"),
    "a bomb": (archive(zipfile.ZIP_DEFLATED, value=npy("|u1", "(9000000,)", bytes(9_000_000))), "claims more than"),
    "a pickle": (archive(value=npy("|O", "(1,)", b"cos\nabort\n(tR.")), "value.npy has dtype object"),
    "code for a header": (archive(value=npy_of("__import__('os').abort()")), ""),
    "no arrays": (archive(value=b""), ""),
    "the end of a zip file": (b"PK\x05\x06" + bytes(18), "its comment is not"),
    "nothing": (b"", ""),
    "an entry that is compressed": (archive(zipfile.ZIP_DEFLATED, value=NUMBERS), "it claims more than it holds"),
    "an entry that claims more than the file": (bytes(SWOLLEN), "it claims more than it holds"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_within_its_own_length_of_memory(kind, tmp_path):
    content, message = HOSTILE[kind]
    (tmp_path / "kept.npz").write_bytes(content)
    tracemalloc.start()
    try:
        refuses(lambda: read(tmp_path / "kept.npz"), message, DataError)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(content) + 500_000
    finally:
        tracemalloc.stop()


def test_a_file_of_one_plain_entry_is_read_and_a_folder_in_its_place_is_named(tmp_path):
    (tmp_path / "kept.npz").write_bytes(archive(value=NUMBERS))
    assert read(tmp_path / "kept.npz")["value"].shape == (100,)
    refuses(lambda: read(tmp_path), f"{tmp_path}: cannot be read", DataError)
