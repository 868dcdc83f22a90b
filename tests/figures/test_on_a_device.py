"""Figures trained on a device: from the weights and batches of the host, and with the device's name in the record."""

import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from drlim_np.data import handwriting, rendering
from drlim_np.fast.devices import device_of, origin
from drlim_np.figures import Result, Train, figure4, figure8
from drlim_np.figures import digits as of_digits
from drlim_np.graph import SimilarityGraph
from drlim_np.runs.record import entry
from drlim_np.training import embed, minimise
from tests.help.comparing import bits, on_host
from tests.help.drawings import failing


def test_digits_are_learned_on_the_device_from_the_weights_and_batches_of_the_host(standin, monkeypatch):
    starts, maps, courses = [], [], []
    monkeypatch.setattr(of_digits, "minimise", lambda *args: starts.append(args[1]) or minimise(*args))
    rng = np.random.default_rng(1)
    x, unseen = rng.random((24, 1, 32, 32), np.float32), rng.random((5, 1, 32, 32), np.float32)
    graph = SimilarityGraph(24, np.stack([np.arange(24), (np.arange(24) + 1) % 24], axis=1))
    for backend in ("numpy", "cupy"):
        train, rng = Train(backend=backend), np.random.default_rng(0)
        learned = of_digits.learn("a few", x, graph, of_digits.Training(3, batch=8), rng, train)
        z = embed(learned.network, learned.params, unseen)
        maps.append(z - z.mean(axis=0))  # the loss leaves it open where a map is: the last bias's gradient is rounding
        courses.append(learned.losses)
    assert bits(on_host(starts[1])) == bits(starts[0])
    np.testing.assert_allclose(courses[1], courses[0], rtol=1e-4)
    assert type(maps[1]) is np.ndarray
    assert np.linalg.norm(maps[1] - maps[0]) < 1e-3 * np.linalg.norm(maps[0])


def test_the_record_of_a_figure_names_the_device(standin):
    ours = entry(Result(Figure(), []), Train(), 1.0)
    theirs = entry(Result(Figure(), []), Train(backend="cupy"), 1.0)
    assert (ours["machine"]["backend"], ours["machine"]["device"]) == ("numpy", "cpu")
    assert (theirs["machine"]["backend"], theirs["machine"]["device"]) == ("cupy", device_of(origin("cupy")))
    assert theirs["versions"]["cupy"] == sys.modules["cupy"].__version__ and "cupy" not in ours["versions"]


@pytest.mark.gpu
@pytest.mark.parametrize(("module", "data"), [(figure4, handwriting), (figure8, rendering)])
def test_every_claim_of_a_whole_figure_holds_when_trained_on_the_gpu(module, data, gpu):
    assert failing(module.make(data.generate(), Train(threads=2, backend="cupy")).claims) == []
