"""How the tests run: on one BLAS thread, as the figures do, and on more examples where DRLIM_TESTS is "deep".

Hypothesis keeps no examples in the audit before the figures, nor in a checkout that may not be written.
"""

import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

# NumPy reads this when it is first imported, which nothing has done yet.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("SCIPY_ARRAY_API", "1")  # without it scikit-learn leaves out one of its checks of an estimator

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from drlim_np.errors import InputError
from drlim_np.fast.devices import origin
from tests.help import cupy_standin

# A deadline, and a check of how fast examples are drawn, would blame the code for a slow machine.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")
settings.register_profile("deep", max_examples=2000)
for name in ["audit", "few", *([] if os.access(Path(__file__).resolve().parents[1], os.W_OK) else ["default"])]:
    settings.register_profile(name, database=None)
settings.load_profile(os.environ.get("DRLIM_TESTS", "default"))


@pytest.fixture
def rng() -> np.random.Generator:
    """A new generator for each test, always from the same seed."""
    return np.random.default_rng(0)


@pytest.fixture
def owned():
    """A folder whose owner runs the rest of the test, and is not root: what may not be read cannot be read."""
    if not hasattr(os, "seteuid"):
        pytest.skip("permissions are those of POSIX")
    user = os.geteuid()
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        os.seteuid(user or 65534)
        try:
            (mine := Path(folder).resolve() / "mine").mkdir()
            yield mine
            mine.chmod(0o700)
        finally:
            os.seteuid(user)


@pytest.fixture
def standin(monkeypatch):
    """The stand-in for CuPy, in its place."""
    module = cupy_standin.module()
    monkeypatch.setitem(sys.modules, "cupy", module)
    for variable in ("CUPY_TF32", "NVIDIA_TF32_OVERRIDE"):
        monkeypatch.delenv(variable, raising=False)
    return module


@pytest.fixture(params=["strict", "stand-in", pytest.param("gpu", marks=pytest.mark.gpu)])
def model(request):
    """An array on a device that is not the host's, to put others there: of each array module that is here."""
    if request.param == "strict":
        strict = pytest.importorskip("array_api_strict", reason="array_api_strict is not installed")
        return strict.zeros(0, device=strict.Device("device1"))
    if request.param == "stand-in":
        request.getfixturevalue("standin")
    if request.param == "gpu":
        pytest.importorskip("cupy", reason="CuPy is not installed")
    try:
        return origin("cupy" if request.param in ("stand-in", "gpu") else request.param)
    except InputError as reason:
        pytest.skip(str(reason))


def pytest_make_parametrize_id(val):
    """Without addresses and compressed bytes, which would give a test another name in each process."""
    if isinstance(val, bytes):
        return "bytes"
    return re.sub(r" at 0x\w+", "", val) if isinstance(val, str) else None
