"""Results kept between runs: the same bytes, never those of something else, and never trusted blindly."""

import os
import re
import warnings
from unittest import mock

import numpy as np
import pytest

from drlim_np.errors import DataError, DrlimError
from drlim_np.files import cache as module
from drlim_np.files.cache import NOTHING_CACHED, Cache, digest_of
from drlim_np.measure import metrics
from tests.help.comparing import bits
from tests.help.refusals import refuses

A, B = np.arange(6.0), np.arange(6)


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path)


def only_file(folder):
    (path,) = folder.iterdir()
    return path


def test_a_finished_training_is_found_in_the_layout_that_it_had_at_first_and_not_trained_again(cache, tmp_path, capsys):
    turned = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)
    tree = {"W": {"C1": turned, "F": np.asfortranarray(np.eye(3, 2)), "squash": {}}}
    train = mock.Mock(return_value=tree)
    for said in ("", "training 0: trained before; --fresh trains again\n"):
        found = cache.tree("training 0", [0], train)
        assert bits(found) == bits(tree) and found["W"]["squash"] == {} and capsys.readouterr().out == said
        assert found["W"]["C1"].flags.c_contiguous and found["W"]["F"].flags.c_contiguous
    train.assert_called_once()
    assert re.fullmatch(r"training-0-[0-9a-f]{16}\.npz", only_file(tmp_path).name)
    assert NOTHING_CACHED.tree("training 0", [0], train) is tree


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_a_place_where_nothing_can_be_kept_is_named(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for place, reason in (("file", "Not a directory"), ("link", f"{tmp_path / 'link'} is a link that leads nowhere")):
        message = f".npz: cannot be written ({reason}): free space there and run again: earlier results are kept"
        refuses(lambda place=place: Cache(tmp_path / place).keep("a", [], {}), message, DrlimError)


def test_a_result_that_may_not_be_read_is_told(owned):
    (cache := Cache(owned / "cache")).keep("a", [], {})
    for closed in (path := only_file(owned / "cache"), owned / "cache"):
        closed.chmod(0)
        refuses(lambda: cache.find("a", []), f"{path}: cannot be read (Permission denied): ", DataError)
    (owned / "cache").chmod(0o700)


def test_clearing_deletes_what_a_cache_has_written_damaged_or_not_and_nothing_else(cache, tmp_path):
    for label in ("a b", "b", "c"):
        cache.keep(label, [], {})
    next(tmp_path.glob("b-*")).write_bytes(b"")
    kept = {"notes.txt", "W.npz", "weights-0123456789abcde.npz", "training-3.npz"}
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / "deeper").mkdir()
    cache.clear()
    Cache(tmp_path / "nothing").clear()
    NOTHING_CACHED.clear()
    assert {path.name for path in tmp_path.iterdir()} == {*kept, "deeper"}


Z, LABELS = np.random.default_rng(0).random((9, 2)), np.arange(9) % 3


def test_a_result_is_computed_once_for_the_same_inputs_and_again_for_others(cache, tmp_path):
    silhouette = mock.Mock(wraps=metrics.silhouette, __module__="drlim_np.metrics", __qualname__="silhouette")
    for z, calls in ((Z, 1), (Z, 1), (Z[::-1], 2), (Z, 2)):
        found = cache.call(silhouette, z, LABELS)
        assert type(found) is float and found == metrics.silhouette(z, LABELS) and silhouette.call_count == calls
    assert all(re.fullmatch(r"metrics\.silhouette-[0-9a-f]{16}\.npz", name) for name in os.listdir(tmp_path))
    cache.clear()
    for nothing_kept, calls in ((cache, 3), (NOTHING_CACHED, 4), (NOTHING_CACHED, 5)):
        nothing_kept.call(silhouette, Z, LABELS)
        assert silhouette.call_count == calls
    assert NOTHING_CACHED.find("a", []) is None


def warning(x, *, threads):
    warnings.warn("twelve groups", stacklevel=1)
    return x.T


def test_a_cached_result_comes_with_its_warnings_in_the_same_layout_whatever_it_does_not_depend_on(tmp_path):
    x, found = np.arange(6.0).reshape(2, 3), []
    for cache, threads in ((NOTHING_CACHED, 1), (Cache(tmp_path), 1), (Cache(tmp_path), 2)):
        with pytest.warns(UserWarning, match="^twelve groups$") as caught:
            found.append(cache.call(warning, x, threads=threads))
        assert caught[0].filename == __file__, "the line that calls is to blame"
    for value in found:
        np.testing.assert_array_equal(value, x.T, strict=True)
        assert value.flags.c_contiguous and value.flags.writeable
    only_file(tmp_path)


RATE = {"rate": 1}
OTHERS = [(A.reshape(2, 3), RATE), (A.astype(np.float32), RATE), (B, RATE), (A.view(np.int64), RATE), (A[::-1], RATE)]
OTHERS += [(A, {"rate": 2}), (A, {"rates": 1}), (A,), (RATE, A), ([A, RATE],), ([A], RATE), (A[:5], A[5:], RATE)]


@pytest.mark.parametrize("other", OTHERS)
def test_whatever_else_it_follows_from_has_another_digest(other):
    assert digest_of(A, RATE) != digest_of(*other)


def test_the_digest_is_of_the_content_whatever_its_place_in_memory_and_of_the_source(monkeypatch):
    before = digest_of(A.reshape(2, 3), {"a": 1, "b": 2})
    assert digest_of(np.asfortranarray(A.reshape(2, 3)), {"b": 2, "a": 1}) == before
    monkeypatch.setattr(module, "source_digest", lambda: "0.2.0")
    assert digest_of(A.reshape(2, 3), {"a": 1, "b": 2}) != before


def test_the_digest_of_the_source_is_of_every_file_of_this_package_and_of_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "__file__", str(tmp_path / "drlim_np" / "files" / "cache.py"))
    (tmp_path / "drlim_np" / "files").mkdir(parents=True)
    found = []
    for name in ("drlim_np/loss.py", "test_loss.py", "drlim_np/notes.txt", "drlim_np/files/weights.py"):
        (tmp_path / name).touch()
        found.append(module.source_digest.__wrapped__())
    assert found[0] == found[1] == found[2] != found[3]


def test_another_label_or_input_finds_nothing_and_a_file_renamed_is_refused(cache, tmp_path):
    cache.keep("a", [A], {"x": A})
    assert bits(cache.find("a", [A])) == bits({"x": A})
    assert cache.find("b", [A]) is cache.find("a", [B]) is None
    path = only_file(tmp_path)
    cache.keep("b", [A], {"x": B})
    os.replace(next(tmp_path.glob("b-*")), path)
    for message in (f"{path}: is damaged or not of this cache (its comment is not '", ": delete it, or pass --fresh"):
        refuses(lambda: cache.tree("a", [A], lambda: {"x": A}), message, DataError)
