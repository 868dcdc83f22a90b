"""The command line: which figures, of which data and seeds, where to, and how it ends."""

import json
import os
import re
import shlex
import shutil
import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure as Drawing

import run_all
from drlim_np.audit import first as audit_first
from drlim_np.audit.gradcheck import Row
from drlim_np.audit.proof import Proof
from drlim_np.data import Views, handwriting, mnist, norb, rendering
from drlim_np.data.files import data_directory
from drlim_np.errors import DrlimError
from drlim_np.figures import Claim, Result, digits, figure4
from drlim_np.files.cache import NOTHING_CACHED, Cache
from drlim_np.runs import command as of_a_run
from drlim_np.runs import sources
from drlim_np.runs.command import FIGURES
from drlim_np.training import minimise
from tests.help import cupy_standin
from tests.help.comparing import contents, timeless
from tests.help.published import POSES, TESTING, TRAINING, hashes, idx, norb_files, store

IDX_FILES, NORB_FILES = [*mnist.FILES], norb.published(4).files
USUAL = [name for name, figure in FIGURES.items() if not figure.on_request]


@pytest.fixture(autouse=True)
def nobodys_data(monkeypatch, tmp_path_factory):
    """The environment, the home folder and the GPU of whoever runs the tests have no influence on them."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.delenv("DRLIM_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "cupy", None)
    for variable in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.setattr(Path, "home", lambda: home)


@pytest.fixture(scope="module")
def few():
    """Enough 4s and 9s for the smallest Figure 4."""
    return handwriting.generate(1, train=(25, 25), test=(20, 20))


@pytest.fixture(autouse=True)
def generated(monkeypatch, few):
    """The names of the images that were generated, each time; they are few, and the airplane is not drawn."""
    calls, views = [], Views("airplane", "rendered airplane", np.zeros((972, 96, 96), np.uint8), {})
    monkeypatch.setattr(handwriting, "generate", lambda draw: calls.append("digits") or few)
    monkeypatch.setattr(rendering, "generate", lambda render: calls.append("views") or views)
    return calls


@pytest.fixture
def command(tmp_path, capsys, monkeypatch):
    """Runs the command line on a folder of its own, without pages: status, standard output, standard error."""
    monkeypatch.setattr(of_a_run, "pages", lambda *given: ())

    def run(*arguments, out=tmp_path / "out", audit=False):
        usual = ["--jobs", "1", "--out", str(out), *([] if audit else ["--no-audit"])]
        status = run_all.main([*usual, *map(str, arguments)])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def refused(command):
    """Runs the command line, which ends with status 2 and without a picture: its complaint, in one line."""

    def run(*arguments, **parts):
        status, said, complained = command(*arguments, **parts)
        assert status == 2 and ".png" not in said and complained[:-1].isprintable()
        return complained.removeprefix("run_all.py: ").removesuffix("\n")

    return run


@pytest.fixture
def drawn(monkeypatch):
    """Every figure takes no time, measures its seed, and claims that it is below 8; which were made, of which run."""
    made = []

    def draw(name, data, train):
        made.append((name, train))
        claims = [Claim("a low seed", train.seed, "≤", 7)]
        return Result(Drawing(figsize=(1, 1)), claims, {"margin": 1.0}, data, {"drlim": {"accuracy": train.seed / 10}})

    for name in FIGURES:
        put_figure(monkeypatch, name, partial(draw, name))
    return made


def put_figure(monkeypatch, name, make):
    monkeypatch.setitem(FIGURES, name, replace(FIGURES[name], make=make))


def files_of(*keys):
    """The names of the pictures of these figures and of the record."""
    return {"metrics.json", *(f"{key}.{kind}" for key in keys for kind in ("png", "svg"))}


def record_in(folder):
    return json.loads((folder / "metrics.json").read_bytes())


def put_idx(folder, found):
    """The digits as the four files of MNIST."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = (found.train.images, found.train.labels, found.test.images, found.test.labels)
    return store(folder, dict(zip(mnist.FILES, map(idx, arrays), strict=True)))


def put_norb(folder, instance=4, half=TRAINING):
    """All views of one airplane as the three files of a half of small NORB."""
    folder.mkdir(parents=True, exist_ok=True)
    return store(folder, norb_files([(2, instance, *pose) for pose in POSES], half))


def given(options, folder):
    return [option.replace("DIR", str(folder)) for option in shlex.split(options)]


@pytest.fixture
def published(tmp_path, few, monkeypatch):
    """A folder with files that pass for the published ones."""
    put_norb(tmp_path / "data" / "norb")
    folder = put_idx(tmp_path / "data" / "mnist", few)
    for name, digest in hashes(contents(folder)).items():
        monkeypatch.setitem(mnist.FILES, name, digest)
    return folder.parent


def test_list_names_every_figure_with_what_it_shows_in_the_order_of_the_paper(capsys):
    assert run_all.main(["--list"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert lines == [[name, figure.make.__doc__.splitlines()[0]] for name, figure in FIGURES.items()]
    numbers = [int(name[6:]) for name in FIGURES if name.startswith("figure") and name[6:].isdigit()]
    assert numbers == [*range(1, 11)]
    assert [*FIGURES][-5:] == ["invariance", "collapse", "sheet", "sheet-airplane", "towers"]
    assert {*FIGURES} - {*USUAL} == {"figure4-verbatim", "figure5-exact", "figure7-exact"}
    for figure in FIGURES.values():
        assert all(FIGURES[name].after == () and FIGURES[name].needs == figure.needs for name in figure.after)


@pytest.mark.parametrize(
    ("asked", "names"),
    [("", USUAL), ("--only figure4 figure1", ["figure1", "figure4"])]
    + [(f"--only {names}", ["figure1", "figure2"]) for names in ("figure1, figure2,figure1", "figure2 --only figure1")],
)
def test_the_figures_asked_for_are_drawn_once_after_what_trains_theirs(command, drawn, tmp_path, asked, names):
    status, said, _ = command(*asked.split())
    made = [name for name, _ in drawn]
    assert (status, sorted(made)) == (0, sorted(names))
    assert all((train.seed, train.quick) == (0, False) and 1 <= train.threads <= 4 for _, train in drawn)
    for name in made:
        assert all(made.index(earlier) < made.index(name) for earlier in {*FIGURES[name].after} & {*made})
    keys = [Path(line.split()[0]).stem for line in said.splitlines() if ".png  " in line]
    data = {None: "", "digits": "-handwriting", "views": "-airplane"}
    assert keys == [name + data[FIGURES[name].needs] for name in names]
    assert set(contents(tmp_path / "out")) == files_of(*keys)
    assert said.endswith(f"All {len(names)} claims hold.\n")


@pytest.mark.parametrize("home", [False, True])
def test_figures_go_to_the_folder_named_or_to_out_which_git_ignores(drawn, tmp_path, monkeypatch, capsys, home):
    assert f"/{of_a_run.OUT}/" in (audit_first.HERE / ".gitignore").read_text().splitlines()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(of_a_run, "pages", lambda *given: ())
    assert run_all.main(["--only", "figure1", "--no-audit", *(["--out", "~/some/figures"] if home else [])]) == 0
    folder = Path(os.environ["HOME"], "some", "figures") if home else tmp_path / "out"
    assert set(contents(folder)) == files_of("figure1")
    line = f"Figures go to {folder}; --out figures refreshes those that ship with a checkout.\n"
    assert capsys.readouterr().out.startswith(line) is not home
    assert [path.name for path in tmp_path.iterdir()] == ([] if home else ["out"])


def test_of_several_seeds_the_first_is_drawn_and_of_the_others_the_record_is_kept(command, drawn, tmp_path):
    only = ("--only", "figure1", "figure4", "figure8")
    status, said, _ = command(*only, "--seeds", 3, 0, 9)
    assert status == 1, "a claim fails for seed 9"
    made = [(name, train.seed) for name, train in drawn]
    assert made == [(name, 3) for name in only[1:]] + [(name, s) for s in (0, 9) for name in only[2:]]
    entry = record_in(tmp_path / "out")["figure4-handwriting"]
    assert (entry["seed"], [kept["claims"][0]["value"] for kept in entry["seeds"].values()]) == (3, [0, 9])
    assert "seeds" not in record_in(tmp_path / "out")["figure1"], "nothing there is trained"
    assert f"{tmp_path / 'out' / 'figure4-handwriting.png'}  " in said
    assert "figure4-handwriting, seed 9, recorded  " in said
    fails = [line for line in said.splitlines() if line.endswith("FAILS")]
    assert [line.split("-")[0] for line in fails] == ["figure4", "figure8"]
    assert fails[0].startswith("figure4-handwriting, seed 9  ") and said.endswith("7 claims, 2 failed\n")


def test_verify_repeats_the_seed_of_the_picture_or_those_that_are_named(command, drawn, tmp_path):
    command("--only", "figure4", "--seeds", 0, 1, 2)
    for seeds, repeated in ((), [0]), (("--seeds", 2, 1), [1, 2]), (("--seed", 2), [2]), (("--seeds", 0, 9), [0]):
        drawn.clear()
        assert command("--verify", "--only", "figure4", *seeds)[0] == 0
        assert [train.seed for _, train in drawn] == repeated
    record = record_in(tmp_path / "out")
    record["figure4-handwriting"]["seeds"]["1"]["measured"]["drlim"]["accuracy"] = 0.5
    (tmp_path / "out" / "metrics.json").write_text(json.dumps(record))
    status, said, _ = command("--verify", "--only", "figure4", "--seeds", 1, 2)
    (line,) = (line for line in said.splitlines() if line.endswith("DIFFERS"))
    assert status == 1 and line.startswith("figure4-handwriting, seed 1  drlim.accuracy ") and "1 differ\n" in said


def test_audit_and_training_run_on_numpy_unless_another_backend_is_asked_for(command, drawn, monkeypatch):
    audited = []
    monkeypatch.setitem(sys.modules, "cupy", cupy_standin.module())
    monkeypatch.setattr(of_a_run, "audit_passes", lambda backend, cache: audited.append(backend) or True)
    command("--only", "figure1", audit=True)
    command("--only", "figure2", "--backend", "cupy", audit=True)
    assert [train.backend for _, train in drawn] == audited == ["numpy", "cupy"]


SAID = {  # where the files are, and where they are not
    "mnist": ("MNIST from {}/mnist", "generated handwriting, because there is no MNIST in {}; --download mnist"),
    "norb": (
        "airplane 4 of small NORB from {}/norb",
        "the rendered airplane, because there is no small NORB in {}; --do",
    ),
}


@pytest.mark.parametrize(
    ("options", "there", "needed", "made"),
    [("figure1", "", "", []), ("figure4", "", "mnist", ["digits"]), ("figure8", "", "norb", ["views"])]
    + [("figure4,figure5,figure8,figure9", "", "mnist norb", ["digits", "views"])]
    + [("figure4,figure8 --data DIR", "mnist", "mnist norb", ["views"])]
    + [("figure4,figure8 --data DIR", "norb", "mnist norb", ["digits"])]
    + [(f"figure4,figure8{option}", "mnist norb", "mnist norb", []) for option in ("", " --data DIR")]
    + [("figure4,figure8 --generated", "mnist norb", "", ["digits", "views"])],
)
def test_images_that_figures_need_are_used_where_they_are_found_or_else_generated_once_and_that_is_said(
    command, drawn, published, generated, monkeypatch, tmp_path, options, there, needed, made
):
    for name in {"mnist", "norb"} - {*there.split()}:
        shutil.rmtree(published / name)
    if there and "--data" not in options:
        monkeypatch.setenv("DRLIM_DATA", str(published))
    status, said, _ = command("--only", *given(options, published))
    assert status == 0 and generated == made
    folder, lines = published if there else data_directory()[0], said.splitlines()
    for name, line in zip(needed.split(), lines, strict=False):
        assert line.startswith(f"Data: {SAID[name][name not in there].format(folder)}")
    assert said.count("Data:") == len(needed.split())
    record = record_in(tmp_path / "out")
    for name, key, files in (("mnist", "figure4-mnist", mnist.FILES), ("norb", "figure8-norb-airplane4", NORB_FILES)):
        assert (key in record) == (name in needed and name in there)
        assert key not in record or {*record[key]["data"]["sha256"]} == {*files}


@pytest.mark.parametrize(
    ("options", "fetches", "airplane"),
    [("figure1 --download", ["mnist"], 4), ("figure8 --download norb --airplane 3", ["norb"], 3)]
    + [(f"figure4 --download {names}", ["mnist", "norb"], 4) for names in ("norb mnist", "mnist,norb")],
)
def test_download_fetches_what_it_names_first(command, drawn, few, tmp_path, monkeypatch, options, fetches, airplane):
    fetched, new, half = [], tmp_path / "new", TESTING if airplane == 3 else TRAINING

    def fetch(folder, wanted):
        fetched.append((folder, wanted.files))
        put_idx(folder, few) if wanted.name == "mnist" else put_norb(folder, airplane, half)

    monkeypatch.setattr(sources, "fetch", fetch)
    status, said, _ = command("--data", new, "--accept-unknown-data", "--only", *options.split())
    files = {"mnist": tuple(mnist.FILES), "norb": norb.published(airplane).files}
    assert (status, fetched) == (0, [(new / name, files[name]) for name in fetches])
    assert ("Data: IDX data " in said) == ("mnist" in fetches)
    assert (f"Data: airplane {airplane} of small NORB from {new / 'norb'}\n" in said) == ("norb" in fetches)


@pytest.fixture
def quick(monkeypatch):
    """Figure 4 is drawn quickly, whatever its claims: these options."""
    monkeypatch.setattr(figure4, "QUICK", (20, 15, 12))
    return ("--only", "figure4", "--quick")


def test_a_run_interrupted_in_training_ends_as_one_that_was_not(command, quick, tmp_path, monkeypatch):
    def interrupting(*given):
        raise KeyboardInterrupt

    for name in ("figure1", "figure2"):
        put_figure(monkeypatch, name, lambda data, train: Result(Drawing(figsize=(1, 1)), []))
    with monkeypatch.context() as patch:
        patch.setattr(digits.SGD, "update", interrupting)
        status, _, complained = command("--only", "figure1,figure4,figure2", "--quick")
    remedy = "; the figures finished so far are kept, and the next run finds the finished trainings"
    assert (status, complained) == (130, f"run_all.py: interrupted{remedy}\n")
    assert set(contents(tmp_path / "out")) == files_of("figure1-quick", "figure2-quick")
    for name in ("out", "whole"):
        command("--only", "figure1,figure4,figure2", "--quick", out=tmp_path / name)
    assert timeless(tmp_path / "out") == timeless(tmp_path / "whole")


def test_a_second_run_trains_only_what_is_new_or_as_it_is_told(command, quick, few, tmp_path, monkeypatch):
    steps, update = [], digits.SGD.update
    monkeypatch.setattr(digits.SGD, "update", lambda *given: steps.append(1) or update(*given))
    other = (*quick, "--data", put_idx(tmp_path / "fashion", few), "--accept-unknown-data")
    status, said, complained = command(*other)
    assert (status, complained) == (0, "") and said.endswith("All 2 claims hold.\n"), "counts, as it is quick"
    (key,) = record_in(tmp_path / "out")
    assert re.fullmatch(r"figure4-idx-\w+-quick", key), "it is named after its data"
    assert said.startswith(f"Data: IDX data {key.split('-')[2]} from {tmp_path / 'fashion'}\n")
    before = timeless(tmp_path / "out")
    assert set(before) == files_of(key) | {f"{key}.npz", f"{key}-weights.npz"}
    options = [[], ["--fresh"], ["--verify"], ["--seed", "1"], ["--seed", "1", "--only", "figure4-exact"]]
    for option, found in zip(options, (True, False, False, False, True), strict=True):
        steps.clear()
        _, said, _ = command(*other, *option)
        assert len(steps) == (0 if option == [] else 12)
        assert ("figure 4, balanced: trained before; --fresh trains again\n" in said) == found
        assert "--seed" in option or timeless(tmp_path / "out") == before
        if "--verify" in option:
            assert f"{key}  drlim.accuracy" in said and re.search(r"All \d\d agree\.\n$", said)


def test_a_collapsed_map_is_reported_and_stamped_and_the_status_says_so(command, quick, tmp_path, monkeypatch):
    def collapsing(*given, **options):
        params, losses = minimise(*given, **options)
        params["F4"]["weight"] = 0 * params["F4"]["weight"]
        return params, losses

    monkeypatch.setattr(digits, "minimise", collapsing)
    status, said, _ = command(*quick)
    assert (status, said.count("FAILS")) == (1, 1)
    assert "figure 4, balanced: the map has collapsed" in said
    assert "the map has not collapsed: its spread in margins" in said
    key = "figure4-handwriting-quick"
    assert b"<!-- QUICK, CLAIMS FAIL -->" in contents(tmp_path / "out")[f"{key}.svg"]
    assert [claim["holds"] for claim in record_in(tmp_path / "out")[key]["claims"]] == [False]


# ---- what the user can mend ----


@pytest.fixture(scope="module")
def faulty(tmp_path_factory, few):
    """A folder of folders with digits and airplanes, most with a fault."""
    folder = tmp_path_factory.mktemp("faulty")
    put_idx(folder / "idx", few)
    airplane = put_norb(folder / "airplane-damaged" / "norb")
    for file in (put_idx(folder / "damaged", few) / IDX_FILES[2], airplane / NORB_FILES[0]):
        file.write_bytes(file.read_bytes()[:-1])
    put_norb(folder / "airplane" / "norb")
    return folder


SEEN_FIRST = {
    "--out ''": "--out is empty: name a folder after it, or leave it out",
    "--only ,": "--only names none of the figures",
    "--only 'fig\nure'": "--only names 'fig\\nure'",
    "--only figure1 figure0,figure99": "--only names figure0, figure99",
    "--jobs 0": "--jobs is 0: give a whole number from 1 up, or leave it out",
    "--seeds 0 -1": "--seed is -1: give a whole number from 0 up",
    "--data ''": "--data is empty",
    "--generated --data DIR": "--generated uses no data",
    "--generated --download": "--generated uses no data",
    "--generated --airplane 4": "--generated uses no data",
    "--download mnist cifar": "--download names cifar: the data sets are mnist, ",
    "--verify --only figure2": "there is no record of figure2 to compare with: draw it first",
    "--backend cupy": 'CuPy, which is not installed: run pip install "cupy-cuda12x',
    "--airplane 10": "airplane is 10: it must be a whole number from 0 to 9",
    "--data DIR/damaged --accept-unknown-data": f"DIR/damaged/{IDX_FILES[2]}",
    "--data DIR/idx": "--accept-unknown-data",
    "--only figure8 --data DIR/airplane-damaged": f"DIR/airplane-damaged/norb/{NORB_FILES[0]}: expected 18432 bytes of",
    "--only figure8 --data DIR/airplane --airplane 6": "expected one image of airplane 6 at azimuth 0, elevation 0, ",
    "--only figure8 --data DIR/airplane --airplane 0": "DIR/airplane/norb: holds part of small NORB, but not smallnorb",
    "--only figure8 --data DIR/idx --airplane 4": "no small NORB in DIR/idx: pass --download norb to fetch it, or",
}


@pytest.mark.parametrize("options", SEEN_FIRST)
def test_what_the_user_can_mend_is_told_first(refused, drawn, generated, faulty, tmp_path, monkeypatch, options):
    monkeypatch.setattr(of_a_run, "audit_passes", lambda backend, cache: pytest.fail("audited"))
    earlier = {"figure1.png": b"earlier", "figure4-handwriting.npz": b"earlier", "metrics.json": b"{ }"}
    (tmp_path / "out").mkdir()
    store(tmp_path / "out", earlier)
    only = [] if "--only" in options else ["--only", "figure4"]
    assert SEEN_FIRST[options].replace("DIR", str(faulty)) in refused(*only, *given(options, faulty), audit=True)
    assert not drawn and not generated and contents(tmp_path / "out") == earlier


@pytest.mark.parametrize(
    ("file", "content", "out", "told"),
    [("taken", "content", folder, f"{folder}/.lock: cannot be made (") for folder in ("taken", "taken/folder")]
    + [("out/.lock/file", "", "out", "out/.lock: cannot be made (")]
    + [("out/metrics.json", '{"figure1": {}}', "out", "out/metrics.json: cannot be read (not a table of figures)")]
    + [("out/metrics.json/file", "", "out", "out/metrics.json: cannot be read (")],
)
def test_a_folder_that_cannot_be_used_is_told_and_stays(refused, drawn, tmp_path, file, content, out, told):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)
    complaint = refused(out=tmp_path / out)
    assert complaint.startswith(str(tmp_path / told))
    assert "choose another" in complaint and complaint.endswith("by --out") and not drawn
    left = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"}
    assert left == {tmp_path / file: content}


def test_a_figure_that_fails_leaves_the_others(command, drawn, monkeypatch, tmp_path):
    def fail(data, train):
        raise DrlimError("the moon is in the way: wait")

    put_figure(monkeypatch, "figure2", fail)
    status, _, complained = command("--only", "figure1,figure2,figure4")
    assert (status, complained) == (2, "run_all.py: the moon is in the way: wait\n")
    assert set(contents(tmp_path / "out")) == files_of("figure1", "figure4-handwriting")


# ---- the audit ----


@pytest.fixture
def audit(monkeypatch, tmp_path):
    """An audit of one gradient, one proof and maybe one property, each as good as it is told to be."""

    def pretend(gradient_holds=True, proof_holds=True, property_holds=None):
        finding = audit_first.catalogue.Finding("a layer", Row("weight", 6, 0.0 if gradient_holds else 1.0, 0.0))
        one = Proof("a layer", "both sides are equal", ("a layer",), proof_holds, "once")
        tests = tmp_path / "test_property.py"
        tests.write_text(f"def test_property():\n    exec(\"assert {property_holds}, 'told so'\")\n")
        monkeypatch.setattr(audit_first.catalogue, "findings", lambda backend: iter([finding]))
        monkeypatch.setattr(audit_first.catalogue, "proofs", lambda: (one,))
        monkeypatch.setattr(audit_first, "PROPERTIES", () if property_holds is None else (str(tests),))

    return pretend


@pytest.mark.parametrize(
    ("told", "named"),
    [({"gradient_holds": False}, "FAILS"), ({"proof_holds": False}, "a layer  both sides are equal  once  FAILS")]
    + [({"property_holds": False}, "AssertionError: told so")],
)
def test_an_audit_that_fails_says_where_and_stops(command, drawn, audit, tmp_path, monkeypatch, told, named):
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")  # which strips assertions that pytest does not rewrite
    audit(**told)
    status, said, _ = command(audit=True)
    assert status == 1 and named in said and "no figure was drawn" in said
    assert not drawn and contents(tmp_path / "out") == {}
    assert audit_first.audited("numpy", Cache(tmp_path / "out" / ".checkpoints")) is None


def test_after_an_audit_that_passes_figures_are_drawn_and_it_is_kept(command, drawn, audit, tmp_path):
    cache = Cache(tmp_path / "out" / ".checkpoints")
    for property_holds, options, repeated in ((True, [], 1), (True, [], 0), (None, ["--fresh"], 1), (1, [], 1)):
        audit(property_holds=property_holds)
        status, said, complained = command("--only", "figure1", *options, audit=True)
        assert (status, complained) == (0, "")
        passed = "Audit: passed before, of these very sources; --fresh repeats it\n"
        assert (passed in said, "1 gradients held against both oracles" in said) == (not repeated, repeated)
        if repeated:
            assert "holds; proven" in said and "0 statements derived, 1 proven without a tolerance" in said
        (finding,), (proof,), tests = audit_first.audited("numpy", cache)
        assert finding == audit_first.catalogue.Finding("a layer", Row("weight", 6, 0.0, 0.0), wrong_on_purpose=False)
        assert (proof.name, proof.holds, proof.subjects) == ("a layer", True, ("a layer",))
        assert ("1 passed" in tests) == bool(property_holds)
        assert property_holds is None or not repeated or said.index("1 passed") < said.index("figure1.png")
    assert [name for name, _ in drawn] == ["figure1"] * 4
    assert audit_first.audited("cupy", cache) is None and audit_first.audited("numpy", NOTHING_CACHED) is None


@pytest.mark.parametrize("missing", [["pytest"], ["hypothesis"], ["pytest", "hypothesis"]], ids=" ".join)
def test_without_its_tools_the_audit_says_how_to_get_them_or_do_without(refused, drawn, monkeypatch, missing):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in missing else find_spec(name))
    told = refused("--only", "figure1", audit=True)
    assert f"the audit needs {' and '.join(missing)}: " in told
    assert 'pip install ".[test]"' in told and "--no-audit" in told and not drawn
    assert all((audit_first.HERE / name).is_file() for name in audit_first.PROPERTIES)
