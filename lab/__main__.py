"""`python -m lab`."""

import sys

from lab.control.command import main

if __name__ == "__main__":
    sys.exit(main())
