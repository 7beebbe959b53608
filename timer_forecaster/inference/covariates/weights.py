"""Weights of the plain forecast and of each model, from the windows of the rolling check.

The weights minimize the pinball loss of the averaged quantiles and 0.03 times their divergence from
prior weights, of which the plain forecast has half, by exponentiated gradient. They are then drawn
to the plain forecast, by the t value of the gain in windows that weights were not fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray

_PRIOR = 0.5  # of the plain forecast
_DIVERGENCE = 0.03
_STEPS, _RATE = 30, 2.5
_T_NONE, _T_FULL = 0.25, 1.5  # t values from which on covariates take part, and take full part
_FEWEST_WINDOWS = 2
_FEWEST_VALUES = 4
_STEEPEST = 5.0
_LEAST_WEIGHT = 1e-8
_TINY = 1e-300
_LEAST_LOSS = 1e-30  # relative to the mean error of the plain forecast


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
    each = ~np.eye(n_windows, dtype=bool)  # all windows but one
    full, *others = loss.fitted(np.vstack([np.ones(n_windows, dtype=bool), each]))
    before = loss.of_windows(np.tile(plain, (n_windows, 1)))
    gains = before - loss.of_windows(np.stack(others))
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
        # Relative to the actual values, so that float32 holds them.
        relative = quantiles[:, seen] - actual[seen][:, None]
        scale = float(np.abs(relative[0]).mean()) + _TINY
        self._quantiles = relative.reshape(n_forecasts, -1) / scale
        self._levels = np.tile(np.asarray(levels), int(seen.sum()))

    def fitted(self, windows: NDArray[np.bool_]) -> FloatArray:
        """Return weights (sets, forecasts), each fitted to the windows of a set (sets, windows)."""
        taken = windows[:, self._window]
        loss = (self._pinball(self._quantiles[0]) * taken).sum(axis=1, keepdims=True)
        # In float32: the loop costs as much as the network on short series.
        factor = (taken / np.maximum(loss, _LEAST_LOSS)).astype(np.float32)
        quantiles = self._quantiles.astype(np.float32)
        levels = self._levels.astype(np.float32)
        below, above = factor * (1 - levels), factor * -levels
        prior = _prior(len(quantiles))
        weights = np.tile(prior, (len(windows), 1))
        for _ in range(_STEPS):
            averaged = weights.astype(np.float32) @ quantiles
            slope = np.where(averaged < 0, above, below)
            gradient = (slope @ quantiles.T).astype(np.float64)
            gradient += _DIVERGENCE * (np.log(weights / prior) + 1)
            gradient -= (gradient * weights).sum(axis=1, keepdims=True)
            weights = weights * np.exp(-_RATE * np.clip(gradient, -_STEEPEST, _STEEPEST))
            weights = np.maximum(weights / weights.sum(axis=1, keepdims=True), _LEAST_WEIGHT)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def of_windows(self, weights: FloatArray) -> FloatArray:
        """Return the loss of each window with its own weights (windows, forecasts)."""
        averaged = (weights.T[:, self._window] * self._quantiles).sum(axis=0)
        loss = self._pinball(averaged)
        return np.asarray(np.bincount(self._window, loss, self._n_windows), dtype=np.float64)

    def _pinball(self, quantiles: FloatArray) -> FloatArray:
        error = -quantiles
        return np.maximum(self._levels * error, (self._levels - 1) * error)


def _prior(n_forecasts: int) -> FloatArray:
    if n_forecasts == 1:
        return np.ones(1)
    return np.r_[_PRIOR, np.full(n_forecasts - 1, (1 - _PRIOR) / (n_forecasts - 1))]
