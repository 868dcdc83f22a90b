"""Each row of "Coming from another library": its call, as the page writes it, against the library itself.

Some need an older NumPy than ours, so each runs by the first Python that has it: of those that the environment variable
DRLIM_PEERS lists, or this one. For Python 3.11, chainer is built next to NumPy 1.26.4 and setuptools 69 with `pip
install --no-build-isolation --no-deps`, quaterion installed with `--no-deps --ignore-requires-python` next to torch
2.0.1, pytorch-lightning 1.9.5 and torchmetrics 0.8.2.
"""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from drlim_np.loss import contrastive, energy

PAGE = Path(__file__).resolve().parents[1] / "drlim_np" / "estimator" / "README.md"
SECTION = PAGE.read_text(encoding="utf-8").partition("## Coming from another library")[2]
ROWS = [line.strip("| ").split(" | ") for line in SECTION.splitlines() if re.match(r"\| \S+ [\d.]+ \|", line)]
WITHOUT = re.findall(r"(\S+)\s([\d.]+)\s\(`(\S+)`\)", SECTION)
M, P = 1.3, 200  # margin and pairs

TORCH = """import torch
z1, z2 = (torch.tensor(z, dtype=torch.double, requires_grad=True) for z in (z1, z2))
z, label = torch.cat([z1, z2]), torch.tensor(label)
"""
BEFORE = {  # the call, which makes a loss of NumPy's z1, z2 (pairs, dims), label (pairs,) and m; PyTorch's after TORCH
    "sentence-transformers": """
from sentence_transformers.sentence_transformer.losses import ContrastiveLoss, SiameseDistanceMetric
model = None""",
    "tensorflow-addons": """import tensorflow as tf
from tensorflow_addons.losses import ContrastiveLoss
z1, tape = tf.Variable(z1), tf.GradientTape()
tape.__enter__()""",
    "catalyst": "from catalyst.contrib.losses import ContrastiveEmbeddingLoss",
    "chainer": "import chainer; from chainer.functions import contrastive; z1 = chainer.Variable(z1)",
    "quaterion": """from quaterion.distances import Distance
from quaterion.loss import ContrastiveLoss
pairs, subgroups = torch.arange(len(z)).view(2, -1).T, torch.zeros(len(z))""",
    "pytorch-metric-learning": """from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import ContrastiveLoss
from pytorch_metric_learning.reducers import SumReducer
(near,), (far,) = torch.where(label == 0), torch.where(label == 1)
pairs = near, near + len(z1), far, far + len(z1)
class Halved(ContrastiveLoss):
    pos_calc = lambda self, d, margin: d**2 / 2
    neg_calc = lambda self, d, margin: torch.relu(margin - d) ** 2 / 2""",
}
AFTER = {  # it, where the gradient is not found as in PyTorch
    "tensorflow-addons": "dz1 = tape.gradient(loss, z1).numpy()",
    "chainer": "loss.backward(); loss, dz1 = loss.array, z1.grad",
}
PROGRAM = """import json, sys
import numpy as np
z1, z2, label, m = (np.array(given) for given in json.loads(sys.stdin.read()))
m = float(m)
{before}
loss = {call}
{after}
print(json.dumps([float(loss), dz1.tolist()]))"""


@cache
def python_with(library, version):
    """The first Python that has this version of the library, or None."""
    ask = f"from importlib.metadata import version; assert version({library!r}).partition('+')[0] == {version!r}"
    for python in [*filter(None, os.environ.get("DRLIM_PEERS", "").split(os.pathsep)), sys.executable]:
        if subprocess.run([python, "-c", ask], capture_output=True).returncode == 0:
            return python
    return None


def run(library, version, program, given=()):
    """What a program that imports the library prints last; skips, with the reason, where no Python has it."""
    if (python := python_with(library, version)) is None:
        pytest.skip(f"no Python of DRLIM_PEERS has {library} {version}")
    options = {"env": os.environ | {"KERAS_BACKEND": "numpy"}, "input": json.dumps(given), "text": True}
    ran = subprocess.run([python, "-c", program], capture_output=True, **options)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize(("library", "call", "similar", "loss", "gradient", "rate", "at_zero"), ROWS)
def test_a_row_of_the_page_is_what_the_library_does(library, call, similar, loss, gradient, rate, at_zero, rng):
    z1, z2 = 0.8 * rng.standard_normal((2, P, 2))
    z2[-2:] = z1[-2:]  # D = 0, of a dissimilar and of a similar pair
    y = np.append(rng.integers(0, 2, P - 2), [1, 0])
    name, version = library.split()
    before, after = TORCH * (name not in AFTER) + BEFORE[name], AFTER.get(name, "loss.backward(); dz1 = z1.grad")
    program = PROGRAM.format(before=before, call=call.strip("`"), after=after)
    given = [z1.tolist(), z2.tolist(), (1 - y if similar == "1" else y).tolist(), M]
    their_loss, their_dz1 = run(name, version, program, given)
    our_loss, dz1, _ = contrastive(z1, z2, y, M)
    if loss == "not Eq. 4":
        d = energy(*(z / np.linalg.norm(z, axis=1, keepdims=True) for z in (z1, z2)))
        assert their_loss == pytest.approx(d[(y == 0) & (d > 0)].mean() + (M - d)[(y == 1) & (d < M)].mean())
        assert [gradient, rate, at_zero] == ["–", "–", "0"] and not np.any(their_dz1[-2])
        return
    factor = {"L": 1, "2L": 2, "L/P": 1 / P, "2L/P": 2 / P}[loss]
    assert gradient == loss.replace("L", "g")
    assert {"P": P, "P/2": P / 2, "1": 1, "1/2": 1 / 2}[rate] * factor == 1
    # the dissimilar pair at D = 0, the similar one, and how far all may be off, as PyTorch's 1e-6 moves z1 - z2
    far, near, off = {
        "m along (1, 1, …)": (-M / np.sqrt(2), 0, 1e-5),
        "0": (0, 0, 1e-12),
        "NaN": (np.nan, 0, 1e-12),
        "NaN, of a similar pair too": (np.nan, np.nan, 1e-12),
    }[at_zero]
    dz1[-2:] = [[far, far], [near, near]]
    assert their_loss == pytest.approx(factor * our_loss, rel=off)
    np.testing.assert_allclose(their_dz1, factor * dz1, rtol=0, atol=factor * off)


@pytest.mark.parametrize(("library", "version", "module"), WITHOUT)
def test_a_library_without_the_loss_names_none(library, version, module):
    names = run(library, version, f"import json, {module} as losses; print(json.dumps(dir(losses)))")
    assert len(names) > 9 and not [name for name in names if "contrastive" in name.lower()]


def test_the_page_has_rows_of_every_library():
    assert {row[0].split()[0] for row in ROWS} == set(BEFORE) and len(ROWS) == 9 and len(WITHOUT) == 5
