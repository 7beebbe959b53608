r"""Kinds of errors: how wide the errors of a series are, and how heavy their tails.

The *deviation* x of a step is how far it lies from the median of its forecast, in standard
deviations of a normal distribution with these quantiles. Forecasts are too narrow for some series
and too wide for others, and some series have many odd values. So the deviations of a series are of
one of several kinds: they have Student's t distribution, with one of the scales and one of the
degrees of freedom below. Which kind it is, earlier steps tell by the rule of Bayes: kinds have
weights, at first those learned from training data,

.. math:: w_k \leftarrow (1 - \alpha) \frac{w_k f_k(x)^\tau}{\sum_l w_l f_l(x)^\tau}
    + \alpha w_k^0.

All steps count, not those in the tail alone: forty usual ones already tell that a series is no wild
one. The power :math:`\tau` is below 1 since errors follow each other. The share :math:`\alpha` lets
a series change its kind, and leaves room for values that its kind does not know.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import torch

from timer_forecaster.arrays import FloatArray

SCALES = (0.45, 0.6, 0.8, 1.05, 1.4, 2.0, 3.0, 6.0, 12.0)
FREEDOMS = (1.0, 2.0, 4.0, 8.0, math.inf)
"""Degrees of freedom; infinite are those of the normal distribution."""

POWER = 0.5
"""Power of the likelihood of a step."""

CHANGE = 0.03
"""Share of the learned weights that enters at each step."""

KNOTS = np.geomspace(math.log(2), 1e4, 200)
"""Depths at which chances are known; between them they are interpolated."""

LOG_KNOTS = np.log(KNOTS)

_OUTERMOST = math.log(10)  # depth of the outermost quantiles of a forecast
_WIDTH = 0.637  # scale of the exponential tails of a normal forecast, in deviations
_SCALES, _FREEDOMS = np.array(list(product(SCALES, FREEDOMS))).T


def deviations_of(depths: FloatArray) -> FloatArray:
    """Return the deviations of depths: normal, and exponential beyond the outermost quantiles."""
    inside = torch.from_numpy(-np.exp(-np.minimum(depths, _OUTERMOST))) + 1
    normal = np.maximum(torch.special.ndtri(inside).numpy(), 0.0)
    return np.asarray(normal + _WIDTH * np.maximum(depths - _OUTERMOST, 0.0))


def log_densities(depths: FloatArray) -> FloatArray:
    """Return the log densities (steps, kinds) of the deviations at depths (steps,)."""
    x = deviations_of(np.minimum(depths, KNOTS[-1]))[:, None] / _SCALES
    found = -(x**2) / 2 - math.log(2 * math.pi) / 2
    for freedom in FREEDOMS[:-1]:
        own = _FREEDOMS == freedom
        constant = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)
        constant -= math.log(freedom * math.pi) / 2
        found[:, own] = constant - (freedom + 1) / 2 * np.log1p(x[:, own] ** 2 / freedom)
    return np.asarray(found - np.log(_SCALES))


def chances_of(x: FloatArray, freedom: float) -> FloatArray:
    """Return the two-sided tail probabilities of Student's t distribution.

    Parameters
    ----------
    x : ndarray
        Not negative.
    freedom : float
        Degrees of freedom: 1, an even number, or infinity.
    """
    if freedom == math.inf:
        return np.asarray(torch.special.erfc(torch.from_numpy(x / math.sqrt(2))).numpy())
    if freedom == 1:
        return 2 / math.pi * np.arctan2(1.0, x)
    square = freedom / (freedom + x**2)
    term, total = np.ones_like(x), np.ones_like(x)
    for j in range(2, int(freedom), 2):
        term = term * square * (j - 1) / j
        total += term
    return np.asarray(np.maximum(1 - x / np.sqrt(freedom + x**2) * total, 0.0))


_CHANCES = np.array(
    [chances_of(deviations_of(KNOTS) / scale, own) for scale, own in product(SCALES, FREEDOMS)]
)


class Kinds:
    """The weights of the kinds of errors for one series.

    Parameters
    ----------
    weights : ndarray, shape (kinds,)
        Before the first step, of sum 1.
    """

    def __init__(self, weights: FloatArray) -> None:
        self._first = self.weights = weights
        self._surprises: FloatArray | None = None

    @property
    def surprises(self) -> FloatArray:
        """Minus the logarithms of the chances of at least the depths of `KNOTS`."""
        if self._surprises is None:
            self._surprises = -np.log(self.weights @ _CHANCES)
        return self._surprises

    def add(self, depth: float) -> None:
        """Learn from the depth of a step."""
        logs = POWER * log_densities(np.array([depth]))[0]
        found = self.weights * np.exp(logs - logs.max())
        self.weights = (1 - CHANGE) * found / found.sum() + CHANGE * self._first
        self._surprises = None


def surprise_at(depth: float, kinds: Kinds) -> float:
    """Return minus the logarithm of the chance of at least a depth; 0 at and below the first knot.

    Beyond the last knot it goes on as a straight line in the logarithm of the depth.
    """
    if depth <= KNOTS[0]:
        return 0.0
    return float(interpolated(math.log(depth), LOG_KNOTS, kinds.surprises))


def interpolated(at: float | FloatArray, known: FloatArray, values: FloatArray) -> FloatArray:
    """Interpolate; before the first point the first value, after the last one a straight line."""
    slope = (values[-1] - values[-2]) / (known[-1] - known[-2])
    return np.where(
        at > known[-1], values[-1] + slope * (at - known[-1]), np.interp(at, known, values)
    )
