"""W on disk: what comes back is what went in, and whatever is not that is refused in one line."""

import io
import os
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest

from drlim_np.errors import DataError, DrlimError, InputError
from drlim_np.files import npz
from drlim_np.files.weights import load, save, to_bytes
from drlim_np.layers import Linear
from drlim_np.networks import CONVNET_INPUT, convnet, two_layer
from tests.help.comparing import bits

rng = np.random.default_rng
NETWORKS = pytest.mark.parametrize(
    ("network", "shape"), [(convnet(), CONVNET_INPUT), (two_layer(12), (12,))], ids=["convnet", "two-layer"]
)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def complaint(path):
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).isprintable(), "more than one line"
    return str(caught.value)


@NETWORKS
@DTYPES
def test_what_is_loaded_is_what_was_saved_to_the_last_bit(tmp_path, network, shape, dtype):
    params = network.init(rng(0), dtype)
    save(tmp_path / "w.npz", params)
    loaded = load(tmp_path / "w.npz")
    assert bits(loaded) == bits(params)
    assert list(loaded) == list(params), "a layer without parameters has its place too"
    x = rng(1).random((3, *shape)).astype(dtype)
    np.testing.assert_array_equal(network(loaded, x)[0], network(params, x)[0])


def test_trees_of_any_depth_come_back_with_their_empty_branches(tmp_path):
    tree = {"a": {"b": {"c": np.ones(2)}, "none": {}}, "file": np.zeros((2, 0)), "flat": np.array(3.0), "last": {}}
    save(tmp_path / "w.npz", tree)
    loaded = load(tmp_path / "w.npz")
    assert bits(loaded) == bits(tree)
    assert loaded["a"]["none"] == loaded["last"] == {}
    save(tmp_path / "w.npz", {})
    assert load(tmp_path / "w.npz") == {}


def test_the_file_is_an_npz_that_numpy_opens_under_the_dotted_names(tmp_path):
    params = two_layer(4, 3, 2).init(rng(0))
    save(tmp_path / "w.npz", params)
    with np.load(tmp_path / "w.npz", allow_pickle=False) as file:
        assert file.files == ["hidden.weight", "hidden.bias", "squash.", "output.weight", "output.bias"]
        np.testing.assert_array_equal(file["output.weight"], params["output"]["weight"])


def test_of_a_strangers_words_no_more_is_said_than_a_line_holds(tmp_path):
    for length, said in ((140, 140), (141, 140), (9000, 140)):
        with pytest.raises(DataError) as caught, npz.refusing(tmp_path, "is damaged", "choose another"):
            raise ValueError("x" * length)
        assert str(caught.value).count("x") - str(tmp_path).count("x") == said


def test_the_bytes_are_those_of_the_file(tmp_path):
    params = two_layer(4, 3, 2).init(rng(0))
    save(tmp_path / "w.npz", params)
    assert to_bytes(params) == (tmp_path / "w.npz").read_bytes()


def test_an_object_is_never_written():
    with pytest.raises(ValueError, match="allow_pickle"):
        npz.to_bytes("anything", {"a": np.array([{}], object)})


def test_the_name_is_kept_as_it_is_given_and_the_same_weights_give_the_same_bytes(tmp_path):
    params = Linear(3, 2).init(rng(0))
    save(str(tmp_path / "one"), params)
    save(tmp_path / "two", params)
    assert sorted(os.listdir(tmp_path)) == ["one", "two"]
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_weights_on_another_device_are_saved_from_there(tmp_path):
    xp = pytest.importorskip("array_api_strict")
    there = xp.asarray(np.arange(3.0), device=xp.Device("device1"))
    save(tmp_path / "w.npz", {"out": {"bias": there}})
    loaded = load(tmp_path / "w.npz")["out"]["bias"]
    assert type(loaded) is np.ndarray
    assert loaded.tolist() == [0, 1, 2]


# ---- saving: whole or not at all ----


def test_saving_again_replaces_the_file_and_leaves_nothing_else(tmp_path):
    save(tmp_path / "w.npz", {"w": np.zeros(2)})
    save(tmp_path / "w.npz", {"w": np.ones(2)})
    assert load(tmp_path / "w.npz")["w"].tolist() == [1, 1]
    assert os.listdir(tmp_path) == ["w.npz"]


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_save_that_breaks_off_leaves_the_old_file_as_it_was(tmp_path, monkeypatch, fault):
    save(tmp_path / "w.npz", {"w": np.zeros(2)})

    def broken(*arguments, **options):
        raise fault

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises((DrlimError, KeyboardInterrupt)) as caught:
        save(tmp_path / "w.npz", {"w": np.ones(2)})
    if isinstance(fault, OSError):
        assert "w.npz: cannot be written (No space left on device)" in str(caught.value)
    assert load(tmp_path / "w.npz")["w"].tolist() == [0, 0]
    assert os.listdir(tmp_path) == ["w.npz"]


def test_a_folder_is_made_where_there_is_none_and_a_place_that_cannot_be_is_named(tmp_path):
    save(tmp_path / "new" / "w.npz", {"w": np.ones(2)})
    assert load(tmp_path / "new" / "w.npz")["w"].tolist() == [1, 1]
    with pytest.raises(DrlimError, match=r"w.npz: cannot be written \(.*\): choose another"):
        save(tmp_path / "new" / "w.npz" / "w.npz", {"w": np.ones(2)})


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
    with pytest.raises(InputError) as caught:
        save(tmp_path / "w.npz", params)
    assert str(caught.value).startswith(fault) and str(caught.value).isprintable()
    assert os.listdir(tmp_path) == []


# ---- loading: all of it or a reason why not ----


def test_no_changed_byte_changes_a_weight_unseen(tmp_path):
    params = {"hidden": Linear(2, 2).init(rng(0)), "squash": {}}
    save(tmp_path / "w.npz", params)
    whole = (tmp_path / "w.npz").read_bytes()
    refused = 0
    for place in range(len(whole)):
        for flipped in (0x01, 0x80, 0xFF):
            damaged = bytearray(whole)
            damaged[place] ^= flipped
            (tmp_path / "damaged.npz").write_bytes(damaged)
            try:
                loaded = load(tmp_path / "damaged.npz")
            except DataError:
                refused += 1
            else:
                assert bits(loaded) == bits(params) and loaded["squash"] == {}, f"byte {place} ^ {flipped:#x}"
    assert refused > len(whole), "most of the changes matter"


def test_a_file_cut_short_anywhere_is_refused(tmp_path):
    save(tmp_path / "w.npz", Linear(2, 2).init(rng(0)))
    whole = (tmp_path / "w.npz").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "short.npz").write_bytes(whole[:length])
        assert "short.npz: is damaged or no file of weights" in complaint(tmp_path / "short.npz")


def test_a_file_that_lost_an_array_is_refused(tmp_path):
    save(tmp_path / "w.npz", two_layer(4, 3, 2).init(rng(0)))
    with zipfile.ZipFile(tmp_path / "w.npz") as whole, zipfile.ZipFile(tmp_path / "less.npz", "w") as less:
        less.comment = whole.comment
        for name in whole.namelist()[:-1]:
            less.writestr(name, whole.read(name))
    assert "its comment is not 'drlim_np W in 4 entries'" in complaint(tmp_path / "less.npz")


def test_pickled_objects_are_never_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    np.savez(tmp_path / "w.npz", w=np.array([Bomb()]))
    with zipfile.ZipFile(tmp_path / "w.npz", "a") as archive:
        archive.comment = b"drlim_np W in 1 entries"
    assert "allow_pickle" in complaint(tmp_path / "w.npz")
    assert not (tmp_path / "executed").exists()


def npz_of(path, *names):
    """A file of weights as `save` leaves it, with one array under each of these names, in this order."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")  # zipfile warns of two entries by one name
        for name in names:
            content = io.BytesIO()
            np.save(content, np.ones(2))
            archive.writestr(f"{name}.npy", content.getvalue())
        archive.comment = f"drlim_np W in {len(names)} entries".encode()
    return path


@pytest.mark.parametrize("names", [("a", "a.b"), ("a.b", "a"), ("a.", "a"), ("a.b", "a.b.c.d"), ("a..b",), (".b",)])
def test_names_of_which_one_would_hide_another_are_refused(tmp_path, names):
    assert "beside the others" in complaint(npz_of(tmp_path / "w.npz", *names))


def test_two_arrays_by_one_name_are_refused(tmp_path):
    assert "two arrays have the same name" in complaint(npz_of(tmp_path / "w.npz", "a", "a"))


@pytest.mark.parametrize("array", [np.arange(3), np.array([True]), np.ones(2, complex)], ids=str)
def test_what_save_would_not_have_written_is_not_loaded(tmp_path, array):
    npz.write(tmp_path / "w.npz", "drlim_np W", {"w": array}, "")
    assert "w has dtype" in complaint(tmp_path / "w.npz") or "w.npy has dtype" in complaint(tmp_path / "w.npz")


@pytest.mark.parametrize("order", "CF")
def test_an_array_comes_back_in_its_order_in_memory(tmp_path, order):
    array = np.asarray(np.arange(12.0).reshape(3, 4), order=order)
    save(tmp_path / "w.npz", {"w": array})
    loaded = load(tmp_path / "w.npz")["w"]
    np.testing.assert_array_equal(loaded, array, strict=True)
    assert loaded.strides == array.strides and loaded.flags.writeable


def test_weights_of_a_machine_of_the_other_byte_order_are_those_of_this_one(tmp_path):
    npz.write(tmp_path / "w.npz", "drlim_np W", {"w": np.arange(6.0).astype(">f8").reshape(2, 3).T}, "")
    np.testing.assert_array_equal(load(tmp_path / "w.npz")["w"], np.arange(6.0).reshape(2, 3).T, strict=True)


def test_reading_takes_no_more_memory_than_the_file_is_long(tmp_path):
    save(tmp_path / "w.npz", {"w": np.ones((1000, 1000)), "v": np.ones((1000, 1000))})
    tracemalloc.start()
    load(tmp_path / "w.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.2 * (tmp_path / "w.npz").stat().st_size


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("<!DOCTYPE html>\n<title>Not found</title>", "found a web page"),
        ("version https://git-lfs.github.com/spec/v1\n", "found a pointer of Git LFS, whose file git lfs pull fetches"),
    ],
)
def test_what_often_lies_in_the_place_of_a_file_is_told(tmp_path, content, told):
    (tmp_path / "w.npz").write_text(content)
    assert f"no file of weights ({told})" in complaint(tmp_path / "w.npz")


def test_other_files_are_refused_by_name(tmp_path):
    assert "w.npz: cannot be read (No such file or directory)" in complaint(tmp_path / "w.npz")
    assert "cannot be read (Is a directory)" in complaint(tmp_path)
    (tmp_path / "w.npz").write_text("no weights\n")
    assert "w.npz: is damaged or no file of weights" in complaint(tmp_path / "w.npz")
    np.savez(tmp_path / "w.npz", embedding=np.ones((3, 2)))
    assert "w.npz: is damaged or no file of weights" in complaint(tmp_path / "w.npz")
