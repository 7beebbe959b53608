r"""Calibrated chances of values as far out as a step: by a table, and by earlier steps of a series.

The *depth* of a step is :math:`-\ln` of the smaller of its two tail probabilities by the forecast:
at most the value, and at least the value. Forecasts of nine quantiles do not know their tails well,
and are right for some series and too narrow for others. So depths become *surprises* by a table,
:math:`s = -\ln S(d)`, where S is the share of steps of training data that were as deep on their
side. If a series were like them, its surprises would have an exponential distribution of mean 1.

Each series has its own: the share q of surprises above :math:`s_0 = \ln 10`, and their mean
excess :math:`\tau`, among its newest steps before the one in question. In the tail

.. math:: p = q \, e^{-(s - s_0) / \tau}, \quad
    q = \frac{50 / 10 + k}{50 + n}, \quad
    \tau = \frac{10 + \sum_i \min(s_i, c) - s_0}{10 + \#\{s_0 \le s_i < c\}},

as if 50 steps and 10 excesses of the table had been seen before. Surprises count up to
:math:`c = \ln 200`, as censored ones: a few steps that are truly odd do not hide the next one.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.anomalies import table

WINDOW = 1000
"""Newest steps of a series that tell its tail."""

_TAIL = 0.1  # share of steps that the tail begins with, by the table
_START = -math.log(_TAIL)
_CUT = math.log(200)  # surprise at which larger ones count as much as this one
_STEPS, _EXCESSES = 50.0, 10.0  # of other series, that the table stands for

_LOG_CHANCES = -np.log(np.asarray(table.CHANCES))
_LOG_DEPTHS = np.log(np.array([table.LOWER, table.UPPER]))


def surprises(depths: FloatArray, above: NDArray[np.bool_], by_table: bool = True) -> FloatArray:
    """Return how surprising steps are: minus the logarithm of the chance of at least their depth.

    Parameters
    ----------
    depths : ndarray, shape (steps,)
    above : ndarray of bool, shape (steps,)
        Whether each step lies above the median.
    by_table : bool
        Whether to look the chance up; else it is twice the tail probability of the forecast.
    """
    if not by_table:
        return np.maximum(depths - math.log(2), 0.0)
    found = np.empty(len(depths))
    with np.errstate(divide="ignore"):
        logs = np.log(depths)
    for side in (0, 1):
        own = above == bool(side)
        found[own] = _interpolated(logs[own], _LOG_DEPTHS[side], _LOG_CHANCES)
    return found


def depths_of(surprise: FloatArray, by_table: bool = True) -> FloatArray:
    """Return the depths (2, steps) below and above the median that are as surprising.

    Parameters
    ----------
    surprise : ndarray, shape (steps,)
    by_table : bool
        As in `surprises`.
    """
    if not by_table:
        return np.stack([surprise + math.log(2)] * 2)
    with np.errstate(over="ignore"):
        return np.exp([_interpolated(surprise, _LOG_CHANCES, own) for own in _LOG_DEPTHS])


def _interpolated(at: FloatArray, known: FloatArray, values: FloatArray) -> FloatArray:
    """Interpolate; before the first point the first value, after the last one a straight line."""
    slope = (values[-1] - values[-2]) / (known[-1] - known[-2])
    return np.where(
        at > known[-1], values[-1] + slope * (at - known[-1]), np.interp(at, known, values)
    )


class Tail:
    """Chances of surprises, by the tail of the newest ones of a series.

    Parameters
    ----------
    window : int
        Newest surprises that count; with 0 the table alone does.

    Examples
    --------
    >>> tail = Tail()
    >>> round(math.exp(tail.log_chance(math.log(100))), 3)
    0.01
    >>> for _ in range(500):
    ...     tail.add(5.0)
    >>> bool(tail.log_chance(math.log(100)) > math.log(0.1))
    True
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._newest: deque[float] = deque()
        self._beyond = self._uncut = 0
        self._excess = 0.0

    @property
    def _share(self) -> float:
        """Share of steps in the tail."""
        return (_STEPS * _TAIL + self._beyond) / (_STEPS + len(self._newest))

    @property
    def _scale(self) -> float:
        """Mean excess in the tail, estimated from excesses that are cut."""
        return (_EXCESSES + self._excess) / (_EXCESSES + self._uncut)

    def log_chance(self, surprise: float) -> float:
        """Return the logarithm of the chance of at least a surprise."""
        if surprise >= _START:
            return math.log(self._share) - (surprise - _START) / self._scale
        inside = -math.expm1(-surprise) / (1 - _TAIL)  # of the steps that are not in the tail
        return math.log1p(-(1 - self._share) * inside)

    def bound(self, chance: float) -> float:
        """Return the surprise from which on chances are at most ``chance``."""
        share = self._share
        if chance <= share:
            return _START + self._scale * math.log(share / chance)
        return -math.log1p(-(1 - chance) * (1 - _TAIL) / (1 - share))

    def add(self, surprise: float) -> None:
        """Count a surprise, and forget the oldest one if there are too many."""
        if not self._window:
            return
        if len(self._newest) == self._window:
            self._count(self._newest.popleft(), -1)
        self._newest.append(surprise)
        self._count(surprise, 1)

    def _count(self, surprise: float, sign: int) -> None:
        if surprise >= _START:
            self._beyond += sign
            self._uncut += sign * (surprise < _CUT)
            self._excess += sign * (min(surprise, _CUT) - _START)
