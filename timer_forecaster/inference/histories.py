"""The former place of `History`, which pickles of version 0.1 name."""

from timer_forecaster.frames.history import History

__all__ = ["History"]
