"""Audits the mathematics, then draws the figures of the paper, each with the numbers that prove its claims."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which python -P leaves out

from drlim_np.runs.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
