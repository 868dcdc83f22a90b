"""The benchmark runs, its table has the cases, and what it says of times follows from them. Nothing here is timed."""

import re
import subprocess
import sys
import time
import tomllib
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from sklearn import datasets

from drlim_np.bench import __main__ as command
from drlim_np.bench import machine, peers, race
from drlim_np.bench.cases import CASES, FLOP
from drlim_np.bench.race import Contest, Times
from drlim_np.data import handwriting
from drlim_np.figures import Train, figure4, figure5, figure7, invariance
from drlim_np.figures import digits as figures_digits
from drlim_np.networks import convnet

HERE = [name for name in CASES if not name.startswith("gpu")]
LAYERS = list(convnet().layers)


@pytest.mark.filterwarnings("default::DeprecationWarning")  # which PyTorch's compiler gives of its own parts
@pytest.mark.parametrize("name", HERE)
def test_every_case_does_the_same_work_as_its_peers(name):
    for peer in ("torch", "sklearn"):
        pytest.importorskip(peer)
    contest = CASES[name].build(command.QUICK, 1)
    if len(contest.contestants) == 1:
        pytest.skip("no other array module is installed")
    times = race.race(contest, rounds=1)
    assert next(iter(times.seconds)) == "ours" and len(times.seconds) > 1
    assert {len(rounds) for rounds in times.seconds.values()} == {1}
    assert times.differ < 1e-4


def test_the_table_has_the_cases(monkeypatch, capsys):
    def pretended(variables, function, *given):
        if function is machine.bound:
            return 1e11
        return Times({"ours": [given[1]], "theirs": [2 * given[1]]}, 1e-7, 0)

    monkeypatch.setattr(command, "apart", pretended)
    assert command.main(["--only", *HERE]) == 0
    table = capsys.readouterr().out.split("\n\n")[-1].splitlines()[2:]
    found = [tuple(cell.strip() for cell in line.split("|")[1:4]) for line in table]
    assert found == [(n, f"{s:,}", str(t)) for n in HERE for t in CASES[n].threads for s in CASES[n].sizes]
    assert all("| 0.50 | 0.50–0.50 | 1 | 1e-07 |" in line for line in table)


def test_the_command_measures_in_processes_of_their_own(capfd):
    assert command.main(["--quick", "--only", "neighbours", "--threads", "1"]) == 0
    printed = capfd.readouterr().out
    assert float(re.search(r"matrix products (\S+) GFLOP/s", printed)[1]) > 0
    assert re.search(r"\| neighbours \| 300 \| 1 \| .* \| scikit-learn, brute force \| .* \| 3 \| 0e\+00 \|", printed)


MEND = 'missing: run pip install ".[bench,maps]", or choose other cases by --only\n'


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--only", "neighbours", "--fresh", "--quick"], f"sklearn.neighbors {MEND}"),
        (["--only", "maps"], f"no-such {MEND}"),
        (["--only", "gpu-step"], "the backend cupy needs CuPy, which is not installed: "),
        (["--against", "no\nsuch"], "--against 'no\\nsuch': git finds no such commit with this package: "),
    ],
)
def test_what_is_missing_is_said_in_one_line(monkeypatch, capsys, arguments, line):
    for name in ("cupy", "sklearn.neighbors"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(peers, "PEERS", {"UMAP": "no-such"})
    assert command.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"drlim_np.bench: {line}") and said.count("\n") == 1


def test_list_names_every_case_and_needs_neither_peer():
    code = "import sys; sys.modules['torch'] = sys.modules['sklearn'] = None; from drlim_np.bench.__main__ import main"
    command_line = [sys.executable, "-c", f"{code}; sys.exit(main(['--list']))"]
    lines = subprocess.run(command_line, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*CASES, *command.TABLES]
    assert all(len(line.split()) > 3 for line in lines)


def test_contestants_take_turns_in_bursts_that_end_and_count_by_their_median():
    ran, seconds = [], {"o": iter([9.0, 0.1, 0.05, 0.2, 0.3, 7.0]), "t": iter([9.0, 1.0, 2.0, 3.0])}

    def run(name):
        ran.append(name)
        return next(seconds[name])

    times = race.race(Contest({"o": lambda: run("o"), "t": lambda: run("t")}, None), rounds=3)
    assert "".join(ran) == "ot" + "ooot" + "to" + "ot"  # the first runs warm up; each round starts with another
    assert times.seconds == {"o": [0.1, 0.3, 7.0], "t": [1.0, 2.0, 3.0]}
    race.race(Contest({"ours": lambda: ran.append("too short for the clock") or 0.0}, None), rounds=1)
    assert len(ran) == 10 + 1 + race.MOST


def test_results_are_compared_with_ours():
    results = {"ours": lambda: [3.0, 4.0], "same": lambda: [3.0, 4.0], "other": lambda: [3.0, 4.5]}
    assert race.race(Contest(results, np.asarray), rounds=1).differ == pytest.approx(0.1)


def test_a_run_is_clocked_believed_if_it_measured_itself_and_others_time_does_not_count_on_one_thread():
    assert race.clock(lambda: 7.5) == (7.5, 7.5)
    assert race.clock(lambda: "done", iter([2.0, 3.5]).__next__) == (1.5, "done")
    assert race.clock(lambda: time.sleep(0.2), race.timer_of(1))[0] < 0.1
    assert race.clock(lambda: time.sleep(0.2), race.timer_of(2))[0] > 0.1


def test_ratios_are_of_a_round_shares_of_the_bound_and_growth_is_a_power_of_the_size():
    before = Times({"ours": [0.5], "theirs": [1.0]}, None, 3e9)
    times = Times({"ours": [2.0, 10.0, 1.0], "theirs": [4.0, 20.0, 1.25]}, None, 3e9)
    (first,) = command.contest_rows("case", 1000, 1, before, 12e9, None)
    (then,) = command.contest_rows("case", 2000, 1, times, 12e9, (1000, [0.5]))
    assert first == "| case | 1,000 | 1 | 500 ms | theirs | 1.00 s | 0.50 | 0.50–0.50 | 1 |  | 50% |  |"
    assert then == "| case | 2,000 | 1 | 2.00 s | theirs | 4.00 s | 0.50 | 0.50–0.65 | 3 |  | 12% | 2.00 |"


def test_durations_have_three_digits():
    found = [command.duration(seconds) for seconds in (12.34, 123.0, 0.001, 4.56e-5)]
    assert found == ["12.3 s", "123 s", "1.00 ms", "45.6 µs"]


def test_the_time_of_every_layer_is_taken_and_the_products_make_the_operations_of_the_images(monkeypatch):
    monkeypatch.setattr(machine, "ROUNDS", 1)
    found = machine.layers()
    of_layers = [what for what, (_, flop) in found.items() if not flop]
    assert of_layers == [f"{name} forward" for name in LAYERS] + [f"{name} backward" for name in LAYERS[::-1]]
    assert sum(flop for _, flop in found.values()) == 64 * FLOP
    assert min(seconds for seconds, _ in found.values()) > 0


def test_shares_are_of_the_sum_of_all_layers(monkeypatch, capsys):
    found = {"C1 forward": (0.3, 0), "C3 forward": (0.2, 0), "C1: W P": (0.5, 10**9)}
    monkeypatch.setattr(machine, "apart", lambda variables, function: found)
    assert command.main(["--only", "layers"]) == 0
    expected = ["| C1 forward | 300 ms | 60% |  |", "| C3 forward | 200 ms | 40% |  |"]
    assert capsys.readouterr().out.splitlines()[-3:] == [*expected, "| C1: W P | 500 ms | 100% | 2 GFLOP/s |"]


def test_the_bound_is_of_all_threads(monkeypatch):
    monkeypatch.setattr(machine, "clock", lambda work, timer: (work() and 0.5, None))
    monkeypatch.setattr(machine, "PRODUCT", 10)
    assert machine.bound(2) == 2 * 2000 / 0.5


def test_the_time_on_a_gpu_is_read_when_the_gpu_is_done(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", torch := mock.Mock())
    assert race.timer_of(1, "gpu-step")() > 0
    torch.cuda.synchronize.assert_called_once_with()


def test_threads_and_memory_are_set_before_a_process_starts():
    given = race.environment(threads=2)
    assert (given["OMP_NUM_THREADS"], given["OPENBLAS_NUM_THREADS"]) == ("2", "1")
    assert race.KEEP_MEMORY.items() <= given.items()
    assert not race.KEEP_MEMORY.keys() & race.environment(2, keep_memory=False).keys()


@pytest.mark.parametrize("name", machine.STEPS)
def test_every_step_whose_memory_is_measured_runs_and_its_peak_is_in_bytes(name):
    seconds, peak = machine.peak(name, 40)
    assert seconds > 0 and 2**24 < peak < 2**36


def test_contestants_have_a_process_each_in_alternation_of_both_trees_or_fresh(monkeypatch, tmp_path, capsys):
    asked = []

    @contextmanager
    def pretended(tree, variables, *of):
        def run():
            asked.append((tree, variables["OMP_NUM_THREADS"], *of))
            return 1.0 if (tree, of[-1]) == (command.HERE, "ours") else 4.0

        yield run
        asked.append("closed")

    monkeypatch.setattr(command, "runner", pretended)
    monkeypatch.setattr(command, "_tree_of", lambda revision, folder: tmp_path / revision)
    assert command.main(["--against", "v1", "--only", "pairs", "--quick", "--threads", "2"]) == 0
    here, there = ((tree, "2", "pairs", 300, 2, "ours") for tree in (command.HERE, tmp_path / "v1"))
    assert asked[:4] == [here, there] * 2 and asked[-2:] == ["closed"] * 2
    assert "| pairs | 300 | 2 | 1.00 s | v1 | 4.00 s | 0.25 | 0.25–0.25 | 3 |" in capsys.readouterr().out
    asked.clear()
    assert command.main(["--fresh", "--only", "neighbours", "--quick", "--threads", "1"]) == 0
    names = "ours", "scikit-learn, brute force"
    assert asked[:2] == [(command.HERE, "1", "neighbours", 300, 1, name) for name in names]
    assert "| neighbours | 300 | 1 | 1.00 s | scikit-learn, brute force | 4.00 s | 0.25 |" in capsys.readouterr().out


def test_a_case_runs_in_the_tree_that_it_is_given(tmp_path):
    (folder := tmp_path / "drlim_np" / "bench").mkdir(parents=True)
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    (folder / "cases.py").write_text("""class Mine:
    contestants = {"ours": lambda: sum(range(9))}
    build = staticmethod(lambda size, threads: Mine)
CASES = {"mine": Mine}""")
    with race.runner(tmp_path, {"PYTHONDONTWRITEBYTECODE": "1"}, "mine", 5, 1, "ours") as run:
        assert 0 <= run() < 10 and 0 <= run() < 10
    with race.runner(tmp_path, {}, "another", 5, 1, "ours") as run, pytest.raises((OSError, ValueError)):
        run()


def test_maps_of_peers_are_told_who_is_similar_and_measured_as_ours(monkeypatch, capsys):
    told = []
    monkeypatch.setattr(figure5, "QUICK_TRAIN", 24)
    monkeypatch.setattr(figure5, "QUICK_TEST", 15)
    monkeypatch.setattr(figure7, "STORY", replace(figure7.STORY, quick_steps=4))
    monkeypatch.setattr(figure4, "QUICK", (24, 15, 4))
    monkeypatch.setattr(figures_digits, "require_spread", lambda *map_and_words: None)
    monkeypatch.setattr(peers.sources, "digits", lambda *given: handwriting.generate(1, (25, 25), (20, 20)))
    monkeypatch.setattr(peers, "version", lambda package: "1")

    def fit(x, near=None):
        told.append(near if near is None else near.shape[1])
        return lambda pixels: pixels @ np.random.default_rng(0).random((1024, 2))

    tsne = SimpleNamespace(TSNE=lambda **options: SimpleNamespace(fit=lambda x: SimpleNamespace(transform=fit(x))))
    monkeypatch.setitem(sys.modules, "openTSNE", tsne)
    for name in ("_umap", "_pacmap"):
        monkeypatch.setattr(peers, name, fit)
    monkeypatch.setattr(peers, "Train", lambda threads: Train(quick=True, threads=threads))
    peers.print_maps()
    neighbours, shifts = capsys.readouterr().out.split("\n\nFigure 7")
    rows = [line.split(" | ")[0][2:] for line in (neighbours + shifts).splitlines() if re.search(r"\| \d", line)]
    shared = ["DrLIM", "UMAP (umap-learn 1)", "PaCMAP (pacmap 1)"]
    assert rows == [*shared, "openTSNE (openTSNE 1)", "LLE (scikit-learn 1)", *shared]
    assert told == [5, 5, None, 29, 29]
    curves = tomllib.loads(shifts[shifts.index("[") :])
    assert list(curves) == shared[1:] and curves[shared[1]] == curves[shared[2]]
    assert curves[shared[1]].keys() == invariance.MOVES.keys()
    assert curves[shared[1]]["right"][16] == 0  # where nothing is moved


def test_a_peer_is_told_the_listed_pairs_of_each(monkeypatch):
    monkeypatch.setattr(peers, "_umap", lambda x, near: near.tolist())
    pairs = np.array([[1, 0], [0, 2], [1, 2], [2, 0], [0, 1], [2, 1]])
    found = SimpleNamespace(graph=SimpleNamespace(pairs=pairs))
    assert peers._told(found, np.zeros((3, 4)))["UMAP"]() == [[2, 1], [0, 2], [0, 1]]


def test_the_recorded_curves_of_peers_have_every_move():
    lengths = [
        {kind: len(curve) for kind, curve in of.items()} for of in (invariance.MOVES, *invariance.PEERS.values())
    ]
    assert lengths == [lengths[0]] * 3


def test_the_estimators_tables_have_a_line_for_each_method_and_each_margin(monkeypatch, capsys):
    """Of sixty samples of each set, a seed, two margins and three steps."""
    digits, roll = SimpleNamespace(data=datasets.load_digits().data[:60]), datasets.make_swiss_roll(60, random_state=0)
    monkeypatch.setattr(datasets, "load_digits", lambda: digits)
    monkeypatch.setattr(datasets, "make_swiss_roll", lambda *_, **__: roll)
    for name, few in {"SEEDS": (0,), "MARGINS": (0.5, 2.0), "DrLIM": partial(peers.DrLIM, max_iter=3)}.items():
        monkeypatch.setattr(peers, name, few)
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=peers.DrLIM))
    assert command.main(["--only", "estimator"]) == 0
    lines = [line.split("|") for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    methods = [f"{name}, {k} neighbours" for name in ("DrLIM", "scikit-learn's LLE", "UMAP") for k in (5, 12)]
    methods = [*methods[:-1], "UMAP, 15 neighbours", "scikit-learn's PCA"]
    assert [cells[1].strip() for cells in lines[2:]] == [*methods, "margin", "---", "0.5", "2"]
    assert all(0 < float(trust) <= 1 for cells in lines[2:9] for trust in cells[2:4])


@pytest.mark.parametrize(("scores", "said"), [([0.9, 0.9001], "0.900"), ([0.9, 0.95, 0.97], "0.940 (0.900 to 0.970)")])
def test_a_score_is_told_with_its_spread_where_seeds_differ(monkeypatch, scores, said):
    monkeypatch.setattr(peers, "trustworthiness", lambda x, z, k: z)
    assert peers.trust_told(np.empty(0), [SimpleNamespace(fit_transform=lambda x, z=z: z) for z in scores]) == said
