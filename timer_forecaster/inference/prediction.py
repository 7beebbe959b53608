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
from timer_forecaster.inference.frequency import Frequency, tokens_of
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
    frequencies: Sequence[Frequency] | None = None,
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
    frequencies : sequence of Frequency, optional
        Of each series, for a network that reads them.

    Returns
    -------
    ndarray, shape (n_series, horizon, Q)
        NaN for series that `failures` has noted.

    Raises
    ------
    ValueError
        If no forecast can be made from a series, if ``flip`` needs other levels, if the network
        needs no ``padding``, or if it computes NaN or infinite values.
    """
    config, rollout = network.config, options.rollout_of(network.config)
    if options.flip:
        check_symmetric(config.quantiles)
    options.check_padding(config, name)
    failures = failures or Failures()
    series = checked(network, series, options.context_length, failures)
    n_series = len(series)
    sound = [i for i in range(n_series) if i not in failures.reasons]
    if not sound:
        return _blank(n_series, horizon, len(config.quantiles))
    if len(sound) < n_series:
        series = [series[i] for i in sound]
        frequencies = None if frequencies is None else [frequencies[i] for i in sound]
    with tqdm(total=0, disable=not progress, unit="row", desc="forecast") as bar:
        roll_out = functools.partial(_roll_out, network, options, bar)
        if rollout == "multiscale":
            longest = config.max_context_length
            found = multiscale.forecast(
                roll_out, series, horizon, network.pass_length, longest, frequencies
            )
        else:
            found = roll_out(series, horizon, rollout, frequencies)
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


def scaled_rows(
    network: Network, series: Sequence[FloatArray], zeros_before: bool = False
) -> list[Row]:
    """Return checked series as the rows that a network reads."""
    config = network.config
    how = config.max_context_length, config.interior_masks, zeros_before
    return scaled_together(series, *how)


def _roll_out(
    network: Network,
    options: ForecastOptions,
    bar: tqdm[Any],
    series: Sequence[FloatArray],
    horizon: int,
    rollout: str,
    frequencies: Sequence[Frequency] | None = None,
) -> FloatArray:
    """Return quantiles (n_series, horizon, Q) by one kind of roll-out, in the units of series."""
    rows = scaled_rows(network, series, options.zeros_before)
    varying = [i for i, row in enumerate(rows) if row.scale > 0]
    inputs = [rows[i].values for i in varying]
    how: dict[str, Any] = {}
    if frequencies is not None:
        how["tokens"] = tokens_of(network.config, [frequencies[i] for i in varying])
    if not network.config.forecasts_quantiles:
        tokens = how.get("tokens", [0] * len(varying))
        own = [series[i] for i in varying], [rows[i].scale for i in varying], tokens
        how["offsets"] = _offsets(network, options, horizon, *own)
    if options.flip:
        inputs += [-values for values in inputs]
        how = {name: _of_both_signs(one) for name, one in how.items()}
    bar.total += len(inputs)
    forecast_rows = engine_of(network).forecast_rows
    size = options.batch_size
    forecast = forecast_rows(network, inputs, horizon, rollout, size, bar.update, **how)
    if options.flip:
        forecast, negative = np.split(forecast, 2)
        forecast = (forecast - negative[:, :, ::-1]) / 2
    return in_units(rows, forecast)


def _of_both_signs(how: Any) -> Any:
    """Return tokens, or distances of quantiles, of rows and of their negatives."""
    return how * 2 if isinstance(how, list) else np.concatenate([how, -how[:, :, ::-1]])


def _offsets(
    network: Network,
    options: ForecastOptions,
    horizon: int,
    series: Sequence[FloatArray],
    scales: Sequence[float],
    tokens: Sequence[int],
) -> FloatArray:
    """Return distances of quantiles from point forecasts, on the scales of series that vary."""
    steps, levels = min(horizon, network.pass_length), network.config.quantiles
    offsets = np.empty((len(series), steps, len(levels)))
    for token in sorted(set(tokens)):
        point = functools.partial(
            medians,
            network,
            rollout="median",
            batch_size=options.batch_size,
            token=token,
            zeros_before=options.zeros_before,
        )
        own = [i for i, one in enumerate(tokens) if one == token]
        offsets[own] = residuals.spread_of(point, [series[i] for i in own], steps, levels)
    return offsets / np.array(scales)[:, None, None]


def medians(
    network: Network,
    series: Sequence[FloatArray],
    horizon: int,
    rollout: str,
    batch_size: int | None,
    token: int = 0,
    zeros_before: bool = False,
) -> FloatArray:
    """Return the medians (n_series, horizon) that a network forecasts, in the units of series.

    The series are those that `checked` returns, all of the frequency of the token, if the network
    reads it. A network without quantiles forecasts its medians.
    """
    rows = scaled_rows(network, series, zeros_before)
    inputs = [row.values for row in rows if row.scale > 0]
    how = {"tokens": [token] * len(inputs)} if network.config.n_frequencies else {}
    given = inputs, horizon, rollout, batch_size, lambda n_rows: None
    quantiles = engine_of(network).forecast_rows(network, *given, **how)
    return in_units(rows, quantiles)[..., len(network.config.quantiles) // 2]


def calibration_of(network: Network, series: Sequence[FloatArray], horizon: int) -> list[str]:
    """Return the source of the quantiles of each series; see `Forecast.calibration`."""
    if network.config.forecasts_quantiles:
        return [residuals.TRAINED] * len(series)
    return residuals.sources_of(series, min(horizon, network.pass_length))
