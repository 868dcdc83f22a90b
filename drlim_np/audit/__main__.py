"""`python -m drlim_np.audit` prints every gradient's verdict, and that every wrong one is rejected."""

import sys

from drlim_np.audit.catalogue import main

if __name__ == "__main__":
    sys.exit(main())
