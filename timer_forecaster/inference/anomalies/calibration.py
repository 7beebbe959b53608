r"""Calibrated chances of values as far out as a step: by earlier steps of a series, and by a table.

The *depth* of a step is :math:`-\ln` of the smaller of its two tail probabilities by the forecast,
as `timer_forecaster.inference.anomalies.tails` has it. Forecasts of nine quantiles do not know
their tails. So a depth becomes a chance by the errors of the series so far, as
`timer_forecaster.inference.anomalies.kinds` has it, and a table makes of this chance the share of
steps of training data that had at most this chance on their side of the median. The *surprise* of a
step is minus the logarithm of this share.
"""

from __future__ import annotations

import math

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.anomalies import table
from timer_forecaster.inference.anomalies.kinds import LOG_KNOTS, Kinds, interpolated, surprise_at

_SURPRISES = -np.log(np.asarray(table.CHANCES))
_SIDES = np.array([table.LOWER, table.UPPER])


class Chances:
    """Surprises of the steps of one series, in the order of time.

    Parameters
    ----------
    calibrates : bool
        Else chances are twice the tail probabilities of the forecasts.
    learns : bool
        Whether earlier steps of the series count, beside those of training data.

    Examples
    --------
    >>> chances = Chances()
    >>> before = chances.surprise(12.0, above=True)
    >>> for _ in range(40):
    ...     chances.add(1.4)  # usual steps
    >>> bool(chances.surprise(12.0, above=True) > before)
    True
    """

    def __init__(self, calibrates: bool = True, learns: bool = True) -> None:
        self._calibrates, self._learns = calibrates, calibrates and learns
        weights = np.asarray(table.WEIGHTS).ravel()
        self._first = Kinds(weights / weights.sum())
        self._kinds = Kinds(self._first.weights)

    def surprise(self, depth: float, above: bool) -> float:
        """Return minus the logarithm of the chance of at least a depth.

        Parameters
        ----------
        depth : float
            Finite.
        above : bool
            Whether the step lies above the median.
        """
        return self._surprise(self._kinds, depth, above)

    def first_surprise(self, depth: float, above: bool) -> float:
        """Return what `surprise` would return if the series had no earlier steps."""
        return self._surprise(self._first, depth, above)

    def _surprise(self, kinds: Kinds, depth: float, above: bool) -> float:
        if not self._calibrates:
            return max(depth - math.log(2), 0.0)
        found = surprise_at(depth, kinds)
        return float(interpolated(found, _SIDES[int(above)], _SURPRISES))

    def depths(self, surprise: float) -> FloatArray:
        """Return the depths (2,) below and above the median that are as surprising."""
        if not self._calibrates:
            return np.full(2, surprise + math.log(2))
        found = np.array([interpolated(surprise, _SURPRISES, side) for side in _SIDES])
        with np.errstate(over="ignore"):
            return np.exp(interpolated(found, self._kinds.surprises, LOG_KNOTS))

    def add(self, depth: float) -> None:
        """Learn from a step; one at or inside a point mass of its forecast tells nothing."""
        if self._learns and 0 < depth < math.inf:
            self._kinds.add(depth)
