"""W on disk: what comes back is what went in, and whatever is not that is refused in one line."""

import io
import os
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from drlim_np.errors import DataError, DrlimError
from drlim_np.files import npz
from drlim_np.files.weights import OF, load, save, to_bytes
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from tests.help.comparing import bits
from tests.help.refusals import refuses

rng = np.random.default_rng


def refused(path, *messages):
    for message in messages:
        refuses(lambda: load(path), message, DataError)


@pytest.mark.parametrize(
    ("network", "shape"), [(convnet(), CONVNET_INPUT), (two_layer(12), (12,))], ids=["convnet", "two-layer"]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_loaded_is_what_was_saved_to_the_last_bit(tmp_path, network, shape, dtype):
    params = network.init(rng(0), dtype)
    save(tmp_path / "w.npz", params)
    loaded = load(tmp_path / "w.npz")
    assert bits(loaded) == bits(params)
    assert list(loaded) == list(params), "a layer without parameters has its place too"
    x = rng(1).random((3, *shape)).astype(dtype)
    np.testing.assert_array_equal(network(loaded, x)[0], network(params, x)[0])


def test_the_weights_that_ship_are_loaded_and_saved_to_the_same_bytes():
    shipped = sorted((Path(__file__).parents[2] / "figures").glob("*-weights.npz"))
    assert len(shipped) >= 4
    for path in shipped:
        assert to_bytes(load(path)) == path.read_bytes(), path


def test_trees_of_any_depth_come_back_with_their_empty_branches(tmp_path):
    tree = {"a": {"b": {"c": np.ones(2)}, "none": {}}, "file": np.zeros((2, 0)), "flat": np.array(3.0), "last": {}}
    save(tmp_path / "w.npz", tree)
    loaded = load(tmp_path / "w.npz")
    assert bits(loaded) == bits(tree)
    assert loaded["a"]["none"] == loaded["last"] == {}
    save(tmp_path / "w.npz", {})
    assert load(tmp_path / "w.npz") == {}


def test_the_file_is_an_npz_that_numpy_opens_under_the_dotted_names_and_the_same_weights_give_the_same_bytes(tmp_path):
    params = two_layer(4, 3, 2).init(rng(0))
    save(str(tmp_path / "one"), params)
    save(tmp_path / "two", params)
    with np.load(tmp_path / "one", allow_pickle=False) as file:
        assert file.files == ["hidden.weight", "hidden.bias", "squash.", "output.weight", "output.bias"]
        np.testing.assert_array_equal(file["output.weight"], params["output"]["weight"])
    assert sorted(os.listdir(tmp_path)) == ["one", "two"], "the name is kept as it is given"
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes() == to_bytes(params)


def test_weights_on_another_device_are_saved_from_there(tmp_path):
    xp = pytest.importorskip("array_api_strict")
    there = xp.asarray(np.arange(3.0), device=xp.Device("device1"))
    save(tmp_path / "w.npz", {"out": {"bias": there}})
    loaded = load(tmp_path / "w.npz")["out"]["bias"]
    assert type(loaded) is np.ndarray
    assert loaded.tolist() == [0, 1, 2]


@pytest.mark.parametrize("order", "CF")
def test_an_array_comes_back_in_its_order_in_memory(tmp_path, order):
    array = np.asarray(np.arange(12.0).reshape(3, 4), order=order)
    save(tmp_path / "w.npz", {"w": array})
    loaded = load(tmp_path / "w.npz")["w"]
    np.testing.assert_array_equal(loaded, array, strict=True)
    assert loaded.strides == array.strides and loaded.flags.writeable


def test_weights_of_a_machine_of_the_other_byte_order_are_those_of_this_one(tmp_path):
    npz.write(tmp_path / "w.npz", OF, {"w": np.arange(6.0).astype(">f8").reshape(2, 3).T}, "")
    np.testing.assert_array_equal(load(tmp_path / "w.npz")["w"], np.arange(6.0).reshape(2, 3).T, strict=True)


def test_reading_takes_no_more_memory_than_the_file_is_long(tmp_path):
    save(tmp_path / "w.npz", {"w": np.ones((1000, 1000)), "v": np.ones((1000, 1000))})
    tracemalloc.start()
    load(tmp_path / "w.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.2 * (tmp_path / "w.npz").stat().st_size


# ---- saving: whole or not at all ----


@pytest.mark.parametrize(("byte", "fault"), [(99, OSError(28, "full")), ("rename", KeyboardInterrupt())])
def test_saving_again_replaces_the_file_and_a_save_that_breaks_off_leaves_it_as_it_was(tmp_path, dies_at, byte, fault):
    for value in ([0, 0], [1, 1]):
        save(tmp_path / "new" / "w.npz", {"w": np.array(value, float)})
        assert load(tmp_path / "new" / "w.npz")["w"].tolist() == value
    dies_at(byte, fault)
    with pytest.raises((DrlimError, KeyboardInterrupt)):
        save(tmp_path / "new" / "w.npz", {"w": np.full(2, 2.0)})
    assert load(tmp_path / "new" / "w.npz")["w"].tolist() == [1, 1]
    assert os.listdir(tmp_path / "new") == ["w.npz"]


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        (np.ones(2), "params is ndarray: it must be a dict"),
        ({"w": [1.0]}, "expected an array, got list"),
        ({"w": np.arange(3)}, "w has dtype int64"),
        ({"C1": {"w": np.array([None])}}, "C1.w has dtype object"),
        ({"C1.w": np.ones(2)}, "params holds the name 'C1.w'"),
        ({"": np.ones(2)}, "params holds the name ''"),
        ({0: np.ones(2)}, "params holds the name 0"),
        ({"C1\0": np.ones(2)}, "params holds the name 'C1\\x00'"),
        ({"C1": {"\ud800": np.ones(2)}}, "params holds the name '\\ud800'"),
    ],
)
def test_what_is_no_tree_of_weights_is_not_saved(tmp_path, params, fault):
    refuses(lambda: save(tmp_path / "w.npz", params), fault)
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_written_is_named_and_an_object_is_never_written(tmp_path):
    (tmp_path / "w.npz").touch()
    message = "w.npz: cannot be written (Not a directory): choose another"
    refuses(lambda: save(tmp_path / "w.npz" / "w.npz", {"w": np.ones(2)}), message, DrlimError)
    with pytest.raises(ValueError, match="allow_pickle"):
        npz.to_bytes("anything", {"a": np.array([{}], object)})


# ---- loading: all of it or a reason why not ----


def test_no_changed_byte_changes_a_weight_unseen_and_no_missing_end_goes_unnoticed(tmp_path):
    params, path = {"w": np.arange(1.0, 3), "squash": {}}, tmp_path / "w.npz"
    save(path, params)
    whole = path.read_bytes()
    refusals = 0
    for place in range(len(whole)):
        for flipped in (0x01, 0x80, 0xFF):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ flipped]) + whole[place + 1 :])
            try:
                loaded = load(path)
            except DataError:
                refusals += 1
            else:
                assert bits(loaded) == bits(params) and loaded["squash"] == {}, f"byte {place} ^ {flipped:#x}"
    assert refusals > len(whole), "most of the changes matter"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        refused(path, "w.npz: is damaged or no file of weights")


def test_a_file_that_lost_an_array_is_refused(tmp_path):
    save(tmp_path / "w.npz", two_layer(4, 3, 2).init(rng(0)))
    with zipfile.ZipFile(tmp_path / "w.npz") as whole, zipfile.ZipFile(tmp_path / "less.npz", "w") as less:
        less.comment = whole.comment
        for name in whole.namelist()[:-1]:
            less.writestr(name, whole.read(name))
    refused(tmp_path / "less.npz", "its comment is not 'drlim_np W in 4 entries'")


def test_pickled_objects_are_never_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    np.savez(tmp_path / "w.npz", w=np.array([Bomb()]))
    with zipfile.ZipFile(tmp_path / "w.npz", "a") as archive:
        archive.comment = b"drlim_np W in 1 entries"
    refused(tmp_path / "w.npz", "only numbers are read, no pickles")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        *[
            (names, "next to the others")
            for names in [("a", "a.b"), ("a.b", "a"), ("a.", "a"), ("a.b", "a.b.c.d"), ("a..b",), (".b",)]
        ],
        (("a", "a"), "two arrays have the same name"),
    ],
)
def test_names_of_which_one_would_hide_another_are_refused(tmp_path, names, message):
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        warnings.simplefilter("ignore")  # zipfile warns of two entries by one name
        for name in names:
            content = io.BytesIO()
            np.save(content, np.ones(2))
            archive.writestr(f"{name}.npy", content.getvalue())
        archive.comment = f"drlim_np W in {len(names)} entries".encode()
    refused(tmp_path / "w.npz", message)


@pytest.mark.parametrize(
    ("array", "message"),
    [(np.arange(3), "w has dtype"), (np.array([True]), "w has dtype"), (np.ones(2, complex), "w.npy has dtype")],
    ids=str,
)
def test_what_save_would_not_have_written_is_not_loaded(tmp_path, array, message):
    npz.write(tmp_path / "w.npz", OF, {"w": array}, "")
    refused(tmp_path / "w.npz", message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<!DOCTYPE html>\n<title>Not found</title>", "no file of weights (found a web page)"),
        ("version https://git-lfs.github.com/spec/v1\n", "found a pointer of Git LFS: git lfs pull fetches the file)"),
        ("no weights\n", "w.npz: is damaged or no file of weights"),
    ],
)
def test_a_file_of_something_else_is_refused_by_name(tmp_path, content, message):
    refused(tmp_path / "w.npz", "w.npz: cannot be read (No such file or directory)")
    refused(tmp_path, "cannot be read (Is a directory)")
    (tmp_path / "w.npz").write_text(content)
    refused(tmp_path / "w.npz", message, "choose another file, or save W again")
    np.savez(tmp_path / "w.npz", embedding=np.ones((3, 2)))
    refused(tmp_path / "w.npz", "w.npz: is damaged or no file of weights")


@pytest.mark.parametrize(("length", "shown"), [(140, 140), (141, 140), (9000, 140)])
def test_a_foreign_message_is_cut_to_what_a_line_holds(tmp_path, length, shown):
    with pytest.raises(DataError) as caught, npz.refusing(tmp_path, "is damaged", "choose another"):
        raise ValueError("x" * length)
    assert str(caught.value).count("x") - str(tmp_path).count("x") == shown
