"""`python -m drlim_np.audit` prints every gradient's verdict, and that every wrong one is rejected."""

import sys

from drlim_np.audit.catalogue import main
from drlim_np.door.terminal import exit_status

if __name__ == "__main__":
    sys.exit(exit_status(main, "python -m drlim_np.audit"))
