"""The deliberate faults of tests/tools/faults.py still fit the sources."""

import pytest

from tests.tools.faults import FAULTS, TESTS, the_one
from tests.tools.mutants import equivalents, mutants_of


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.module}: {fault.what}")
def test_the_fault_can_be_put_into_the_source_of_its_module_and_no_other_is_the_same(fault):
    compile(fault.source(), fault.module, "exec")
    assert [other.what for other in FAULTS if other[::2] == fault[::2] and other.new == fault.new] == [fault.what]


@pytest.mark.parametrize("module", sorted({fault.module for fault in FAULTS} | TESTS.keys()))
def test_the_module_and_the_tests_that_are_to_notice_its_faults_are_there(module):
    assert the_one("drlim_np", f"{module}.py")
    assert all(the_one("tests", f"test_{name}.py") for name in TESTS.get(module, [module]))


def test_what_is_written_down_as_equivalent_is_a_mutant_of_the_sources():
    known = equivalents()
    modules = {what.partition(" | ")[0] for what in known}
    assert known.keys() <= {mutant.what for module in modules for mutant in mutants_of(module)}
