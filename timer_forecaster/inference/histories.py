"""The names of version 0.1 for `timer_forecaster.frames.history`.

Pickles of version 0.1 name this module. It goes with the next release but one.
"""

from timer_forecaster.frames.history import History

__all__ = ["History"]
