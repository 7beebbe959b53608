"""Weights of the plain forecast and of each model, from the windows of the rolling check.

The weights minimize the pinball loss of the averaged quantiles and 0.03 times their divergence from
prior weights, of which the plain forecast has half, by exponentiated gradient. They are then drawn
to the plain forecast, by the t value of the gain in windows that weights were not fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray

_PRIOR = 0.5  # of the plain forecast
_DIVERGENCE = 0.03
_STEPS, _RATE = 50, 1.6
_STEPS_LEFT_OUT, _RATE_LEFT_OUT = 25, 2.5
_T_NONE, _T_FULL = 0.5, 2.0  # t values from which on covariates take part, and take full part
_FEWEST_WINDOWS = 2
_FEWEST_VALUES = 4
_STEEPEST = 5.0
_LEAST_WEIGHT = 1e-8


class Check(NamedTuple):
    """The outcome of the rolling check of one series."""

    weights: FloatArray
    """Of the plain forecast, then of the models; they sum to 1."""
    t: float
    """Mean gain of a window by its standard error; NaN if there were too few windows."""
    gain: float
    """Share of the pinball loss that is saved in windows left out; NaN as above."""
    windows: int


def checked_weights(
    actual: FloatArray, quantiles: FloatArray, levels: Sequence[float], always: bool
) -> Check:
    """Weigh forecasts of windows.

    Parameters
    ----------
    actual : ndarray, shape (windows, steps)
        NaN where missing.
    quantiles : ndarray, shape (forecasts, windows, steps, Q)
        The plain forecast comes first.
    levels : sequence of float
    always : bool
        Whether the weights are used in full whatever the check says.
    """
    plain = np.zeros(len(quantiles))
    plain[0] = 1.0
    seen = np.isfinite(actual).any(axis=1)
    actual, quantiles = actual[seen], quantiles[:, seen]
    n_windows = len(actual)
    enough = n_windows >= _FEWEST_WINDOWS and np.isfinite(actual).sum() >= _FEWEST_VALUES
    if len(quantiles) == 1 or not enough:
        prior = _prior(len(quantiles)) if always else plain
        return Check(prior, np.nan, np.nan, n_windows)
    loss = _Loss(actual, quantiles, levels)
    full = loss.fitted(np.ones((1, n_windows)), _STEPS, _RATE)[0]
    left_out = loss.fitted(1 - np.eye(n_windows), _STEPS_LEFT_OUT, _RATE_LEFT_OUT)
    before = loss.of_windows(np.tile(plain, (n_windows, 1)))
    gains = before - loss.of_windows(left_out)
    error = float(gains.std(ddof=1)) / np.sqrt(n_windows) + 1e-12 * before.mean()
    t = float(gains.mean() / error) if error > 0 else 0.0
    share = 1.0 if always else float(np.clip((t - _T_NONE) / (_T_FULL - _T_NONE), 0, 1))
    gain = float(gains.sum() / before.sum()) if before.sum() > 0 else 0.0
    return Check(share * full + (1 - share) * plain, t, gain, n_windows)


class _Loss:
    """Pinball losses of weighted quantiles, over the windows of one series."""

    def __init__(self, actual: FloatArray, quantiles: FloatArray, levels: Sequence[float]) -> None:
        n_forecasts, self._n_windows = quantiles.shape[:2]
        seen = np.isfinite(actual)
        self._window = np.repeat(np.arange(self._n_windows), seen.sum(axis=1) * len(levels))
        self._quantiles = quantiles[:, seen].reshape(n_forecasts, -1)
        self._levels = np.tile(np.asarray(levels), int(seen.sum()))
        self._actual = np.repeat(actual[seen], len(levels))

    def fitted(self, windows: FloatArray, steps: int, rate: float) -> FloatArray:
        """Return weights (sets, forecasts), each fitted to the windows of a set.

        Parameters
        ----------
        windows : ndarray, shape (sets, windows)
            1 for windows that belong to a set, 0 for others.
        steps : int
        rate : float
        """
        taken = windows[:, self._window]
        count = taken.sum(axis=1, keepdims=True)
        plain = self._pinball(self._quantiles[:1])
        scale = (plain * taken).sum(axis=1, keepdims=True) / count + 1e-300
        factor = taken / (count * scale)
        prior = _prior(len(self._quantiles))
        weights = np.tile(prior, (len(windows), 1))
        for _ in range(steps):
            above = self._actual > weights @ self._quantiles
            slope = np.where(above, -self._levels, 1 - self._levels) * factor
            gradient = slope @ self._quantiles.T
            gradient += _DIVERGENCE * (np.log(weights / prior) + 1)
            gradient -= (gradient * weights).sum(axis=1, keepdims=True)
            weights = weights * np.exp(-rate * np.clip(gradient, -_STEEPEST, _STEEPEST))
            weights = np.maximum(weights / weights.sum(axis=1, keepdims=True), _LEAST_WEIGHT)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def of_windows(self, weights: FloatArray) -> FloatArray:
        """Return the loss of each window with its own weights (windows, forecasts)."""
        averaged = (weights.T[:, self._window] * self._quantiles).sum(axis=0)
        return np.bincount(self._window, self._pinball(averaged), minlength=self._n_windows)

    def _pinball(self, quantiles: FloatArray) -> FloatArray:
        error = self._actual - quantiles
        return np.maximum(self._levels * error, (self._levels - 1) * error)


def _prior(n_forecasts: int) -> FloatArray:
    if n_forecasts == 1:
        return np.ones(1)
    return np.r_[_PRIOR, np.full(n_forecasts - 1, (1 - _PRIOR) / (n_forecasts - 1))]
