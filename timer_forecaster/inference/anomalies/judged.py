"""What was found of the steps of a series, and which of them can be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray

JUDGED, MISSING, HISTORY, NO_FORECAST = 0, 1, 2, 3
REASONS = ("", "missing", "short history", "no forecast")
"""Why a step was not judged, by its code."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What was found of the steps of one series.

    Parameters
    ----------
    median, lower, upper : ndarray, each of shape (steps,)
        The expected value, and the bounds beyond which a value is an anomaly at the level.
    log_p : ndarray, shape (steps,)
        Logarithms of calibrated two-sided tail probabilities.
    above : ndarray of bool, shape (steps,)
        Whether the value lies above the median.
    reason : ndarray of int8, shape (steps,)
        `JUDGED`, or why the step was not; the other arrays are then NaN and False.
    """

    median: FloatArray
    lower: FloatArray
    upper: FloatArray
    log_p: FloatArray
    above: NDArray[np.bool_]
    reason: NDArray[np.int8]

    @classmethod
    def nothing(cls, steps: int) -> Judged:
        """Return room for a series of which nothing was found so far."""
        median, lower, upper, log_p = np.full((4, steps), np.nan)
        above, reason = np.zeros(steps, bool), np.full(steps, HISTORY, np.int8)
        return cls(median, lower, upper, log_p, above, reason)


class Known(NamedTuple):
    """What is known of the steps of a series before anything is forecast."""

    observed: NDArray[np.bool_]
    """Whether a step has a value."""
    enough: NDArray[np.bool_]
    """Whether the network reads enough observed values before the origin of the step."""
    seen: NDArray[np.int64]
    """Observed values before the origin."""

    @classmethod
    def of(cls, values: FloatArray, horizon: int, min_history: int, reads: int) -> Known:
        """Count the values before the origin of each step, which lies a horizon before its end.

        Parameters
        ----------
        values : ndarray, shape (steps,)
        horizon : int
        min_history : int
            Observed values that are enough.
        reads : int
            Newest steps that the network reads.
        """
        observed = np.isfinite(values)
        counts = np.concatenate([[0], observed.cumsum()])
        origins = np.maximum(0, np.arange(len(values)) - horizon + 1)
        seen = counts[origins]
        near = seen - counts[np.maximum(0, origins - reads)]
        return cls(observed, near >= min(min_history, reads), seen)
