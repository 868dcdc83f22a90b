import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

import run_all
from drlim_np import data
from drlim_np.audit import first as audit_first
from drlim_np.audit.gradcheck import Row
from drlim_np.audit.proof import Proof
from drlim_np.data import Split, Views, handwriting, mnist, norb
from drlim_np.data.directory import data_directory
from drlim_np.errors import DrlimError
from drlim_np.figures import figure4
from drlim_np.files.cache import NOTHING_KEPT, Memory
from drlim_np.runs import pages, sources
from drlim_np.runs.command import OUT
from drlim_np.runs.index import AIRPLANE, DIGITS, FIGURES, ON_REQUEST
from drlim_np.runs.record import Claim, Result
from tests.help import cupy_standin


@pytest.fixture(autouse=True)
def nobodys_data(monkeypatch, tmp_path_factory):
    """Neither the environment nor the home folder of whoever runs the tests has a say in them."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.delenv("DRLIM_DATA", raising=False)
    for variable in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.setattr(Path, "home", lambda: home)


@pytest.fixture(scope="module")
def few():
    """Enough 4s and 9s for the smallest Figure 4."""
    return handwriting.generate(1, train=(25, 25), test=(20, 20))


@pytest.fixture(autouse=True)
def generated(monkeypatch, few):
    """Counts how often handwriting is generated, and keeps it small."""
    calls = []
    monkeypatch.setattr(handwriting, "generate", lambda memory: calls.append(1) or few)
    return calls


@pytest.fixture(autouse=True)
def rendered(monkeypatch):
    """Counts how often the airplane is rendered, and draws nothing."""
    calls, views = [], Views("airplane", "rendered airplane", np.zeros((972, 96, 96), np.uint8), {})
    monkeypatch.setattr(data.rendering, "generate", lambda memory: calls.append(1) or views)
    return calls


@pytest.fixture
def command(tmp_path, capsys):
    """Runs the command line on a folder of its own, in this process: status, standard output, standard error."""

    def run(*arguments, out=tmp_path / "out", audit=False):
        given = [*map(str, arguments), "--out", str(out), *([] if audit else ["--no-audit"])]
        status = run_all.main([*([] if "--jobs" in given else ["--jobs", "1"]), *given])
        return status, *capsys.readouterr()

    return run


@pytest.fixture(autouse=True)
def no_pages(monkeypatch):
    """The pages beside the figures need networks of their own."""
    monkeypatch.setattr(pages, "due", lambda figures, run: [])


@pytest.fixture
def drawn(monkeypatch):
    """Figures that take no time; the runs that they were given, by name."""
    runs = {}

    def figure(name, run):
        runs[name] = run
        images = run.digits() if name in DIGITS else run.views() if name in AIRPLANE else None
        return Result(Figure(figsize=(1, 1)), HOLDS, data=images)

    for name in FIGURES:
        monkeypatch.setitem(FIGURES, name, lambda run, name=name: figure(name, run))
    return runs


HOLDS = [Claim("all is well", 0.5, "≥", 0.25)]


def contents(folder):
    if folder.is_dir():
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return None


def one_line(said):
    """The one line on standard error, without the program's name."""
    assert said.startswith("run_all.py: ")
    assert said.endswith("\n")
    assert said[:-1].isprintable(), "more than one line"
    return said.removeprefix("run_all.py: ")[:-1]


def put_idx(folder, digits):
    """The digits as the four files of MNIST."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = (digits.train.images, digits.train.labels, digits.test.images, digits.test.labels)
    for name, array in zip(mnist.FILES, arrays, strict=True):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (folder / name).write_bytes(header + array.tobytes())
    return folder


def put_norb(folder, instance=4, half="smallnorb-5x46789x9x18x6x2x96x96-training"):
    """All views of one airplane as the three files of a half of small NORB."""
    folder.mkdir(parents=True, exist_ok=True)
    azimuth, elevation, lighting = np.indices((18, 9, 6)).reshape(3, 972)
    info = np.stack([np.full(972, instance), elevation, 2 * azimuth, lighting], axis=1).astype("<i4")
    pairs, categories = np.zeros((972, 2, 96, 96), np.uint8), np.full(972, 2, "<i4")
    parts = (("dat", 0x1E3D4C55, pairs), ("cat", 0x1E3D4C54, categories), ("info", 0x1E3D4C54, info))
    for part, magic, array in parts:
        sizes = (*array.shape, 1, 1)[: max(3, array.ndim)]
        header = np.array([magic, array.ndim, *sizes], "<i4")
        (folder / f"{half}-{part}.mat").write_bytes(header.tobytes() + array.tobytes())
    return folder


@pytest.fixture
def published(tmp_path, few, monkeypatch):
    """A folder with files that pass for the published ones."""
    folder = put_idx(tmp_path / "data" / "mnist", few)
    for name in mnist.FILES:
        monkeypatch.setitem(mnist.FILES, name, hashlib.sha256((folder / name).read_bytes()).hexdigest())
    return folder.parent


# ---- which figures ----


def test_list_names_every_figure_with_what_it_shows(capsys):
    assert run_all.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(FIGURES)
    for line, make in zip(lines, FIGURES.values(), strict=True):
        assert line.split(maxsplit=1)[1] == make.__doc__.splitlines()[0]


def test_without_only_all_figures_are_drawn_in_the_order_of_the_paper(command, drawn):
    status, said, _ = command()
    assert status == 0
    usual = [name for name in FIGURES if name not in ON_REQUEST]
    assert list(drawn) == usual
    assert f"All {len(usual)} claims hold." in said


@pytest.mark.parametrize("asked", [("--only", "unfolding"), ("--only", "unfolding", "--animate")])
def test_the_animation_is_drawn_on_request(command, drawn, asked):
    assert command(*asked)[0] == 0
    assert list(drawn) == ["unfolding"]


def test_animate_adds_the_animation_to_the_figures(command, drawn):
    assert command("--animate")[0] == 0
    assert list(drawn) == [name for name in FIGURES if name == "unfolding" or name not in ON_REQUEST]


def test_the_pages_of_what_was_drawn_lie_beside_the_figures_and_are_named(command, drawn, monkeypatch, tmp_path):
    monkeypatch.setattr(pages, "due", lambda figures, run: ["lesson.html"])
    _, said, _ = command("--only", "figure1")
    assert contents(tmp_path / "out")["lesson.html"].startswith(b"<!doctype html>")
    assert f"{tmp_path / 'out' / 'lesson.html'}\n" in said


@pytest.mark.parametrize(
    "only", [["figure4", "figure1"], ["figure4,figure1"], ["figure1,", "figure4,figure1"]], ids=" ".join
)
def test_only_takes_names_with_blanks_or_commas_between_and_draws_each_once(command, drawn, only, tmp_path):
    status, said, _ = command("--only", *only)
    assert status == 0
    assert list(drawn) == ["figure1", "figure4"]
    files = {"figure1.png", "figure1.svg", "figure4-handwriting.png", "figure4-handwriting.svg", "metrics.json"}
    assert set(contents(tmp_path / "out")) == files
    for key in ("figure1", "figure4-handwriting"):
        assert str(tmp_path / "out" / f"{key}.png") in said


def test_figures_get_the_seed_the_size_and_some_threads(command, drawn):
    command("--only", "figure1", "--seed", "12", "--quick")
    command("--only", "figure2")
    assert (drawn["figure1"].seed, drawn["figure1"].quick) == (12, True)
    assert (drawn["figure2"].seed, drawn["figure2"].quick) == (0, False)
    assert 1 <= drawn["figure1"].threads <= 8


def test_figure_1_on_its_own_needs_no_data_and_holds(command, generated, tmp_path):
    status, said, complained = command("--only", "figure1")
    assert (status, complained) == (0, "")
    assert said.count("holds\n") == 5
    assert said.endswith("All 5 claims hold.\n")
    assert "Data:" not in said
    assert not generated
    assert set(contents(tmp_path / "out")) == {"figure1.png", "figure1.svg", "metrics.json"}


def test_a_second_run_adds_to_the_record_of_the_first(command, drawn, tmp_path):
    command("--only", "figure1")
    command("--only", "figure2")
    assert set(json.loads((tmp_path / "out" / "metrics.json").read_bytes())) == {"figure1", "figure2"}


def test_only_given_twice_adds_up(command, drawn):
    command("--only", "figure2", "--only", "figure1")
    assert list(drawn) == ["figure1", "figure2"]


# ---- where to ----


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working directory that holds nothing."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_figures_go_to_a_folder_of_their_own_which_is_said(drawn, elsewhere, capsys):
    assert run_all.main(["--only", "figure1", "--no-audit"]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert first == f"Figures go to {elsewhere / 'out'}; --out figures refreshes those that ship with a checkout."
    assert set(contents(elsewhere / "out")) == {"figure1.png", "figure1.svg", "metrics.json"}


def test_a_run_leaves_no_tracked_file_changed(tmp_path):
    ignored = (audit_first.HERE / ".gitignore").read_text().splitlines()
    assert f"/{OUT}/" in ignored


def test_a_tilde_is_the_home_folder(drawn, elsewhere, capsys):
    home = Path(os.environ["HOME"])
    assert run_all.main(["--only", "figure1", "--no-audit", "--out", "~/some/figures"]) == 0
    assert "figure1.png" in contents(home / "some" / "figures")
    assert list(elsewhere.iterdir()) == []


def test_an_empty_name_for_the_folder_is_refused_in_one_line(drawn, elsewhere, capsys):
    assert run_all.main(["--only", "figure1", "--no-audit", "--out", ""]) == 2
    assert one_line(capsys.readouterr().err) == "--out is empty: name a folder after it, or leave it out"
    assert not drawn and list(elsewhere.iterdir()) == []


# ---- seeds ----


@pytest.fixture
def measured(monkeypatch):
    """Figures 1, 4 and 8 that measure their seed, and claim that it is below 7; which were made, in order."""
    made = []

    def figure(name, run):
        made.append((name, run.seed))
        images = run.digits() if name in DIGITS else run.views() if name in AIRPLANE else None
        claims = [Claim("a low seed", run.seed, "≤", 7)]
        return Result(Figure(figsize=(1, 1)), claims, {"margin": 1.0}, images, {"drlim": {"accuracy": run.seed / 10}})

    for name in FIGURES:
        monkeypatch.setitem(FIGURES, name, lambda run, name=name: figure(name, run))
    return made


SHOWN = ("--only", "figure1", "figure4", "figure8")


def record_in(folder):
    return json.loads((folder / "metrics.json").read_bytes())


def test_of_several_seeds_the_first_is_drawn_and_of_the_others_the_record_is_kept(command, measured, tmp_path):
    status, said, _ = command(*SHOWN, "--seeds", 3, 0, 5)
    assert status == 0
    assert measured == [(name, 3) for name in SHOWN[1:]] + [(name, s) for s in (0, 5) for name in SHOWN[2:]]
    entry = record_in(tmp_path / "out")["figure4-handwriting"]
    assert (entry["seed"], entry["measured"]) == (3, {"drlim": {"accuracy": 0.3}})
    assert {seed: kept["measured"]["drlim"]["accuracy"] for seed, kept in entry["seeds"].items()} == {"0": 0, "5": 0.5}
    assert [kept["claims"][0]["value"] for kept in entry["seeds"].values()] == [0, 5]
    assert "seeds" not in record_in(tmp_path / "out")["figure1"], "nothing there is trained"
    assert f"{tmp_path / 'out' / 'figure4-handwriting.png'}  " in said
    assert "figure4-handwriting, seed 5, recorded  " in said
    assert said.endswith("All 7 claims hold.\n")


def test_the_pictures_are_those_of_the_first_seed(command, measured, tmp_path):
    command(*SHOWN, "--seed", 3, out=tmp_path / "one")
    command(*SHOWN, "--seeds", 3, 0, 5, out=tmp_path / "several")
    one, several = contents(tmp_path / "one"), contents(tmp_path / "several")
    assert one.keys() == several.keys()
    assert all(one[name] == several[name] for name in one if name != "metrics.json")


def test_a_claim_that_fails_for_another_seed_fails_the_run_and_names_it(command, measured):
    status, said, _ = command("--only", "figure4", "--seeds", 0, 9)
    assert status == 1
    (line,) = (line for line in said.splitlines() if line.endswith("FAILS"))
    assert line.startswith("figure4-handwriting, seed 9  ")


def test_drawn_with_another_seed_a_figure_keeps_the_record_of_the_earlier_one(command, measured, tmp_path):
    command("--only", "figure4", "--seeds", 0, 1)
    command("--only", "figure4", "--seed", 2)
    entry = record_in(tmp_path / "out")["figure4-handwriting"]
    assert (entry["seed"], list(entry["seeds"])) == (2, ["0", "1"])
    command("--only", "figure4", "--seed", 0)
    entry = record_in(tmp_path / "out")["figure4-handwriting"]
    assert (entry["seed"], list(entry["seeds"])) == (0, ["1", "2"])


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("--seed", 1, "--seeds", 2), "--seed and --seeds are both given"),
        (("--seeds", 0, -1), "--seeds is -1: give a whole number from 0 up"),
    ],
)
def test_seeds_that_make_no_sense_are_refused(command, measured, given, named):
    status, _, complained = command(*SHOWN, *given)
    assert status == 2 and not measured
    assert one_line(complained).startswith(named)


def test_verify_repeats_the_seed_of_the_picture_or_those_that_are_named(command, measured, tmp_path):
    command("--only", "figure4", "--seeds", 0, 1, 2)
    for given, repeated in (((), [0]), (("--seeds", 2, 1), [1, 2]), (("--seed", 2), [2]), (("--seeds", 0, 9), [0])):
        measured.clear()
        assert command("--verify", "--only", "figure4", *given)[0] == 0
        assert [seed for _, seed in measured] == repeated
    record = record_in(tmp_path / "out")
    record["figure4-handwriting"]["seeds"]["1"]["measured"]["drlim"]["accuracy"] = 0.5
    (tmp_path / "out" / "metrics.json").write_text(json.dumps(record))
    status, said, _ = command("--verify", "--only", "figure4", "--seeds", 1, 2)
    assert status == 1
    (line,) = (line for line in said.splitlines() if line.endswith("DIFFERS"))
    assert line.startswith("figure4-handwriting, seed 1  drlim.accuracy ")


# ---- where training runs ----


def test_audit_and_training_run_on_numpy_unless_another_backend_is_asked_for(command, drawn, monkeypatch):
    audited = []
    monkeypatch.setitem(sys.modules, "cupy", cupy_standin.module())
    monkeypatch.setattr("drlim_np.runs.command.audit_passes", lambda backend, memory: audited.append(backend) or True)
    command("--only", "figure1", audit=True)
    command("--only", "figure2", "--backend", "cupy", audit=True)
    assert (drawn["figure1"].backend, drawn["figure2"].backend) == ("numpy", "cupy")
    assert audited == ["numpy", "cupy"]


def test_a_backend_that_cannot_be_had_is_told_in_one_line_before_anything_is_done(
    command, drawn, generated, monkeypatch, tmp_path
):
    without_gpu = cupy_standin.module()
    without_gpu.is_available = lambda: False
    for module, culprit, remedy in (
        (None, "CuPy, which is not installed", 'run pip install "cupy-cuda12x'),
        (without_gpu, "finds no GPU", "install NVIDIA's driver"),
    ):
        monkeypatch.setitem(sys.modules, "cupy", module)
        status, said, complained = command("--backend", "cupy")
        assert (status, said) == (2, "")
        assert culprit in one_line(complained) and remedy in complained
    assert not drawn and not generated and contents(tmp_path / "out") is None


# ---- claims ----


def test_a_claim_that_fails_gives_status_1_and_is_named_but_all_figures_are_kept(command, drawn, monkeypatch, tmp_path):
    claims = [Claim("the earth is round", 1.0, "≥", 0.5), Claim("the earth is flat", 0.125, "≥", 0.5)]
    monkeypatch.setitem(FIGURES, "figure1", lambda run: Result(Figure(), claims))
    status, said, complained = command("--only", "figure1,figure2")
    assert (status, complained) == (1, "")
    (flat,) = (line for line in said.splitlines() if "the earth is flat" in line)
    assert flat.split() == ["figure1", "the", "earth", "is", "flat", "0.125", "≥", "0.5", "FAILS"]
    assert said.count("FAILS") == 1
    assert said.endswith("3 claims, 1 failed\n")
    assert {"figure1.png", "figure2.png"} < set(contents(tmp_path / "out"))


def test_a_claim_about_nan_fails(command, monkeypatch):
    monkeypatch.setitem(FIGURES, "figure1", lambda run: Result(Figure(), [Claim("", float("nan"), "≤", 1.0)]))
    assert command("--only", "figure1")[0] == 1


# ---- which data ----


def test_without_data_images_are_generated_once_and_that_is_said(command, drawn, generated, rendered, tmp_path):
    status, said, _ = command()
    assert status == 0
    cache = data_directory().path
    assert said.splitlines()[:2] == [
        f"Data: generated handwriting, because there is no MNIST in {cache}; --download mnist fetches it.",
        f"Data: the rendered airplane, because there is no small NORB in {cache}; --download norb fetches it.",
    ]
    assert said.count("Data:") == 2
    assert len(generated) == len(rendered) == 1
    files = {"figure4-handwriting.png", "figure4-exact-handwriting.png", "figure8-airplane.png"}
    assert files < set(contents(tmp_path / "out"))


@pytest.mark.parametrize(("only", "loaded"), [("figure1", (0, 0)), ("figure4", (1, 0)), ("figure8", (0, 1))])
def test_only_the_images_that_the_figures_need_are_loaded(command, drawn, generated, rendered, only, loaded):
    assert command("--only", only)[0] == 0
    assert (len(generated), len(rendered)) == loaded


@pytest.mark.parametrize("named_by", ["--data", "DRLIM_DATA", "cache"])
def test_mnist_is_used_and_named_where_it_is_found(
    command, drawn, published, generated, named_by, tmp_path, monkeypatch
):
    arguments = ["--data", published] if named_by == "--data" else []
    if named_by == "DRLIM_DATA":
        monkeypatch.setenv("DRLIM_DATA", str(published))
    elif named_by == "cache":
        data_directory().path.parent.mkdir(parents=True, exist_ok=True)
        published = published.rename(data_directory().path)
    status, said, _ = command("--only", "figure4", *arguments)
    assert status == 0
    assert said.startswith(f"Data: MNIST from {published / 'mnist'}\n")
    assert not generated
    assert set(contents(tmp_path / "out")) == {"figure4-mnist.png", "figure4-mnist.svg", "metrics.json"}
    entry = json.loads((tmp_path / "out" / "metrics.json").read_bytes())["figure4-mnist"]
    assert entry["data"] == {"name": "mnist", "title": "MNIST", "sha256": mnist.FILES}


def test_the_flag_goes_before_the_variable(command, drawn, published, monkeypatch, tmp_path):
    monkeypatch.setenv("DRLIM_DATA", str(tmp_path / "nothing"))
    assert command("--only", "figure4", "--data", published)[0] == 0


def test_a_variable_that_names_no_folder_is_reported_by_its_name(command, drawn, monkeypatch, tmp_path):
    monkeypatch.setenv("DRLIM_DATA", str(tmp_path / "nothing"))
    status, _, complained = command("--only", "figure4")
    assert status == 2
    assert f"{tmp_path / 'nothing'}, named by DRLIM_DATA, does not exist" in one_line(complained)
    assert not drawn


@pytest.mark.parametrize("named_by", ["--data", "DRLIM_DATA", "cache"])
def test_small_norb_is_used_and_named_where_it_is_found(command, drawn, rendered, named_by, tmp_path, monkeypatch):
    folder = put_norb((data_directory().path if named_by == "cache" else tmp_path / "data") / "norb")
    if named_by == "DRLIM_DATA":
        monkeypatch.setenv("DRLIM_DATA", str(folder.parent))
    arguments = ["--data", folder.parent] if named_by == "--data" else []
    status, said, _ = command("--only", "figure8", *arguments)
    assert status == 0
    assert said.startswith(f"Data: airplane 4 of small NORB from {folder}\n")
    assert not rendered
    assert {"figure8-norb-airplane4.png", "figure8-norb-airplane4.svg"} < set(contents(tmp_path / "out"))
    entry = json.loads((tmp_path / "out" / "metrics.json").read_bytes())["figure8-norb-airplane4"]
    assert set(entry["data"]["sha256"]) == set(norb.published(4).files)


def test_another_airplane_can_be_chosen_from_either_half(command, drawn, tmp_path):
    put_norb(tmp_path / "data", 7)
    put_norb(tmp_path / "data", 0, "smallnorb-5x01235x9x18x6x2x96x96-testing")
    for instance in (0, 7):
        status, said, _ = command("--only", "figure8", "--data", tmp_path / "data", "--airplane", instance)
        assert status == 0
        assert said.startswith(f"Data: airplane {instance} of small NORB from {tmp_path / 'data'}\n")
        assert f"figure8-norb-airplane{instance}.png" in contents(tmp_path / "out")


def test_beside_mnist_alone_the_airplane_is_rendered(command, drawn, published, tmp_path):
    status, said, _ = command("--only", "figure4,figure8", "--data", published)
    assert status == 0
    assert said.splitlines()[:2] == [
        f"Data: MNIST from {published / 'mnist'}",
        f"Data: the rendered airplane, because there is no small NORB in {published}; --download norb fetches it.",
    ]
    assert {"figure4-mnist.png", "figure8-airplane.png"} < set(contents(tmp_path / "out"))


def test_beside_small_norb_alone_handwriting_is_generated(command, drawn, tmp_path):
    folder = put_norb(tmp_path / "data" / "norb")
    status, said, _ = command("--only", "figure4,figure8", "--data", folder.parent)
    assert status == 0
    assert said.splitlines()[:2] == [
        f"Data: generated handwriting, because there is no MNIST in {folder.parent}; --download mnist fetches it.",
        f"Data: airplane 4 of small NORB from {folder}",
    ]
    assert {"figure4-handwriting.png", "figure8-norb-airplane4.png"} < set(contents(tmp_path / "out"))


def test_generated_images_can_be_asked_for_where_published_ones_are_found(
    command, drawn, published, monkeypatch, tmp_path
):
    monkeypatch.setenv("DRLIM_DATA", str(published))
    put_norb(published / "norb")
    status, said, _ = command("--only", "figure4,figure8", "--generated")
    assert status == 0
    assert "Data:" not in said
    assert {"figure4-handwriting.png", "figure8-airplane.png"} < set(contents(tmp_path / "out"))


@pytest.fixture
def fetched(monkeypatch, few):
    """Puts files where the network would; what was fetched, and where to."""
    calls = []

    def fetch(folder, wanted):
        calls.append((folder, wanted.files))
        if wanted.name == "mnist":
            put_idx(folder, few)
        else:
            put_norb(folder, half=wanted.files[0].removesuffix("-dat.mat"))

    monkeypatch.setattr(sources, "fetch", fetch)
    return calls


NAMES = {"mnist": tuple(mnist.FILES), "norb": norb.published(4).files}


@pytest.mark.parametrize("only", ["figure1", "figure4", "figure8"])
@pytest.mark.parametrize(
    ("named", "fetches"),
    [
        ([], ["mnist"]),
        (["mnist"], ["mnist"]),
        (["norb"], ["norb"]),
        (["norb", "mnist"], ["mnist", "norb"]),
        (["mnist,norb"], ["mnist", "norb"]),
    ],
)
def test_download_fetches_what_it_names_or_mnist_into_the_data_folder_first(
    command, drawn, fetched, tmp_path, only, named, fetches
):
    new = tmp_path / "new"
    status, said, _ = command("--only", only, "--data", new, "--accept-unknown-data", "--download", *named)
    assert status == 0
    assert fetched == [(new / name, NAMES[name]) for name in fetches]
    for name in fetches:
        assert f" from {new / name}\n" in said


def test_download_fetches_the_half_of_small_norb_that_holds_the_airplane(command, drawn, fetched, tmp_path):
    command("--only", "figure1", "--data", tmp_path / "new", "--airplane", "3", "--download", "norb")
    assert fetched == [(tmp_path / "new" / "norb", norb.published(3).files)]


def test_a_quick_figure_4_of_other_data_is_named_after_them_and_claims_counts_only(command, few, tmp_path, monkeypatch):
    monkeypatch.setattr(figure4, "QUICK", {"train_per_class": 20, "test_per_class": 15, "steps": 2})
    folder = put_idx(tmp_path / "fashion", few)
    status, said, complained = command("--only", "figure4", "--quick", "--data", folder, "--accept-unknown-data")
    assert (status, complained) == (0, "")
    assert said.endswith("All 2 claims hold.\n")
    (key,) = json.loads((tmp_path / "out" / "metrics.json").read_bytes())
    assert key.startswith("figure4-idx-")
    assert key.endswith("-quick")
    files = {f"{key}.png", f"{key}.svg", f"{key}.npz", f"{key}-weights.npz", "metrics.json"}
    assert set(contents(tmp_path / "out")) == files
    assert said.startswith(f"Data: IDX data {key.split('-')[2]} from {folder}\n")


# ---- what the user can mend ----


def damaged(tmp_path, few):
    folder = put_idx(tmp_path / "damaged", few)
    file = folder / list(mnist.FILES)[2]
    file.write_bytes(file.read_bytes()[:-1])
    return ["--data", folder, "--accept-unknown-data"], str(file)


def part(tmp_path, few):
    folder = put_idx(tmp_path / "part", few)
    name = list(mnist.FILES)[1]
    (folder / name).unlink()
    return ["--data", folder], name


def too_few(tmp_path, few):
    return ["--data", put_idx(tmp_path / "few", few), "--accept-unknown-data"], "25 images labelled 4, 3000 needed"


def blank_test_image(tmp_path, few):
    images = few.test.images.copy()
    images[np.flatnonzero(np.isin(few.test.labels, (4, 9)))[0]] = 0
    digits = replace(few, test=replace(few.test, images=images))
    return ["--quick", "--data", put_idx(tmp_path / "blank", digits), "--accept-unknown-data"], "blank"


def few_test_digits(tmp_path, few):
    test = Split(few.test.images[:20], few.test.labels[:20])
    folder = put_idx(tmp_path / "small", replace(few, test=test))
    return ["--quick", "--data", folder, "--accept-unknown-data"], "25 needed"


BAD = {
    "no figure": lambda *_: (["--only", ","], "--only names none of the figures"),
    "a line break": lambda *_: (["--only", "fig\nure"], "--only names 'fig\\nure'"),
    "blank test image": blank_test_image,
    "few test digits": few_test_digits,
    "no such figure": lambda *_: (["--only", "figure1", "figure0,figure99"], "--only names figure0, figure99"),
    "no jobs": lambda *_: (["--jobs", "0"], "--jobs is '0': give a whole number from 1 up, or leave it out"),
    "jobs in words": lambda *_: (["--jobs", "many"], "--jobs is 'many': give a whole number from 1 up"),
    "negative seed": lambda *_: (["--seed", "-1"], "--seed is -1"),
    "missing data": lambda tmp_path, _: (["--data", tmp_path / "nothing"], str(tmp_path / "nothing")),
    "empty data": lambda *_: (["--data", ""], "--data is empty"),
    "file for data": lambda tmp_path, _: (["--data", __file__], __file__),
    "damaged data": damaged,
    "part of the data": part,
    "unknown data": lambda tmp_path, few: (["--data", put_idx(tmp_path / "other", few)], "--accept-unknown-data"),
    "too few 4s": too_few,
    "generated and data": lambda tmp_path, _: (["--generated", "--data", tmp_path], "--generated uses no data"),
    "generated and download": lambda *_: (["--generated", "--download"], "--generated uses no data"),
    "generated and airplane": lambda *_: (["--generated", "--airplane", "4"], "--generated uses no data"),
    "no such download": lambda *_: (
        ["--download", "mnist", "cifar"],
        "--download names cifar: the data sets are mnist, ",
    ),
    "no such airplane": lambda *_: (["--airplane", "10"], "airplane is 10: it must be a whole number from 0 to 9"),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_the_user_can_mend_gives_status_2_and_one_line_and_leaves_all_files(
    command, few, tmp_path, fault, monkeypatch
):
    arguments, named = BAD[fault](tmp_path, few)
    (tmp_path / "out").mkdir()
    for name in ("figure1.png", "figure4-handwriting.npz"):
        (tmp_path / "out" / name).write_bytes(b"earlier")
    (tmp_path / "out" / "metrics.json").write_text('{"figure1": {}}')
    before = contents(tmp_path / "out")
    monkeypatch.setattr(figure4, "QUICK", {"train_per_class": 10, "test_per_class": None, "steps": 1})
    status, said, complained = command(*(["--only", "figure4"] if "--only" not in arguments else []), *arguments)
    assert status == 2
    assert named in one_line(complained)
    assert ".png" not in said
    assert contents(tmp_path / "out") == before


def cut_short(folder):
    file = put_norb(folder) / norb.published(4).files[0]
    file.write_bytes(file.read_bytes()[:-1])
    return [], f"{file}: expected 972 rows of 18432 bytes, found "


def part_of_norb(folder):
    name = norb.published(4).files[2]
    (put_norb(folder) / name).unlink()
    return [], f"{folder}: holds part of small NORB, but not {name}: "


def not_the_airplane(folder):
    put_norb(folder)
    return ["--airplane", "6"], "expected airplane 6, found these airplanes: 4: "


def not_the_half(folder):
    put_norb(folder)
    return ["--airplane", "0"], f"{folder}: holds part of small NORB, but not smallnorb-5x01235"


def an_airplane_of_none(folder):
    (folder.parent / "mnist").mkdir(parents=True)
    for name in mnist.FILES:
        (folder.parent / "mnist" / name).touch()
    return [
        "--airplane",
        "4",
    ], f"no small NORB in {folder.parent}: pass --download norb to fetch it, or leave --airplane"


@pytest.mark.parametrize("fault", [cut_short, part_of_norb, not_the_airplane, not_the_half, an_airplane_of_none])
def test_a_fault_in_small_norb_gives_one_line_before_the_audit_where_a_figure_needs_it(
    command, drawn, rendered, tmp_path, fault, monkeypatch
):
    monkeypatch.setattr("drlim_np.runs.command.audit_passes", lambda backend, memory: pytest.fail("audited"))
    arguments, named = fault(tmp_path / "data" / "norb")
    arguments = [*arguments, "--data", tmp_path / "data"]
    status, _, complained = command("--only", "figure1,figure8", *arguments, audit=True)
    assert status == 2
    assert named in one_line(complained)
    assert not rendered
    assert not drawn
    assert command("--only", "figure1", *arguments)[0] == 0


@pytest.mark.parametrize("inside", ["", "folder"])
def test_a_file_in_place_of_the_output_folder_gives_status_2_and_stays(command, drawn, tmp_path, inside):
    (tmp_path / "taken").write_bytes(b"content")
    status, _, complained = command(out=tmp_path / "taken" / inside)
    assert status == 2
    assert str(tmp_path / "taken") in one_line(complained)
    assert (tmp_path / "taken").read_bytes() == b"content"
    assert not drawn


def test_a_damaged_record_is_reported_before_anything_is_drawn(command, drawn, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "metrics.json").write_text("{")
    status, _, complained = command()
    assert status == 2
    assert one_line(complained).startswith(str(tmp_path / "out" / "metrics.json"))
    assert contents(tmp_path / "out") == {"metrics.json": b"{"}
    assert not drawn


def test_an_error_in_a_figure_keeps_those_before(command, drawn, monkeypatch, tmp_path):
    def fail(run):
        raise DrlimError("the moon is in the way: wait")

    monkeypatch.setitem(FIGURES, "figure2", fail)
    status, _, complained = command("--only", "figure1,figure2,figure4")
    assert (status, one_line(complained)) == (2, "the moon is in the way: wait")
    assert set(contents(tmp_path / "out")) == {"figure1.png", "figure1.svg", "metrics.json"}


def test_ctrl_c_gives_status_130_and_keeps_the_figures_finished_so_far(command, drawn, monkeypatch, tmp_path):
    def interrupt(run):
        raise KeyboardInterrupt

    monkeypatch.setitem(FIGURES, "figure2", interrupt)
    status, _, complained = command("--only", "figure1,figure2,figure4")
    assert status == 130
    assert "interrupted" in one_line(complained)
    assert set(contents(tmp_path / "out")) == {"figure1.png", "figure1.svg", "metrics.json"}


# ---- the audit ----


@pytest.fixture
def audit(monkeypatch, tmp_path):
    """An audit of one gradient, one proof and one property, each as good as it is told to be."""

    def pretend(gradient_holds=True, property_holds=True, proof_holds=True):
        row = Row("weight", 6, 0.0 if gradient_holds else 1.0, 0.0)
        assert row.holds == gradient_holds
        monkeypatch.setattr(
            audit_first.catalogue, "findings", lambda backend: iter([audit_first.catalogue.Finding("a layer", row)])
        )
        one = Proof("a layer", "both sides are equal", ("Eq. 1",), ("a layer",), proof_holds, "once")
        monkeypatch.setattr(audit_first.catalogue, "proofs", lambda: (one,))
        (tmp_path / "test_property.py").write_text(f"def test_property():\n    assert {property_holds}, 'told so'\n")
        monkeypatch.setattr(audit_first, "PROPERTIES", (str(tmp_path / "test_property.py"),))

    return pretend


def test_after_an_audit_that_passes_the_figures_are_drawn(command, drawn, audit):
    audit()
    status, said, complained = command("--only", "figure1", audit=True)
    assert (status, complained) == (0, "")
    assert "1 gradients held against both oracles" in said and "holds; proven" in said
    assert "0 statements derived, 1 proven without a tolerance" in said
    assert "1 passed" in said
    assert said.index("1 passed") < said.index("figure1.png")
    assert list(drawn) == ["figure1"]


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"gradient_holds": False}, "FAILS"),
        ({"proof_holds": False}, "a layer  both sides are equal  once  FAILS"),
        ({"property_holds": False}, "AssertionError: told so"),
    ],
)
def test_an_audit_that_fails_says_where_and_stops_before_any_figure(command, drawn, audit, tmp_path, told, named):
    audit(**told)
    status, said, _ = command(audit=True)
    assert status == 1
    assert named in said
    assert "no figure was drawn" in said
    assert not drawn
    assert contents(tmp_path / "out") == {}


@pytest.mark.parametrize("fresh", [[], ["--fresh"]], ids=["first", "fresh"])
def test_what_an_audit_found_when_it_passed_is_kept_for_the_page_and_nothing_else_is(
    command, drawn, audit, tmp_path, fresh
):
    memory = Memory(tmp_path / "out" / ".checkpoints")
    audit(proof_holds=False)
    command("--only", "figure1", *fresh, audit=True)
    assert audit_first.audited("numpy", memory) is None and audit_first.audited("numpy", NOTHING_KEPT) is None
    audit()
    command("--only", "figure1", *fresh, audit=True)
    (finding,), (proof,), said = audit_first.audited("numpy", replace(memory, fresh=bool(fresh)))
    assert (finding.subject, finding.row, finding.wrong_on_purpose) == ("a layer", Row("weight", 6, 0.0, 0.0), False)
    assert (proof.name, proof.holds, proof.lines) == ("a layer", True, ("Eq. 1",)) and "1 passed" in said
    assert audit_first.audited("cupy", memory) is None


def test_without_sympy_the_audit_passes_and_says_what_it_left_out(command, drawn, audit, monkeypatch):
    audit()
    monkeypatch.setattr(audit_first.catalogue, "find_spec", lambda name: None)
    status, said, complained = command("--only", "figure1", audit=True)
    assert (status, complained, list(drawn)) == (0, "", ["figure1"])
    assert "Left out: derivations; they need SymPy" in said


def test_no_audit_skips_it(command, drawn, monkeypatch):
    monkeypatch.setattr("drlim_np.runs.command.audit_passes", lambda backend, memory: pytest.fail("audited"))
    assert command("--only", "figure1")[0] == 0


def test_a_fault_in_the_data_is_reported_before_the_audit(command, drawn, monkeypatch, tmp_path):
    monkeypatch.setattr("drlim_np.runs.command.audit_passes", lambda backend, memory: pytest.fail("audited"))
    assert command("--data", tmp_path / "nothing", audit=True)[0] == 2


@pytest.mark.parametrize("missing", [["pytest"], ["hypothesis"], ["pytest", "hypothesis"]], ids=" ".join)
def test_without_its_tools_the_audit_says_how_to_get_them_or_do_without(command, drawn, monkeypatch, missing):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in missing else find_spec(name))
    status, _, complained = command("--only", "figure1", audit=True)
    assert status == 2
    assert f"the audit needs {' and '.join(missing)}: " in one_line(complained)
    assert 'pip install ".[test]"' in complained
    assert "--no-audit" in complained
    assert not drawn


def test_the_audited_properties_are_there():
    assert all((audit_first.HERE / name).is_file() for name in audit_first.PROPERTIES)


# ---- as a process ----


def process(*arguments, folder, **variables):
    """run_all.py as a user starts it, from another folder. Matplotlib 3.9 calls pyparsing by names that have aged."""
    aged = ["-W", "ignore::DeprecationWarning"] if matplotlib.__version_info__ < (3, 10) else []
    warnings = ["-W", "error", *aged]
    command = [sys.executable, *warnings, run_all.__file__, *map(str, arguments)]
    environ = os.environ | {"PYTHONUTF8": "1", "MPLCONFIGDIR": matplotlib.get_cachedir()} | variables
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", env=environ)


def test_the_command_line_draws_figures_without_a_display_or_a_warning(tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    done = process("--only", "figure1,figure2", "--no-audit", "--out", tmp_path / "out", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("All 9 claims hold.\n")
    drawn = {f"figure{number}.{kind}" for number in (1, 2) for kind in ("png", "svg")}
    assert set(contents(tmp_path / "out")) == drawn | {"audit.html", "lesson.html", "metrics.json"}


def test_signs_that_the_output_cannot_show_do_not_end_the_run(tmp_path):
    done = process(
        "--only", "figure1", "--no-audit", "--out", tmp_path, folder=tmp_path, PYTHONUTF8="0", PYTHONIOENCODING="ascii"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "L_D is ?m? at D = 0" in done.stdout


def test_the_command_line_complains_in_one_line(tmp_path):
    done = process("--only", "figure0", "--out", tmp_path / "out", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "figure0" in one_line(done.stderr)
    assert contents(tmp_path) == {}
