"""The name of version 0.1 for `timer_forecaster.checkpoints.cache`.

Pickles of version 0.1 name this module. It goes with the next release but one.
"""

import sys

from timer_forecaster.checkpoints import cache
from timer_forecaster.checkpoints.key import NetworkKey

__all__ = ["NetworkKey"]

sys.modules[__name__] = cache  # one module under two names, so that programs that patch it work
