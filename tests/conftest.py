"""How the tests run: on one BLAS thread, as the figures do, and on more examples where DRLIM_TESTS is "deep".

Tests that set no number of their own are deep: those that give every reader hostile files. The audit before the figures
leaves nothing behind. In a checkout that may not be written tests leave nothing either: Hypothesis keeps no examples.
"""

import os
from pathlib import Path

# NumPy reads this when it is first imported, which nothing has done yet.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("SCIPY_ARRAY_API", "1")  # without it scikit-learn leaves out one of its checks of an estimator

import numpy as np
import pytest
from hypothesis import settings

if not os.access(Path(__file__).resolve().parents[1], os.W_OK):
    settings.register_profile("default", database=None)
settings.register_profile("audit", database=None)
settings.register_profile("few", database=None)
settings.register_profile("deep", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("DRLIM_TESTS", "default"))


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that starts anew for each test."""
    return np.random.default_rng(0)
