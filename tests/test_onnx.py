"""The map as ONNX: `embed` traced by ndonnx, run by onnxruntime, gives what NumPy gives."""

import re
from pathlib import Path

import numpy as np
import pytest

from drlim_np.data import handwriting, on_canvas
from drlim_np.files import weights
from drlim_np.networks import CONVNET_INPUT, convnet
from drlim_np.training import embed
from drlim_np.tree import tree_map
from tests.help.every_layer import EVERY_LAYER, drawn

ndonnx = pytest.importorskip("ndonnx", reason="ndonnx is not installed: no ONNX is written")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: no ONNX is run")

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "figures" / "figure7-mnist-weights.npz"
OPEN_OR_FIXED = pytest.mark.parametrize("samples", ["N", 4])


def onnx(network, params, shape, samples, dtype):
    """What runs the network on an array of so many samples."""
    x = ndonnx.argument(shape=(samples, *shape), dtype=dtype)
    model = ndonnx.build({"x": x}, {"z": embed(network, tree_map(ndonnx.asarray, params), x)})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return lambda images: session.run(None, {"x": images})[0]


@OPEN_OR_FIXED
def test_the_shipped_map_is_the_same_to_a_millionth_of_its_width(samples):
    params = weights.load(SHIPPED)
    images = on_canvas(handwriting.generate(seed=3, train=(1, 1), test=(15, 15)).test.images)
    z = embed(convnet(), params, images)
    run = onnx(convnet(), params, CONVNET_INPUT, samples, ndonnx.float32)
    some = slice(None) if samples == "N" else slice(samples)
    assert np.abs(run(images[some]) - z[some]).max() <= 1e-6 * np.ptp(z, axis=0).max()


def test_the_five_lines_of_the_readme_write_the_map(tmp_path, monkeypatch):
    (code,) = re.findall(r"```py\n(.*?)```", (ROOT / "drlim_np" / "README.md").read_text("utf-8"), flags=re.DOTALL)
    assert len(code.partition("\n\n")[2].splitlines()) == 5
    (tmp_path / "figures").symlink_to(ROOT / "figures")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    image = np.eye(32, dtype=np.float32)[None, None]
    (z,) = onnxruntime.InferenceSession(tmp_path / "map.onnx").run(None, {"x": image})
    np.testing.assert_allclose(z, embed(convnet(), weights.load(SHIPPED), image), rtol=1e-5)


@OPEN_OR_FIXED
@pytest.mark.parametrize("name", [name for name in EVERY_LAYER if not name.startswith("Blockwise")])
def test_every_layer_is_the_same_in_float64(name, samples):
    layer, (_, *shape) = EVERY_LAYER[name]
    rng = np.random.default_rng(0)
    params, x = drawn(layer, rng), rng.standard_normal((4, *shape))
    run = onnx(layer, params, shape, samples, ndonnx.float64)
    for some in (x, x[1:2]) if samples == "N" else [x]:
        np.testing.assert_allclose(run(some), embed(layer, params, some), rtol=1e-12, atol=1e-13)
