"""W on disk: what comes back is what went in, and whatever is not that is refused in one line."""

import io
import os
import sys
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drlim_np.drawing.light import packed
from drlim_np.errors import DataError, DrlimError
from drlim_np.files import weights
from drlim_np.files.cache import Cache
from drlim_np.files.weights import OF, load, save, to_bytes
from drlim_np.networks import two_layer
from drlim_np.tree import leaves, tree_map
from tests.help.comparing import bits, contents
from tests.help.peaks import peak_of_memory
from tests.help.refusals import refuses

rng = np.random.default_rng


def archive(*entries, compression=zipfile.ZIP_STORED):
    """A zip file of these pairs of a name and a content, with the comment of a file of weights."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as file:
        warnings.simplefilter("ignore")  # zipfile warns of two entries by one name
        for name, content in entries:
            file.writestr(f"{name}.npy", content)
        file.comment = f"drlim_np W in {len(entries)} entries".encode()
    return buffer.getvalue()


def npy(header, payload=b""):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + payload


def array(descr, shape, payload):
    return npy(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}", payload)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """loaded(content): what is loaded from a file with that content."""
    path = tmp_path_factory.mktemp("weights") / "w.npz"

    def from_bytes(content):
        path.write_bytes(content)
        return load(path)

    return from_bytes


def test_the_weights_that_ship_are_loaded_and_saved_to_the_same_bytes():
    shipped = sorted((Path(__file__).parents[2] / "figures").glob("*-weights.npz"))
    assert len(shipped) >= 4
    for path in shipped:
        assert to_bytes(load(path)) == path.read_bytes(), path


def test_trees_of_any_depth_come_back_with_their_empty_branches(loaded):
    inner = {"b": {"c": np.ones(2, np.float32)}, "none": {}}
    tree = {"a": inner, "file": np.zeros((2, 0)), "flat": np.array(3.0), "last": {}}
    found = loaded(to_bytes(tree))
    assert bits(found) == bits(tree) and list(found) == list(tree) and found["flat"].flags.writeable
    assert found["a"]["none"] == found["last"] == loaded(to_bytes({})) == {}


def test_the_file_is_an_npz_that_numpy_opens_under_the_dotted_names_and_the_same_weights_give_the_same_bytes(tmp_path):
    params = two_layer(4, 3, 2).init(rng(0))
    for path in (str(tmp_path / "one"), tmp_path / "two"):
        save(path, params)
    assert contents(tmp_path) == dict.fromkeys(["one", "two"], to_bytes(params)), "the name is kept as it is given"
    with np.load(tmp_path / "one", allow_pickle=False) as file:
        assert file.files == ["hidden.weight", "hidden.bias", "squash.", "output.weight", "output.bias"]
        np.testing.assert_array_equal(file["output.weight"], params["output"]["weight"])


FORMS = {
    "native": np.asarray,
    "swapped": lambda w: w.astype(w.dtype.newbyteorder("S")),
    "Fortran": np.asfortranarray,
    "Fortran, swapped": lambda w: w.astype(w.dtype.newbyteorder("S"), order="F"),
    "every second": lambda w: np.repeat(w, 2, axis=-1)[..., ::2],
    "reversed": lambda w: w[::-1].copy()[::-1],
}


def written(folder, params):
    """The bytes of every kind of file that holds arrays: weights, the cache's, a figure's numbers."""
    save(folder / "w.npz", params)
    Cache(folder / "cache").keep("training", [], params)
    (kept,) = (folder / "cache").iterdir()
    return (folder / "w.npz").read_bytes(), kept.read_bytes(), packed(dict(leaves(params)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_w_has_one_file_and_one_hash_whatever_its_byte_order_and_order_in_memory(tmp_path, form, dtype):
    params = two_layer(4, 3, 2).init(rng(0), dtype)
    here, there = (written(tmp_path / name, tree_map(FORMS[name], params)) for name in ("native", form))
    assert here == there
    assert bits(load(tmp_path / form / "w.npz")) == bits(params)


def test_an_array_that_numpy_wrote_in_fortran_order_on_a_machine_of_the_other_byte_order_is_read(loaded):
    turned, entry = np.arange(6.0).reshape(2, 3).T, io.BytesIO()
    np.lib.format.write_array(entry, turned.astype(">f8"), version=(1, 0))
    assert b"'>f8', 'fortran_order': True" in entry.getvalue()
    np.testing.assert_array_equal(loaded(archive(("w", entry.getvalue())))["w"], turned, strict=True)


NO_WEIGHTS = [
    (np.ones(2), "params is ndarray: it must be a dict"),
    ({"w": [1.0]}, "expected an array, got list"),
    ({"w": np.arange(3, dtype=np.int64)}, "w has dtype int64"),
    ({"C1": {"w": np.array([None])}}, "C1.w has dtype object"),
    *(({"C1": {name: np.ones(2)}}, f"params holds the name {name!r}") for name in ("C1.w", "", 0, "C1\0", "\ud800")),
]


@pytest.mark.parametrize(("params", "fault"), NO_WEIGHTS)
def test_what_is_no_tree_of_weights_is_not_saved(tmp_path, params, fault):
    refuses(lambda: save(tmp_path / "w.npz", params), fault)
    assert os.listdir(tmp_path) == []


def test_an_object_is_never_written():
    with pytest.raises(ValueError, match="allow_pickle"):
        weights.archived("anything", {"a": np.array([{}], object)})


W = {"w": np.arange(12.0).reshape(3, 4), "v": np.array([2.0], np.float32), "n": np.array(3.0)}
WHOLE = to_bytes(W)


@settings(deadline=None)
@given(st.data())
def test_a_mutated_file_is_read_as_it_was_written_or_refused(loaded, data):
    mutant = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(mutant)))
        mutant[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    with suppress(DataError):
        assert bits(loaded(bytes(mutant))) == bits(W)


NUMBERS = array("<f4", "(25,)", rng(0).bytes(100))
SWOLLEN = bytearray(archive(("w", NUMBERS)))
SIZE = SWOLLEN.index(b"PK\x01\x02") + 24  # of an entry, in the directory
SWOLLEN[SIZE : SIZE + 4] = (1 << 20).to_bytes(4, "little")
SECOND = WHOLE.index(b"PK\x01\x02", WHOLE.index(b"PK\x01\x02") + 1)  # of the entries of the directory
LENGTH = SECOND + 33  # the higher byte of its comment's length, which then reaches over all later entries
LOST = WHOLE[:LENGTH] + b"\x01" + WHOLE[LENGTH + 1 :]

DAMAGED = "w.npz: is damaged or no file of weights ("
HOSTILE = {
    "2⁴⁰ numbers": (archive(("w", array("<f8", "(1099511627776,)", b"ab"))), DAMAGED),
    "a negative shape": (archive(("w", array("<f8", "(-1, 1)", bytes(8)))), "shape (-1, 1)"),
    "a bomb": (archive(("w", bytes(9_000_000)), compression=zipfile.ZIP_DEFLATED), "claims more than it holds"),
    "a pickle": (archive(("w", array("|O", "(1,)", b"cos\nabort\n(tR."))), "w.npy has dtype object, shape (1,): only"),
    "code for a header": (archive(("w", npy("__import__('os').abort()"))), DAMAGED),
    "no array": (archive(("w", b"")), DAMAGED),
    "the end of a zip file": (b"PK\x05\x06" + bytes(18), "its comment is not"),
    "a compressed entry": (archive(("w", NUMBERS), compression=zipfile.ZIP_DEFLATED), "it claims more than it holds"),
    "an entry that claims more than the file": (bytes(SWOLLEN), "it claims more than it holds"),
    "a directory that lost an array": (LOST, "its comment is not 'drlim_np W in 2 entries'"),
    "weights of something else": (weights.archived("figure", W), "its comment is not 'drlim_np W in 3 entries'"),
    "two arrays by one name": (archive(("w", NUMBERS), ("w", NUMBERS)), "two arrays have the same name"),
    "integers": (weights.archived(OF, {"w": np.arange(3)}), "w has dtype"),
    "complex numbers": (weights.archived(OF, {"w": np.ones(2, complex)}), "w.npy has dtype"),
    "a web page": (b"<!DOCTYPE html>\n<title>Not found</title>", f"{DAMAGED}found a web page)"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\n", "found a pointer of Git LFS: git lfs pull fetches"),
    "text": (b"no weights\n", DAMAGED),
}
for names in (("a", "a.b"), ("a.b", "a"), ("a.", "a"), ("a.b", "a.b.c.d"), ("a..b",), (".b",)):
    HOSTILE[f"the names {names}"] = archive(*((name, NUMBERS) for name in names)), "next to the others"


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_is_no_file_of_weights_is_refused_within_its_own_length_of_memory(kind, loaded):
    content, message = HOSTILE[kind]
    with peak_of_memory() as peak:
        refuses(lambda: loaded(content), message, DataError)
        assert peak() < 4 * len(content) + 500_000


def test_a_file_is_loaded_in_no_more_memory_than_it_is_long(loaded):
    whole = to_bytes({"w": np.ones((1000, 1000)), "v": np.ones((1000, 1000))})
    with peak_of_memory() as peak:
        loaded(whole)
        assert peak() < (1.2 if sys.byteorder == "little" else 1.7) * len(whole)  # numbers are turned array by array


def test_a_place_that_cannot_be_read_or_written_is_named_with_a_remedy(tmp_path):
    for path, reason in ((tmp_path / "w.npz", "No such file or directory"), (tmp_path, "Is a directory")):
        message = f"{path}: cannot be read ({reason}): choose another file, or save W again"
        refuses(lambda path=path: load(path), message, DataError)
    save(tmp_path / "w.npz", {"w": np.ones(2)})
    message = "w.npz: cannot be written (Not a directory): choose another place"
    refuses(lambda: save(tmp_path / "w.npz" / "w.npz", {"w": np.ones(2)}), message, DrlimError)
    assert os.listdir(tmp_path) == ["w.npz"]


def test_a_foreign_message_is_cut_to_what_a_line_holds():
    with pytest.raises(DataError) as caught, weights.refusing("w.npz", "is damaged", "choose another"):
        raise ValueError("x" * 141)
    assert str(caught.value) == f"w.npz: is damaged ({'x' * 140}): choose another"
