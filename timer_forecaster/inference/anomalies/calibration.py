r"""Calibrated chances of values as far out as a step: by a table, and by earlier steps of a series.

The *depth* of a step is :math:`-\ln` of the smaller of its two tail probabilities by the forecast,
as `timer_forecaster.inference.anomalies.tails` has it. Forecasts of nine quantiles do not know
their tails, and are right for some series and too narrow for others. So depths become *surprises*
by a table, :math:`s = -\ln S(d)`, where S is the share of steps of training data that were as deep
on their side. Surprises of a series are then ranked among its own earlier ones,

.. math:: p = \frac{n_0 e^{-s} + \#\{s_i \ge s\}}{n_0 + n},

as if :math:`n_0` steps of other series had been seen before the n newest ones of its own. With few
own steps the table decides; with many, ranks do, as in conformal prediction.

Ranks alone say little of the far tail: one earlier step that was as odd decides it. So from the
surprise :math:`u` on, which one step in twenty of the table reaches, excesses are exponential,

.. math:: p(s) = p(u) \, e^{-(s - u) / b}, \quad
    b = \frac{m_0 + \sum (s_i - u)}{m_0 + \#\{s_i \ge u\}},

with the mean excess b of the series as if :math:`m_0` excesses of the table, of mean 1, had been
seen before. An earlier excess counts at most as `MOST_EXCESS`, so that one step without any chance
does not decide it either.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.anomalies import table

PRIOR = 100.0
"""Steps of other series that the table stands for."""

WINDOW = 1000
"""Newest steps of a series that a step is ranked among."""

TAIL = 0.05
"""Chance by the table from which on excesses are exponential."""

PRIOR_EXCESSES = 5.0
"""Excesses, of mean 1, that the table stands for."""

MOST_EXCESS = 6.0
"""What an earlier excess counts at most."""

_START = -math.log(TAIL)

_LOG_CHANCES = -np.log(np.asarray(table.CHANCES))
_LOG_DEPTHS = np.log(np.array([table.LOWER, table.UPPER]))


def surprise_of(depth: float, above: bool, by_table: bool = True) -> float:
    """Return how surprising a step is: minus the logarithm of the chance of at least its depth.

    Parameters
    ----------
    depth : float
    above : bool
        Whether the step lies above the median.
    by_table : bool
        Whether to look the chance up; else it is twice the tail probability of the forecast.
    """
    if not by_table:
        return max(depth - math.log(2), 0.0)
    if not 0 < depth < math.inf:
        return 0.0 if depth <= 0 else depth  # infinite, or NaN
    return float(_interpolated(math.log(depth), _LOG_DEPTHS[int(above)], _LOG_CHANCES)) + 0.0


def depths_of(surprise: FloatArray, by_table: bool = True) -> FloatArray:
    """Return the depths (2, steps) below and above the median that are as surprising.

    Parameters
    ----------
    surprise : ndarray, shape (steps,)
    by_table : bool
        As in `surprise_of`.
    """
    if not by_table:
        return np.stack([surprise + math.log(2)] * 2)
    with np.errstate(over="ignore"):
        return np.exp([_interpolated(surprise, _LOG_CHANCES, own) for own in _LOG_DEPTHS])


def _interpolated(at: float | FloatArray, known: FloatArray, values: FloatArray) -> FloatArray:
    """Interpolate; before the first point the first value, after the last one a straight line."""
    slope = (values[-1] - values[-2]) / (known[-1] - known[-2])
    return np.where(
        at > known[-1], values[-1] + slope * (at - known[-1]), np.interp(at, known, values)
    )


class Ranks:
    """Chances of surprises, by the newest ones of a series.

    Parameters
    ----------
    window : int
        Newest surprises that count; with 0 the table alone does.
    prior : float
        Steps that the table stands for.

    Examples
    --------
    >>> ranks = Ranks(window=1000)
    >>> round(math.exp(ranks.log_chance(math.log(100))), 3)
    0.01
    """

    def __init__(self, window: int = WINDOW, prior: float = PRIOR) -> None:
        self._window, self._prior = window, prior
        self._newest: deque[float] = deque()
        self._sorted: list[float] = []
        self._excess = 0.0  # sum of those that count

    def log_chance(self, surprise: float) -> float:
        """Return the logarithm of the chance of at least a surprise."""
        if _START < surprise < math.inf:
            return self._rank(_START) - (surprise - _START) / self._mean_excess()
        return self._rank(surprise)

    def bound(self, chance: float) -> float:
        """Return the surprise beyond which chances are at most ``chance``; perhaps infinite."""
        if self._rank(math.inf) >= math.log(chance):
            return math.inf
        beyond = self._rank(_START) - math.log(chance)
        if beyond > 0:
            return _START + beyond * self._mean_excess()
        return self._bound_by_ranks(chance)

    def add(self, surprise: float) -> None:
        """Count a surprise, and forget the oldest one if there are too many."""
        if not self._window:
            return
        if len(self._newest) == self._window:
            oldest = self._newest.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]
            self._excess -= _excess(oldest)
        self._newest.append(surprise)
        insort(self._sorted, surprise)
        self._excess += _excess(surprise)

    def _above(self, surprise: float) -> int:
        return len(self._sorted) - bisect_left(self._sorted, surprise)

    def _rank(self, surprise: float) -> float:
        """Return the logarithm of the chance by ranks."""
        above = self._above(surprise)
        total = math.log(self._prior + len(self._sorted))
        if not above:
            return math.log(self._prior) - surprise - total
        return math.log(self._prior * math.exp(-surprise) + above) - total

    def _mean_excess(self) -> float:
        """Return the mean of what the surprises in the tail exceed its start by."""
        return (PRIOR_EXCESSES + self._excess) / (PRIOR_EXCESSES + self._above(_START))

    def _bound_by_ranks(self, chance: float) -> float:
        """Return the surprise from which on the chance by ranks is at most ``chance``."""
        budget = chance * (self._prior + len(self._sorted))
        most = math.inf
        for above in range(len(self._sorted) + 1):
            if above:
                most = self._sorted[-above]
            if budget <= above:
                return most
            least = max(0.0, math.log(self._prior / (budget - above)))
            if least >= most:
                return most
            if above == len(self._sorted) or least > self._sorted[-above - 1]:
                return least
        return 0.0


def _excess(surprise: float) -> float:
    return min(max(surprise - _START, 0.0), MOST_EXCESS)
