"""From series to quantiles in their units: scaling, one pass or a roll-out, both signs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.inference import multiscale, residuals
from timer_forecaster.inference.engine.choice import engine_of
from timer_forecaster.inference.options import ForecastOptions, check_symmetric
from timer_forecaster.inference.outcome import check_outcome, room_for
from timer_forecaster.inference.scaling import Row, check_series, in_units, scaled_together
from timer_forecaster.models.network import Network


def predict_quantiles(
    network: Network,
    series: Sequence[FloatArray],
    horizon: int,
    options: ForecastOptions,
    progress: bool = False,
    name: str = "the network",
    failures: Failures | None = None,
) -> FloatArray:
    """Forecast series.

    Parameters
    ----------
    network : Network
    series : sequence of ndarray, each of shape (steps,)
        NaN where missing.
    horizon : int
        Steps to forecast.
    options : ForecastOptions
    progress : bool
        Whether to show a progress bar.
    name : str
        Name of the network in errors.
    failures : Failures, optional
        Notes series that no forecast can be made from. Default: raise.

    Returns
    -------
    ndarray, shape (n_series, horizon, Q)
        NaN for series that `failures` has noted.

    Raises
    ------
    ValueError
        If no forecast can be made from a series, if ``flip`` needs other levels, or if the network
        computes NaN or infinite values.
    """
    config, rollout = network.config, options.rollout_of(network.config)
    if options.flip:
        check_symmetric(config.quantiles)
    failures = failures or Failures()
    series = checked(network, series, options.context_length, failures)
    n_series = len(series)
    sound = [i for i in range(n_series) if i not in failures.reasons]
    if not sound:
        return _blank(n_series, horizon, len(config.quantiles))
    if len(sound) < n_series:
        series = [series[i] for i in sound]
    with tqdm(total=0, disable=not progress, unit="row", desc="forecast") as bar:
        roll_out = functools.partial(_roll_out, network, options, bar)
        if rollout == "multiscale":
            found = multiscale.forecast(
                roll_out, series, horizon, network.pass_length, config.max_context_length
            )
        else:
            found = roll_out(series, horizon, rollout)
    check_outcome(found, series, name, numbers=sound, failures=failures)
    if len(sound) == n_series:
        return found
    quantiles = _blank(n_series, *found.shape[1:])
    quantiles[sound] = found
    return quantiles


def _blank(n_series: int, horizon: int, n_quantiles: int) -> FloatArray:
    """Return quantiles of series without a forecast: NaN."""
    quantiles = room_for(n_series, horizon, n_quantiles)
    quantiles.fill(np.nan)
    return quantiles


def checked(
    network: Network,
    series: Sequence[FloatArray],
    context_length: int | None,
    failures: Failures | None = None,
) -> Sequence[FloatArray]:
    """Return the newest steps of series, and refuse series that no forecast can be made from."""
    failures = failures or Failures()
    if context_length is not None:
        series = [values[-context_length:] for values in series]
    for i, values in enumerate(series):
        if i not in failures.reasons:
            try:
                check_series(values, f"series[{i}]", network.config.max_context_length)
            except ValueError as error:
                failures.add(i, error)
    return series


def scaled_rows(network: Network, series: Sequence[FloatArray]) -> list[Row]:
    """Return checked series as the rows that a network reads."""
    config = network.config
    return scaled_together(series, config.max_context_length, config.interior_masks)


def _roll_out(
    network: Network,
    options: ForecastOptions,
    bar: tqdm[Any],
    series: Sequence[FloatArray],
    horizon: int,
    rollout: str,
) -> FloatArray:
    """Return quantiles (n_series, horizon, Q) by one kind of roll-out, in the units of series."""
    rows = scaled_rows(network, series)
    inputs = [row.values for row in rows if row.scale > 0]
    how: dict[str, Any] = {}
    if not network.config.forecasts_quantiles:
        how["offsets"] = _offsets(network, series, rows, horizon, options.batch_size)
    if options.flip:
        inputs += [-values for values in inputs]
        how = {name: np.concatenate([one, -one[:, :, ::-1]]) for name, one in how.items()}
    bar.total += len(inputs)
    forecast_rows = engine_of(network).forecast_rows
    size = options.batch_size
    forecast = forecast_rows(network, inputs, horizon, rollout, size, bar.update, **how)
    if options.flip:
        forecast, negative = np.split(forecast, 2)
        forecast = (forecast - negative[:, :, ::-1]) / 2
    return in_units(rows, forecast)


def _offsets(
    network: Network,
    series: Sequence[FloatArray],
    rows: Sequence[Row],
    horizon: int,
    batch_size: int | None,
) -> FloatArray:
    """Return distances of quantiles from point forecasts, on the scale of the rows that vary."""

    def point(cut: Sequence[FloatArray], steps: int) -> FloatArray:
        return medians(network, cut, steps, "median", batch_size)

    varying = [i for i, row in enumerate(rows) if row.scale > 0]
    steps = min(horizon, network.pass_length)
    offsets = residuals.spread_of(
        point, [series[i] for i in varying], steps, network.config.quantiles
    )
    return offsets / np.array([rows[i].scale for i in varying])[:, None, None]


def medians(
    network: Network,
    series: Sequence[FloatArray],
    horizon: int,
    rollout: str,
    batch_size: int | None,
) -> FloatArray:
    """Return the medians (n_series, horizon) that a network forecasts, in the units of series.

    The series are those that `checked` returns. A network without quantiles forecasts its medians.
    """
    rows = scaled_rows(network, series)
    inputs = [row.values for row in rows if row.scale > 0]
    forecast_rows = engine_of(network).forecast_rows
    quantiles = forecast_rows(network, inputs, horizon, rollout, batch_size, lambda n_rows: None)
    return in_units(rows, quantiles)[..., len(network.config.quantiles) // 2]


def calibration_of(network: Network, series: Sequence[FloatArray], horizon: int) -> list[str]:
    """Return the source of the quantiles of each series; see `Forecast.calibration`."""
    if network.config.forecasts_quantiles:
        return [residuals.TRAINED] * len(series)
    return residuals.sources_of(series, min(horizon, network.pass_length))
