"""From series to quantiles in their units: scaling, one pass or a roll-out, both signs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.inference import multiscale, residuals
from timer_forecaster.inference.channels import check_rows, grouped, read_series, width_of
from timer_forecaster.inference.engine.choice import engine_of
from timer_forecaster.inference.options import ForecastOptions, check_symmetric
from timer_forecaster.inference.outcome import check_outcome, room_for
from timer_forecaster.inference.scaling import Row, check_series, in_units, scaled
from timer_forecaster.models.network import Network


def predict_quantiles(
    network: Network,
    series: Sequence[FloatArray],
    horizon: int,
    options: ForecastOptions,
    progress: bool = False,
    name: str = "the network",
    failures: Failures | None = None,
    known: Sequence[FloatArray] | None = None,
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
    known : sequence of ndarray, each of shape (columns, steps + horizon), optional
        The columns that the network reads beside each row, as `known_rows` returns them.

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
        known = known and [known[row[0] // len(row)] for row in grouped(sound, width_of(config))]
    with tqdm(total=0, disable=not progress, unit="row", desc="forecast") as bar:
        roll_out = functools.partial(_roll_out, network, options, bar, known)
        if rollout == "multiscale":
            sizes = network.pass_length, config.max_context_length, width_of(config)
            found = multiscale.forecast(roll_out, series, horizon, *sizes)
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
    check_rows(series, width_of(network.config), failures)
    return series


def scaled_rows(network: Network, series: Sequence[FloatArray]) -> list[Row]:
    """Return checked series as the rows that a network reads."""
    config = network.config
    return [scaled(one, config.max_context_length, config.interior_masks) for one in series]


def _roll_out(
    network: Network,
    options: ForecastOptions,
    bar: tqdm[Any],
    known: Sequence[FloatArray] | None,
    series: Sequence[FloatArray],
    horizon: int,
    rollout: str,
) -> FloatArray:
    """Return quantiles (n_series, horizon, Q) by one kind of roll-out, in the units of series."""
    rows = scaled_rows(network, series)
    read = _Read.of(network, rows, known)
    how: dict[str, Any] = {}
    if not network.config.forecasts_quantiles:
        how["offsets"] = _offsets(network, series, rows, read, horizon, options.batch_size)
    if options.flip:
        read = read.mirrored()
        how = {name: np.concatenate([one, -one[:, :, ::-1]]) for name, one in how.items()}
    bar.total += len(read.values)
    size = options.batch_size
    forecast = read.forecast(network, horizon, rollout, size, bar.update, **how)
    if options.flip:
        forecast, negative = np.split(forecast, 2)
        forecast = (forecast - negative[:, :, ::-1]) / 2
    return in_units(rows, forecast[read.varies])


class _Read(NamedTuple):
    """The rows that a network reads: those with a series that varies."""

    numbers: list[int]  # of their series
    varies: NDArray[np.bool_]  # whether each of the series does
    values: list[FloatArray]  # standardized
    known: list[FloatArray] | None  # columns beside each row, over context and horizon

    @classmethod
    def of(cls, network: Network, rows: Sequence[Row], known: Sequence[FloatArray] | None) -> _Read:
        """Choose the rows of all series."""
        width = width_of(network.config)
        numbers, varies = read_series([row.scale for row in rows], width)
        if known is not None:
            known = [known[number // width] for number in numbers[::width]]
        return cls(numbers, varies, [rows[i].values for i in numbers], known)

    def mirrored(self) -> _Read:
        """Return these rows followed by their negatives."""
        negative = [-values for values in self.values]
        known = self.known and [*self.known, *(-columns for columns in self.known)]
        return self._replace(values=self.values + negative, known=known)

    def forecast(
        self,
        network: Network,
        horizon: int,
        rollout: str,
        batch_size: int | None,
        on_batch: Callable[[int], Any],
        **how: Any,
    ) -> FloatArray:
        """Return standardized quantiles (values, horizon, Q)."""
        if self.known is not None:
            how["known"] = self.known
        forecast_rows = engine_of(network).forecast_rows
        return forecast_rows(network, self.values, horizon, rollout, batch_size, on_batch, **how)


def _offsets(
    network: Network,
    series: Sequence[FloatArray],
    rows: Sequence[Row],
    read: _Read,
    horizon: int,
    batch_size: int | None,
) -> FloatArray:
    """Return distances of quantiles from point forecasts, on the scale of the rows read."""
    width, given = width_of(network.config), [series[i] for i in read.numbers]
    steps = min(horizon, network.pass_length)

    def point(cut: Sequence[FloatArray], steps: int) -> FloatArray:
        known = None
        if read.known is not None:
            asked = residuals.asked_of(given, steps, width)
            known = [
                read.known[row][:, : at - len(given[row * width]) - horizon + steps]
                for row, at in asked
            ]
        scaled_cut = scaled_rows(network, cut)
        own = _Read.of(network, scaled_cut, known)
        quantiles = own.forecast(network, steps, "median", batch_size, lambda n: n)
        return in_units(scaled_cut, quantiles[own.varies])[..., 0]

    offsets = residuals.spread_of(point, given, steps, network.config.quantiles, width)
    scales = np.array([rows[i].scale or np.inf for i in read.numbers])
    return offsets / scales[:, None, None]


def calibration_of(network: Network, series: Sequence[FloatArray], horizon: int) -> list[str]:
    """Return the source of the quantiles of each series; see `Forecast.calibration`."""
    if network.config.forecasts_quantiles:
        return [residuals.TRAINED] * len(series)
    width = width_of(network.config)
    return residuals.sources_of(series, min(horizon, network.pass_length), width)
