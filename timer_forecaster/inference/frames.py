"""The name of version 0.1 for `timer_forecaster.frames.long.series_of`.

Programs written for version 0.1 name this module. It goes with the next release but one.
"""

from timer_forecaster.frames.long import series_of

__all__ = ["series_of"]
