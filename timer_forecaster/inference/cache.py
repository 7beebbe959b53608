"""The names of version 0.1 for `timer_forecaster.checkpoints.key`.

Pickles of version 0.1 name this module. It goes with the next release but one.
"""

from timer_forecaster.checkpoints.key import NetworkKey

__all__ = ["NetworkKey"]
