"""From series to quantiles in their units: scaling, one pass or a roll-out, both signs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from tqdm.auto import tqdm

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.inference import multiscale
from timer_forecaster.inference.bounds import cut_off, nonnegative_of
from timer_forecaster.inference.channels import check_rows, grouped, width_of
from timer_forecaster.inference.frequency import Frequency, tokens_of
from timer_forecaster.inference.gaps import forecast_beyond_gaps
from timer_forecaster.inference.options import ForecastOptions, check_symmetric
from timer_forecaster.inference.outcome import check_outcome, room_for
from timer_forecaster.inference.profiles import Gate
from timer_forecaster.inference.readings import forecast_read
from timer_forecaster.inference.residuals import TRAINED, Errors
from timer_forecaster.inference.rows import Beside, Rows, medians
from timer_forecaster.inference.scaling import check_series
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
    known: Sequence[FloatArray] | None = None,
    is_remainder: Sequence[bool] | None = None,
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
    known : sequence of ndarray, each of shape (columns, steps + horizon), optional
        The columns that the network reads beside each row, as `known_rows` returns them.
    is_remainder : sequence of bool, optional
        Whether each series is what a model of covariates leaves, which may have any sign. Default:
        none is.

    Returns
    -------
    ndarray, shape (n_series, horizon, Q)
        NaN for series that `failures` has noted.

    Raises
    ------
    ValueError
        If no forecast can be made from a series, if the mean of both signs needs other levels, if
        the network needs no ``padding``, or if it computes NaN or infinite values.
    """
    config = network.config
    if options.both_signs:
        check_symmetric(config.quantiles)
    options.check_padding(config, name)
    failures = failures or Failures()
    series = checked(network, series, options.context_length, failures)
    known = known and _newest(known, options.context_length, horizon)
    n_series = len(series)
    is_remainder = [False] * n_series if is_remainder is None else is_remainder
    sound = [i for i in range(n_series) if i not in failures.reasons]
    if not sound:
        return _blank(n_series, horizon, len(config.quantiles))
    if len(sound) < n_series:
        series, is_remainder = [series[i] for i in sound], [is_remainder[i] for i in sound]
        frequencies = None if frequencies is None else [frequencies[i] for i in sound]
        known = known and [known[row[0] // len(row)] for row in grouped(sound, width_of(config))]
    with tqdm(total=0, disable=not progress, unit="row", desc="forecast") as bar:
        roll_out = functools.partial(_roll_out, network, options, bar, known)
        reader = _Reader(network, roll_out, options, frequencies, is_remainder)
        found = reader.forecast(series, horizon, reads_columns=known is not None)
    cut_off(found, nonnegative_of(config, series, options) & ~np.array(is_remainder))
    check_outcome(found, series, name, numbers=sound, failures=failures)
    if len(sound) == n_series:
        return found
    quantiles = _blank(n_series, *found.shape[1:])
    quantiles[sound] = found
    return quantiles


class _Reader(NamedTuple):
    """Forecasts series, as they are or as the network reads them best."""

    network: Network
    roll_out: Callable[..., FloatArray]
    options: ForecastOptions
    frequencies: Sequence[Frequency] | None
    is_remainder: Sequence[bool]

    def forecast(
        self, series: Sequence[FloatArray], horizon: int, reads_columns: bool
    ) -> FloatArray:
        """Forecast all series; columns beside them have the steps of the series as they are."""
        config, most = self.network.config, self.network.pass_length
        if reads_columns or not self.options.transforms(config):
            return self._as_given(series, range(len(series)), horizon)
        return forecast_beyond_gaps(self._at_best, series, width_of(config), horizon, most)

    def _at_best(
        self, series: Sequence[FloatArray], numbers: Sequence[int], horizon: int
    ) -> FloatArray:
        """Forecast series without short gaps and without one at the end, each transformed."""
        config, everything = self.network.config, range(len(series))

        def forecast(values: Sequence[FloatArray], chosen: Sequence[int]) -> FloatArray:
            return self._as_given(values, [numbers[i] for i in chosen], horizon)

        near = horizon <= self.network.pass_length and not config.fixed_context
        gate, rows = Gate.of(config.fixed_context, near), grouped(everything, width_of(config))
        is_remainder = [self.is_remainder[i] for i in numbers]
        # Further ahead, and to a network that reads little, the plain series adds nothing good.
        with_plain = near and self.options.quality == "best"
        return forecast_read(forecast, series, gate, list(rows), is_remainder, with_plain)

    def _as_given(
        self, series: Sequence[FloatArray], numbers: Sequence[int], horizon: int
    ) -> FloatArray:
        """Forecast series as they are."""
        config, rollout = self.network.config, self.options.rollout_of(self.network.config)
        own = None if self.frequencies is None else [self.frequencies[i] for i in numbers]
        if rollout != "multiscale":
            return self.roll_out(series, horizon, rollout, own)
        how = self.network.pass_length, config.max_context_length
        width = width_of(config)
        return multiscale.forecast(
            self.roll_out, series, horizon, *how, own, width, config.fixed_context
        )


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
    longest = network.config.max_context_length
    for i, values in enumerate(series):
        if i not in failures.reasons:
            try:
                check_series(values, f"series[{i}]", longest, context_length)
            except ValueError as error:
                failures.add(i, error)
    if context_length is not None:
        series = [values[-context_length:] for values in series]
    check_rows(series, width_of(network.config), failures)
    return series


def _newest(
    known: Sequence[FloatArray], context_length: int | None, horizon: int
) -> Sequence[FloatArray]:
    """Return columns over the newest steps of the series and the horizon."""
    if context_length is None:
        return known
    return [columns[:, -(context_length + horizon) :] for columns in known]


def _roll_out(
    network: Network,
    options: ForecastOptions,
    bar: tqdm[Any],
    known: Sequence[FloatArray] | None,
    series: Sequence[FloatArray],
    horizon: int,
    rollout: str,
    frequencies: Sequence[Frequency] | None = None,
) -> FloatArray:
    """Return quantiles (n_series, horizon, Q) by one kind of roll-out, in the units of series."""
    width = width_of(network.config)
    tokens = None
    if frequencies is not None:
        tokens = tokens_of(network.config, frequencies[::width])
    rows = Rows.of(network, series, options.zeros_before, Beside(tokens, known))
    bar.total += len(rows.values) * (2 if options.both_signs else 1)
    offsets = None
    if not network.config.forecasts_quantiles:
        offsets = _offsets(network, series, rows, horizon, options)
    how = rollout, options.batch_size, bar.update, offsets, options.both_signs
    return rows.forecast(network, horizon, *how)


def _offsets(
    network: Network,
    series: Sequence[FloatArray],
    rows: Rows,
    horizon: int,
    options: ForecastOptions,
) -> FloatArray:
    """Return distances of quantiles from point forecasts, on the scale of the series read."""
    errors, given = _errors(network, horizon), [series[i] for i in rows.numbers]
    asked = errors.asked(given)

    def point(cut: Sequence[FloatArray], steps: int) -> FloatArray:
        beside = rows.beside.take([row for row, _ in asked])
        if beside.known is not None:
            beyond = horizon - steps
            ends = [at - len(given[row * errors.width]) - beyond for row, at in asked]
            known = [columns[:, :end] for columns, end in zip(beside.known, ends, strict=True)]
            beside = beside._replace(known=known)
        size, zeros = options.batch_size, options.zeros_before
        return medians(network, cut, steps, "median", size, zeros, beside)

    offsets = errors.spread(point, given, network.config.quantiles, asked)
    scales = np.array([rows.scaled[i].scale or np.inf for i in rows.numbers])
    return offsets / scales[:, None, None]


def calibration_of(
    network: Network,
    series: Sequence[FloatArray],
    horizon: int,
    context_length: int | None = None,
) -> tuple[str, ...]:
    """Return the source of the quantiles of each series; see `Forecast.calibration`."""
    if network.config.forecasts_quantiles:
        return (TRAINED,) * len(series)
    if context_length is not None:
        series = [values[-context_length:] for values in series]
    return tuple(_errors(network, horizon).sources(series))


def _errors(network: Network, horizon: int) -> Errors:
    config = network.config
    return Errors(min(horizon, network.pass_length), config.max_context_length, width_of(config))
