"""Forecast scores and the Seasonal Naive baseline, in NumPy.

The definitions are those of GluonTS's ``gluonts.ev`` as GIFT-Eval uses it (Aksu et al. 2024,
"GIFT-Eval: A Benchmark for General Time Series Forecasting Model Evaluation"). Throughout:

* ``targets`` is (n, horizon), NaN where nothing was observed: such points count in no score;
* ``quantiles`` is (n, horizon, n_levels), finite, one column per entry of ``levels``;
* a *context* is the 1-D history before a window, NaN where nothing was observed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEVELS: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""The nine quantile levels GIFT-Eval scores."""


def quantile_loss(targets: npt.ArrayLike, forecast: npt.ArrayLike, level: float) -> FloatArray:
    """Twice the pinball loss of one quantile forecast, point by point.

    ``2 · max(level · (y - f), (level - 1) · (y - f))``; at level 0.5 it is the absolute error.

    Parameters
    ----------
    targets, forecast : array-like of one shape
        Observed values (NaN = missing) and the forecast of their quantile.
    level : float
        The quantile's level, in (0, 1).

    Returns
    -------
    array
        The loss, of the shape of ``targets`` and in its units; NaN where the target is missing.
    """
    error = np.asarray(targets, dtype=np.float64) - np.asarray(forecast)
    loss: FloatArray = 2.0 * np.maximum(level * error, (level - 1.0) * error)
    return loss


def weighted_quantile_loss(
    targets: npt.ArrayLike, quantiles: npt.ArrayLike, levels: Sequence[float] = LEVELS
) -> float:
    """Mean weighted sum quantile loss: the leaderboard's "CRPS".

    Per level, the sum of :func:`quantile_loss` over all observed points of all windows, divided by
    the sum of their absolute values; then the mean over the levels (``MeanWeightedSumQuantileLoss``
    of ``gluonts.ev.metrics``).

    Parameters
    ----------
    targets : array-like (n, horizon)
    quantiles : array-like (n, horizon, n_levels)
    levels : sequence of float

    Returns
    -------
    float
        Dimensionless; NaN where no target is observed, infinite where all observed targets are
        zero.
    """
    targets, quantiles = np.asarray(targets), np.asarray(quantiles)
    if quantiles.shape != (*targets.shape, len(levels)):
        raise ValueError(
            f"quantiles must be (n, horizon, n_levels) = {(*targets.shape, len(levels))}, "
            f"but its shape is {quantiles.shape}"
        )
    # One level at a time: a whole configuration's losses would be as large as its forecasts again.
    losses = [
        np.nansum(quantile_loss(targets, quantiles[..., index], level))
        for index, level in enumerate(levels)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(losses) / np.nansum(np.abs(targets)))


def seasonal_error(context: npt.ArrayLike, seasonality: int) -> float:
    """Mean absolute change over one season: the scale of the MASE.

    The mean of ``|y[t] - y[t - m]|`` over the pairs where both values are observed, with ``m =
    seasonality``, or 1 where the context is shorter than a season
    (``gluonts.ev.ts_stats.seasonal_error``).

    Returns
    -------
    float
        In the units of the context; NaN where there is no observed pair.
    """
    values = np.asarray(context, dtype=np.float64)
    lag = seasonality if seasonality <= len(values) else 1
    changes = np.abs(values[lag:] - values[:-lag])
    observed = changes[~np.isnan(changes)]
    return float(observed.mean()) if observed.size else float("nan")


def mase(targets: npt.ArrayLike, forecast: npt.ArrayLike, scales: npt.ArrayLike) -> float:
    """Mean absolute scaled error.

    The absolute error divided by its window's :func:`seasonal_error`, averaged over all observed
    points of all windows (so a window weighs as much as it has observed points:
    ``gluonts.ev.metrics.MASE``). A window whose seasonal error is zero or undefined has no scaled
    error and is left out, as GluonTS's masked division leaves it out.

    Parameters
    ----------
    targets, forecast : array-like (n, horizon)
        Observed values, and the point forecast (the median, in GIFT-Eval).
    scales : array-like (n,)
        The seasonal error of each window's context.

    Returns
    -------
    float
        Dimensionless; NaN where no window has a scaled error.
    """
    scales = np.asarray(scales, dtype=np.float64)
    scaled = scales > 0
    errors = np.abs(np.asarray(targets)[scaled] - np.asarray(forecast)[scaled])
    errors = errors / scales[scaled, None]
    observed = errors[~np.isnan(errors)]
    return float(observed.mean()) if observed.size else float("nan")


def interval_coverage(targets: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike) -> float:
    """Return the share of observed targets in ``[lower, upper]``; NaN if none is observed."""
    targets = np.asarray(targets)
    observed = ~np.isnan(targets)
    inside = (np.asarray(lower) <= targets) & (targets <= np.asarray(upper))
    return float(inside[observed].mean()) if observed.any() else float("nan")


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean, the leaderboard's aggregate of ratios; NaN of no values."""
    logs = np.log(np.fromiter(values, dtype=np.float64))
    return float(np.exp(logs.mean())) if logs.size else float("nan")


def fill_missing(context: npt.ArrayLike) -> FloatArray:
    """Replace each missing value by the last observed one, a leading gap by the first.

    A context without any observed value becomes zeros (GluonTS's ``LastValueImputation``, which
    GIFT-Eval's Seasonal Naive uses).
    """
    values = np.array(context, dtype=np.float64)
    observed = np.flatnonzero(~np.isnan(values))
    if not observed.size:
        return np.zeros_like(values)
    if observed.size == len(values):
        return values
    last = np.searchsorted(observed, np.arange(len(values)), side="right") - 1
    return values[observed[np.maximum(last, 0)]]


def seasonal_naive(context: npt.ArrayLike, horizon: int, seasonality: int) -> FloatArray:
    """Forecast by repeating the last season.

    Step ``h`` is the newest value that lies a whole number of seasons earlier. Missing values are
    filled by :func:`fill_missing` first. A context shorter than a season repeats its last value,
    the same fallback as :func:`seasonal_error` (``statsforecast``'s model, which the published rows
    come from, gives NaN there).

    Returns
    -------
    array (horizon,)
    """
    values = fill_missing(context)
    if not values.size:
        raise ValueError("context is empty; the naive forecast needs at least one step")
    lag = seasonality if seasonality <= len(values) else 1
    return values[len(values) - lag + np.arange(horizon) % lag]


def seasonal_naive_quantiles(
    context: npt.ArrayLike, horizon: int, seasonality: int, levels: Sequence[float] = LEVELS
) -> FloatArray:
    """Give the Gaussian quantile forecast behind the published Seasonal Naive rows.

    The mean is :func:`seasonal_naive`; the standard deviation ``h`` steps ahead is
    ``σ √(⌊(h - 1) / m⌋ + 1)`` with σ the root mean square of ``y[t] - y[t - m]`` over the filled
    context (Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", 3rd ed., section 5.5;
    ``statsforecast.models.SeasonalNaive``). σ is zero where the context has no such pair.

    Returns
    -------
    array (horizon, n_levels)
    """
    values = fill_missing(context)
    lag = seasonality if seasonality <= len(values) else 1
    changes = values[lag:] - values[:-lag]
    sigma = np.sqrt(np.mean(changes**2)) if changes.size else 0.0
    spread = sigma * np.sqrt(np.arange(horizon) // lag + 1.0)
    scores = np.array([NormalDist().inv_cdf(level) for level in levels])
    center = seasonal_naive(values, horizon, seasonality)
    quantiles: FloatArray = center[:, None] + spread[:, None] * scores
    return quantiles
