"""The deliberate faults of tests/tools/faults.py still fit the sources."""

import pytest

from tests.tools.faults import FAULTS, TESTS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.module}: {fault.what}")
def test_the_fault_can_be_put_into_the_source_of_its_module(fault):
    compile(fault.source(), fault.module, "exec")
    assert fault.module in TESTS


def test_there_are_at_least_sixty_and_no_two_are_the_same():
    assert len({(fault.module, fault.old, fault.new) for fault in FAULTS}) == len(FAULTS) >= 60
