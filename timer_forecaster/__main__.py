"""`python -m timer_forecaster`, the command without its script."""

import sys

from timer_forecaster.cli import main

if __name__ == "__main__":
    sys.exit(main())
