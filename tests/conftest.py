"""Hypothesis draws few examples by default, so that the suite stays quick; the profile "deep" draws thousands."""

import os

from hypothesis import settings

settings.register_profile("deep", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("DRLIM_TESTS", "default"))
