r"""Depths of values in the tails of forecasts, and values at a depth.

Between the outermost quantiles a depth is minus the logarithm of the smaller tail probability.
Beyond them it grows linearly,

.. math:: d = \ln \frac{1}{p_1} + \frac{v_1 - y}{b},

with the scale b of the exponential tail of `timer_forecaster.inference.quantiles`. This scale is
the distance between two neighboring quantiles, which are both uncertain. So a search for anomalies
takes a steadier one: at least 0.8 times that of a tail through the outermost quantiles and the
middle. The spread of a single forecast is uncertain too. So all quantiles are stretched around the
median: half-way, in logarithms, to the median spread of the newest hundred forecasts.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference import quantiles as quantile_function

_LEAST = 0.8  # of the scale through the outermost quantiles and the middle
_STEADY = 0.5  # weight of the usual spread
_WINDOW = 100  # newest forecasts that tell the usual spread


def scales_of(quantiles: FloatArray, levels: Sequence[float], steady: bool) -> FloatArray:
    """Return the scales (2, steps) of the lower and the upper tail.

    Parameters
    ----------
    quantiles : ndarray, shape (steps, Q)
    levels : sequence of float
    steady : bool
        Whether they have a lower bound; else they are those of the quantile function.
    """
    scales = np.stack(quantile_function.tail_scales(quantiles, np.asarray(levels)))
    if not steady:
        return scales
    spread = quantiles[:, -1] - quantiles[:, 0]
    return np.maximum(scales, _LEAST * spread / -math.log(4 * levels[0] * (1 - levels[-1])))


def depths(
    quantiles: FloatArray, levels: Sequence[float], values: FloatArray, scales: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the depths of values below and above, each of shape (steps,).

    Parameters
    ----------
    quantiles : ndarray, shape (steps, Q)
    levels : sequence of float
    values : ndarray, shape (steps,)
    scales : ndarray, shape (2, steps)
        Of the tails.
    """
    lower, upper = quantile_function.log_tails(quantiles, levels, values[:, None])
    ends = -math.log(levels[0]), -math.log1p(-levels[-1])
    beyond = quantiles[:, 0] - values, values - quantiles[:, -1]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        below, above = (
            np.where(far > 0, end + np.where(far > 0, far, 0.0) / scale, -inside[:, 0])
            for far, end, scale, inside in zip(beyond, ends, scales, (lower, upper), strict=True)
        )
    return below, above


def values_at(
    quantiles: FloatArray, levels: Sequence[float], at: FloatArray, scales: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the values at depths below and above: the inverse of `depths`.

    Parameters
    ----------
    quantiles, levels, scales
        As in `depths`.
    at : ndarray, shape (2, steps)
        Depths below and above the median.
    """
    ends = -math.log(levels[0]), -math.log1p(-levels[-1])
    chances = [np.exp(-np.minimum(own, end)) for own, end in zip(at, ends, strict=True)]
    inside = [
        quantile_function.evaluate(quantiles, levels, one[:, None])[:, 0]
        for one in (chances[0], 1 - chances[1])
    ]
    with np.errstate(invalid="ignore", over="ignore"):
        reach = [
            np.where((own > end) & (scale > 0), (own - end) * scale, 0.0)
            for own, end, scale in zip(at, ends, scales, strict=True)
        ]
    return inside[0] - reach[0], inside[1] + reach[1]


def stretched(quantiles: FloatArray, levels: Sequence[float], factor: float) -> FloatArray:
    """Return quantiles (steps, Q) whose distances from the median are multiplied by a factor."""
    if factor == 1:
        return quantiles
    median = quantile_function.evaluate(quantiles, levels, np.array([0.5]))
    return median + (quantiles - median) * factor


class UsualSpread:
    """The median spread of the newest forecasts of a series.

    Examples
    --------
    >>> usual = UsualSpread()
    >>> [round(usual.factor(spread), 2) for spread in (1.0, 1.0, 4.0, 0.0)]
    [1.0, 1.0, 0.5, 1.0]
    """

    def __init__(self) -> None:
        self._newest: deque[float] = deque()
        self._sorted: list[float] = []

    def factor(self, spread: float) -> float:
        """Count the spread of a forecast, and return what it is to be multiplied by."""
        if not 0 < spread < math.inf:
            return 1.0
        spread = math.log(spread)
        if len(self._newest) == _WINDOW:
            del self._sorted[bisect_left(self._sorted, self._newest.popleft())]
        self._newest.append(spread)
        insort(self._sorted, spread)
        middle = len(self._sorted) // 2
        usual = (self._sorted[middle] + self._sorted[-1 - middle]) / 2
        return math.exp(_STEADY * (usual - spread))
