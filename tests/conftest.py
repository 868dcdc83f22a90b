"""Hypothesis draws few examples by default, so that the suite stays quick; with DRLIM_TESTS=deep it draws thousands.

Deep are the tests that set no number of their own: hostile files, for every reader.
"""

import os

from hypothesis import settings

settings.register_profile("deep", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("DRLIM_TESTS", "default"))
