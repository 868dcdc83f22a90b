"""The pages say how many there are of each kind."""

import pytest

from drlim_np.audit import catalogue
from tests.tools.counted import PAGES, table, written


@pytest.mark.parametrize("page", PAGES)
def test_the_page_counts_what_there_is(audit, page):
    text = PAGES[page].read_text(encoding="utf-8")
    assert text == written(text, table(audit, catalogue.proofs())), "write them by python -m tests.tools.counted"
    assert "| exact proofs | " in text
