"""One BLAS thread, as in run_all.py: NumPy reads this when it is first imported, which no test has done yet."""

import os

for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(variable, "1")
