"""The wall time of a run: when it has to stop, and when the next checkpoint is due."""

from __future__ import annotations

import time

from timer_forecaster.pretraining.limits import checked_seconds


class Clock:
    """Wall time since the clock was made, and since the newest checkpoint.

    Parameters
    ----------
    seconds : float, optional
        Time after which the run stops. Default: it does not.
    checkpoint_seconds : float, optional
        Longest time between two checkpoints. Default: time has no influence on them.
    """

    def __init__(self, seconds: float | None, checkpoint_seconds: float | None) -> None:
        self._seconds = checked_seconds("seconds", seconds)
        self._between = checked_seconds("checkpoint_seconds", checkpoint_seconds)
        self._started = self._saved = time.monotonic()

    @property
    def is_set(self) -> bool:
        """Whether time has any influence."""
        return self._seconds is not None or self._between is not None

    @property
    def is_over(self) -> bool:
        """Whether the run has to stop."""
        return self._seconds is not None and time.monotonic() - self._started >= self._seconds

    @property
    def checkpoint_is_due(self) -> bool:
        """Whether the newest checkpoint is too old."""
        return self._between is not None and time.monotonic() - self._saved >= self._between

    def saved(self) -> None:
        """Count from a new checkpoint."""
        self._saved = time.monotonic()
