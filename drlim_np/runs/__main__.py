"""`python -m drlim_np.runs` is `run_all.py` where the package is installed: it audits, then draws the figures."""

import os
import sys

# One BLAS thread, set before NumPy starts its own: parallel work is split over our threads, in an order of our own, so
# that the numbers do not depend on how many there are.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ["MPLBACKEND"] = "agg"  # nothing is shown, and what a notebook asks for need not be installed here

from drlim_np.runs.command import main

if __name__ == "__main__":
    sys.exit(main(program="python -m drlim_np.runs"))
