"""Forecast scores, in NumPy.

The definitions follow ``gluonts.ev`` of GluonTS as GIFT-Eval uses it, aggregated over all windows
and steps (``axis=None``). Like GluonTS, this module masks ratios with a zero or missing
denominator. In all functions:

* ``targets`` is (n, horizon); NaN means missing, and such points count in no score; infinite ones,
  and forecasts that are not finite, are refused;
* ``quantiles`` is (n, horizon, n_levels), finite, one column per entry of ``levels``;
* a *context* is the 1-D history before a window; NaN means missing;
* a score is NaN where there is nothing to average.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_integer
from timer_forecaster.values import as_floats

LEVELS: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""The nine quantile levels GIFT-Eval scores."""

MSIS_ALPHA = 0.05
"""One less the coverage of the interval that :func:`msis` scores."""


def _observed(targets: npt.ArrayLike, name: str = "targets") -> FloatArray:
    """Return observed values, NaN where missing; refuse infinite ones."""
    values = as_floats(targets, name)
    _refuse(np.isinf(values), values, name, "leave it empty (NaN) if it is missing")
    return values


def _forecast(forecast: npt.ArrayLike, name: str = "forecast") -> FloatArray:
    """Return forecasts; refuse what is not finite, which a mean of scores would leave out."""
    values = as_floats(forecast, name)
    _refuse(~np.isfinite(values), values, name, "a forecast needs a finite value at each step")
    return values


def _refuse(bad: npt.NDArray[np.bool_], values: FloatArray, name: str, remedy: str) -> None:
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{name} is {values[place]} at {place}; {remedy}")


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

    Examples
    --------
    >>> quantile_loss([[10.0, 12.0]], [[11.0, 11.0]], level=0.9).round(1)
    array([[0.2, 1.8]])
    """
    error = _observed(targets) - _forecast(forecast)
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

    Examples
    --------
    >>> import numpy as np
    >>> quantiles = np.array([[[8.0, 10.0, 12.0], [9.0, 11.0, 13.0]]])
    >>> round(weighted_quantile_loss([[10.0, 12.0]], quantiles, levels=[0.1, 0.5, 0.9]), 3)
    0.039
    """
    loss, size = quantile_sums(targets, quantiles, levels)
    return ratio(loss, size)


def quantile_sums(
    targets: npt.ArrayLike, quantiles: npt.ArrayLike, levels: Sequence[float] = LEVELS
) -> tuple[float, float]:
    """Return two sums over all observed points: of losses, in the mean over levels, and of sizes.

    Their ratio is :func:`weighted_quantile_loss`.
    """
    targets, quantiles = _observed(targets), _forecast(quantiles, "quantiles")
    if quantiles.shape != (*targets.shape, len(levels)):
        raise ValueError(
            f"quantiles must be (n, horizon, n_levels) = {(*targets.shape, len(levels))}, "
            f"but its shape is {quantiles.shape}"
        )
    # One level at a time: the losses of all levels would take as much memory as the forecasts.
    losses = [
        np.nansum(quantile_loss(targets, quantiles[..., index], level))
        for index, level in enumerate(levels)
    ]
    return float(np.mean(losses)), float(np.nansum(np.abs(targets)))


def seasonal_errors(series: npt.ArrayLike, ends: npt.ArrayLike, seasonality: int) -> FloatArray:
    """Mean absolute change over one season, the scale of MASE and MSIS, for several contexts.

    The mean of ``|y[t] - y[t - m]|`` over the pairs where both values are observed, with ``m =
    seasonality``, or 1 where the context is shorter than a season
    (``gluonts.ev.ts_stats.seasonal_error``).

    Parameters
    ----------
    series : array-like (steps,)
    ends : array-like of int (n,)
        Lengths of the contexts. All contexts begin at the first step of the series.
    seasonality : int

    Returns
    -------
    array (n,)
        In the units of the series; NaN where there is no observed pair.
    """
    values, ends = _observed(series, "series"), np.asarray(ends)
    seasonality = check_integer("seasonality", seasonality)
    lags = np.where(ends >= seasonality, seasonality, 1)
    errors = np.empty(len(ends))
    for lag in np.unique(lags):
        changes = np.abs(values[lag:] - values[:-lag])
        observed = ~np.isnan(changes)
        sums = np.append(0.0, np.cumsum(np.where(observed, changes, 0.0)))
        counts = np.append(0, np.cumsum(observed))
        pairs = ends[lags == lag] - lag
        with np.errstate(invalid="ignore"):
            errors[lags == lag] = sums[pairs] / counts[pairs]
    return errors


def seasonal_error(context: npt.ArrayLike, seasonality: int) -> float:
    """Return :func:`seasonal_errors` of one context.

    Parameters
    ----------
    context : array-like (steps,)
        The history of a window.
    seasonality : int
        Steps in a season.

    Returns
    -------
    float

    Examples
    --------
    >>> seasonal_error([1.0, 2.0, 2.0, 3.0], seasonality=2)
    1.0
    """
    return float(seasonal_errors(context, [np.size(context)], seasonality)[0])


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

    Examples
    --------
    >>> mase([[10.0, 12.0]], [[11.0, 11.0]], scales=[0.5])
    2.0
    """
    return mean_of_finite(scaled_errors(targets, forecast, scales))


def scaled_errors(
    targets: npt.ArrayLike, forecast: npt.ArrayLike, scales: npt.ArrayLike
) -> FloatArray:
    """Return the absolute scaled error of each point, whose mean is :func:`mase`.

    Parameters
    ----------
    targets, forecast : array-like (n, horizon)
    scales : array-like (n,)
        The seasonal error of each window's context.

    Returns
    -------
    array (n, horizon)
        Not finite where the target is missing, or the scale is zero or undefined.
    """
    errors = np.abs(_observed(targets) - _forecast(forecast))
    return _ratios(errors, np.asarray(scales)[:, None])


def mape(targets: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """Mean absolute error relative to the target, over observed targets that are not zero.

    Parameters
    ----------
    targets, forecast : array-like (n, horizon)
        Values, NaN where missing, and their point forecasts.

    Returns
    -------
    float

    Examples
    --------
    >>> round(mape([[10.0, 12.0]], [[11.0, 11.0]]), 4)
    0.0917
    """
    return mean_of_finite(percentage_errors(targets, forecast))


def percentage_errors(targets: npt.ArrayLike, forecast: npt.ArrayLike) -> FloatArray:
    """Return the relative error of each point, whose mean is :func:`mape`."""
    targets = _observed(targets)
    return _ratios(np.abs(targets - _forecast(forecast)), np.abs(targets))


def smape(targets: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """Mean of ``2 |y - f| / (|y| + |f|)`` over observed targets, without those where both are 0.

    Parameters
    ----------
    targets, forecast : array-like (n, horizon)
        Values, NaN where missing, and their point forecasts.

    Returns
    -------
    float

    Examples
    --------
    >>> round(smape([[10.0, 12.0]], [[11.0, 11.0]]), 4)
    0.0911
    """
    return mean_of_finite(symmetric_errors(targets, forecast))


def symmetric_errors(targets: npt.ArrayLike, forecast: npt.ArrayLike) -> FloatArray:
    """Return the symmetric relative error of each point, whose mean is :func:`smape`."""
    targets, forecast = _observed(targets), _forecast(forecast)
    return _ratios(2 * np.abs(targets - forecast), np.abs(targets) + np.abs(forecast))


def msis(
    targets: npt.ArrayLike,
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    scales: npt.ArrayLike,
    alpha: float = MSIS_ALPHA,
) -> float:
    """Mean scaled interval score of the central ``1 - alpha`` interval.

    The interval's width, plus ``2 / alpha`` times the distance of a target that lies outside,
    divided by the window's :func:`seasonal_errors` (``gluonts.ev.stats.scaled_interval_score``).

    Parameters
    ----------
    targets, lower, upper : array-like (n, horizon)
    scales : array-like (n,)
        The seasonal error of each window's context.
    alpha : float

    Returns
    -------
    float

    Examples
    --------
    >>> msis([[10.0, 12.0]], lower=[[9.0, 9.0]], upper=[[13.0, 13.0]], scales=[0.5])
    8.0
    """
    return mean_of_finite(interval_scores(targets, lower, upper, scales, alpha))


def interval_scores(
    targets: npt.ArrayLike,
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    scales: npt.ArrayLike,
    alpha: float = MSIS_ALPHA,
) -> FloatArray:
    """Return the scaled interval score of each point, whose mean is :func:`msis`."""
    targets = _observed(targets)
    lower, upper = _forecast(lower, "lower"), _forecast(upper, "upper")
    outside = np.maximum(lower - targets, 0.0) + np.maximum(targets - upper, 0.0)
    return _ratios(upper - lower + 2 / alpha * outside, np.asarray(scales)[:, None])


def _ratios(numerator: FloatArray, denominator: FloatArray | float) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: FloatArray = numerator / denominator
    return ratios


def mean_of_finite(ratios: FloatArray) -> float:
    """Return the mean of finite values; others are missing, or have a denominator of zero."""
    finite = ratios[np.isfinite(ratios)]
    return float(finite.mean()) if finite.size else float("nan")


def interval_coverage(targets: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike) -> float:
    """Return the share of observed targets in ``[lower, upper]``; NaN if none is observed.

    Parameters
    ----------
    targets, lower, upper : array-like (n, horizon)
        Values, NaN where missing, and the bounds of their intervals.

    Returns
    -------
    float

    Examples
    --------
    >>> interval_coverage([[10.0, 12.0]], lower=[[9.0, 9.0]], upper=[[11.0, 11.0]])
    0.5
    """
    targets = _observed(targets)
    observed = ~np.isnan(targets)
    lower, upper = _forecast(lower, "lower"), _forecast(upper, "upper")
    inside = (lower <= targets) & (targets <= upper)
    return float(inside[observed].mean()) if observed.any() else float("nan")


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean, the leaderboard's aggregate of ratios; NaN of no values.

    Parameters
    ----------
    values : iterable of float

    Returns
    -------
    float

    Examples
    --------
    >>> round(geometric_mean([0.5, 2.0, 1.0]), 3)
    1.0
    """
    with np.errstate(divide="ignore"):
        logs = np.log(np.fromiter(values, dtype=np.float64))
    return float(np.exp(logs.mean())) if logs.size else float("nan")


def ratio(numerator: float, denominator: float) -> float:
    """Divide as NumPy does, also by zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(numerator) / denominator)
