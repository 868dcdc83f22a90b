"""How the tests run: on one BLAS thread, as the figures do, and on few examples unless DRLIM_TESTS is "deep".

Deep are the tests that set no number of their own: hostile files, for every reader.
"""

import os

# NumPy reads this when it is first imported, which nothing has done yet.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(variable, "1")

from hypothesis import settings

settings.register_profile("deep", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("DRLIM_TESTS", "default"))
