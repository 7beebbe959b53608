"""`python -m timer_forecaster` runs the command."""

import sys

from timer_forecaster.cli import main

if __name__ == "__main__":
    sys.exit(main())
