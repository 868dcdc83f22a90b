"""The audit of gradients, which takes half a minute: once for all tests of this folder."""

import pytest

from drlim_np.audit.catalogue import findings


@pytest.fixture(scope="session")
def audit():
    return list(findings(seed=0))
